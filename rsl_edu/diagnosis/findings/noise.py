"""Findings about the noise that the policy explores with: the std of its actions."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import short

from .kinds import Evidence, FindingKind, UncheckedError

COLLAPSED, GROWN = 0.02, 1.5
"""The last std over the first one."""


def std_clamped(evidence: Evidence) -> str | None:
    """Look for a std that is stored at its limit or beyond."""
    raw, (low, high) = evidence.last.raw_std, evidence.std_limits
    clamped = (raw <= low) | (raw >= high)
    if not clamped.any():
        return None
    worst = int(clamped.argmax())
    stored = "log std" if evidence.std_is_log else "std"
    return f"{clamped.sum()} of {len(raw)} actions: the {stored} of action {worst} is stored as {short(raw[worst])}"


def std_collapsed(evidence: Evidence) -> str | None:
    """Look for an action of which next to no noise is left."""
    if not _has_history(evidence):
        return None
    first, last = evidence.first, evidence.last
    ratio = last.std / first.std
    worst = int(ratio.argmin())
    if ratio[worst] >= COLLAPSED:
        return None
    return (
        f"action {worst}: std {short(first.std[worst])} at iteration {first.iteration}, "
        f"{short(last.std[worst])} at iteration {last.iteration}"
    )


def std_growing(evidence: Evidence) -> str | None:
    """Look for noise that grew."""
    if not _has_history(evidence):
        return None
    first, last = evidence.first, evidence.last
    grown = float(last.std.mean() / first.std.mean())
    if grown <= GROWN:
        return None
    return (
        f"mean std {short(first.std.mean())} at iteration {first.iteration}, "
        f"{short(last.std.mean())} at iteration {last.iteration}: {grown:.1f} times"
    )


def _has_history(evidence: Evidence) -> bool:
    """Tell whether the std can be compared with the first one; one that is clamped says nothing of the training."""
    if std_clamped(evidence) is not None:
        return False
    if len(evidence.measures) < 2:
        raise UncheckedError("needs two checkpoints or more")
    return bool(np.isfinite(evidence.last.std).all() and (evidence.first.std > 0).all())


FINDINGS = (
    FindingKind(
        name="std clamped",
        listed_as="std clamped, collapsed or growing",
        check=std_clamped,
        threshold="limits {std_low} and {std_high}",
        meaning="Beyond its limit rsl_rl's std has no gradient, so it stays there for good; older releases stop with "
        "`normal expects all elements of std >= 0.0`. An optimiser step was larger than the std itself.",
        lesson=5,
        change='{std_type} = "log"; algorithm.learning_rate',
    ),
    FindingKind(
        name="std collapsed",
        listed_as="std clamped, collapsed or growing",
        check=std_collapsed,
        threshold=f"below {100 * COLLAPSED:g} % of the first",
        meaning="The policy no longer tries anything. If the robot is not as good as it should be, it stopped "
        "exploring too early.",
        lesson=5,
        change="algorithm.entropy_coef (higher), {init_std}",
    ),
    FindingKind(
        name="std growing",
        listed_as="std clamped, collapsed or growing",
        check=std_growing,
        threshold=f"above {GROWN:g} times the first",
        meaning="Noise pays more than what the robot earns with it: the entropy bonus is too large beside the rewards, "
        "or the advantages are noise themselves, as when a time-out counts as a failure.",
        lesson=5,
        change='algorithm.entropy_coef (lower); extras["time_outs"] of the environment',
    ),
)
