"""Pictures that a notebook stores: kept where a new one differs by rounding, so that a second run changes nothing."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

LEVELS = 8
"""Of 255: a pixel that differs by less is the same."""
SHARE = 1e-3
"""Of the pixels: so many may differ by more."""


def keep_pictures(notebook: Any, stored: Any) -> None:
    """Put the stored pictures of a notebook in place of new ones that show the same.

    Args:
        notebook: The notebook, just executed; its outputs are changed.
        stored: The same notebook as it was stored.
    """
    before = {cell.id: cell.get("outputs", []) for cell in stored.cells}
    for cell in notebook.cells:
        for output, old in zip(cell.get("outputs", []), before.get(cell.id, []), strict=False):
            new, known = (each.get("data", {}).get("image/png", "").strip() for each in (output, old))
            if new and known and new != known and show_the_same(new, known):
                for kind, value in output.data.items():
                    if isinstance(value, str):  # the HTML of a still holds its picture too
                        output.data[kind] = value.replace(new, known)


def show_the_same(one: str, other: str) -> bool:
    """Whether two PNG images in base64 have the same size and, but for rounding, the same pixels."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")).astype(int) for png in (one, other)
    )
    if first.shape != second.shape:
        return False
    return bool((np.abs(first - second).max(-1) >= LEVELS).mean() <= SHARE)
