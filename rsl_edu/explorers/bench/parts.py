"""Parts of pictures other than curves: mosaics of images, frames and tables of text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from .theme import GREY, RED


def mosaic(tiles: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Arrange ``tiles [tiles, height, width]`` in rows and columns of one image, with gaps of NaN between the tiles."""
    times = -(-32 // max(tiles.shape[1:]))  # enlarge small tiles, because a gap of one pixel looks wide next to them
    tiles = np.pad(tiles.repeat(times, 1).repeat(times, 2), ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    image: np.ndarray = np.full((rows * columns, *tiles.shape[1:]), np.nan)
    image[: len(tiles)] = tiles
    return np.block([[*image[row * columns : (row + 1) * columns]] for row in range(rows)])


def frame(x: float, y: float, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a rectangle as a closed line: x ``[5]`` and y ``[5]``."""
    return np.array([x, x + width, x + width, x, x]), np.array([y, y, y + height, y + height, y])


def show_image(image: Any, values: np.ndarray, low: float, high: float) -> None:
    """Set the values of an image and the limits of its colours."""
    image.set_data(values)
    image.set_clim(low, high if high > low else low + 1)


class TextTable:
    """A table of lines in a monospaced font, with space for a warning of three lines below it.

    The text of the table rarely changes, so it is drawn with the background of the axes.

    Args:
        axes: Axes without ticks, which the table fills.
        head: The header line.
        rows: Number of lines below the header.
    """

    def __init__(self, axes: Any, head: str, rows: int) -> None:
        look: dict[str, Any] = {
            "size": 9,
            "va": "top",
            "transform": axes.transAxes,
            "gid": "ground",
            "in_layout": False,
        }
        heights = np.linspace(1, 0, rows + 4)
        self.rows = rows
        self._lines = [axes.text(0, y, " ", family="DejaVu Sans Mono", **look) for y in heights[1 : rows + 1]]
        self._why = axes.text(0, heights[rows + 1], " ", **look, color=RED)
        self._ink = self._lines[0].get_color()
        axes.text(0, 1, head, family="DejaVu Sans Mono", **look, color=GREY)

    def write(self, lines: Sequence[str], wrong: int, why: str) -> None:
        """Write the lines of the table, with line ``wrong`` (from 0) in red, and the warning ``why`` below them."""
        for i, (line, text) in enumerate(zip(self._lines, lines, strict=True)):
            line.set(text=text, color=RED if i == wrong else self._ink)
        self._why.set_text("\n".join(textwrap.wrap(why, 62)))
