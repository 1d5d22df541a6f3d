"""Explorer *features*: what a convolutional network makes of a height scan, and what it invents at the border."""

from __future__ import annotations

import copy
import dataclasses
import functools
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from rsl_edu.data import height_scans
from rsl_edu.data.learner_input import plain
from rsl_edu.modules import CNN
from rsl_edu.modules.cnn import PADDINGS
from rsl_edu.number_format import round_up, short, small

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.figure import BLUE, FAINT, GREY, ORANGE, PINK, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHANNELS = (8, 8, 8)
"""Channels of each layer of the explorer's own network."""
FILTERS = ("slope across", "slope down", "mean", "bump")
"""Filters set by hand: the first channels of the first layer, if the kernel has room for them; others are random."""
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
class NetworkState:
    """State of :class:`Features` with the learner's own network, whose layers are as they are."""

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


@dataclasses.dataclass(frozen=True)
class FeaturesState(NetworkState):
    """State of :class:`Features`; kernel, stride, dilation, padding and norm are the same in all three layers."""

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
class Layer:
    """A layer of the network, and what comes out of it: convolution, norm, activation and pooling."""

    words: str  # for the table
    parameters: int
    field: int  # side of a unit's receptive field, in pixels of the scan
    jump: int  # pixels of the scan from one unit to the next
    first: tuple[int, int]  # row and column of the scan where the receptive field of unit (0, 0) begins
    filters: np.ndarray  # [channels, channels before, kernel, kernel]
    maps: np.ndarray  # [channels, height, width], of the scan that is shown
    distance: np.ndarray  # [rings], from the border of the map, in pixels of the scan
    strength: np.ndarray  # [channels, rings], mean |activation| over all scans
    padded: np.ndarray  # [rings], whether a receptive field in the ring hangs over the border into padding
    border: np.ndarray  # [channels], mean |activation| of the units that see padding; NaN if none does
    inside: np.ndarray  # [channels], the same of all others
    dead: float  # share of the units that are 0 for every scan


@dataclasses.dataclass(frozen=True)
class Run:
    """The layers that work, and why the next one does not."""

    layers: tuple[Layer, ...]
    padding: tuple[int, int] = (0, 0)  # rows and columns that the first convolution adds at each side of the scan
    mode: str = "zeros"  # and what it puts there
    flat: int | None = None  # length of the vector that leaves the network; None if a layer fails
    failing: str = ""  # words of the layer that fails
    why: str = ""


@dataclasses.dataclass(frozen=True)
class FeaturesResult:
    """What the picture shows; ``shown`` is None where the layer cannot work."""

    state: NetworkState
    scan: np.ndarray  # [height, width], as it enters the network
    border: np.ndarray  # [height + 2 rows, width + 2 columns], as the first convolution pads it
    run: Run
    shown: Layer | None
    channel: int
    off: float | None  # how far the maps are from those in a batch of 32: root mean square, as a share of theirs
    guess: float | None


def receptive_field(steps: Iterable[tuple[int, int, int, tuple[int, int]]]) -> tuple[int, int, tuple[int, int]]:
    """Follow kernel, stride, dilation and padding ``(rows, columns)`` of one step after the other.

    Returns:
        In pixels of the input: the side of a unit's receptive field, the distance between those of neighbours, and
        where that of unit (0, 0) begins (row, column).
    """
    field, jump, top, left = 1, 1, 0, 0
    for kernel, stride, dilation, (rows, columns) in steps:
        top, left = top - rows * jump, left - columns * jump
        field += dilation * (kernel - 1) * jump  # one pixel of this step's input is a jump of the scan
        jump *= stride
    return field, jump, (top, left)


