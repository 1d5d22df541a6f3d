"""Measures of each layer of a network on a batch: how much the samples differ, and which units are dead."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Hashable, Iterable, Iterator

import numpy as np
import torch
from torch import nn

from rsl_edu.histogram import clipped_histogram

EDGES = np.linspace(-3, 3, 62)
"""Edges of the histograms' bins; 0 is in the middle of a bin. Values outside count in the outermost bins."""
FLAT = 0.005
"""An activation whose slope is below this counts as flat: almost no gradient passes."""
ROUNDING = 1e-5
"""A std below this fraction of the values is rounding error: float32 has lost the signal."""
WEIGHTED = (nn.Linear, nn.Conv2d)
"""The modules that begin a layer."""
BOUNDED = (nn.Tanh, nn.Sigmoid, nn.Hardtanh, nn.Hardsigmoid, nn.Softsign)
"""The activations that saturate. With these, a unit counts as saturated if it is flat on 95 % of the samples; with all
others, it counts as dead only if it is flat on all samples."""


@dataclasses.dataclass(frozen=True)
class Layers:
    """The measures of each row: the input, the hidden layers and the output.

    Attributes:
        units: Number of units, ``[rows]``.
        parameters: Number of parameters, ``[rows]``. In the row of the input, these are the parameters of the
            normalizer, if the network begins with one.
        bars: Share of the values in each bin of ``EDGES``, ``[rows, bins]``.
        std: Std over the samples, root mean square over the units, ``[rows]``.
        gradient: Norm of the gradient of the loss with respect to this row's values, divided by the same norm for the
            output row, ``[rows]``.
        flat: Share of the values at which the activation is flat, ``[rows]``; NaN without an activation.
        asleep: Share of the units that are dead or saturated, ``[rows]``; NaN without an activation.
        constant: Share of the units that have exactly the same value on all samples, ``[rows]``; NaN for convolutions,
            where this can be correct at the edge of an image.
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
    """Yield the modules of nested sequences in the order in which they are called."""
    for module in modules:
        yield from in_order(module) if isinstance(module, nn.Sequential) else [module]


def measure(network: nn.Sequential, x: torch.Tensor, seed: int = 0, by_module: bool = False) -> Layers:
    """Measure all layers on a batch, with hooks. Where values are NaN or infinite, so are their measures.

    Args:
        network: Linear layers or convolutions, each followed by its norm, activation or pooling. Modules before the
            first layer belong to the input.
        x: The batch, ``[samples, ...]``.
        seed: Seed of the random error at the output, from which gradients are propagated back.
        by_module: Make a mistake: store what a hook records by module, not by the number of the call. The result is
            then wrong if a module is called more than once.
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
        loss = (values[-1] * error).sum()  # a scalar loss, because for grad_outputs torch imports SymPy
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
    """Return the share of values at which a layer's activation is flat, and the share of dead or saturated units.

    Args:
        group: The modules of the layer, each with its input and its output ``[samples, units]``.
    """
    for module, z, h in reversed(group):
        if isinstance(module, nn.Identity) or type(module).__module__ == nn.ReLU.__module__:
            (slope,) = torch.autograd.grad(h.sum(), z, retain_graph=True)
            flat = (slope.abs() < FLAT).float().sum(0).double() / len(slope)  # [units]; sums of 0 and 1 are exact
            return float(flat.mean()), float((flat >= (0.95 if isinstance(module, BOUNDED) else 1)).double().mean())
    return np.nan, np.nan


def _constant(group: list[tuple[nn.Module, torch.Tensor, torch.Tensor]]) -> float:
    """Return the share of a layer's units that have the same value on all samples; NaN for a convolution."""
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
    """Return the std over the samples, root mean square over the units; 0 if it is within rounding error."""
    size = float(h.abs().max())
    h = h / (size or 1.0)
    spread = float((h - h.mean(0)).square().mean().sqrt())  # three times faster than torch's var
    return 0.0 if spread <= ROUNDING else size * spread
