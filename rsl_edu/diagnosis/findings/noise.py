"""Findings about the exploration noise: the std of the actions."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import counted, short

from .kinds import Evidence, FindingKind, NotApplicable, Passed, UncheckedError

COLLAPSED, GROWN = 0.02, 1.5
"""Limits for the last std divided by the initial std, below and above which there is a finding."""
PARTLY_GROWN = 2.0
"""The upper limit for the std of a single action, divided by its initial std."""
GUESSED_GROWN = 10.0
"""The upper limit if the initial std is a guess, because some training runs begin with more than rsl_rl's default."""
MOST = 0.5
"""If the std of at least this share of the actions has collapsed, the policy as a whole has stopped exploring."""
DEFAULT_STD = 1.0
"""Initial std of rsl_rl by default: the guess if neither a checkpoint nor a file gives it."""
DEFAULT = "at the start (a guess: rsl_rl's default)"
HISTORY = "needs two checkpoints or more"


def std_clamped(evidence: Evidence) -> str | None:
    """Look for a stored std at or beyond its limit."""
    if not len(evidence.last.raw_std):
        raise NotApplicable
    clamped = _clamped(evidence)
    if not clamped.any():
        return None
    worst, stored = int(clamped.argmax()), "log std" if evidence.std_is_log else "std"
    raw = short(evidence.last.raw_std[worst])
    return f"{_of_all(clamped)}: the {stored} of action {worst} is stored as {raw}"


def std_collapsed(evidence: Evidence) -> str | None:
    """Look for a policy that has almost no noise left in most of its actions."""
    collapsed, figure = _collapsed(evidence)
    return figure if collapsed.any() and collapsed.mean() >= MOST else None


def std_partly_collapsed(evidence: Evidence) -> str | None:
    """Look for a minority of actions that have almost no noise left."""
    collapsed, figure = _collapsed(evidence)
    return figure if collapsed.any() and collapsed.mean() < MOST else None


def std_growing(evidence: Evidence) -> str | Passed | None:
    """Look for a mean std that grew."""
    start, when, last = *_start_of_growth(evidence), evidence.last
    grown, most = float(last.std.mean() / start.mean()), _most(GROWN, when)
    if not _can_be_compared(evidence, start) or grown <= most:
        return None
    times = f"{grown:.1f}" if grown < 10 else short(grown)
    change = f"from {short(start.mean())} {when} to {short(last.std.mean())} {last.at}"
    figure = f"the mean std grew {change}, by a factor of {times}"
    return Passed(figure, f"above {most:g} times the initial std")


def std_partly_growing(evidence: Evidence) -> str | Passed | None:
    """Look for single actions whose std grew although the mean std did not."""
    start, when, last = *_start_of_growth(evidence), evidence.last
    if not _can_be_compared(evidence, start) or std_growing(evidence) is not None:
        return None
    ratio, most = last.std / start, _most(PARTLY_GROWN, when)
    grown, worst = ratio > most, int(ratio.argmax())
    if not grown.any():
        return None
    now = f"{_of_all(grown)}: the std of action {worst} is {short(last.std[worst])} {last.at}"
    return Passed(
        f"{now}, up from {short(start[worst])} {when}", f"std of an action above {most:g} times its initial std"
    )


def _most(growth: float, when: str) -> float:
    """Return the factor by which the std may grow, which is larger if the initial std is a guess."""
    return GUESSED_GROWN if when == DEFAULT else growth


def _start_of_growth(evidence: Evidence) -> tuple[np.ndarray, str]:
    """Return the std from which growth is measured, and the time of this std; rsl_rl's default if no std is known."""
    known, first = _start(evidence), evidence.first
    guess = evidence.settings.init_std is None and _has_init_std(evidence) and not evidence.untrained
    if guess and (known is None or first.std.mean() > GUESSED_GROWN * DEFAULT_STD):
        return np.full_like(first.std, DEFAULT_STD), DEFAULT
    if known is None:
        raise UncheckedError(HISTORY)
    return known


def _start(evidence: Evidence) -> tuple[np.ndarray, str] | None:
    """Return the initial std of each action, and the time of this std in words; None if the initial std is unknown."""
    first, init_std = evidence.first, evidence.settings.init_std
    of_first = (first.std, first.at) if len(evidence.measures) > 1 else None
    if init_std is None or not _has_init_std(evidence) or (of_first and evidence.untrained):
        return of_first
    return np.full_like(first.std, init_std), f"at the start ({evidence.settings.source})"