class Features(Explorer[NetworkState, FeaturesResult]):
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

    State: type[NetworkState] = FeaturesState
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
        if network is not None and not isinstance(network, CNN):
            raise TypeError(f"network: expected a rsl_edu.modules.CNN, got {type(network).__name__}")
        defaults = {} if scans is None else {"offset": 0.0}  # the learner's own zero is where they put it
        if scans is None:
            height, width = (64, 64) if network is None else network.input_shape[1:]
            scans = height_scans(count=32, size=max(height, width))[:, :, :height, :width]
        scans = plain("scans", scans)
        if scans.dim() != 4 or scans.shape[1] != 1 or 0 in scans.shape:
            raise ValueError(f"scans: expected shape [scans, 1, height, width], got {list(scans.shape)}")
        if not scans.isfinite().all():
            raise ValueError("scans: expected finite heights, got NaN or infinity")
        self.scans = scans.float()
        self.network = None if network is None else copy.deepcopy(network).float().cpu().eval()
        ranges: dict[str, tuple[float, float, float]] = {}
        if self.network is not None:
            if self.network.input_shape != tuple(scans.shape[1:]):
                got, expected = list(self.network.input_shape), list(scans.shape[1:])
                raise ValueError(f"network: expected one for scans of shape {expected}, got one for {got}")
            if not all(values.isfinite().all() for values in self.network.state_dict().values()):
                raise ValueError("network: expected finite weights, got NaN or infinity")
            self.State = NetworkState  # controls of a network that is given would change nothing
            channels = [module.out_channels for module in self.network if isinstance(module, nn.Conv2d)]
            ends = {"layer": len(channels), "channel": max(channels), "seed": min(10, len(scans))}
            ranges = {name: (0, end - 1, 1) for name, end in ends.items()}
        self._run = functools.lru_cache(4)(self._forward)
        super().__init__(ranges, defaults, **state)

    def compute(self, state: NetworkState) -> FeaturesResult:
        """Send scans through the library's own CNN, layer by layer, up to the one that cannot work."""
        network = dataclasses.replace(state, layer=0, channel=0)  # these two only choose what is shown
        run, off = self._run(network), None
        shown = run.layers[state.layer] if state.layer < len(run.layers) else None
        if isinstance(network, FeaturesState) and network.norm == "batch of 1" and shown is not None:
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
            guess=self.guess,
        )

    def _build(self, state: FeaturesState) -> tuple[CNN | None, str]:
        """Return the network, up to the first layer that cannot work, and why that one cannot."""
        (stride, pool), (norm, _), why = STRIDES[state.stride], NORMS[state.norm], ""
        dim = (self.scans.shape[2], self.scans.shape[3])
        with torch.random.fork_rng(devices=[]):
            for depth in range(len(CHANNELS), 0, -1):
                try:
                    sizes = (CHANNELS[:depth], state.kernel, stride, state.dilation)
                    network = CNN(dim, 1, *sizes, padding=state.padding, norm=norm, activation="relu", max_pool=pool)
                except ValueError as error:
                    why = str(error)
                    continue
                torch.manual_seed(state.seed)
                network.init_weights()
                if state.kernel > 2:
                    next(network.parameters())[: len(FILTERS), 0] = _filters(state.kernel)
                return network, why
        return None, why

    @torch.inference_mode()
    def _forward(self, state: NetworkState) -> Run:
        """Run the network layer by layer, as far as it goes."""
        network, why, failing, count = self.network, "", "", 32
        if isinstance(state, FeaturesState):
            network, why = self._build(state)
            stride, pool = STRIDES[state.stride]
            failing, count = _words(state.kernel, stride, state.dilation, pool), NORMS[state.norm][1]
        if network is None:
            return Run((), failing=failing, why=why)
        parts: list[list[nn.Module]] = []
        for module in network:
            if isinstance(module, nn.Conv2d):
                parts.append([])  # a convolution begins a layer
            if not isinstance(module, (nn.Flatten, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)):
                parts[-1].append(module)
        x = self.scans[(state.seed + torch.arange(min(count, len(self.scans)))) % len(self.scans)] + state.offset
        layers: list[Layer] = []
        for i, modules in enumerate(parts):
            try:
                for module in modules:
                    x = module(x)
            except ValueError as error:  # batch norm: one value has no variance
                why = f"layer {i}: {error}"
                break
            layers.append(self._layer(parts[: i + 1], x))
        first, size = parts[0][0], network.output_dim
        flat = size if isinstance(size, int) else (network.output_channels or 0) * size[0] * size[1]
        padding = (first.padding, first.padding_mode)
        return Run(tuple(layers), *padding, *((None, failing, why) if why else (flat,)))  # type: ignore[arg-type]

    def _layer(self, parts: Sequence[Sequence[nn.Module]], x: torch.Tensor) -> Layer:
        """Measure what comes out of the last of ``parts``, ``x [scans, channels, height, width]``."""
        modules = [module for part in parts for module in part]
        conv: Any = parts[-1][0]
        pool = isinstance(parts[-1][-1], nn.MaxPool2d)
        field, jump, first = receptive_field(_step(m) for m in modules if isinstance(m, (nn.Conv2d, nn.MaxPool2d)))
        places = [np.arange(n) for n in x.shape[2:]]  # rows and columns of the map
        starts = [f + jump * place for f, place in zip(first, places, strict=True)]
        over = np.logical_or.outer(
            *((start < 0) | (start + field > n) for start, n in zip(starts, self.scans.shape[2:], strict=True))
        )
        if all(m.padding == (0, 0) for m in modules if isinstance(m, nn.Conv2d)):
            over[:] = False  # max pooling hangs over too, but takes nothing from there
        ring = np.minimum.outer(*(np.minimum(place, place[::-1]) for place in places)).ravel()
        size = x.abs().mean(0).numpy()  # [channels, height, width]
        count = np.bincount(ring)
        return Layer(
            words=_words(conv.kernel_size[0], conv.stride[0], conv.dilation[0], pool),
            parameters=sum(p.numel() for module in parts[-1] for p in module.parameters()),
            field=field,
            jump=jump,
            first=first,
            filters=conv.weight.detach().numpy(),
            maps=x[0].numpy().copy(),  # not a view that keeps the whole batch
            distance=np.arange(len(count)) * jump,
            strength=np.stack([np.bincount(ring, each.ravel()) / count for each in size]),
            padded=np.bincount(ring, over.ravel()) > 0,
            border=size[:, over].mean(1) if over.any() else np.full(len(size), np.nan),
            inside=size[:, ~over].mean(1) if not over.all() else np.full(len(size), np.nan),
            dead=float((x == 0).all(0).float().mean()),
        )

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
        frame: dict[str, Any] = {"path_effects": [stroke], "linewidth": 1.5}
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
            (artists[key],) = scan.plot([], [], color=colour, label=f"seen by the {key} unit", **frame)
            (artists[f"{key} unit"],) = large.plot([], [], color=colour, clip_on=False, **frame)
        artists["cross"] = large.text(width / 2, height / 2, "", size=60, color=RED, ha="center", va="center")
        (artists["chosen filter"],) = kernels.plot([], [], color=ORANGE, clip_on=False, linewidth=2)
        (artists["chosen map"],) = maps.plot([], [], color=ORANGE, clip_on=False, linewidth=2)
        cross: dict[str, Any] = {"linestyle": "--", "marker": "X", "markersize": 8, "label": "your guess (last layer)"}
        (artists["guess"],) = scan.plot([], [], color=ORANGE, linewidth=2, **cross)
        profile.set(xlim=(-1, max(2, min(height, width) / 2)), xlabel="distance from the border (pixels)")
        profile.set_ylabel("mean |activation|")
        profile.yaxis.set_label_coords(-0.24, 0.5)  # tick labels of any width leave it room
        (artists["profile"],) = profile.plot([], [], "o-", color=BLUE, markersize=4, label="sees the scan alone")
        (artists["padded"],) = profile.plot([], [], "s", color=PINK, markersize=6, label="sees padding")
        for axes, labels, up, columns in (
            (scan, ("centre", "corner", "guess"), -17, 1),  # points from the corner of the axes
            (profile, ("profile", "padded"), 17, 2),
        ):
            handles = [artists[key] for key in labels]
            corner = offset_copy(axes.transAxes, figure, x=-4, y=up, units="points")
            box: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, int(up > 0)), "bbox_transform": corner}
            figure.legend(handles=handles, ncols=columns, borderaxespad=0, borderpad=0, labelspacing=0.2, **box)
        layers = len(self.controls["layer"].positions())
        row: dict[str, Any] = {"size": 9, "va": "top", "transform": table.transAxes}
        heights = np.linspace(1, 0, layers + 5)  # heading, layers, head, three lines that say why
        artists["rows"] = [figure.text(0, y, " ", family="DejaVu Sans Mono", **row) for y in heights[1 : layers + 2]]
        artists["why"] = figure.text(0, heights[layers + 2], " ", **row, color=RED)
        artists["ink"] = artists["rows"][0].get_color()
        heading = ROW.format(
            "layer", KERNEL.format("kernel", "stride", "dilation", "pool"), "output", "sees", "parameters"
        )
        figure.text(0, 1, heading, family="DejaVu Sans Mono", **row, color=GREY)
        return artists

    def draw(self, artists: dict[str, Any], result: FeaturesResult) -> None:
        """Set images, frames, curves and words."""
        run, shown, channel = result.run, result.shown, result.channel
        height, width = result.scan.shape
        rows, columns = run.padding
        artists["scan"].set_extent((-columns, width + columns, height + rows, -rows))
        low, high = float(result.scan.min()), float(result.scan.max())
        _colour(artists["scan"], result.border, low, high)
        artists["scan title"].set_text("scan" + (f", {run.mode} around it" if max(run.padding) else ""))
        artists["scan note"].set_text(f"{short(low)} to {short(high)} m, dark to bright")
        side = 0 if result.guess is None else result.guess
        frames = dict.fromkeys(FRAMES, NOTHING) | {
            "guess": _frame((width - side) / 2, (height - side) / 2, side, side) if side else NOTHING
        }
        curve = NOTHING
        words = dict.fromkeys(("map note", "filters note", "maps note"), "")
        words |= {"map title": f"layer {result.state.layer}: no map", "filters title": "", "maps title": ""}
        if shown is None:
            for key in ("map", "filters", "maps"):
                _colour(artists[key], np.full((1, 1), np.nan), 0, 1)
        else:
            curve = (shown.distance, shown.strength[channel])
            words = self._images(artists, result, shown)
            down, across = height / shown.maps.shape[1], width / shown.maps.shape[2]  # size of a unit in the picture
            for key, (i, j) in (("centre", _centre(shown, result.scan.shape)), ("corner", (0, 0))):
                y, x = (first + shown.jump * place for first, place in zip(shown.first, (i, j), strict=True))
                frames[key] = _frame(x, y, shown.field, shown.field)
                frames[f"{key} unit"] = _frame(j * across, i * down, across, down)
            row, column = divmod(channel % TILES, COLUMNS)
            frames["chosen map"] = _frame(column * width, row * height, width, height)
            if shown.filters.shape[1] == 1:
                frames["chosen filter"] = _frame(column, row, 1, 1)
        for key, (x, y) in frames.items():
            if key in ("centre", "corner", "guess"):  # a frame around the whole picture is drawn at its edge
                margin = max(height, width) // 8 + 0.5
                x, y = np.clip(x, -margin, width + margin), np.clip(y, -margin, height + margin)
            artists[key].set_data(x, y)
        for key, text in words.items():
            artists[key].set_text(text)
        artists["cross"].set_text("" if shown else "✗")
        artists["profile"].set_data(*curve)
        artists["padded"].set_data(*(NOTHING if shown is None else (values[shown.padded] for values in curve)))
        top = 1.0 if shown is None else max(0.01, round_up(1.1 * float(shown.strength[channel].max()) + 1e-9))
        artists["profile axes"].set(ylim=(0, top), yticks=(ticks := (0, top / 2, top)), yticklabels=map(short, ticks))
        self._tell(artists, result)

    def _images(self, artists: dict[str, Any], result: FeaturesResult, shown: Layer) -> dict[str, str]:
        """Set the images of a layer, and return what they are called."""
        channel, maps = result.channel, shown.maps
        page = channel // TILES * TILES  # of a wide layer: eight channels at a time
        single = shown.filters.shape[1] == 1  # one filter for each map; else one for each map of the layer before
        filters = shown.filters[page : page + TILES, 0] if single else shown.filters[channel, :TILES]
        peak = float(np.abs(shown.filters).max())
        peaks = np.maximum(np.abs(maps).max((1, 2), keepdims=True), 1e-9)  # a map that is 0 stays dark
        low, high = float(maps[channel].min()), float(maps[channel].max())
        _colour(artists["map"], maps[channel], low, high)
        _colour(artists["filters"], _mosaic(filters), -peak, peak)
        _colour(artists["maps"], _mosaic((maps / peaks)[page : page + TILES]), min(0.0, float((maps / peaks).min())), 1)
        ours = self.network is None and single and channel < len(FILTERS) and filters.shape[1] > 2
        return {
            "map title": f"layer {result.state.layer}, channel {channel}" + (f" ({FILTERS[channel]})" if ours else ""),
            "map note": f"{short(low)} to {short(high)}, dark to bright",
            "filters title": "filters" if single else f"its filter on each map of layer {result.state.layer - 1}",
            "filters note": f"−{short(peak)} (blue) to {short(peak)} (red)",
            "maps title": f"maps {page} to {min(page + TILES, len(maps)) - 1}",
            "maps note": "each on its own scale, dark to bright",
        }

    def _tell(self, artists: dict[str, Any], result: FeaturesResult) -> None:
        """Write the table; the row that fails is red."""
        run, total = result.run, len(artists["rows"]) - 1
        table: list[tuple[Any, ...]] = [
            (i, layer.words, _shape(layer), f"{layer.field} px", f"{layer.parameters:,}")
            for i, layer in enumerate(run.layers)
        ]
        ink, red = artists["ink"], len(table) if run.why else -1
        if run.why:
            table.append((f"✗ {red}", run.failing, "✗", "–", "–"))
        table += [(i, KERNEL.format(*"––––"), "–", "–", "–") for i in range(len(table), total)]
        weights = "–" if run.flat is None else f"{(run.flat + 1) * HIDDEN:,}"
        linear = f"  Linear({'–' if run.flat is None else run.flat}, {HIDDEN})"
        table.append(("head", linear, "–" if run.flat is None else HIDDEN, "all", weights))
        for i, (text, row) in enumerate(zip(artists["rows"], table, strict=True)):
            text.set(text=ROW.format(*row), color=RED if i == red else ink)
        artists["why"].set_text("\n".join(textwrap.wrap(_warning(result), 80)))

    def numbers(self, result: FeaturesResult) -> dict[str, str]:
        """Return shapes and sizes of the layer that is shown."""
        shown, flat, off = result.shown, result.run.flat, result.off
        names = ["output shape", "receptive field", "parameters", "flattened size"]
        names += ["mean at the border", "mean inside", "dead units", "off a batch of 32"]
        if shown is None:
            return dict.fromkeys(names, "–") | {"output shape": "✗ none", "flattened size": "✗ none"}
        border, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
        values = (
            _shape(shown),
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
        norm = ", its norm sees all" if isinstance(state, FeaturesState) and state.norm == "layer" else ""
        text = f"Layer {state.layer}: {_shape(shown)}; a unit sees {shown.field} × {shown.field} pixels{norm}. "
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
    if isinstance(result.state, FeaturesState) and result.state.norm == "batch of 1":
        off = "" if result.off is None else f": its maps are {100 * result.off:.0f} % off those in a batch of 32"
        return f"✗ batch norm of one scan takes its own mean and std for those of all{off}"
    return ""


def _words(kernel: int, stride: int, dilation: int, pool: bool) -> str:
    return KERNEL.format(f"{kernel}×{kernel}", stride, dilation, "yes" if pool else "–")


def _shape(layer: Layer) -> str:
    return " × ".join(map(str, layer.maps.shape))


def _step(module: Any) -> tuple[int, int, int, tuple[int, int]]:
    """Return kernel, stride, dilation and padding of a convolution or of max pooling, which stores bare numbers."""
    if isinstance(module, nn.Conv2d):
        rows, columns = (int(p) for p in module.padding)
        return module.kernel_size[0], module.stride[0], module.dilation[0], (rows, columns)
    return module.kernel_size, module.stride, module.dilation, (module.padding, module.padding)


def _filters(side: int) -> torch.Tensor:
    """Return the filters that are set by hand ``[filters, side, side]``, as large as Kaiming's: squares sum to 2."""
    across = torch.linspace(-1, 1, side).expand(side, side)
    distance = across**2 + across.T**2
    filters = torch.stack([across, across.T, torch.ones(side, side), distance.mean() - distance])
    return filters * (2 / filters.square().sum((1, 2), keepdim=True)).sqrt()


def _centre(layer: Layer, scan: tuple[int, ...]) -> tuple[int, int]:
    """Return row and column of the unit whose receptive field lies nearest to the centre of the scan."""
    places = [
        int(np.abs(first + layer.jump * np.arange(count) + layer.field / 2 - side / 2).argmin())
        for first, count, side in zip(layer.first, layer.maps.shape[1:], scan, strict=True)
    ]
    return places[0], places[1]


def _frame(x: float, y: float, width: float, height: float) -> tuple[Any, Any]:
    return np.array([x, x + width, x + width, x, x]), np.array([y, y, y + height, y + height, y])


def _mosaic(tiles: np.ndarray) -> np.ndarray:
    """Lay ``tiles [tiles, height, width]`` out in one image, with gaps between them."""
    times = -(-32 // max(tiles.shape[1:]))  # a gap of one pixel must look as thin around a 1×1 filter
    tiles = np.pad(tiles.repeat(times, 1).repeat(times, 2), ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    image: np.ndarray = np.full((TILES, *tiles.shape[1:]), np.nan)
    image[: len(tiles)] = tiles
    return np.block([[*image[row * COLUMNS : (row + 1) * COLUMNS]] for row in range(ROWS)])


def _colour(image: Any, values: np.ndarray, low: float, high: float) -> None:
    image.set_data(values)
    image.set_clim(low, high if high > low else low + 1)
