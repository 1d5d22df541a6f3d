"""The picture of the explorer *features*: ``stage`` lays out its panels, ``draw`` updates them to a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.number_format import round_up, short

from ..bench.parts import TextTable, frame, mosaic, show_image
from ..bench.theme import BLUE, FAINT, ORANGE, PINK, RED
from ..bench.touch import Grip, grip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsl_edu.diagnosis.feature_maps import ConvLayer

    from .state import FeaturesResult

HIDDEN = 256
"""Number of units in the first linear layer of the MLP head."""
ROWS, COLUMNS = 2, 4
TILES = ROWS * COLUMNS
"""Number of tiles in a mosaic."""
MAPS = 2.9
"""Upper edge of the maps, in tiles below the top of the filters; leaves space for the text between both mosaics."""
COARSE = (0, 42, 50, 58, 100)
"""Positions of the chosen pixel, in per cent, for which a page without a kernel has pictures."""
MOST = 32
"""Maximum number of rows, and of columns, to which the handle of the pixel can be dragged."""
ROW = "{:<6}{:<20}{:>13}{:>8}{:>11}"
HEAD = ROW.format("layer", "filter/stride", "output", "sees", "parameters")
NOTHING: tuple[Any, Any] = ((), ())


def stage(figure: Figure, height: int, width: int, layers: int) -> dict[str, Any]:
    """Lay out the scan, one map, and mosaics of filters and maps. Below are the border profile and the table.

    Args:
        figure: An empty figure.
        height: Number of rows in a scan.
        width: Number of columns in a scan.
        layers: Number of layers in the network.
    """
    grid = figure.add_gridspec(2, 1, height_ratios=(1.6, 1))
    upper = grid[0].subgridspec(1, 3, width_ratios=(1, 1, 0.9))
    lower = grid[1].subgridspec(1, 2, width_ratios=(1, 1.25))
    places = {"scan": upper[0], "map": upper[1], "channels": upper[2]}
    places |= {"profile": lower[0], "table": lower[1]}
    axes = {label: figure.add_subplot(place, label=label) for label, place in places.items()}
    for label in ("scan", "map", "channels", "table"):
        axes[label].set(xticks=[], yticks=[], anchor="NW")
        axes[label].spines[:].set(visible=label == "map", color=FAINT)
    artists: dict[str, Any] = {"axes": axes}
    margin = max(height, width) // 8 + 1
    ratio = height / width
    end = MAPS + ROWS * ratio
    for key, home, extent in (  # extents: left, right, bottom, top
        ("scan", "scan", (0, width, height, 0)),
        ("map", "map", (0, width, height, 0)),
        ("filters", "channels", (0, COLUMNS, ROWS, 0)),
        ("maps", "channels", (0, COLUMNS, end, MAPS)),
    ):
        cmap = "RdBu_r" if key == "filters" else "viridis"
        artists[key] = axes[home].imshow(np.zeros((2, 2)), cmap=cmap, extent=extent, interpolation="nearest")
        whole = key in ("scan", "map")
        for part, place, away, size in (("title", extent[3], 4, 11), ("note", extent[2], -4, 9)):
            # Labels that change with every step of a slider are moving artists. All other labels are in the background.
            moving = f"{key} {part}" in ("map title", "map note", "scan note")
            look: dict[str, Any] = {"va": "bottom" if away > 0 else "top", "size": size, "annotation_clip": False}
            at = (0, float(away > 0)) if whole else (0, place)
            look |= {"xycoords": "axes fraction" if whole else "data", "textcoords": "offset points"}
            words = axes[home].annotate("", at, (0, away), **look)
            words.set_gid(None if moving else "ground")
            artists[f"{key} {part}"] = words
    axes["map"].set(xlim=(0, width), ylim=(height, 0))
    axes["channels"].set(xlim=(0, COLUMNS), ylim=(end, 0))
    axes["scan"].set(xlim=(-margin, width + margin), ylim=(height + margin, -margin))
    _stage_frames(artists, figure, height, width)
    _stage_profile(artists, axes["profile"], min(height, width) / 2)
    axes["table"].set_title("shapes, layer by layer")
    artists["table"] = TextTable(axes["table"], HEAD, layers + 1)
    return artists


def _stage_frames(artists: dict[str, Any], figure: Figure, height: int, width: int) -> None:
    from matplotlib.patheffects import withStroke

    axes = artists["axes"]
    stroke = withStroke(linewidth=4, foreground=figure.get_facecolor())  # visible on every colour of an image
    outline: dict[str, Any] = {"path_effects": [stroke], "linewidth": 2, "color": BLUE}
    (artists["field"],) = axes["scan"].plot([], [], **outline)
    (artists["pixel"],) = axes["map"].plot([], [], clip_on=False, **outline)
    cross: dict[str, Any] = {"size": 60, "color": RED, "ha": "center", "va": "center"}
    artists["cross"] = axes["map"].text(width / 2, height / 2, "", **cross)
    for key in ("filters", "maps"):
        (artists[f"chosen {key}"],) = axes["channels"].plot([], [], color=ORANGE, clip_on=False, linewidth=2)
    guess: dict[str, Any] = {"color": ORANGE, "linewidth": 2, "linestyle": "--", "marker": "X", "markersize": 8}
    (artists["guess"],) = axes["scan"].plot([], [], **guess)


def _stage_profile(artists: dict[str, Any], profile: Any, half: float) -> None:
    profile.set(xlim=(-1, max(2, half)), xlabel="distance from the border (pixels)", ylabel="mean |activation|")
    profile.set_title("strength of the map, from the border inwards")
    profile.yaxis.set_label_coords(-0.2, 0.5)  # a fixed position, independent of the width of the tick labels
    (artists["profile"],) = profile.plot([], [], "o-", color=BLUE, markersize=4, label="sees only the scan")
    (artists["padded"],) = profile.plot([], [], "s", color=PINK, markersize=6, label="sees padding")
    profile.legend(loc="upper right", borderaxespad=0.1)


def draw(artists: dict[str, Any], result: FeaturesResult, lines: Sequence[str], failing: int, warning: str) -> None:
    """Update the images, frames, curves and labels.

    Args:
        artists: The result of :func:`stage`.
        result: The result to show.
        lines: Lines of the table.
        failing: Index of the line of the invalid layer, or -1.
        warning: What is wrong with the network; empty if nothing is wrong.
    """
    run, shown, channel = result.run, result.shown, result.channel
    height, width = result.scan.shape
    rows, columns = run.padding
    artists["scan"].set_extent((-columns, width + columns, height + rows, -rows))
    low, high = float(result.scan.min()), float(result.scan.max())
    show_image(artists["scan"], result.border, low, high)
    artists["scan title"].set_text("scan" + (f", {run.mode} around it" if max(run.padding) else ""))
    artists["scan note"].set_text(f"{_between(low, high, ' m')}, dark to bright")
    frames = dict.fromkeys(("field", "pixel", "chosen filters", "chosen maps"), NOTHING)
    words = dict.fromkeys(("map note", "filters note", "maps note"), "")
    words |= {"map title": f"layer {result.state.layer}: no map", "filters title": "filters", "maps title": "maps"}
    curve = NOTHING
    if shown is None:
        for key in ("map", "filters", "maps"):
            show_image(artists[key], np.full((1, 1), np.nan), 0, 1)
    else:
        curve = (shown.distance, shown.strength[channel])
        words = _draw_images(artists, result, shown)
        x, y, side = field(result, shown)
        frames["field"] = in_sight(height, width, *frame(x, y, side, side))
        frames["pixel"] = frame(*unit_box(result, shown))
        frames["chosen maps"] = frame(*tile("maps", channel, height / width))
        if shown.filters.shape[1] == 1:
            frames["chosen filters"] = frame(*tile("filters", channel))
    for key, corners in frames.items():
        artists[key].set_data(*corners)
    for key, text in words.items():
        artists[key].set_text(text)
    artists["cross"].set_text("" if shown else "✗")
    artists["profile"].set_data(*curve)
    artists["padded"].set_data(*(NOTHING if shown is None else (values[shown.padded] for values in curve)))
    top = 1.0 if shown is None else max(0.01, round_up(1.35 * float(shown.strength[channel].max()) + 1e-9))
    artists["axes"]["profile"].set(ylim=(0, top), yticks=(ticks := (0, top / 2, top)), yticklabels=map(short, ticks))
    artists["table"].write(lines, failing, warning)


def _draw_images(artists: dict[str, Any], result: FeaturesResult, shown: ConvLayer) -> dict[str, str]:
    """Update the images of a layer, and return the labels of these images."""
    channel, maps = result.channel, shown.maps
    page = channel // TILES * TILES  # of a wide layer, only eight channels are shown at a time
    single = shown.filters.shape[1] == 1  # one filter per map; later layers: one per input map
    filters = shown.filters[page : page + TILES, 0] if single else shown.filters[channel, :TILES]
    peak = float(np.abs(shown.filters).max())
    scaled = maps / np.maximum(np.abs(maps).max((1, 2), keepdims=True), 1e-9)  # so that a map of zeros is dark
    tiles = mosaic(scaled[page : page + TILES], ROWS, COLUMNS)
    low, high = float(maps[channel].min()), float(maps[channel].max())
    show_image(artists["map"], maps[channel], low, high)
    show_image(artists["filters"], mosaic(filters, ROWS, COLUMNS), -peak, peak)
    show_image(artists["maps"], tiles, min(0.0, float(scaled.min())), 1)
    return {
        "map title": f"layer {result.state.layer}, {result.named(channel)}",
        "map note": f"{_between(low, high)}, dark to bright",
        "filters title": "filters" if single else f"its filter on each map of layer {result.state.layer - 1}",
        "filters note": f"−{short(peak)} (blue) to {short(peak)} (red)",
        "maps title": f"maps {page} to {min(page + TILES, len(maps)) - 1}",
        "maps note": "each on its own scale, dark to bright",
    }


def _between(low: float, high: float, unit: str = "") -> str:
    return f"{short(low)} to {short(high)}{unit}".replace("-", "−")


def in_sight(height: int, width: int, x: Any, y: Any) -> tuple[Any, Any]:
    """Return the coordinates of a frame, clipped to the edges of the image."""
    margin = max(height, width) // 8 + 0.5
    return np.clip(x, -margin, width + margin), np.clip(y, -margin, height + margin)


def field(result: FeaturesResult, shown: ConvLayer) -> tuple[float, float, int]:
    """Return left, top and side length of the chosen pixel's receptive field, in pixels of the scan."""
    top, left = (first + shown.jump * place for first, place in zip(shown.first, result.pixel, strict=True))
    return left, top, shown.field


