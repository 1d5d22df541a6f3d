"""The picture of the explorer *signal*: five panels with one row per layer. The input is the lowest row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.transforms import ScaledTranslation

from rsl_edu.diagnosis.layers import EDGES, Layers
from rsl_edu.number_format import power, short

from ..bench.theme import BLUE, FAINT, GREY, ORANGE, RED
from ..bench.touch import Grip, Mark, Spot, grip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOWEST, HIGHEST = (1e-3, 1e-6, 1e-12, 1e-24, 1e-48), (1e1, 1e3, 1e6, 1e12, 1e38)
"""Possible limits of the logarithmic axes. The picture uses the tightest limits that fit the data."""
DOT = 0.35
"""Height of the dots in a row, as a share of the row's height."""


def stage(figure: Figure, rows: int) -> dict[str, Any]:
    """Lay out the panels for at most ``rows`` rows."""
    widths = (2.4, 1.9, 1.9, 1.15, 1.75)
    panels = figure.subplots(1, 5, gridspec_kw={"width_ratios": widths, "wspace": 0.12})
    values, forward, backward, share, sizes = panels
    for axes, label in zip(panels, ("values", "signal", "gradient", "flat", "sizes"), strict=True):
        axes.set_label(label)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", left=False, labelsize=9)
    values.set(xlim=(EDGES[0], EDGES[-1]), title="values of all units", xlabel="value\n(height: √count)")
    values.set_xticks((-3, 0, 3), ("≤ −3", "0", "≥ 3"))
    forward.set(xscale="log", title="signal going up", xlabel="std over observations\n(dashed: norms preserved)")
    backward.set(xscale="log", title="gradient coming down", xlabel="norm, output = 1\n(dashed: norms preserved)")
    for axes in (forward, backward):
        axes.set_xlim(5e-4, 20)
        axes.locator_params(axis="x", numticks=3)
    share.set(xlim=(-8, 108), xticks=(0, 50, 100), title="flat slope", xlabel="share (%)\n")
    sizes.spines["bottom"].set_visible(False)
    sizes.set(xlim=(0, 1), xticks=(), title="sizes", xlabel="weights and\nparameters")
    artists: dict[str, Any] = {"panels": panels}
    artists["guides"] = [
        axes.hlines([], 0, 1, color=FAINT, linewidth=0.8, transform=axes.get_yaxis_transform(), zorder=1)
        for axes in (forward, backward, share)
    ]
    nothing = np.full(len(EDGES) - 1, np.nan)
    colours = [GREY] + [BLUE] * (rows - 1)
    artists["ridge"] = [values.stairs(nothing, EDGES, baseline=0, fill=True, color=c, alpha=0.75) for c in colours]
    line = {"marker": "o", "markersize": 5}
    (artists["flat"],) = share.plot([], [], color=GREY, label="values", **line | {"markersize": 7})
    (artists["asleep"],) = share.plot([], [], color=RED, label="units", **line)
    under = share.transAxes + ScaledTranslation(0, -0.42, figure.dpi_scale_trans)  # inches, below the axis label
    look: dict[str, Any] = {"handlelength": 0.6, "handletextpad": 0.4, "columnspacing": 0.8, "borderaxespad": 0}
    share.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=under, ncols=2, **look)
    for name, axes in (("signal", forward), ("gradient", backward)):
        (artists[f"ideal {name}"],) = axes.plot([], [], "--", color=GREY)
        (artists[name],) = axes.plot([], [], color=BLUE, **line)
        (artists[f"no {name}"],) = axes.plot([], [], "<", color=BLUE, markersize=9)
        style: dict[str, Any] = {"ha": "right", "va": "center", "size": 9, "transform": axes.get_yaxis_transform()}
        artists[f"{name} words"] = [axes.text(1.55, row + DOT, "", **style) for row in range(rows)]
    (artists["guess"],) = forward.plot([], [], "X", color=ORANGE, markersize=9.5, markeredgewidth=0, zorder=3)
    look = {"va": "center", "size": 9, "gid": "ground"}
    artists["weights"] = [sizes.text(0, row + DOT, "", **look) for row in range(rows)]
    artists["parameters"] = [sizes.text(1, row + DOT, "", ha="right", **look) for row in range(rows)]
    return artists


