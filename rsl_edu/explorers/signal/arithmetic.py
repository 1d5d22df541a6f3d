"""The calculations in the explorer *signal*: one unit per layer for one observation, and the std of the layer."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import nn

from rsl_edu.diagnosis.layers import ROUNDING, in_order
from rsl_edu.number_format import counted

from ..bench.arithmetic import digits_for, signed
from ..bench.arithmetic import exact as written

exact = functools.partial(written, digits=3)
"""Three digits, because each line has many numbers."""


@torch.inference_mode()
def arithmetic(network: nn.Sequential, x: torch.Tensor, source: str = "") -> list[tuple[str, ...]]:
    """Write out the calculation of one unit in each row (input, hidden layers, output) for the first observation.

    The unit is chosen so that its std is as close as possible to the std of the row.

    Args:
        network: Linear layers, each with the modules that follow it.
        x: The input, ``[samples, features]``.
        source: Text on the origin of the input's value, which follows the name of the value. It may contain the fields
            ``{feature}`` and ``{value}``.

    Returns:
        The lines of each row.
    """
    leaves: list[Any] = list(in_order(network))
    starts = [place for place, leaf in enumerate(leaves) if isinstance(leaf, nn.Linear)]
    h = nn.Sequential(*leaves[: starts[0]])(x)
    unit, stds, end = _typical(h)
    lines = [(f"feature {unit}, first observation: {exact(float(h[0, unit]))}", *_stds(h, unit, stds, end, "features"))]
    for start, stop in zip(starts, [*starts[1:], len(leaves)], strict=True):
        below, linear = h, leaves[start]
        z = linear(below)
        h = nn.Sequential(*leaves[start + 1 : stop])(z).flatten(1)
        unit, stds, end = _typical(h)
        bent = _bent(leaves[start + 1 : stop], z, h, unit)
        head = f"unit {unit}, first observation: z = w·x + b, the largest terms first"
        total = _sum(linear, below[0], float(z[0, unit]), unit)
        lines.append((head, total, *bent, *_stds(h, unit, stds, end, "units")))
    return lines


def _typical(h: torch.Tensor) -> tuple[int, torch.Tensor, float]:
    """Return the unit with the std closest to the layer's std, the std of each unit, and the layer's std."""
    apart = h - h.mean(0)
    stds = apart.square_().mean(0).sqrt()  # three times as fast as torch's std
    end = float(stds.square().mean().sqrt())
    return int((stds - end).abs().argmin()), stds, 0.0 if end <= ROUNDING * float(h.abs().max()) else end


def _sum(linear: nn.Linear, below: torch.Tensor, z: float, unit: int) -> str:
    """Write out the weighted sum of a unit: the two largest terms, the sum of all other terms, and the bias."""
    weights = linear.weight[unit]
    terms = weights * below
    largest = terms.abs().topk(min(2, len(terms))).indices.tolist()
    left = float(terms.sum() - terms[largest].sum())
    # Large terms that nearly cancel each other need more digits than their sum.
    digits = digits_for(z, left, *terms[largest].tolist(), digits=3, most=6)
    first = " + ".join(f"{signed(float(weights[i]), digits)}·{signed(float(below[i]), digits)}" for i in largest)
    others = len(terms) - len(largest)
    rest = f" + {signed(left, digits)} (sum of {counted(others, 'other')})" if others else ""
    bias = "" if linear.bias is None else f" + {signed(float(linear.bias[unit]), digits)}"
    return f"z = {first}{rest}{bias} = {exact(z)}"


def _bent(modules: list[Any], z: torch.Tensor, h: torch.Tensor, unit: int) -> list[str]:
    """Write out the effect of the modules after the weighted sum; nothing without modules, or if they mix units."""
    if not modules or h.shape != z.shape:
        return []
    names = "".join(f"{type(module).__name__}(" for module in reversed(modules))
    return [f"h = {names}{exact(float(z[0, unit]))}{')' * len(modules)} = {exact(float(h[0, unit]))}"]


def _stds(h: torch.Tensor, unit: int, stds: torch.Tensor, end: float, units: str) -> list[str]:
    """Write out the std of a row."""
    one = units.removesuffix("s")
    over = f"std over {counted(len(h), 'observation')} of this {one}: {exact(float(stds[unit]))}"
    squares = " + ".join(f"{signed(float(std), 3)}²" for std in stds[:2])
    more = " + …" if len(stds) > 2 else ""
    rounding = " (rounding error counts as 0)" if end == 0 and stds.any() else ""
    if len(stds) == 1:
        return [f"{over}{rounding}"]  # the row has only this unit
    return [over, f"std of all {len(stds)} {units}: √(({squares}{more}) / {len(stds)}) = {exact(end)}{rounding}"]