def seen(result: FeaturesResult, shown: ConvLayer) -> str:
    """Return in words how much of the scan the chosen pixel sees, and how much of its field is beyond the edge."""
    left, top, side = field(result, shown)
    height, width = result.scan.shape
    rows, columns = (max(0.0, min(start + side, end) - max(start, 0)) for start, end in ((top, height), (left, width)))
    if rows * columns == height * width:
        return f"the whole scan, {height} × {width} pixels"
    if rows * columns < side**2:
        beyond = 100 * (1 - rows * columns / side**2)
        return f"{side} × {side} pixels, {beyond:.0f} % of them beyond the edge of the scan"
    return f"{side} × {side} of the scan's {height} × {width} pixels"


def unit_box(result: FeaturesResult, shown: ConvLayer) -> tuple[float, float, float, float]:
    """Return left, top, width and height of the chosen pixel in the drawing of the map."""
    height, width = result.scan.shape
    down, across = height / shown.maps.shape[1], width / shown.maps.shape[2]
    row, column = result.pixel
    return column * across, row * down, across, down


def tile(kind: str, channel: int, ratio: float = 1.0) -> tuple[float, float, float, float]:
    """Return left, top, width and height of a channel's tile in the mosaic of filters or maps.

    Args:
        kind: ``"filters"`` or ``"maps"``.
        channel: The channel.
        ratio: Height of a tile of width 1.
    """
    row, column = divmod(channel % TILES, COLUMNS)
    return column, row * ratio + (MAPS if kind == "maps" else 0), 1, ratio