def draw(
    artists: dict[str, Any],
    layers: Layers,
    ideals: Sequence[np.ndarray],
    others: Sequence[Iterable[float]],
    room: int,
) -> None:
    """Update all rows of the five panels.

    Args:
        artists: The result of :func:`stage`.
        layers: The layers to draw.
        ideals: Signal and gradient of a network that preserves norms, each ``[rows]``.
        others: Further values that the axes of signal and gradient must include.
        room: Number of rows for which the axes have space.
    """
    rows = len(layers.units)
    y = np.arange(rows) + DOT
    names = [row_name(layers, row) for row in range(rows)]
    for axes in artists["panels"]:
        axes.set_yticks(y, names)
        axes.set_ylim(0, room)
    for i, ridge in enumerate(artists["ridge"]):
        bars = np.sqrt(layers.bars[i] / layers.bars[i].max()) if i < rows else np.full(len(EDGES) - 1, np.nan)
        ridge.set_data(i + 0.85 * bars, EDGES, baseline=i)
        for head, word in _size_words(layers, i).items():
            artists[head][i].set_text(word)
    for lines in artists["guides"]:
        lines.set_segments([[(0, level), (1, level)] for level in y])
    shown = ("signal", layers.std), ("gradient", layers.gradient)
    for axes, (name, values), ideal, more in zip(artists["panels"][1:3], shown, ideals, others, strict=True):
        low, high = _limits([*values, *ideal, *more])
        margin = (high / low) ** 0.06
        axes.set_xlim(low / margin, high * margin)
        artists[name].set_data(np.maximum(values, low), y)
        artists[f"no {name}"].set_data(
            np.full(rows, low)[values == 0], y[values == 0]
        )  # 0 is not on a logarithmic axis
        artists[f"ideal {name}"].set_data(np.maximum(ideal, low), y)
        for i, text in enumerate(artists[f"{name} words"]):
            text.set_text(size_word(values[i]) if i < rows else "")
    artists["flat"].set_data(100 * layers.flat, y)
    artists["asleep"].set_data(100 * layers.asleep, y)


def spots(layers: Layers, arithmetic: Sequence[tuple[str, ...]]) -> list[Spot]:
    """Return one hover target for each row, with marks around the histogram and the dots of this row."""
    found = []
    for row, lines in enumerate(arithmetic):
        y, band = row + DOT, (row, row + 0.9)
        marks = [Mark("values", None, band)]
        marks += [Mark("signal", layers.std[row], y), Mark("gradient", layers.gradient[row], y)]
        words = f"std {size_word(layers.std[row])}, gradient norm {size_word(layers.gradient[row])}"
        if np.isfinite(layers.flat[row]):
            marks.append(Mark("flat", 100 * layers.flat[row], y))
            words += f", {100 * layers.flat[row]:.0f} % of the values where the slope is flat"
        name = row_name(layers, row)
        found.append(
            Spot(f"layer {name}" if name.isdigit() else name, words, (*marks, Mark("sizes", None, band)), lines)
        )
    return found


def grips(deepest: int) -> list[Grip]:
    """Return the handle at the output row. It adds and removes layers."""
    return [grip("depth", "values", {depth: (EDGES[-1], depth + 1 + DOT) for depth in range(1, deepest + 1)})]


def row_name(layers: Layers, row: int) -> str:
    """Return the name of a row."""
    return "input" if row == 0 else "output" if row == len(layers.units) - 1 else str(row)


def size_word(value: float) -> str:
    """Return a number with two significant digits, and with a power of ten if it is very large or small."""
    return short(value) if value == 0 or 1e-3 <= value < 1e5 else power(value)


def _limits(values: Iterable[float]) -> tuple[float, float]:
    sizes = [value for value in values if value > 0]
    low = next((low for low in LOWEST if low <= min(sizes, default=1)), LOWEST[-1])
    return low, next((high for high in HIGHEST if high >= max(sizes, default=1)), HIGHEST[-1])


def _size_words(layers: Layers, row: int) -> dict[str, str]:
    """Return the shape of a row's weights and the number of parameters as text; empty for a row above the output."""
    units, parameters = layers.units[row - 1 : row + 1], layers.parameters[row : row + 1]
    if not parameters:
        return {"weights": "", "parameters": ""}
    return {
        "weights": f"{units[0]} → {units[1]}" if row else str(layers.units[0]),
        "parameters": f"{parameters[0]:,}" if parameters[0] else "–",
    }