def _start_or_default(evidence: Evidence) -> tuple[np.ndarray, list[str]]:
    """Return the result of :func:`_start`, with words for each action; rsl_rl's default replaces unknown values."""
    known, first = _start(evidence), evidence.first
    if known is None and (evidence.untrained or not _has_init_std(evidence)):
        raise UncheckedError(HISTORY)
    start, when = known or (first.std, "")
    words = [when] * len(start)
    if _has_init_std(evidence) and evidence.settings.init_std is None and not evidence.untrained:
        words = [DEFAULT if std < DEFAULT_STD or not when else when for std in start]
        start = np.maximum(start, DEFAULT_STD)
    return start, words


def _collapsed(evidence: Evidence) -> tuple[np.ndarray, str]:
    """Return which actions have almost no noise left, as a mask and in words."""
    (start, when), last = _start_or_default(evidence), evidence.last
    if not _can_be_compared(evidence, start):
        return np.zeros(len(start), dtype=bool), ""
    ratio = last.std / start
    collapsed, worst = ratio < COLLAPSED, int(ratio.argmin())
    return collapsed, (
        f"{_of_all(collapsed)}: the std of action {worst} is {short(last.std[worst])} {last.at}, "
        f"down from {short(start[worst])} {when[worst]}"
    )


def _can_be_compared(evidence: Evidence, start: np.ndarray) -> bool:
    """Return whether the std can be compared with the initial std; a clamped std says nothing about the training."""
    return bool(not _clamped(evidence).any() and np.isfinite(evidence.last.std).all() and (start > 0).all())


def _clamped(evidence: Evidence) -> np.ndarray:
    """Return for each action whether its stored std is at or beyond a limit; empty if the std depends on the state."""
    raw, (low, high) = evidence.last.raw_std, evidence.std_limits
    clamped: np.ndarray = (raw <= low) | (raw >= high)
    return clamped


def _has_init_std(evidence: Evidence) -> bool:
    """Return whether the distribution has an initial std that can be configured, which a Beta distribution lacks."""
    return hasattr(evidence.policy.distribution, "std_type")


def _of_all(actions: np.ndarray) -> str:
    return f"{actions.sum()} of {counted(len(actions), 'action')}"


FINDINGS = (
    FindingKind(
        name="std clamped",
        listed_as="std clamped",
        check=std_clamped,
        threshold="at or beyond the limits {std_low} and {std_high}",
        meaning="An optimizer step was larger than the std itself. Beyond its limit, rsl_rl's std has no gradient, so "
        "the std stays there; older releases stop with `normal expects all elements of std >= 0.0`.",
        lesson=5,
        change='{std_type} = "log"; algorithm.learning_rate',
    ),
    FindingKind(
        name="std collapsed",
        listed_as="std collapsed",
        check=std_collapsed,
        threshold=f"below {100 * COLLAPSED:g} % of the initial std, in half of the actions or more",
        meaning="The policy no longer explores. If the task requires precise actions, a successful training ends this "
        "way. If the robot does not do its task well yet, the policy stopped exploring too early.",
        lesson=5,
        change="algorithm.entropy_coef (higher), {init_std}",
    ),
    FindingKind(
        name="std partly collapsed",
        listed_as="std collapsed",
        check=std_partly_collapsed,
        threshold=f"below {100 * COLLAPSED:g} % of the initial std, in fewer than half of the actions",
        meaning="The policy still explores, but no longer with these actions. The KL measures the change of an action "
        "in units of its std, so these few actions dominate the KL, and keep the adaptive learning rate low for "
        "all other actions.",
        lesson=5,
        change="algorithm.entropy_coef (higher); the scale of these actions, and the rewards that penalize them",
    ),
    FindingKind(
        name="std growing",
        listed_as="std growing",
        check=std_growing,
        threshold=f"above {GROWN:g} times the initial std ({GUESSED_GROWN:g} times if the initial std is a guess)",
        meaning="The policy gains more from noise than from doing its task well: the entropy bonus is too large "
        "compared with the rewards, or the advantages are mostly noise, for example because time-outs count as "
        "failures.",
        lesson=5,
        change='algorithm.entropy_coef (lower); extras["time_outs"] of the environment',
    ),
    FindingKind(
        name="std partly growing",
        listed_as="std growing",
        check=std_partly_growing,
        threshold=f"std of an action above {PARTLY_GROWN:g} times its initial std ({GUESSED_GROWN:g} times if the "
        "initial std is a guess)",
        meaning="The rewards hardly depend on what these actions do, so the entropy bonus makes them noisier. The mean "
        "std over all actions does not show this, because the std of the other actions fell.",
        lesson=5,
        change="algorithm.entropy_coef (lower); the scale of these actions, and the rewards that depend on them",
    ),
)
