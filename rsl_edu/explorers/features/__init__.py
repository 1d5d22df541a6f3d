"""Explorer *features*: what a CNN computes from a height scan, and how padding affects the border."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from rsl_edu.data import height_scans
from rsl_edu.data.learner_input import finite_tensor
from rsl_edu.data.terrain_cnn import CHANNELS, terrain_cnn
from rsl_edu.diagnosis.feature_maps import ForwardPass, forward_pass, usable_cnn
from rsl_edu.modules import CNN
from rsl_edu.number_format import short, small

from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.parts import frame
from ..bench.question import Question
from . import picture
from . import spots as pointed
from .state import NORMS, STRIDES, FeaturesResult, FeaturesState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.touch import Grip, Spot


class Features(Explorer[FeaturesState, FeaturesResult]):
    """Filters and feature maps of a CNN on height scans, the receptive fields of its units, and the layers' shapes.

    Invalid configurations are shown too. The table row of the failing layer turns red, and a message below the table
    states the reason.

    Args:
        scans: Height scans ``[scans, 1, height, width]`` in metres; by default, real terrain with an offset of 0.5 m.
        network: The learner's own network, shown in evaluation mode. By default, a network is built from the controls.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError, ValueError: The scans have the wrong shape or are not finite, or the network is not a CNN or was
            built for scans of a different shape.
    """

    State = FeaturesState
    lesson = 2
    shows = "filters, maps, receptive fields and layer shapes of a CNN on terrain"
    breaks = "zero padding, kernels larger than the map, batch norm over one scan"
    size = (9.0, 5.9)
    more = ("profile", "table")
    swept = (
        {"layer": ..., "padding": ...},
        {"row": (0, 100), "column": (0, 100)},
        {"layer": ..., "padding": ("none", "zeros"), "row": (0,), "column": (0,)},
        {"channel": ...},
        {"layer": ..., "kernel": (3, 5, 11)},
        {"layer": ..., "stride": ...},
        {"layer": ..., "dilation": (1, 2, 3)},
        {"layer": ..., "norm": ...},
        {"layer": ..., "dilation": (1, 2), "norm": ("none", "batch of 1")},
        {"padding": ..., "offset": (0.0, 0.5)},
        {"norm": ("none", "layer"), "offset": (0.0, 0.5)},
    )
    question = Control(
        "receptive field", "Side length of the square that a unit of the last layer sees.", "pixels", range=(1, 999, 1)
    )
    questions: tuple[Question, ...] = (
        Question(
            "Dilation 2 in all layers: how wide is the square that a unit of the last layer sees, in pixels?",
            answer="57",
            show={"dilation": 2, "layer": 2},
        ),
        Question(
            "With stride 2 in all layers, the head has 200 inputs. How many does it have with stride 1?",
            ("about 400", "about 1,600", "more than 20,000"),
            "more than 20,000",
            {"stride": "1", "layer": 2},
        ),
        Question(
            "With zero padding, how strongly does the slope filter respond to the border, compared with the inside?",
            ("about equally", "twice as strongly", "more than ten times as strongly"),
            "more than ten times as strongly",
            {"padding": "zeros", "layer": 0},
        ),
    )

    def __init__(self, scans: torch.Tensor | None = None, network: CNN | None = None, **state: Any) -> None:
        defaults: dict[str, Any] = {}
        if scans is not None:
            defaults["offset"] = 0.0  # show the learner's scans unchanged
        if scans is not None or network is not None:
            self.questions = ()  # the questions are about the default scans and network
        self.network = None if network is None else usable_cnn(network)
        if scans is None:
            height, width = (64, 64) if self.network is None else self.network.input_shape[1:]
            scans = height_scans(count=32, size=max(height, width))[:, :, :height, :width]
        self.scans = finite_tensor("scans", scans, "[scans, 1, height, width]").float()
        if self.network is None:
            defaults["kernel"], defaults["stride"] = _fitting(self.scans.shape[2:])
        ranges: dict[str, tuple[float, float, float]] = {}
        fixed: dict[str, Any] = {}
        if self.network is not None:
            if self.network.input_shape != tuple(self.scans.shape[1:]):
                got, expected = list(self.network.input_shape), list(self.scans.shape[1:])
                raise ValueError(f"network: expected a network for scans of shape {expected}, got one for {got}")
            fixed = {"kernel": 0, "stride": "", "dilation": 0, "padding": "", "norm": ""}  # without effect
            channels = [module.out_channels for module in self.network if isinstance(module, nn.Conv2d)]
            ends = {"layer": len(channels), "channel": max(channels), "seed": min(10, len(self.scans))}
            ranges = {name: (0, end - 1, 1) for name, end in ends.items()}
        super().__init__(ranges=ranges, fixed=fixed, defaults=defaults, **state)

    def compute(self, state: FeaturesState) -> FeaturesResult:
        """Run the scans through the library's CNN, layer by layer, up to the first invalid layer."""
        network = _of_the_network(state)
        run, off = self._run(network), None
        shown = run.layers[state.layer] if state.layer < len(run.layers) else None
        if network.norm == "batch of 1" and shown is not None:
            batch = self._run(dataclasses.replace(network, norm="batch of 32")).layers[state.layer].maps
            off = float(np.square(shown.maps - batch).mean() / (np.square(batch).mean() + 1e-12)) ** 0.5
        scan = self.scans[state.seed % len(self.scans)] + state.offset  # [1, height, width]
        (rows, columns), mode = run.padding, run.mode.replace("zeros", "constant")
        size = (1, 1) if shown is None else shown.maps.shape[1:]
        return FeaturesResult(
            state=state,
            scan=scan[0].numpy(),
            border=pad(scan, (columns, columns, rows, rows), mode)[0].numpy(),
            run=run,
            shown=shown,
            channel=0 if shown is None else min(state.channel, len(shown.maps) - 1),
            pixel=(picture.pixel(state.row, size[0]), picture.pixel(state.column, size[1])),
            by_hand=self.network is None and state.layer == 0 and state.kernel > 2,
            off=off,
        )

    @cached(4)
    def _run(self, state: FeaturesState) -> ForwardPass:
        """Run the network layer by layer, up to the first invalid layer."""
        network, images, why = self._input(state)
        return ForwardPass((), why) if network is None else forward_pass(network, images, why)

    @cached(4)
    def _input(self, state: FeaturesState) -> tuple[CNN | None, torch.Tensor, str]:
        """Return the network up to the first invalid layer, its input, and the reason why that layer is invalid."""
        network, why, count = self.network, "", 32
        if network is None:
            (stride, pool), (norm, count) = STRIDES[state.stride], NORMS[state.norm]
            size = (self.scans.shape[2], self.scans.shape[3])
            layer = (state.kernel, stride, state.dilation)
            network, why = terrain_cnn(size, *layer, padding=state.padding, norm=norm, max_pool=pool, seed=state.seed)
        chosen = (state.seed + torch.arange(min(count, len(self.scans)))) % len(self.scans)
        return network, self.scans[chosen] + state.offset, why

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the scan, one map, and mosaics of filters and maps. Below are the border profile and the table."""
        height, width = self.scans.shape[2:]
        return picture.stage(figure, height, width, self._depth)

    @property
    def _depth(self) -> int:
        """Number of layers in the network."""
        return len(self.controls["layer"].positions())

    def draw(self, artists: dict[str, Any], result: FeaturesResult) -> None:
        """Update the images, frames, curves and labels."""
        lines = self._table(result)
        failing = len(result.run.layers) if result.run.why else -1
        picture.draw(artists, result, lines, failing, _warning(result))

    def grips(self, result: FeaturesResult) -> list[Grip]:
        """Return the handles that select the pixel in the map and the channel in the mosaic of maps."""
        return picture.grips(result, self.controls["row"].positions())

    def spots(self, result: FeaturesResult) -> list[Spot]:
        """Return the hover targets: the pixel with its convolution, the maps, the border, and the shapes."""
        state = result.state
        network, images, _ = self._input(_of_the_network(state))
        if network is None:
            return []
        parts = pointed.parts_of(network)
        found = [*pointed.maps(result), *pointed.border(result), *pointed.shapes(parts, result)]
        if result.shown is None:
            return found
        taken = self._moments(_of_the_network(state))[state.layer]
        x = images[:1] if state.layer == 0 else torch.from_numpy(result.run.layers[state.layer - 1].maps)[None]
        pixel = pointed.pixel(parts[state.layer], taken, x, result)
        return found if pixel is None else [pixel, *found]

    @cached(4)
    def _moments(self, state: FeaturesState) -> list[pointed.Moments | None]:
        network, images, _ = self._input(state)
        return [] if network is None else pointed.moments(network, images)

    def mark(self, result: FeaturesResult, guess: float) -> tuple[Any, Any]:
        """Return the outline of the guess: a square at the centre of the scan."""
        height, width = result.scan.shape
        square = frame((width - guess) / 2, (height - guess) / 2, guess, guess)
        return picture.in_sight(height, width, *square)

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return height scans for tests."""
        return (draw(4, 1, 24, 20),)

    def _table(self, result: FeaturesResult) -> list[str]:
        """Return the lines of the table: the valid layers, the invalid layer, and the MLP head."""
        run, state = result.run, result.state
        rows: list[tuple[Any, ...]] = [
            (i, _sizes(layer.sizes, layer.pool), layer.shape, f"{layer.field} px", f"{layer.parameters:,}")
            for i, layer in enumerate(run.layers)
        ]
        if run.why:
            stride, pool = STRIDES.get(state.stride, ("", False))
            sizes = _sizes((state.kernel, stride, state.dilation), pool) if self.network is None else ""
            rows.append((f"✗ {len(rows)}", sizes, "✗", "–", "–"))
        rows += [(i, "–", "–", "–", "–") for i in range(len(rows), self._depth)]
        flat, units = run.flat, picture.HIDDEN
        weights = "–" if flat is None else f"{(flat + 1) * units:,}"
        linear = f"Linear({'–' if flat is None else flat}, {units})"
        rows.append(("head", linear, "–" if flat is None else units, "all", weights))
        return [picture.ROW.format(*row) for row in rows]

    def numbers(self, result: FeaturesResult) -> dict[str, str]:
        """Return the shapes and sizes in the shown layer."""
        shown, flat, off = result.shown, result.run.flat, result.off
        names = ["output shape", "receptive field", "parameters", "flattened last layer"]
        names += ["mean at the border", "mean inside", "dead units", "off batch of 32 by"]
        if shown is None:
            return dict.fromkeys(names, "–") | {"output shape": "✗ none", "flattened last layer": "✗ none"}
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

    def title(self, result: FeaturesResult) -> str:
        """State why a layer fails, what happens at the border, or what the chosen pixel sees."""
        state, shown, run = result.state, result.shown, result.run
        if run.why:
            return f"The network fails at layer {len(run.layers)}: {_advice(run.why)}."
        if shown is None:
            return f"Layer {state.layer} has no map."
        if result.off is not None:
            return f"Batch norm over one scan: the maps differ by {100 * result.off:.0f} % from those in a batch of 32."
        border, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
        if border > 2 * inside:
            name = "Zero padding creates a cliff" if run.mode == "zeros" else f"Padding ({run.mode}) creates an edge"
            more = (
                f"{short(border / inside)} times as strong at the border as"
                if inside >= 1e-3
                else "stronger there than"
            )
            return f"{name}: map {result.channel} is {more} inside."
        if not shown.maps[result.channel].any():
            return f"Map {result.channel} of layer {state.layer} is 0 at every pixel."
        side = f"{shown.field} × {shown.field} pixels"
        if state.norm == "layer":
            return f"With layer norm, this pixel depends on the whole scan, not only on {side}."
        return f"This pixel of layer {state.layer} sees {picture.seen(result, shown)}."

    def describe(self, result: FeaturesResult) -> str:
        """Describe the map's shape and strength and its border, or state why there is no map."""
        state, shown = result.state, result.shown
        warning = _warning(result)
        if shown is None:
            return f"Layer {state.layer} has no output. {warning}."
        row, column = result.pixel
        text = f"Layer {state.layer} outputs {shown.shape} numbers. In map {result.channel}, the pixel in row {row}, "
        text += f"column {column} is {small(shown.maps[result.channel, row, column])}; "
        text += f"the maximum is {small(shown.maps[result.channel].max())}."
        if warning:
            return f"{text} {warning}."
        border, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
        if np.isnan(border) or np.isnan(inside):
            mean, units = (inside, "No pixel") if np.isnan(border) else (border, "Every pixel")
            text += f" The mean |activation| is {small(mean)}. {units} sees padding."
        else:
            cliff = ": a cliff" if border > 2 * inside else ""
            text += f" The mean |activation| is {small(border)} in pixels that see padding"
            text += f" and {small(inside)} elsewhere{cliff}."
        return f"{text} The head gets the last layer's {result.run.flat:,} numbers."


