"""Findings about what the policy does: with its memory when an episode has ended, and before it has learned."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import short

from .kinds import Evidence, FindingKind, NotApplicable, Passed, UncheckedError
from .learning_rate import learning_rate_at_its_floor
from .network import SIGNAL_EXPLODED

CARRIED, SURE = 0.5, 3.0
"""Share of a memory without resets in the recorded actions, and how many standard errors it must lie beyond that."""
LOUD, GAIN = 1.0, 5.0
"""Std of the untrained policy's mean action in units of its noise; norm of the weights of one output of the last layer
of any policy."""
WIDE = 20.0
"""Std of any policy's mean action, root mean square over the actions, for inputs of std 1, in units of the std that the
training began with where that was more than 1.

Policies that do what they should have 0.1 to 5 (pendulums, Hoppers, drones, arms, one humanoid); one whose
learning rate fell to its floor has 46. Without a normalizer an input of std 1 can be far from what the policy saw: some
that walk on real robots, trained on small numbers, have hundreds there. So without a normalizer and observations it
counts only where the learning rate is at its floor, too."""


def hidden_state_not_reset(evidence: Evidence) -> str | None:
    """Look for recorded actions that come from the memory of the episode before."""
    memory = evidence.last.memory
    if memory is None:
        raise NotApplicable
    if memory.errors is None:
        raise UncheckedError("needs observations with dones and actions, as they were played")
    if memory.share is None:
        return None
    (right, never), (share, error) = memory.errors, memory.share
    if not abs(share - CARRIED) > SURE * error:  # true of NaN, too
        raise UncheckedError("needs more episodes, so little does the memory change")
    if share <= CARRIED:
        return None
    return (
        f"{100 * share:.0f} % of what a memory without a reset changes is in the recorded actions: they are "
        f"{short(right)} std from those with a reset after each episode, {short(never)} std from those without"
    )


def last_layer_too_large(evidence: Evidence) -> str | Passed | None:
    """Look for mean actions that drown the noise before anything is learned, and for a last layer that grew."""
    first, last = evidence.first, evidence.last
    if evidence.sample.real:
        evidence.require_different_samples()
    with np.errstate(divide="ignore", invalid="ignore"):
        loud = float(np.nan_to_num(first.spread / first.std).max()) / max(1, first.layers.std[0])
    if evidence.untrained and evidence.sample.real and loud > LOUD:
        times = short(loud)
        figure = f"{first.at} the mean action varies by {times} times its noise, for inputs of std 1"
        return Passed(figure + evidence.if_guessed, f"{LOUD:g} times before training")
    if last.gain > GAIN and _beyond_the_noise(evidence):
        if _mean_is_worse(evidence):
            raise NotApplicable
        norm = f"the weights of the last layer have norm {short(last.gain)} for each action"
        return Passed(f"{norm} (root mean square)", f"norm {GAIN:g}")
    if evidence.untrained:
        evidence.require_observations()
    return None


def mean_actions_too_large(evidence: Evidence) -> str | None:
    """Look for mean actions that are large and drown the noise, and are more so than the last layer alone."""
    last, wide = evidence.last, _wide(evidence)
    if evidence.sample.real:
        evidence.require_different_samples()
    if not wide > _wide_limit(evidence) or not _beyond_the_noise(evidence):
        return None
    if last.gain > GAIN:
        if not _mean_is_worse(evidence):
            raise NotApplicable
    elif not (last.count or _is_held_back(evidence)):
        evidence.require_observations()
    if last.gain <= GAIN and (last.layers.std[1:-1] > SIGNAL_EXPLODED).any():
        raise NotApplicable  # a finding of its own
    return _wide_in_words(evidence, wide)


def _mean_is_worse(evidence: Evidence) -> bool:
    """Tell whether the mean actions are farther beyond their threshold than the last layer is beyond its own."""
    return _wide(evidence) / _wide_limit(evidence) > evidence.last.gain / GAIN


def _wide(evidence: Evidence) -> float:
    """Return the std of the mean actions for inputs of std 1, root mean square over the actions."""
    last = evidence.last
    return float(np.sqrt(np.square(last.spread.astype(float)).mean())) / max(1, float(last.layers.std[0]))


def _wide_limit(evidence: Evidence) -> float:
    return WIDE * max(1, evidence.settings.init_std or 1)


def _beyond_the_noise(evidence: Evidence) -> bool:
    """Tell whether the mean actions vary by more than their noise."""
    last = evidence.last
    return bool(np.square(last.spread.astype(float)).mean() > np.square(last.std.astype(float)).mean())


def _wide_in_words(evidence: Evidence, wide: float) -> str:
    """Name the std of the mean actions, and by how much each layer enlarges what enters it at most."""
    last = evidence.last
    norms = {"the last layer" if name == "output" else f"layer {name}": s[0] for name, s in last.spectra.items()}
    layers = ", ".join(f"{short(float(norm))} in {name}" for name, norm in norms.items())
    return (
        f"the mean actions vary by std {short(wide)} for inputs of std 1{evidence.if_guessed}; "
        f"the largest singular value of the weights is {layers}"
    )


def _is_held_back(evidence: Evidence) -> bool:
    """Tell whether the learning rate is at its floor."""
    try:
        return learning_rate_at_its_floor(evidence) is not None
    except (NotApplicable, UncheckedError):
        return False


FINDINGS = (
    FindingKind(
        name="hidden state not reset",
        listed_as="hidden state not reset",
        check=hidden_state_not_reset,
        threshold=f"{100 * CARRIED:.0f} %, and {SURE:g} standard errors",
        meaning="When this was recorded, the memory of one episode leaked into the next: the policy began each new one "
        "with the memory of a fall.",
        lesson=3,
        change="policy.reset(dones) after every step, where it is played",
    ),
    FindingKind(
        name="last layer too large",
        listed_as="last layer too large",
        check=last_layer_too_large,
        threshold=f"{LOUD:g} times before training; norm {GAIN:g} at any time",
        meaning="The mean actions are large compared with the noise, before the training or at its end: exploration "
        "changes little, a small step of the weights changes the KL a lot, and actions end at the motors' limits.",
        lesson=1,
        change="in the next training: a last layer with gain 0.01 (MLP.init_weights), algorithm.learning_rate (lower)",
    ),
    FindingKind(
        name="mean actions too large",
        listed_as="mean actions too large",
        check=mean_actions_too_large,
        threshold=f"std {WIDE:g}",
        meaning="The mean actions are large compared with the noise, and it is not the last layer alone that makes "
        "them so: a small step of the weights changes the KL a lot, and actions end at the motors' limits.",
        lesson=1,
        change="in the next training: algorithm.learning_rate (lower), {obs_normalization} = True, "
        "rewards that punish large actions",
    ),
)
