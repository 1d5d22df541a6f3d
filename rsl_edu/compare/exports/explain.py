"""Search for the cause of a difference: first each cause by itself, then each pair of causes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from .causes import CAUSES
from .evidence import Evidence
from .kinds import Cause, Explanation, Variant
from .tensors import readable, source_of


def explain(evidence: Evidence) -> Explanation:
    """Find the first cause, or the first pair of causes, with which the checkpoint's policy matches the export."""
    alone: list[tuple[Cause, Variant]] = []
    causes = [cause for cause in CAUSES if not cause.late]
    for cause in causes:
        for variant in cause.variants(evidence, evidence.base):
            if evidence.fits(variant.model):
                return _explanation((cause,), (variant,), alone)
            alone.append((cause, variant))
    for cause, variant, other, both in _pairs(evidence, alone):
        if evidence.fits(both.model):
            return _explanation((cause, other), (variant, both), alone)
    for cause in CAUSES:
        for variant in cause.variants(evidence, evidence.base) if cause.late else ():
            if evidence.fits(variant.model):
                return _explanation((cause,), (variant,), alone)
    return _explanation((), (), alone)


def nearest(evidence: Evidence) -> tuple[Variant | None, float]:
    """Return the change that explains most of the squared difference, and the share that it explains, from 0 to 1."""
    best: tuple[Variant | None, float] = None, 0.0
    apart = ((evidence.actions - evidence.expected) ** 2).sum().item()
    for cause in CAUSES:
        if cause.late or cause.name.startswith(
            "actions "
        ):  # these are fitted to the export, so they always explain a part
            continue
        for variant in cause.variants(evidence, evidence.base):
            left = ((evidence.actions - evidence.play(variant.model)) ** 2).sum().item()
            if 1 - left / apart > best[1]:
                best = variant, 1 - left / apart
    return best


def _pairs(evidence: Evidence, alone: list[tuple[Cause, Variant]]) -> Iterator[tuple[Cause, Variant, Cause, Variant]]:
    """Yield pairs of causes, in the order of the table."""
    elsewhere = readable(evidence) and source_of(evidence) is None  # its tensors match no checkpoint of the run
    for (cause, variant), other in itertools.product(alone, CAUSES):
        if other.late:
            continue
        if elsewhere and variant.model.name != evidence.base.name:
            continue
        if CAUSES.index(other) > CAUSES.index(cause) and variant.model.ending is None:
            for both in other.variants(evidence, variant.model):
                yield cause, variant, other, both


def _explanation(
    causes: tuple[Cause, ...], variants: tuple[Variant, ...], alone: list[tuple[Cause, Variant]]
) -> Explanation:
    tried = dict.fromkeys(cause.name for cause, _ in alone if cause not in causes)
    return Explanation(causes, variants, tuple(tried))