def pixel(percent: float, count: int) -> int:
    """Return the index of the pixel at a position in per cent, for a row of ``count`` pixels."""
    return int(percent / 100 * (count - 1) + 0.5)


def grips(result: FeaturesResult, positions: Sequence[int]) -> list[Grip]:
    """Return the handles that select the pixel in the map and the channel in the mosaic of maps.

    Args:
        result: The shown result.
        positions: Possible values of the controls for the pixel's row and column, in per cent.
    """
    shown = result.shown
    if shown is None:
        return []
    height, width = result.scan.shape
    channels, rows, columns = shown.maps.shape
    down, across = height / rows, width / columns
    points = {
        (r, c): ((pixel(c, columns) + 0.5) * across, (pixel(r, rows) + 0.5) * down)
        for r in _one_each(rows, positions, round(result.state.row))
        for c in _one_each(columns, positions, round(result.state.column))
    }
    chosen = Grip(("row", "column"), "map", points)
    page = range(result.channel // TILES * TILES, min(channels, (result.channel // TILES + 1) * TILES))
    centres = {c: (x + w / 2, y + h / 2) for c in page for x, y, w, h in [tile("maps", c, height / width)]}
    return [each for each in (chosen, grip("channel", "channels", centres)) if len(each.points) > 1]


def _one_each(count: int, positions: Sequence[int], present: int) -> list[int]:
    """Return one control value for each of ``count`` pixels; if there are too many, only for equidistant pixels."""
    found: dict[int, int] = {}
    every = -(-count // MOST)
    for value in sorted(positions, key=lambda value: (value != present, value not in COARSE)):
        place = pixel(value, count)
        if place % every == 0 or value in COARSE or value == present:
            found.setdefault(place, value)
    return sorted(found.values())
