"""Findings about what enters the network: the size of the observations, and their normalizer."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import counted, short

from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError
from .mixed import RUNS_MIXED

LARGE, UNEVEN = 10.0, 50.0
"""Size of an input feature, and how many times the median feature it may be."""
STALE = 5.0
"""How far a feature may lie from the normalizer's mean, or spread, in units of its std."""
STILL = 1e-4
"""Std of a feature, in the normalizer, that is as good as none: the normalizer adds 100 times as much before it divides
by it."""
UNTIL = 100_000_000
"""Samples after which the normalizer of rsl_rl 2 stops learning, always."""
NAMED = 6
"""How many features are named in a line."""


def input_not_normalized(evidence: Evidence) -> str | None:
    """Look for a feature that is large, or larger than the others, where there is no normalizer."""
    if evidence.last.count is not None:
        raise NotApplicable
    evidence.require_observations()
    size = evidence.last.size
    worst, middle = int(size.argmax()), float(np.median(size))
    uneven = middle > 0 and size[worst] > UNEVEN * middle
    if size[worst] <= LARGE and not uneven:
        return None
    return (
        f"{evidence.sample.name(worst)} has size {short(size[worst])}, the median feature {short(middle)}, "
        "and there is no normalizer"
    )


def normalizer_absent(evidence: Evidence) -> str | None:
    """Look for a critic that has a normalizer, or a configuration that asks for one, where the actor has none."""
    if evidence.last.count is not None:
        raise NotApplicable
    if evidence.settings.obs_normalization:
        said = evidence.settings.source or "the configuration"
        return f"{said} asks for a normalizer; its statistics are not in the file"
    if evidence.checkpoint.critic_normalized:
        return "the critic's observations are normalized, the actor's are not"
    return None


def normalizer_empty(evidence: Evidence) -> str | None:
    """Look for a normalizer that has learned nothing."""
    if evidence.last.count is None:
        raise NotApplicable
    if evidence.last.count == 0:
        return "the normalizer has learned from 0 samples: mean 0, std 1"
    return None


def normalizer_frozen(evidence: Evidence) -> str | None:
    """Look for a normalizer that stopped learning."""
    count = evidence.last.count
    if not count:
        raise NotApplicable
    if len(evidence.measures) < 2:
        raise UncheckedError("needs two checkpoints or more")
    if evidence.measures[-2].count != count or (2 in evidence.checkpoint.releases and count >= UNTIL):
        return None
    still = [measures.iteration for measures in evidence.measures if measures.count == count]
    return f"{count:,} samples at iteration {still[0]} and still at iteration {still[-1]}"


def normalizer_stale(evidence: Evidence) -> str | None:
    """Look for features that are far from what the normalizer knows."""
    last = evidence.last
    if not last.count:
        raise NotApplicable
    evidence.require_observations()
    if not evidence.whole:
        raise UncheckedError("judged at the last checkpoint: what is shown is from there")
    off = last.off
    many, worst = int((off > STALE).sum()), int(off.argmax())
    if not many:
        return None
    return (
        f"{many} of {len(off)} features are far from what the normalizer knows; worst: {evidence.sample.name(worst)}, "
        f"{short(abs(last.shift[worst]))} std from its mean of {short(last.norm_mean[worst])}, "
        f"spread {short(last.ratio[worst])} times its std"
    )


def inputs_never_varied(evidence: Evidence) -> str | None:
    """Look for features that were the same all through the training."""
    last = evidence.last
    if not last.count:
        raise NotApplicable
    still = np.flatnonzero(last.norm_std < STILL)
    if not len(still):
        return None
    named = ", ".join(evidence.sample.name(int(i)) for i in still[:NAMED])
    more = f" and {len(still) - NAMED} more" if len(still) > NAMED else ""
    most = float(last.norm_std[still].max())
    std = f"std {'up to ' if most > 0 else ''}{short(most)} in {last.count:,} samples"
    return f"{len(still)} of {counted(len(last.norm_std), 'feature')}: {named}{more}; {std}"


FINDINGS = (
    FindingKind(
        name="input not normalized",
        listed_as="input not normalized",
        check=input_not_normalized,
        threshold=f"{LARGE:g}, or {UNEVEN:g} times the median",
        meaning="The first layer hears the loud features alone. What is small, an angle of some hundredths, is lost "
        "beside them.",
        lesson=4,
        change="{obs_normalization} = True",
    ),
    FindingKind(
        name="normalizer absent",
        listed_as="normalizer absent",
        check=normalizer_absent,
        threshold="both or none, and as configured",
        meaning="Either the actor was configured without, or its statistics were lost when the file was written: the "
        "same weights then see inputs of another size, and the robot falls.",
        lesson=4,
        change="{obs_normalization} = True",
    ),
    FindingKind(
        name="normalizer empty",
        listed_as="normalizer empty",
        check=normalizer_empty,
        threshold="above 0",
        meaning="There is a normalizer, and it does nothing: update_normalization was never called, or its statistics "
        "were not saved with the weights.",
        lesson=4,
        change="{obs_normalization}; save actor.state_dict() whole",
    ),
    FindingKind(
        name="normalizer frozen",
        listed_as="normalizer frozen",
        check=normalizer_frozen,
        threshold="no growth between two checkpoints",
        meaning="The policy went on to new states, and the statistics stayed. Intended if `until` is set; otherwise "
        "the model was in evaluation mode while it trained.",
        lesson=4,
        change="until, of the normalizer; model.train() while training",
    ),
    RUNS_MIXED,
    FindingKind(
        name="normalizer stale",
        listed_as="normalizer stale",
        check=normalizer_stale,
        threshold=f"{STALE:g} std",
        meaning="The policy sees what it did not see in training: another order or unit of the features, another "
        "robot, or statistics of another run beside these weights.",
        lesson=4,
        change="obs_groups, scales of the observations; load statistics and weights from one file",
    ),
    FindingKind(
        name="inputs that never varied",
        listed_as="inputs that never varied",
        check=inputs_never_varied,
        threshold=f"std below {short(STILL)} in the normalizer",
        meaning="A flag or a command that the training kept constant, or a sensor that was not there. It does no harm "
        "while it stays constant. If it changes in play or on the robot, the normalizer multiplies the change by 100, "
        "as it divides by std + 0.01, and the weights that follow were never trained.",
        lesson=4,
        change="obs_groups (leave it out), or commands and randomization that vary it in training",
    ),
)
