"""Findings about the actions: whether the hidden state is reset between episodes, and how large mean actions are."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import short

from .kinds import Evidence, FindingKind, NotApplicable, Passed, UncheckedError
from .learning_rate import learning_rate_at_its_floor
from .network import SIGNAL_EXPLODED

CARRIED, SURE = 0.5, 3.0
"""The recorded actions may contain at most this share of the effect of a missing reset. A share counts only if it
differs from this limit by more than the given number of standard errors."""
LOUD, GAIN = 1.0, 5.0
"""Two limits. The first is for an untrained policy: the std of its mean action, in units of its noise. The second is
for every policy: the norm of the last layer's weights for one output."""
WIDE = 20.0
"""A limit for every policy: the std of its mean actions for inputs of std 1, as root mean square over the actions. If
the policy's initial std was larger than 1, the limit is in units of the initial std.

Policies that work well have 0.1 to 5 (pendulums, Hoppers, drones, arms, one humanoid); a policy whose learning rate
fell to its floor has 46. Without a normalizer, inputs of std 1 can be far from what the policy was trained on: some
policies that walk on real robots, trained on small numbers, have values in the hundreds. So without a normalizer and
without observations, a value above the limit is a finding only if the learning rate is at its floor."""


def hidden_state_not_reset(evidence: Evidence) -> str | None:
    """Look for recorded actions that depend on the hidden state of the previous episode."""
    memory = evidence.last.memory
    if memory is None:
        raise NotApplicable
    if memory.errors is None:
        raise UncheckedError("needs observations recorded with dones and actions")
    if memory.share is None:
        return None
    (right, never), (share, error) = memory.errors, memory.share
    if not abs(share - CARRIED) > SURE * error:  # true of NaN, too
        raise UncheckedError("needs more episodes, as the hidden state has little effect on the actions")
    if share <= CARRIED:
        return None
    return (
        f"the recorded actions contain {100 * share:.0f} % of the effect of a missing reset: they are {short(right)} "
        f"std from the actions with a reset after each episode, and {short(never)} std from the actions without resets"
    )


def last_layer_too_large(evidence: Evidence) -> str | Passed | None:
    """Look for mean actions that exceed the noise already before training, and for a last layer whose weights grew."""
    first, last = evidence.first, evidence.last
    if evidence.sample.real:
        evidence.require_different_samples()
    with np.errstate(divide="ignore", invalid="ignore"):
        loud = float(np.nan_to_num(first.spread / first.std).max()) / max(1, first.layers.std[0])
    if evidence.untrained and evidence.sample.real and loud > LOUD:
        figure = (
            f"{first.at}, the std of the mean action is {short(loud)} times the std of the noise, for inputs of std 1"
        )
        return Passed(
            figure + evidence.if_guessed, f"before training, a std above {100 * LOUD:.0f} % of the noise's std"
        )
    if last.gain > GAIN and _beyond_the_noise(evidence):
        if _mean_is_worse(evidence):
            raise NotApplicable
        norm = f"the weights of the last layer have norm {short(last.gain)} per action"
        return Passed(f"{norm} (root mean square over the actions)", f"norm above {GAIN:g}")
    if evidence.untrained:
        evidence.require_observations()
    return None


def mean_actions_too_large(evidence: Evidence) -> str | None:
    """Look for large mean actions that exceed the noise and that the last layer alone does not explain."""
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
        raise NotApplicable  # this is reported as signal exploded
    return _wide_in_words(evidence, wide)


def _mean_is_worse(evidence: Evidence) -> bool:
    """Return whether the mean actions exceed their threshold by a larger factor than the last layer exceeds its own."""
    return _wide(evidence) / _wide_limit(evidence) > evidence.last.gain / GAIN


def _wide(evidence: Evidence) -> float:
    """Return the std of the mean actions for inputs of std 1, root mean square over the actions."""
    last = evidence.last
    return float(np.sqrt(np.square(last.spread.astype(float)).mean())) / max(1, float(last.layers.std[0]))


def _wide_limit(evidence: Evidence) -> float:
    return WIDE * max(1, evidence.settings.init_std or 1)


def _beyond_the_noise(evidence: Evidence) -> bool:
    """Return whether the mean actions vary by more than their noise, by root mean square over the actions."""
    last = evidence.last
    return bool(np.square(last.spread.astype(float)).mean() > np.square(last.std.astype(float)).mean())


def _wide_in_words(evidence: Evidence, wide: float) -> str:
    """Describe the std of the mean actions, and the largest factor by which each layer amplifies its input."""
    last = evidence.last
    norms = {"the last layer" if name == "output" else f"layer {name}": s[0] for name, s in last.spectra.items()}
    layers = ", ".join(f"{short(float(norm))} in {name}" for name, norm in norms.items())
    return (
        f"the mean actions have std {short(wide)} for inputs of std 1{evidence.if_guessed}; "
        f"the largest singular value of the weights is {layers}"
    )


def _is_held_back(evidence: Evidence) -> bool:
    """Return whether the learning rate is at its floor."""
    try:
        return learning_rate_at_its_floor(evidence) is not None
    except (NotApplicable, UncheckedError):
        return False


FINDINGS = (
    FindingKind(
        name="hidden state not reset",
        listed_as="hidden state not reset",
        check=hidden_state_not_reset,
        threshold=f"the actions contain more than {100 * CARRIED:.0f} % of the effect of a missing reset, and the "
        f"excess is more than {SURE:g} standard errors",
        meaning="During the recording, the hidden state of one episode leaked into the next: the policy began each new "
        "episode with the hidden state from the end of the previous one, such as from a fall.",
        lesson=3,
        change="call policy.reset(dones) after every step, in every script that runs the policy",
    ),
    FindingKind(
        name="last layer too large",
        listed_as="last layer too large",
        check=last_layer_too_large,
        threshold=f"before training, a std above {100 * LOUD:.0f} % of the noise's std; at any time, a norm above "
        f"{GAIN:g}",
        meaning="The mean actions are large compared with the noise, before training or at the end of training. "
        "So exploration changes little, a small change of the weights changes the KL a lot, and the actions reach the "
        "motors' limits.",
        lesson=1,
        change="for the next training: a last layer with gain 0.01 (MLP.init_weights), algorithm.learning_rate (lower)",
    ),
    FindingKind(
        name="mean actions too large",
        listed_as="mean actions too large",
        check=mean_actions_too_large,
        threshold=f"std above {WIDE:g}",
        meaning="The mean actions are large compared with the noise, and the last layer is not the only reason. "
        "So a small change of the weights changes the KL a lot, and the actions reach the motors' limits.",
        lesson=1,
        change="for the next training: algorithm.learning_rate (lower), {obs_normalization} = True, "
        "rewards that penalize large actions",
    ),
)
