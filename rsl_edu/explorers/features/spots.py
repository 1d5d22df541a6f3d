"""The hover targets in the explorer *features*, each with the calculation of one number."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from rsl_edu.modules import CNN
from rsl_edu.number_format import short, small

from ..bench.arithmetic import added, products, written
from ..bench.touch import Mark, Spot
from .picture import HIDDEN, TILES, field, tile, unit_box

if TYPE_CHECKING:
    from .state import FeaturesResult

LETTERS = 98
"""Maximum length of a line in a calculation."""
Moments = tuple[torch.Tensor, torch.Tensor]
"""Mean and variance that a normalization layer uses, each ``[channels]`` or a single number."""


def parts_of(network: CNN) -> list[list[nn.Module]]:
    """Return the modules of each layer of a CNN: convolution, norm, activation, pooling."""
    parts: list[list[nn.Module]] = []
    for module in network:
        if isinstance(module, nn.Conv2d):
            parts.append([])
        if not isinstance(module, (nn.Flatten, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)):
            parts[-1].append(module)
    return parts


@torch.inference_mode()
def moments(network: CNN, images: torch.Tensor) -> list[Moments | None]:
    """Return the mean and variance that the norm of each layer uses; None if a layer has no norm or its norm fails.

    Args:
        network: The network.
        images: ``[images, channels, height, width]``; the first one is shown.
    """
    found: list[Moments | None] = []
    if not any(isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)) for module in network):
        return [None for _ in parts_of(network)]
    x = images
    for modules in parts_of(network):
        here: Moments | None = None
        for module in modules:
            if isinstance(module, nn.BatchNorm2d):
                if module.training:
                    if x.numel() == x.shape[1]:
                        return [*found, None]  # a single value has no variance
                    variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
                else:
                    variance, mean = (each.clone() for each in _running(module))
                here = mean, variance
            elif isinstance(module, nn.LayerNorm):
                variance, mean = torch.var_mean(x[0], correction=0)
                here = mean[None], variance[None]
            x = module(x)
        found.append(here)
    return found


def _running(module: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return module.running_var, module.running_mean


def pixel(modules: Sequence[nn.Module], taken: Moments | None, x: torch.Tensor, result: FeaturesResult) -> Spot | None:
    """Return the chosen pixel of the map as a hover target, with the convolution that produces it.

    Args:
        modules: Modules of the layer.
        taken: Mean and variance that the layer's norm uses, or None.
        x: Input of the layer, ``[1, channels, height, width]``.
        result: The shown result.
    """
    shown = result.shown
    if shown is None:
        return None
    left, top, side = field(result, shown)
    across, down, wide, high = unit_box(result, shown)
    marks = [
        Mark("map", (across, across + wide), (down, down + high)),
        Mark("scan", (left, left + side), (top, top + side)),
        _tile_mark("maps", result.channel, result),
    ]
    if shown.filters.shape[1] == 1:
        marks.append(_tile_mark("filters", result.channel, result))
    value = float(shown.maps[result.channel][result.pixel])
    numbers = f"{written(value)}, from {side} × {side} pixels of the scan"
    return Spot("this pixel", numbers, tuple(marks), tuple(_convolution(modules, taken, x, result)))


@torch.inference_mode()
def _convolution(
    modules: Sequence[nn.Module], taken: Moments | None, x: torch.Tensor, result: FeaturesResult
) -> list[str]:
    conv: Any = modules[0]
    c, (row, column) = result.channel, result.pixel
    weight, bias = conv.weight[c], float(conv.bias[c]) if conv.bias is not None else 0.0
    sums = conv._conv_forward(x, weight[None], None)[0, 0] + bias  # [height, width], of this channel
    norm = next((module for module in modules if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm))), None)
    normed = sums if norm is None or taken is None else _normed(norm, taken, sums, c)
    activation = modules[2 if norm is not None else 1]
    pooled = isinstance(modules[-1], nn.MaxPool2d)
    if pooled:  # the pixel of the convolution that max pooling selects
        _, place = nn.functional.max_pool2d(activation(normed)[None, None], 3, 2, 1, return_indices=True)
        row, column = divmod(int(place[0, 0, row, column]), sums.shape[1])
    patch = _patch(conv, x, row, column)  # [channels, kernel, kernel]
    value, name = float(sums[row, column]), type(activation).__name__
    taps = (weight * patch).numpy()
    if norm is None and not pooled and len(taps) == 1 and taps.shape[1] <= 5:  # few enough to write out every weight
        after = float(activation(torch.tensor(value)))
        terms = added([*map(written, taps[0].sum(1)), written(bias)])
        rows = zip(weight[0].numpy(), patch[0].numpy(), taps[0].sum(1), strict=True)
        told = [f"{products(w, v, 5)} = {written(total)}" for w, v, total in rows]
        return [*told, f"{name}(rows + bias) = {name}({terms}) = {name}({written(value)}) = {written(after)}"]
    lines = _weighed(weight.numpy(), patch.numpy(), taps, bias, value)
    if norm is not None and taken is not None:
        before, value = value, float(normed[row, column])
        lines.append(f"{_norm_told(norm, taken, before, (c, row, column))} = {written(value)}")
    after = float(activation(torch.tensor(value)))
    lines.append(f"{name}({written(value)}) = {written(after)}")
    if pooled:
        lines.append(f"max pooling, the largest of the 3 × 3 around it: {written(after)}")
    return lines


def _norm_told(norm: Any, taken: Moments, before: float, place: tuple[int, int, int]) -> str:
    """Write out how a norm changes the number at one channel, row and column."""
    mean, variance = (float(each[place[0] if len(each) > 1 else 0]) for each in taken)
    scale, shift = _affine(norm, *place)
    affine = "" if (scale, shift) == (1, 0) else f"·{written(scale)} + {written(shift)}".replace("+ −", "− ")
    kind = "batch" if isinstance(norm, nn.BatchNorm2d) else "layer"
    std = (variance + norm.eps) ** 0.5
    decimals = 3 if std > 0.5 else 5  # so that all digits of the quotient, except the last one, are right
    centred = added([written(before, decimals), written(-mean, decimals)])
    divisor = f"{std:.4g}" if std < 1e4 else written(std)
    return f"{kind} norm, (x − mean) / √(variance + ε): ({centred}) / {divisor}{affine}"


def _normed(norm: Any, taken: Moments, sums: torch.Tensor, channel: int) -> torch.Tensor:
    mean, variance = (each[channel if len(each) > 1 else 0] for each in taken)
    values: torch.Tensor = (sums - mean) / (variance + norm.eps).sqrt()
    if norm.weight is None:
        return values
    result: torch.Tensor = values * norm.weight[channel] + norm.bias[channel]
    return result


def _affine(norm: Any, channel: int, row: int, column: int) -> tuple[float, float]:
    if norm.weight is None:
        return 1.0, 0.0
    place = (channel, row, column) if norm.weight.dim() > 1 else (channel,)
    return float(norm.weight[place]), float(norm.bias[place])


def _patch(conv: Any, x: torch.Tensor, row: int, column: int) -> torch.Tensor:
    mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    padded = pad(x, conv._reversed_padding_repeated_twice, mode)[0]
    (high, wide), (down, across), (far, aside) = conv.kernel_size, conv.stride, conv.dilation
    top, left = row * down, column * across
    return padded[:, top : top + far * (high - 1) + 1 : far, left : left + aside * (wide - 1) + 1 : aside]


def _weighed(weight: np.ndarray, patch: np.ndarray, taps: np.ndarray, bias: float, total: float) -> list[str]:
    """Write out the sum of filter times patch, both ``[channels, kernel, kernel]``, with its first row in full."""
    single = len(weight) == 1
    sums = taps[0].sum(1) if single else taps.sum((1, 2))
    terms = [written(s) for s in sums]
    if len(terms) > 12:
        terms = [*terms[:10], "…", terms[-1]]
    first = f"row 0{'' if single else ' on map 0'}: {products(weight[0, 0], patch[0, 0], 4)}"
    told = f"{'rows' if single else 'maps'} + bias: {added([*terms, written(bias)])} = {written(total)}"
    return [f"{first} = {written(taps[0, 0].sum())}", *textwrap.wrap(told, LETTERS, break_long_words=False)]


def maps(result: FeaturesResult) -> list[Spot]:
    """Return the shown maps as hover targets, with their filters."""
    shown = result.shown
    if shown is None:
        return []
    page = result.channel // TILES * TILES
    spots = []
    for c in range(page, min(page + TILES, len(shown.maps))):
        values = shown.maps[c]
        marks = [_tile_mark("maps", c, result)]
        if shown.filters.shape[1] == 1:
            marks.append(_tile_mark("filters", c, result))
        dark = float((values == 0).mean())
        zero = f"; {100 * dark:.0f} % of its pixels are 0" if dark else ""
        name = result.named(c).replace("channel", "map")
        spots.append(Spot(name, f"{short(values.min())} to {short(values.max())}{zero}", tuple(marks)))
    return spots


def _tile_mark(kind: str, channel: int, result: FeaturesResult) -> Mark:
    height, width = (1, 1) if kind == "filters" else result.scan.shape
    x, y, wide, high = tile(kind, channel, height / width)
    return Mark("channels", (x, x + wide), (y, y + high))


def border(result: FeaturesResult) -> list[Spot]:
    """Compare the pixels of the map that see padding with the rest. Return nothing if all or no pixels see padding."""
    shown = result.shown
    if shown is None or not shown.padded.any() or shown.padded.all():
        return []
    padded, inside = float(shown.border[result.channel]), float(shown.inside[result.channel])
    ratio = f"{small(padded)} / {small(inside)}" + (f" = {short(padded / inside)}" if inside >= 1e-3 else "")
    lines = (
        f"mean |activation| over all scans, pixels that see padding: {small(padded)}",
        f"all other pixels: {small(inside)}",
        f"border / inside = {ratio}",
    )
    far = float(shown.distance[shown.padded].max())
    top = float(shown.strength[result.channel][shown.padded].max())
    numbers = f"{small(padded)} in pixels that see padding, {small(inside)} elsewhere"
    return [Spot("border of the map", numbers, (Mark("profile", (0, far), (0, top)),), lines)]


def shapes(parts: Sequence[Sequence[nn.Module]], result: FeaturesResult) -> list[Spot]:
    """Return the table rows as hover targets, with the calculation of shape, parameters and receptive field."""
    run, (height, width) = result.run, result.scan.shape
    lines_in_all = len(run.layers) + 5  # lines of the table: header, layers, MLP head, three lines of warning
    spots, sides, sees, jump, before = [], (height, width), 1, 1, 1
    for i, (layer, modules) in enumerate(zip(run.layers, parts, strict=False)):
        conv: Any = modules[0]
        (kernel, stride, dilation), p = layer.sizes, conv.padding[0]
        rows = (sides[0] + 2 * p - dilation * (kernel - 1) - 1) // stride + 1
        formula = f"⌊({sides[0]} + 2·{p} − {dilation}·({kernel} − 1) − 1) / {stride}⌋ + 1 = {rows}"
        seen = sees + dilation * (kernel - 1) * jump
        lines = [f"rows: {formula}", f"sees: {sees} + {dilation}·({kernel} − 1)·{jump} = {seen} pixels"]
        sees, jump = seen, jump * stride
        if layer.pool:
            lines[0] += f", pooled ⌈{rows} / 2⌉ = {(rows + 1) // 2}"
            lines[1] += f"; pooling: {sees} + 2·{jump} = {layer.field}"
            sees, jump = layer.field, jump * 2
        out, norms = len(layer.maps), layer.parameters - sum(p.numel() for p in conv.parameters())
        norm = f" + {norms:,} for the norm" if norms else ""
        biases = f" + {out}" if conv.bias is not None else ""
        lines.append(f"parameters: {out}·{before}·{kernel}·{kernel}{biases}{norm} = {layer.parameters:,}")
        before, sides = out, layer.maps.shape[1:]
        numbers = f"{layer.shape}, sees {layer.field} px, {layer.parameters:,} parameters"
        spots.append(Spot(f"layer {i}", numbers, (_row_mark(i, lines_in_all),), tuple(lines)))
    if run.flat is not None and len(run.layers) == len(parts):
        last = run.layers[-1].shape.replace("×", "·")
        product = f"{last} = {run.flat:,}" if run.flat == run.layers[-1].maps.size else f"{run.flat:,}"
        lines = [f"inputs of the head: {product}"]
        lines.append(f"parameters: ({run.flat:,} + 1)·{HIDDEN} = {(run.flat + 1) * HIDDEN:,}")
        mark = _row_mark(len(run.layers), lines_in_all)
        spots.append(Spot("head", f"a linear layer from {run.flat:,} to {HIDDEN}", (mark,), tuple(lines)))
    return spots


def _row_mark(line: int, lines: int) -> Mark:
    """Return the mark around one line of the table, in axes coordinates from 0 to 1."""
    height = 1 / (lines - 1)
    top = 1 - (line + 1) * height
    return Mark("table", (0, 1), (top - 0.6 * height, top))