def _of_the_network(state: FeaturesState) -> FeaturesState:
    """Return the state, but with 0 for all controls that affect neither the network nor its input."""
    return dataclasses.replace(state, layer=0, channel=0, row=0, column=0)


def _fitting(size: Sequence[int]) -> tuple[int, str]:
    """Return kernel size and stride: 5 and 2, or less for small scans. The last map then has at least 2 × 2 pixels."""
    for kernel, stride in ((5, 2), (5, 1), (3, 1), (2, 1)):
        side = min(size)
        for _ in CHANNELS:
            side = (side - kernel) // stride + 1
        if side >= 2:
            return kernel, str(stride)
    return 1, "1"


def _advice(why: str) -> str:
    """Return advice on how to make an invalid layer valid."""
    if "padding '" in why:
        return "choose a smaller kernel, less dilation or another padding"
    if "spans" in why:
        return "choose a smaller kernel or stride, or a padding"
    return "choose a smaller stride, or another norm"  # the reason: batch norm over a single value


def _warning(result: FeaturesResult) -> str:
    """Return a sentence that states what is wrong with the network; empty if nothing is wrong."""
    if result.run.why:
        return f"✗ {result.run.why}"
    if result.state.norm == "batch of 1":
        off = "" if result.off is None else f": its maps differ by {100 * result.off:.0f} % from those in a batch of 32"
        return f"✗ batch norm over one scan uses only this scan's mean and std{off}"
    return ""


def _sizes(sizes: tuple[Any, ...], pool: bool) -> str:
    kernel, stride, dilation = sizes
    spread = f" dil {dilation}" if dilation != 1 else ""
    return f"{kernel}×{kernel}/{stride}{spread}{' pool' if pool else ''}"
