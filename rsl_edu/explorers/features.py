"""Explorer *features*: what a convolutional network makes of a height scan, and what it invents at the border."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from rsl_edu.data import height_scans
from rsl_edu.data.learner_input import finite_tensor
from rsl_edu.data.terrain_cnn import FILTERS, terrain_cnn
from rsl_edu.diagnosis.feature_maps import ConvLayer, ForwardPass, forward_pass, usable_cnn
from rsl_edu.modules import CNN
from rsl_edu.modules.cnn import PADDINGS
from rsl_edu.number_format import round_up, short, small

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.parts import TextTable, frame, mosaic, show_image
from .bench.theme import BLUE, FAINT, ORANGE, PINK, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRIDES = {"1": (1, False), "2": (2, False), "3": (3, False), "1, max pool": (1, True), "2, max pool": (2, True)}
"""Stride of every layer, and whether max pooling ends it."""
NORMS = {"none": ("none", 16), "layer": ("layer", 16), "batch of 32": ("batch", 32), "batch of 1": ("batch", 1)}
"""Norm of every layer, and how many scans go through the network at once."""
HIDDEN = 256
"""Units of the linear layer that an MLP head begins with."""
ROWS, COLUMNS = 2, 4
TILES = ROWS * COLUMNS
"""Tiles of a mosaic."""


@dataclasses.dataclass(frozen=True)
class FeaturesState:
    """State of :class:`Features`; kernel, stride, dilation, padding and norm are the same in all three layers.

    The layers of the learner's own network are as they are.
    """

    layer: int = control(0, "layer", "Which layer is shown, counted from 0 as in the library.", range=(0, 2, 1))
    channel: int = control(0, "channel", "Which map of the layer is shown large.", range=(0, 7, 1))
    seed: int = control(0, "seed", "Chooses the scan, and draws the random filters.", range=(0, 9, 1))
    offset: float = control(
        0.5,
        "height offset",
        "Added to every height: a scan is measured from the robot, not from the ground below it.",
        unit="m",
        range=(0.0, 1.0, 0.1),
    )
    kernel: int = control(5, "kernel size", "Side of the filters.", unit="pixels", range=(1, 11, 1))
    stride: str = control(
        "2",
        "stride, pooling",
        "Pixels from one place of the filter to the next; max pooling halves the map once more.",
        choices={words: words for words in STRIDES},
    )
    dilation: int = control(
        1, "dilation", "Pixels between neighbouring taps of the filter.", unit="pixels", range=(1, 4, 1)
    )
    padding: str = control(
        "none",
        "padding",
        "What continues every map over its border; zeros are a cliff where heights are not near zero.",
        choices={words: words for words in PADDINGS},
    )
    norm: str = control(
        "none",
        "norm",
        "What normalizes each layer; batch norm takes the mean and std of the batch, as in training.",
        choices={words: words for words in NORMS},
    )


@dataclasses.dataclass(frozen=True)
class FeaturesResult:
    """What the picture shows; ``shown`` is None where the layer cannot work."""

    state: FeaturesState
    scan: np.ndarray  # [height, width], as it enters the network
    border: np.ndarray  # [height + 2 rows, width + 2 columns], as the first convolution pads it
    run: ForwardPass
    shown: ConvLayer | None
    channel: int
    off: float | None  # how far the maps are from those in a batch of 32: root mean square, as a share of theirs


class Features(Explorer[FeaturesState, FeaturesResult]):
    """Filters and feature maps of a CNN over height scans, what its units see, and how the shapes flow.

    A configuration that cannot work is shown too: its row turns red, and a line says why.

    Args:
        scans: Height scans ``[scans, 1, height, width]`` in metres; None takes real terrain, 0.5 m off zero.
        network: The learner's own network, shown in evaluation mode; None builds one that the controls change.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError, ValueError: Scans of another shape, or with values that are not finite; a network that is no CNN, or
            one for other scans.
    """

    State = FeaturesState
    lesson = 2
    shows = "filters, maps, receptive fields and the flow of shapes of a CNN over terrain"
    breaks = "zero padding, kernels larger than the map, batch norm of one scan"
    size = (9.0, 6.2)
    swept = (
        {"layer": ..., "padding": ...},
        {"layer": ..., "kernel": (3, 5, 11)},
        {"layer": ..., "stride": ...},
        {"layer": ..., "dilation": (1, 2, 3)},
        {"layer": ..., "norm": ...},
        {"layer": ..., "dilation": (1, 2), "norm": ("none", "batch of 1")},
        {"padding": ..., "offset": (0.0, 0.5)},
        {"norm": ("none", "layer"), "offset": (0.0, 0.5)},
    )
    question = Control(
        "receptive field", "Side of the square that a unit of the last layer sees.", "pixels", range=(1, 999, 1)
    )

    def __init__(self, scans: torch.Tensor | None = None, network: CNN | None = None, **state: Any) -> None:
        defaults = {} if scans is None else {"offset": 0.0}  # the learner's own zero is where they put it
        self.network = None if network is None else usable_cnn(network)
        if scans is None:
            height, width = (64, 64) if self.network is None else self.network.input_shape[1:]
            scans = height_scans(count=32, size=max(height, width))[:, :, :height, :width]
        self.scans = finite_tensor("scans", scans, "[scans, 1, height, width]").float()
        ranges: dict[str, tuple[float, float, float]] = {}
        fixed: dict[str, Any] = {}
        if self.network is not None:
            if self.network.input_shape != tuple(self.scans.shape[1:]):
                got, expected = list(self.network.input_shape), list(self.scans.shape[1:])
                raise ValueError(f"network: expected one for scans of shape {expected}, got one for {got}")
            fixed = {"kernel": 0, "stride": "", "dilation": 0, "padding": "", "norm": ""}  # they would change nothing
            channels = [module.out_channels for module in self.network if isinstance(module, nn.Conv2d)]
            ends = {"layer": len(channels), "channel": max(channels), "seed": min(10, len(self.scans))}
            ranges = {name: (0, end - 1, 1) for name, end in ends.items()}
        super().__init__(ranges=ranges, fixed=fixed, defaults=defaults, **state)

    def compute(self, state: FeaturesState) -> FeaturesResult:
        """Send scans through the library's own CNN, layer by layer, up to the one that cannot work."""
        network = dataclasses.replace(state, layer=0, channel=0)  # these two only choose what is shown
        run, off = self._run(network), None
        shown = run.layers[state.layer] if state.layer < len(run.layers) else None
        if network.norm == "batch of 1" and shown is not None:
            batch = self._run(dataclasses.replace(network, norm="batch of 32")).layers[state.layer].maps
            off = float(np.square(shown.maps - batch).mean() / (np.square(batch).mean() + 1e-12)) ** 0.5
        scan = self.scans[state.seed % len(self.scans)] + state.offset  # [1, height, width]
        (rows, columns), mode = run.padding, run.mode.replace("zeros", "constant")
        return FeaturesResult(
            state=state,
            scan=scan[0].numpy(),
            border=pad(scan, (columns, columns, rows, rows), mode)[0].numpy(),
            run=run,
            shown=shown,
            channel=0 if shown is None else min(state.channel, len(shown.maps) - 1),
            off=off,
        )

    @cached(4)
    def _run(self, state: FeaturesState) -> ForwardPass:
        """Run the network layer by layer, as far as it goes."""
        network, why, count = self.network, "", 32
        if network is None:
            (stride, pool), (norm, count) = STRIDES[state.stride], NORMS[state.norm]
            size = (self.scans.shape[2], self.scans.shape[3])
            layer = (state.kernel, stride, state.dilation)
            network, why = terrain_cnn(size, *layer, padding=state.padding, norm=norm, max_pool=pool, seed=state.seed)
        if network is None:
            return ForwardPass((), why)
        x = self.scans[(state.seed + torch.arange(min(count, len(self.scans)))) % len(self.scans)] + state.offset
        return forward_pass(network, x, why)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the scan, one map, and filters and maps as mosaics; below, the border profile and the table."""
        from matplotlib.patheffects import withStroke
        from matplotlib.transforms import offset_copy

        height, width = self.scans.shape[2:]
        margin = max(height, width) // 8 + 1
        grid = figure.add_gridspec(6, 3, height_ratios=(0.22, 1.3, 0.45, 1.3, 0.55, 1.4))  # the gaps are for words
        places = (grid[1:4, 0], grid[1:4, 1], grid[1, 2], grid[3, 2], grid[5, 0], grid[5, 1:])
        scan, large, kernels, maps, profile, table = (figure.add_subplot(place) for place in places)
        for axes in (scan, large, kernels, maps, table):
            axes.set(xticks=[], yticks=[], anchor="NW")
            axes.spines[:].set(visible=axes not in (scan, table), color=FAINT)
        artists: dict[str, Any] = {"profile axes": profile}
        stroke = withStroke(linewidth=3.5, foreground=figure.get_facecolor())  # seen on every colour of an image
        outline: dict[str, Any] = {"path_effects": [stroke], "linewidth": 1.5}
        for key, axes, wide, high in (
            ("scan", scan, width, height),
            ("map", large, width, height),
            ("filters", kernels, COLUMNS, ROWS),
            ("maps", maps, COLUMNS * width, ROWS * height),
        ):
            cmap = "RdBu_r" if key == "filters" else "viridis"
            extent = (0, wide, high, 0)
            artists[key] = axes.imshow(np.zeros((2, 2)), cmap=cmap, extent=extent, interpolation="nearest")
            for part, y, at, size in (("title", 1.02, "bottom", 11), ("note", -0.02, "top", 9)):
                # what changes with every step of a slider is a word of the axes; other words stay with the background
                home = axes if f"{key} {part}" in ("map title", "map note", "scan note") else figure
                words: dict[str, Any] = {"va": at, "size": size, "transform": axes.transAxes, "in_layout": False}
                artists[f"{key} {part}"] = home.text(0, y, "", **words)
            axes.set(xlim=(0, wide), ylim=(high, 0))
        scan.set(xlim=(-margin, width + margin), ylim=(height + margin, -margin))
        for key, colour in (("centre", BLUE), ("corner", PINK)):
            (artists[key],) = scan.plot([], [], color=colour, label=f"seen by the {key} unit", **outline)
            (artists[f"{key} unit"],) = large.plot([], [], color=colour, clip_on=False, **outline)
        artists["cross"] = large.text(width / 2, height / 2, "", size=60, color=RED, ha="center", va="center")
        (artists["chosen filter"],) = kernels.plot([], [], color=ORANGE, clip_on=False, linewidth=2)
        (artists["chosen map"],) = maps.plot([], [], color=ORANGE, clip_on=False, linewidth=2)
        cross: dict[str, Any] = {"linestyle": "--", "marker": "X", "markersize": 8, "label": "your guess (last layer)"}
        (artists["guess"],) = scan.plot([], [], color=ORANGE, linewidth=2, **cross)
        self._stage_profile(artists, profile)
        for axes, labels, up, columns in (
            (scan, ("centre", "corner", "guess"), -17, 1),  # points from the corner of the axes
            (profile, ("profile", "padded"), 17, 2),
        ):
            handles = [artists[key] for key in labels]
            corner = offset_copy(axes.transAxes, figure, x=-4, y=up, units="points")
            box: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, int(up > 0)), "bbox_transform": corner}
            figure.legend(handles=handles, ncols=columns, borderaxespad=0, borderpad=0, labelspacing=0.2, **box)
        head = ("layer", KERNEL.format("kernel", "stride", "dilation", "pool"), "output", "sees", "parameters")
        artists["table"] = TextTable(figure, table, ROW.format(*head), len(self.controls["layer"].positions()) + 1)
        return artists

    def _stage_profile(self, artists: dict[str, Any], profile: Any) -> None:
        half = min(self.scans.shape[2:]) / 2
        profile.set(xlim=(-1, max(2, half)), xlabel="distance from the border (pixels)")
        profile.set_ylabel("mean |activation|")
        profile.yaxis.set_label_coords(-0.24, 0.5)  # tick labels of any width leave it room
        (artists["profile"],) = profile.plot([], [], "o-", color=BLUE, markersize=4, label="sees the scan alone")
        (artists["padded"],) = profile.plot([], [], "s", color=PINK, markersize=6, label="sees padding")

    def draw(self, artists: dict[str, Any], result: FeaturesResult) -> None:
        """Set images, frames, curves and words."""
        run, shown, channel = result.run, result.shown, result.channel
        height, width = result.scan.shape
        rows, columns = run.padding
        artists["scan"].set_extent((-columns, width + columns, height + rows, -rows))
        low, high = float(result.scan.min()), float(result.scan.max())
        show_image(artists["scan"], result.border, low, high)
        artists["scan title"].set_text("scan" + (f", {run.mode} around it" if max(run.padding) else ""))
        artists["scan note"].set_text(f"{short(low)} to {short(high)} m, dark to bright")
        frames = dict.fromkeys(FRAMES, NOTHING)
        curve = NOTHING
        words = dict.fromkeys(("map note", "filters note", "maps note"), "")
        words |= {"map title": f"layer {result.state.layer}: no map", "filters title": "", "maps title": ""}
        if shown is None:
            for key in ("map", "filters", "maps"):
                show_image(artists[key], np.full((1, 1), np.nan), 0, 1)
        else:
            curve = (shown.distance, shown.strength[channel])
            words = self._images(artists, result, shown)
            down, across = height / shown.maps.shape[1], width / shown.maps.shape[2]  # size of a unit in the picture
            for key, (i, j) in (("centre", shown.central_unit(height, width)), ("corner", (0, 0))):
                y, x = (first + shown.jump * place for first, place in zip(shown.first, (i, j), strict=True))
                frames[key] = frame(x, y, shown.field, shown.field)
                frames[f"{key} unit"] = frame(j * across, i * down, across, down)
            row, column = divmod(channel % TILES, COLUMNS)
            frames["chosen map"] = frame(column * width, row * height, width, height)
            if shown.filters.shape[1] == 1:
                frames["chosen filter"] = frame(column, row, 1, 1)
        for key, (x, y) in frames.items():
            artists[key].set_data(*(self._in_sight(x, y) if key in ("centre", "corner") else (x, y)))
        for key, text in words.items():
            artists[key].set_text(text)
        artists["cross"].set_text("" if shown else "✗")
        artists["profile"].set_data(*curve)
        artists["padded"].set_data(*(NOTHING if shown is None else (values[shown.padded] for values in curve)))
        top = 1.0 if shown is None else max(0.01, round_up(1.1 * float(shown.strength[channel].max()) + 1e-9))
        artists["profile axes"].set(ylim=(0, top), yticks=(ticks := (0, top / 2, top)), yticklabels=map(short, ticks))
        self._tell(artists["table"], result)

    def _in_sight(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Let a frame around the whole picture be drawn at its edge."""
        height, width = self.scans.shape[2:]
        margin = max(height, width) // 8 + 0.5
        return np.clip(x, -margin, width + margin), np.clip(y, -margin, height + margin)

    def mark(self, result: FeaturesResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess as a square amid the scan."""
        height, width = result.scan.shape
        return self._in_sight(*frame((width - guess) / 2, (height - guess) / 2, guess, guess))

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return height scans."""
        return (draw(4, 1, 24, 20),)

    def _images(self, artists: dict[str, Any], result: FeaturesResult, shown: ConvLayer) -> dict[str, str]:
        """Set the images of a layer, and return what they are called."""
        channel, maps = result.channel, shown.maps
        page = channel // TILES * TILES  # of a wide layer: eight channels at a time
        single = shown.filters.shape[1] == 1  # one filter for each map; else one for each map of the layer before
        filters = shown.filters[page : page + TILES, 0] if single else shown.filters[channel, :TILES]
        peak = float(np.abs(shown.filters).max())
        scaled = maps / np.maximum(np.abs(maps).max((1, 2), keepdims=True), 1e-9)  # a map that is 0 stays dark
        tiles = mosaic(scaled[page : page + TILES], ROWS, COLUMNS)
        low, high = float(maps[channel].min()), float(maps[channel].max())
        show_image(artists["map"], maps[channel], low, high)
        show_image(artists["filters"], mosaic(filters, ROWS, COLUMNS), -peak, peak)
        show_image(artists["maps"], tiles, min(0.0, float(scaled.min())), 1)
        ours = self.network is None and single and channel < len(FILTERS) and filters.shape[1] > 2
        return {
            "map title": f"layer {result.state.layer}, channel {channel}" + (f" ({FILTERS[channel]})" if ours else ""),
            "map note": f"{short(low)} to {short(high)}, dark to bright",
            "filters title": "filters" if single else f"its filter on each map of layer {result.state.layer - 1}",
            "filters note": f"−{short(peak)} (blue) to {short(peak)} (red)",
            "maps title": f"maps {page} to {min(page + TILES, len(maps)) - 1}",
            "maps note": "each on its own scale, dark to bright",
        }

    def _tell(self, table: TextTable, result: FeaturesResult) -> None:
        """Write the table of the layers; the one that fails is red."""
        run, state = result.run, result.state
        rows: list[tuple[Any, ...]] = [
            (i, _sizes(layer.sizes, layer.pool), layer.shape, f"{layer.field} px", f"{layer.parameters:,}")
            for i, layer in enumerate(run.layers)
        ]
        failing = len(rows) if run.why else -1
        if run.why:
            stride, pool = STRIDES.get(state.stride, ("", False))
            sizes = _sizes((state.kernel, stride, state.dilation), pool) if self.network is None else ""
            rows.append((f"✗ {failing}", sizes, "✗", "–", "–"))
        rows += [(i, KERNEL.format(*"––––"), "–", "–", "–") for i in range(len(rows), table.rows - 1)]
        weights = "–" if run.flat is None else f"{(run.flat + 1) * HIDDEN:,}"
        linear = f"  Linear({'–' if run.flat is None else run.flat}, {HIDDEN})"
        rows.append(("head", linear, "–" if run.flat is None else HIDDEN, "all", weights))
        table.write([ROW.format(*row) for row in rows], failing, _warning(result))

    def numbers(self, result: FeaturesResult) -> dict[str, str]:
        """Return shapes and sizes of the layer that is shown."""
        shown, flat, off = result.shown, result.run.flat, result.off
        names = ["output shape", "receptive field", "parameters", "flattened size"]
        names += ["mean at the border", "mean inside", "dead units", "off a batch of 32"]
        if shown is None:
            return dict.fromkeys(names, "–") | {"output shape": "✗ none", "flattened size": "✗ none"}
        border, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
        values = (
            shown.shape,
            f"{shown.field} px",
            f"{shown.parameters:,}",
            "✗ none" if flat is None else f"{flat:,}",
            "–" if np.isnan(border) else ("✗ " if border > 2 * inside else "") + small(border),
            "–" if np.isnan(inside) else small(inside),
            f"{100 * shown.dead:.0f} %",
            "–" if off is None else f"{'✗ ' if off > 0.1 else ''}{100 * off:.0f} %",
        )
        return dict(zip(names, values, strict=True))

    def describe(self, result: FeaturesResult) -> str:
        """Name the shape, the receptive field and what happens at the border, or why there is no picture."""
        state, shown = result.state, result.shown
        warning = _warning(result)
        if shown is None:
            return f"Layer {state.layer} gives nothing. {warning}."
        norm = ", its norm sees all" if state.norm == "layer" else ""
        text = f"Layer {state.layer}: {shown.shape}; a unit sees {shown.field} × {shown.field} pixels{norm}. "
        text += f"Map {result.channel} reaches {small(shown.maps[result.channel].max())}"
        if warning:
            return f"{text}. {warning}."
        border, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
        if np.isnan(border) or np.isnan(inside):
            mean, units = (inside, "no unit") if np.isnan(border) else (border, "every unit")
            text += f", on average |{small(mean)}|; {units} sees padding."
        else:
            cliff = ": a cliff" if border > 2 * inside else ""
            text += f", on average |{small(border)}| where padding is seen, |{small(inside)}| elsewhere{cliff}."
        return f"{text} A head gets {result.run.flat:,} numbers."


ROW = "{:<5}{:<28}{:>13}{:>8}{:>12}"
KERNEL = "{:>7}{:>7}{:>9}{:>5}"
NOTHING: tuple[Any, Any] = ((), ())
FRAMES = ("centre", "corner", "centre unit", "corner unit", "chosen filter", "chosen map")


def _warning(result: FeaturesResult) -> str:
    """Say what is wrong with the network, in a sentence; empty if nothing is."""
    if result.run.why:
        return f"✗ {result.run.why}"
    if result.state.norm == "batch of 1":
        off = "" if result.off is None else f": its maps are {100 * result.off:.0f} % off those in a batch of 32"
        return f"✗ batch norm of one scan takes its own mean and std for those of all{off}"
    return ""


def _sizes(sizes: tuple[Any, ...], pool: bool) -> str:
    kernel, stride, dilation = sizes
    return KERNEL.format(f"{kernel}×{kernel}", stride, dilation, "yes" if pool else "–")
