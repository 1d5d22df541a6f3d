"""What may be done to the actions after the network: fitted to what the export did."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import torch

from rsl_edu.number_format import short

from .evidence import Evidence
from .kinds import Variant
from .model import Model

ENOUGH = 32
"""Observations that tell a scale and an offset of each action."""


def clipped(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Clip the actions at one limit, or at limits of each action that the export returned more than once."""
    most = evidence.actions.abs().max()
    if (evidence.actions.abs() == most).sum() > 1:  # not every action need have reached it
        yield _ending(model, f"with actions clipped at ±{short(most.item(), 4)}", _clip(-most, most))
    low, high = _limits(evidence.actions.flatten(0, 1))
    if low.isfinite().any() or high.isfinite().any():
        yield _ending(model, f"with actions clipped {_at(low, high)}", _clip(low, high))


def squashed(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Put a tanh at the end, alone and with a scale and an offset."""
    yield _ending(model, "with a tanh at the end", torch.tanh)
    yield from _scaled(evidence, _ending(model, "with a tanh at the end, then actions ", torch.tanh))


def scaled(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Scale and shift each action, and clip it."""
    yield from _scaled(evidence, _ending(model, "with actions ", lambda actions: actions))


def reordered(evidence: Evidence, model: Model) -> Iterator[Variant]:
    """Put the actions into another order."""
    ours, theirs = evidence.play(model).flatten(0, 1), evidence.actions.flatten(0, 1)
    apart = torch.stack([(theirs - ours[:, [action]]).abs().amax(0) for action in range(ours.shape[1])])
    order = apart.argmin(0)
    if len(order.unique()) == len(order) and not torch.equal(order, torch.arange(len(order))):
        moved = [f"{taken} as {place}" for place, taken in enumerate(order.tolist()) if taken != place]
        words = f"with action {', '.join(moved[:4])}{f' and {len(moved) - 4} more' if len(moved) > 4 else ''}"
        yield _ending(model, words, lambda actions: actions[..., order])


def _scaled(evidence: Evidence, before: Variant) -> Iterator[Variant]:
    ours, theirs = evidence.play(before.model).flatten(0, 1), evidence.actions.flatten(0, 1)
    if len(ours) < ENOUGH:
        return
    low, high = _limits(theirs)
    at_limit = (theirs == low) | (theirs == high)
    free = (~at_limit).double()
    weight = free / free.sum(0).clamp_min(1)
    centre, their_centre = (ours * weight).sum(0), (theirs * weight).sum(0)
    spread = ((ours - centre) ** 2 * weight).sum(0)
    scale = ((ours - centre) * (theirs - their_centre) * weight).sum(0) / spread.clamp_min(1e-30)
    offset = torch.where(at_limit.all(0), theirs[0], their_centre - scale * centre)
    moving = ~at_limit.all(0)
    words = before.words + _factors(scale[moving], offset[moving])
    if low[moving].isfinite().any() or high[moving].isfinite().any():
        words += f", clipped {_at(low[moving], high[moving])}"
    end = before.model.ending
    assert end is not None
    clip = _clip(low, high)
    yield _ending(before.model, words, lambda actions: clip(scale * end(actions) + offset))


def _limits(actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and the greatest of each action, infinite where it was returned only once."""
    low, high = actions.amin(0), actions.amax(0)
    infinity = torch.full_like(low, torch.inf)
    often = [(actions == limit).sum(0) > 1 for limit in (low, high)]
    return torch.where(often[0], low, -infinity), torch.where(often[1], high, infinity)


def _factors(scale: torch.Tensor, offset: torch.Tensor) -> str:
    """Say by what actions are scaled and shifted."""
    if not len(scale):
        return "that never change"
    small = 1e-4 * scale.abs().max()
    words = f"scaled by {_range(scale, small)}"
    return words + (f" and shifted by {_range(offset, small)}" if (offset.abs() > small).any() else "")


def _at(low: torch.Tensor, high: torch.Tensor) -> str:
    """Say at what actions are clipped."""
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
