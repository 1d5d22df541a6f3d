"""What each layer of a network does to a batch: how far the samples stay apart, and which units say nothing."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Hashable, Iterable, Iterator

import numpy as np
import torch
from torch import nn

from rsl_edu.histogram import clipped_histogram

EDGES = np.linspace(-3, 3, 62)
"""Bins of the histograms, with 0 amid one of them; what lies beyond is counted in the outermost bins."""
FLAT = 0.005
"""A slope below this passes next to nothing of the gradient."""
ROUNDING = 1e-5
"""A spread below this fraction of the values is rounding error: float32 has lost the signal."""
WEIGHTED = (nn.Linear, nn.Conv2d)
"""With one of these begins a layer."""
BOUNDED = (nn.Tanh, nn.Sigmoid, nn.Hardtanh, nn.Hardsigmoid, nn.Softsign)
"""These saturate: a unit that is flat on 95 % of the samples counts; of all others only one that is flat on all."""


@dataclasses.dataclass(frozen=True)
class Layers:
    """What was measured at each row of the picture: the input, the hidden layers, the output.

    Attributes:
        units: Of each row, ``[rows]``.
        parameters: Of each row, ``[rows]``; the input's (a normalizer's, if the network begins with one) first.
        bars: Share of the values in each bin of ``EDGES``, ``[rows, bins]``.
        std: Over the samples, root mean square over the units, ``[rows]``.
        gradient: Norm of the loss's gradient at this row's values, ``[rows]``; 1 at the output.
        flat: Share of the values where the activation is flat, ``[rows]``; NaN without an activation.
        asleep: Share of the units that are dead or saturated, ``[rows]``; NaN without an activation.
        constant: Share of the units that have exactly one value on all samples, ``[rows]``; NaN of what a convolution
            gives, as at the edge of an image that may be right.
    """

    units: tuple[int, ...]
    parameters: tuple[int, ...]
    bars: np.ndarray
    std: np.ndarray
    gradient: np.ndarray
    flat: np.ndarray
    asleep: np.ndarray
    constant: np.ndarray


def in_order(modules: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Yield the modules of nested sequences, in the order of their calls."""
    for module in modules:
        yield from in_order(module) if isinstance(module, nn.Sequential) else [module]


def measure(network: nn.Sequential, x: torch.Tensor, seed: int = 0, by_module: bool = False) -> Layers:
    """Measure all layers on ``x [samples, ...]``, by hooks. Where a value is NaN or infinite, so is what is said of it.

    Args:
        network: Linear layers or convolutions, each with what follows it; what is before the first one belongs to the
            input.
        x: What enters.
        seed: Of the error at the output.
        by_module: Keep what a hook saw under its module, and not under the number of the call: a mistake where a module
            is called more than once.
    """
    row = list(in_order(network))
    first = next(i for i, leaf in enumerate(row) if isinstance(leaf, WEIGHTED))
    head, body = row[:first], row[first:]
    seen: dict[Hashable, tuple[torch.Tensor, torch.Tensor]] = {}

    def keep(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        seen[module if by_module else len(seen)] = inputs[0], output

    with torch.enable_grad():
        x = nn.Sequential(*head)(x).detach().clone().requires_grad_()
        handles = [leaf.register_forward_hook(keep) for leaf in dict.fromkeys(body)]
        try:
            nn.Sequential(*body)(x)
        finally:
            for handle in handles:
                handle.remove()
        calls = [(leaf, *seen[leaf if by_module else i]) for i, leaf in enumerate(body)]
        starts = [i for i, leaf in enumerate(body) if isinstance(leaf, WEIGHTED)]
        groups = [calls[start:end] for start, end in itertools.pairwise([*starts, len(body)])]
        values = [x, *(group[-1][2] for group in groups)]
        error = torch.randn(values[-1].shape, generator=torch.Generator().manual_seed(seed))
        loss = (values[-1] * error).sum()  # of a scalar: for grad_outputs, torch imports SymPy
        gradients = torch.autograd.grad(loss, values, retain_graph=True)
        slopes = [(np.nan, np.nan), *map(_flat, groups)]
    values = [h.detach().flatten(1) for h in values]
    norms = np.array([float(torch.linalg.vector_norm(g, dtype=torch.float64)) for g in gradients])
    rows = [head, *([leaf for leaf, _, _ in group] for group in groups)]
    return Layers(
        units=tuple(h.shape[1] for h in values),
        parameters=tuple(sum(p.numel() for leaf in row for p in leaf.parameters()) for row in rows),
        bars=np.stack([shares_of_bins(h) for h in values]),
        std=np.array([spread(h) for h in values]),
        gradient=norms / norms[-1],
        flat=np.array([of_values for of_values, _ in slopes]),
        asleep=np.array([of_units for _, of_units in slopes]),
        constant=np.array([np.nan, *(_constant(group) for group in groups)]),
    )


def _flat(group: list[tuple[nn.Module, torch.Tensor, torch.Tensor]]) -> tuple[float, float]:
    """Return the share of values where a layer's activation is flat, and of units where it is on (nearly) all samples.

    Args:
        group: The modules of the layer, each with its input and its output ``[samples, units]``.
    """
    for module, z, h in reversed(group):
        if isinstance(module, nn.Identity) or type(module).__module__ == nn.ReLU.__module__:
            (slope,) = torch.autograd.grad(h.sum(), z, retain_graph=True)
            flat = (slope.abs() < FLAT).float().sum(0).double() / len(slope)  # [units], of whole numbers exact
            return float(flat.mean()), float((flat >= (0.95 if isinstance(module, BOUNDED) else 1)).double().mean())
    return np.nan, np.nan


def _constant(group: list[tuple[nn.Module, torch.Tensor, torch.Tensor]]) -> float:
    """Return the share of the units of a layer that have one value on all samples; NaN of a convolution."""
    if not isinstance(group[0][0], nn.Linear):
        return np.nan
    h = group[-1][2].detach()
    constant = (h[:8] == h[0]).all(0) & h[0].isfinite()
    if len(h) > 8 and constant.any():  # few units get this far
        constant[constant.clone()] = (h[8:, constant] == h[0, constant]).all(0)
    return float(constant.double().mean())


def shares_of_bins(h: torch.Tensor) -> np.ndarray:
    """Return the share of the values of ``h`` in each bin between :data:`EDGES`; NaN counts as 0."""
    return clipped_histogram(h.nan_to_num().numpy(), EDGES) / h.numel()


def spread(h: torch.Tensor) -> float:
    """Return the std over the samples, root mean square over the units; 0 where it is lost in rounding."""
    size = float(h.abs().max())
    h = h / (size or 1.0)
    spread = float((h - h.mean(0)).square().mean().sqrt())  # three times as fast as torch's var
    return 0.0 if spread <= ROUNDING else size * spread
