"""Changes to the observations before the network, fitted to the export's actions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import torch

from rsl_edu.number_format import short

from .endings import enough
from .evidence import Evidence
from .kinds import Variant
from .model import Model
from .tensors import moves

_ROWS = 12_288  # number of actions to fit, over all observations
_STEPS, _STEPS_OF_ORDER = 30, 60
_FEW = 20  # up to this many features, the linear map is fitted exactly


def can_fit(evidence: Evidence) -> bool:
    """Return whether there are enough observations to estimate a scale and a shift of each feature."""
    envs, features = evidence.sample.observations.flatten(0, 1).shape
    known = evidence.base.policy.rnn is None and enough(evidence) and not evidence.noisy
    return known and envs >= 2 * features and envs * evidence.actions.shape[-1] >= 8 * features


def can_fit_order(evidence: Evidence) -> bool:
    """Return whether there are enough observations to estimate the order of the features."""
    envs, features = evidence.sample.observations.flatten(0, 1).shape
    return can_fit(evidence) and min(envs * evidence.actions.shape[-1], _ROWS) >= 2 * features**2


def rearranged(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Reverse the steps of a history, or sort it by feature instead of by step."""
    features = model.policy.features
    places = torch.arange(features)
    for steps in range(2, features // 2 + 1):
        if features % steps == 0 and model.order is None:
            table = places.reshape(steps, -1)
            yield _ordered(model, f"with a history of {steps} steps in reverse order", table.flip(0).flatten())
            words = f"with a history of {steps} steps sorted by feature instead of by step"
            yield _ordered(model, words, table.T.flatten())
            yield _ordered(model, words, places.reshape(-1, steps).T.flatten())


def scaled(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Scale and shift each feature."""
    if can_fit(evidence):
        fit = _Fit(evidence, model, 32 * model.policy.features)
        yield from _variants(evidence, model, fit, *fit.each(torch.arange(model.policy.features)))


def reordered(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Reorder the features, and scale and shift each of them."""
    if can_fit_order(evidence):
        fit = _Fit(evidence, model, _ROWS)
        order = fit.order()
        if order is not None:
            yield from _variants(evidence, model, fit, *fit.each(order), order)


def _ordered(model: Model, words: str, order: torch.Tensor) -> Variant:
    return Variant(words, dataclasses.replace(model, order=order))


def _variants(
    evidence: Evidence,
    model: Model,
    fit: _Fit,
    scale: torch.Tensor,
    shift: torch.Tensor,
    order: torch.Tensor | None = None,
) -> Iterator[Variant]:
    """Yield the model with a scale and a shift for each feature in the normalizer, unless they are only rounding."""
    order = torch.arange(len(scale)) if order is None else order
    normalizer = (fit.mean - shift) / scale, fit.divisor / scale
    shown, centre = fit.spread[order], fit.centre[order]
    small = 1e-3 * shown
    scaled = ((scale - 1) * shown).abs() > small
    moved = (shift + (scale - 1) * torch.where(scaled, 0.0, centre)).abs() > small + 1e-4 * centre.abs()
    parts = [f"{moves(evidence, order)}"] if not torch.equal(order, torch.arange(len(order))) else []
    for which, words, by in ((scaled, "scaled", scale), (moved, "shifted", shift)):
        for first, last in _runs(which, by if words == "scaled" else None):
            name = evidence.sample.name(first) + (f" to {evidence.sample.name(last)}" if last > first else "")
            parts.append(f"{name} {words} by {_between(by[first : last + 1])}")
    if not parts:
        return
    more = f" and {len(parts) - 6} more" if len(parts) > 6 else ""
    words = f"with {', '.join(parts[:6])}{more} before the network"
    yield Variant(words, dataclasses.replace(model, normalizer=normalizer, times=1, order=order))


def _runs(which: torch.Tensor, by: torch.Tensor | None) -> Iterator[tuple[int, int]]:
    """Yield the first and last index of each run of changed features. With ``by``, all changes in a run are equal."""
    start = None
    for place in range(len(which) + 1):
        inside = place < len(which) and bool(which[place])
        other = start is not None and inside and by is not None and abs(float(by[place] / by[start]) - 1) > 1e-3
        if start is not None and (not inside or other):
            yield start, place - 1
            start = None
        if inside and start is None:
            start = place


def _between(values: torch.Tensor) -> str:
    """Describe factors or shifts, and recognize a conversion between degrees and radians."""
    least, most = values.min().item(), values.max().item()
    if most - least > 1e-3 * abs(most):
        return f"{short(least)} to {short(most)}"
    for factor, words in ((180 / math.pi, "degrees for radians"), (math.pi / 180, "radians for degrees")):
        if abs(most / factor - 1) < 1e-3:
            return f"{short(most)} ({words})"
    return short(most, 3)


class _Fit:
    """Least-squares fit of a network's input to the export's actions.

    Args:
        evidence: The observations and the export's actions.
        model: The policy; its normalizer only sets the scale of the fit.
        rows: Largest number of actions to fit, over all observations.
    """

    def __init__(self, evidence: Evidence, model: Model, rows: int) -> None:
        self._target = evidence.actions.flatten(0, 1)
        kept = torch.arange(len(self._target))[: max(1, rows // self._target.shape[1])]
        self._target = self._target[kept]
        x = evidence.sample.observations.flatten(0, 1)[kept].double()
        self._images = {name: image.flatten(0, 1)[kept][None] for name, image in evidence.sample.images.items()}
        self.centre, self.spread = x.mean(0), x.std(0)
        self.varies = self.spread > 1e-9 * x.abs().amax(0).clamp_min(1e-9)
        self.spread = torch.where(self.varies, self.spread, 1.0)
        self.mean: torch.Tensor
        self.divisor: torch.Tensor
        self._x = (x - self.centre) / self.spread
        none = torch.zeros_like(self.centre), torch.ones_like(self.centre)
        self.mean, self.divisor = (part.flatten() for part in model.normalizer or none)
        self._model = dataclasses.replace(model, normalizer=None, times=1, order=None)

    def each(self, order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scale and the shift of each policy feature, ``[features]``, for a given order of the features."""
        x = self._x[:, order]
        scale, shift = self.spread[order] / self.divisor, (self.centre[order] - self.mean) / self.divisor

        def moved(step: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return scale + step[: len(scale)], shift + step[len(scale) :]

        damping, (off, slopes) = 1e-3, self._off(x * scale + shift)
        for _ in range(_STEPS):
            jacobian = torch.cat([slopes * x[:, None], slopes], 2).flatten(0, 1)
            square, gradient = jacobian.T @ jacobian, jacobian.T @ off.flatten()
            size = square.diagonal().mean()
            for _ in range(8):
                step = torch.linalg.solve(square + damping * size * torch.eye(len(square)).double(), gradient)
                there = moved(step)
                new, new_slopes = self._off(x * there[0] + there[1])
                if (new**2).sum() < (off**2).sum():
                    break
                damping *= 8
            else:
                break
            better = (off**2).sum() / (new**2).sum().clamp_min(1e-30)
            (scale, shift), off, slopes, damping = there, new, new_slopes, damping / 10
            if better < 1.0001:
                break
        return scale * self.divisor / self.spread[order], self.mean + self.divisor * (
            shift - scale * self.centre[order] / self.spread[order]
        )

    def order(self) -> torch.Tensor | None:
        """Return the observed feature for each policy feature, from a fitted linear map; None if the map is unclear."""
        matrix = torch.diag(self.spread / self.divisor)
        shift = (self.centre - self.mean) / self.divisor
        x, features = self._x, self._x.shape[1]
        damping, (off, slopes) = 1e-2, self._off(x @ matrix.T + shift)
        for _ in range(_STEPS_OF_ORDER):
            direction = (self._exact if features <= _FEW else self._factored)(off, slopes)
            for _ in range(8):
                change = direction(damping)
                there = matrix + change[:, :-1], shift + change[:, -1]
                new, new_slopes = self._off(x @ there[0].T + there[1])
                if (new**2).sum() < (off**2).sum():
                    break
                damping *= 4
            else:
                break
            (matrix, shift), off, slopes, damping = there, new, new_slopes, damping / 3
            largest = matrix.abs().topk(2, 1)
            order: torch.Tensor = largest.indices[:, 0]
            if len(order.unique()) == features and (largest.values[:, 0] > 2 * largest.values[:, 1]).all():
                return order
        order = matrix.abs().argmax(1)
        return order if len(order.unique()) == features else None

    def _exact(self, off: torch.Tensor, slopes: torch.Tensor) -> Callable[[float], torch.Tensor]:
        """Return a function of the damping that returns a linear map's step and shift, ``[features, features + 1]``."""
        x = torch.cat([self._x, torch.ones_like(self._x[:, :1])], 1)
        jacobian = torch.einsum("naf,ng->nafg", slopes, x).flatten(0, 1).flatten(1)
        square, gradient = jacobian.T @ jacobian, jacobian.T @ off.flatten()
        unit = square.diagonal().mean() * torch.eye(len(square)).double()
        shape = slopes.shape[2], x.shape[1]
        return lambda damping: torch.linalg.solve(square + damping * unit, gradient).reshape(shape)

    def _factored(self, off: torch.Tensor, slopes: torch.Tensor) -> Callable[[float], torch.Tensor]:
        """Return the function of :meth:`_exact` for many features, as if slopes and observations were independent."""
        x = torch.cat([self._x, torch.ones_like(self._x[:, :1])], 1)
        inverse = torch.linalg.inv(x.T @ x / len(x) + 1e-6 * torch.eye(x.shape[1]).double())
        square = torch.einsum("naf,nag->fg", slopes, slopes) / len(x)
        gradient = torch.einsum("naf,na->nf", slopes, off).T @ x / len(x) @ inverse
        unit = square.diagonal().mean() * torch.eye(len(square)).double()
        return lambda damping: torch.linalg.solve(square + damping * unit, gradient)

    def _off(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the residuals of the actions ``[n, actions]`` and their slopes ``[n, actions, features]``."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            actions = self._model.actions(z[None], self._images)[0]
            count = actions.shape[1]
            slopes = [torch.autograd.grad(actions[:, i].sum(), z, retain_graph=i + 1 < count)[0] for i in range(count)]
        return self._target - actions.detach(), torch.stack(slopes, 1)
