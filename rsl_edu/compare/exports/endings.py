"""Changes to the actions after the network, fitted to the export's actions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import torch

from rsl_edu.number_format import short

from .evidence import Evidence
from .kinds import Variant
from .model import Model

ENOUGH = 32
"""Fewest observations from which a scale and an offset of each action can be estimated."""


def enough(evidence: Evidence) -> bool:
    """Return whether there are so many different observations that a good fit cannot be a coincidence."""
    return len(evidence.sample.observations.flatten(0, 1).unique(dim=0)) >= ENOUGH


def clipped(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Clip all actions at one limit, or each at the extremes that the export returned instead of different values."""
    if not enough(evidence):
        return
    ours, theirs = evidence.play(model).flatten(0, 1), evidence.actions.flatten(0, 1)
    low, high = _limits(evidence, ours, theirs)
    most = theirs.abs().max()
    if (low == -most).any() or (high == most).any():  # not every action has to reach the limit
        yield _ending(model, f"with actions clipped at ±{short(most.item(), 4)}", _clip(-most, most))
    if low.isfinite().any() or high.isfinite().any():
        yield _ending(model, f"with actions clipped {_at(low, high)}", _clip(low, high))


def squashed(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Apply a tanh to the actions, and then try to scale and shift them as well."""
    yield _ending(model, "with a final tanh", torch.tanh)
    yield from _scaled(evidence, _ending(model, "with a final tanh, then actions ", torch.tanh))


def scaled(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Scale and shift each action, and try to clip it before or after that."""
    yield from _scaled(evidence, _ending(model, "with actions ", lambda actions: actions))


def reordered(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Reorder the actions, and then try to scale and shift them as well."""
    order = _order(evidence.play(model).flatten(0, 1), evidence.actions.flatten(0, 1))
    if order is None or not enough(evidence):
        return
    moved = [f"{taken} as {place}" for place, taken in enumerate(order.tolist()) if taken != place]
    words = f"with action {', '.join(moved[:4])}{f' and {len(moved) - 4} more' if len(moved) > 4 else ''}"
    moved_only = _ending(model, words, lambda actions: actions[..., order])
    yield moved_only
    yield from _scaled(evidence, dataclasses.replace(moved_only, words=f"{words}, then "))


def _order(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor | None:
    """Return the policy's action that each action of the export correlates with; None if the order is the same."""
    centred = [x - x.mean(0) for x in (ours, theirs)]
    unit = [x / x.norm(dim=0).clamp_min(1e-12) for x in centred]
    likeness = (unit[1].T @ unit[0]).abs()
    order: torch.Tensor = likeness.argmax(1)
    if len(order.unique()) < len(order) or torch.equal(order, torch.arange(len(order))):
        return None
    return order


def _scaled(evidence: Evidence, before: Variant) -> Iterator[Variant]:
    ours, theirs = evidence.play(before.model).flatten(0, 1), evidence.actions.flatten(0, 1)
    if not enough(evidence) or not (ours.amax(0) - ours.amin(0) > 1e-6 * evidence.scale).any():
        return
    low, high = _limits(evidence, ours, theirs)
    at_limit = (theirs == low) | (theirs == high)
    free = (~at_limit).double()
    weight = free / free.sum(0).clamp_min(1)
    centre, their_centre = (ours * weight).sum(0), (theirs * weight).sum(0)
    spread = ((ours - centre) ** 2 * weight).sum(0)
    constant = spread <= (1e-6 * evidence.scale) ** 2  # their scale cannot be estimated
    scale = ((ours - centre) * (theirs - their_centre) * weight).sum(0) / spread.clamp_min(1e-30)
    scale = torch.where(constant, 1.0, scale)
    offset = torch.where(at_limit.all(0), theirs[0], their_centre - scale * centre)
    still = theirs.amax(0) == theirs.amin(0)
    moving = ~(at_limit.all(0) | still)
    said = _factors(evidence, scale[moving & ~constant], offset[moving])
    if low[moving].isfinite().any() or high[moving].isfinite().any():
        said.append(f"clipped {_at(low[moving], high[moving])}")
    if still.any():
        said.append(f"{int(still.sum())} of them constant")
    words = before.words + ", ".join(said)
    end = before.model.ending
    assert end is not None
    clip = _clip(low, high)
    yield _ending(before.model, words, lambda actions: clip(scale * end(actions) + offset))


def _limits(evidence: Evidence, ours: torch.Tensor, theirs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the limits of each action. An extreme is a limit if the export returned it instead of different values."""
    low, high = theirs.amin(0), theirs.amax(0)
    infinity = torch.full_like(low, torch.inf)
    cut = []
    for limit in (low, high):
        there = theirs == limit
        least = ours.masked_fill(~there, torch.inf).amin(0)
        most = ours.masked_fill(~there, -torch.inf).amax(0)
        cut.append((most - least > 1e-3 * evidence.scale) & (low < high))
    return torch.where(cut[0], low, -infinity), torch.where(cut[1], high, infinity)


def _factors(evidence: Evidence, scale: torch.Tensor, offset: torch.Tensor) -> list[str]:
    """Describe the scale and shift of the actions, ignoring rounding."""
    said = []
    if len(scale) and ((scale - 1).abs() > 1e-4).any():
        said.append(f"scaled by {_range(scale, 1e-4 * scale.abs().max())}")
    small = 1e-4 * evidence.scale * (scale.abs().max() if len(scale) else 1.0)
    if len(offset) and (offset.abs() > small).any():
        said.append(f"shifted by {_range(offset, small)}")
    return [" and ".join(said)] if said else []


def _at(low: torch.Tensor, high: torch.Tensor) -> str:
    """Describe the limits of the actions."""
    lows, highs = low[low.isfinite()], high[high.isfinite()]
    said = [_range(limits, 0) for limits in (lows, highs) if len(limits)]
    if len(said) == 2 and said[0] == f"-{said[1]}":
        return f"at ±{said[1]}"
    return f"at {' and '.join(said)}"


def _range(values: torch.Tensor, small: torch.Tensor | float) -> str:
    least, most = values.min().item(), values.max().item()
    return short(most, 4) if most - least <= max(float(small), 1e-6 * abs(most)) else f"{short(least)} to {short(most)}"


def _clip(low: torch.Tensor, high: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda actions: torch.minimum(torch.maximum(actions, low), high)


def _ending(model: Model, words: str, ending: Callable[[torch.Tensor], torch.Tensor]) -> Variant:
    return Variant(words, dataclasses.replace(model, ending=ending))
