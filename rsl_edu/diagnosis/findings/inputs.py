"""Findings about what enters the network: the magnitude of the observations, and their normalizer."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import counted, short

from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError
from .mixed import RUNS_MIXED

LARGE, UNEVEN = 10.0, 50.0
"""The largest rms that an input feature may have: in absolute terms, and as a multiple of the median feature's rms."""
STALE = 5.0
"""How far the mean of a feature may be from the running mean, and how large its std may be, in running stds."""
STILL = 1e-4
"""A feature whose running std is below this counts as constant: the normalizer adds 100 times as much to the std before
it divides by it."""
UNTIL = 100_000_000
"""The number of samples after which the normalizer of rsl_rl 2 always stops learning."""
NAMED = 6
"""Maximum number of features that a line names."""


def input_not_normalized(evidence: Evidence) -> str | None:
    """Look for a feature that is large, or much larger than the others, if there is no normalizer."""
    if evidence.last.count is not None:
        raise NotApplicable
    evidence.require_observations()
    size = evidence.last.size
    worst, middle = int(size.argmax()), float(np.median(size))
    uneven = middle > 0 and size[worst] > UNEVEN * middle
    if size[worst] <= LARGE and not uneven:
        return None
    return (
        f"{evidence.sample.name(worst)} has an rms of {short(size[worst])}, the median feature {short(middle)}, "
        "and there is no normalizer"
    )


def normalizer_absent(evidence: Evidence) -> str | None:
    """Look for an actor without a normalizer although the critic has a normalizer or the configuration asks for one."""
    if evidence.last.count is not None:
        raise NotApplicable
    if evidence.settings.obs_normalization:
        said = evidence.settings.source or "the configuration"
        return f"{said} turns the normalizer on, but its statistics are not in the file"
    if evidence.checkpoint.critic_normalized:
        return "the critic's observations are normalized, but the actor's are not"
    return None


def normalizer_empty(evidence: Evidence) -> str | None:
    """Look for a normalizer that has learned nothing."""
    if evidence.last.count is None:
        raise NotApplicable
    if evidence.last.count == 0:
        return "the normalizer has seen 0 samples, so its mean is 0 and its std is 1"
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
    return f"the normalizer has {count:,} samples at iteration {still[0]}, and still {count:,} at iteration {still[-1]}"


def normalizer_stale(evidence: Evidence) -> str | None:
    """Look for features that are far from the statistics of the normalizer."""
    last = evidence.last
    if not last.count:
        raise NotApplicable
    evidence.require_observations()
    if not evidence.whole:
        raise UncheckedError("judged only at the last checkpoint, as the observations come from it")
    off = last.off
    many, worst = int((off > STALE).sum()), int(off.argmax())
    if not many:
        return None
    return (
        f"{many} of {len(off)} features are far from the normalizer's statistics; worst: {evidence.sample.name(worst)},"
        f" with a mean {short(abs(last.shift[worst]))} std from the running mean of {short(last.norm_mean[worst])}, "
        f"and a std {short(last.ratio[worst])} times the running std"
    )


def inputs_never_varied(evidence: Evidence) -> str | None:
    """Look for features that were constant throughout the training."""
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
        threshold=f"rms of a feature above {LARGE:g}, or above {UNEVEN:g} times the rms of the median feature",
        meaning="The first layer responds only to the large features. Small features, such as an angle of a few "
        "hundredths, have almost no effect.",
        lesson=4,
        change="{obs_normalization} = True",
    ),
    FindingKind(
        name="normalizer absent",
        listed_as="normalizer absent",
        check=normalizer_absent,
        threshold="no normalizer, although the critic has one or the configuration turns it on",
        meaning="Either the actor was configured without a normalizer, or its statistics were lost when the file was "
        "written. If they were lost, the weights now get inputs on a different scale, and the robot falls.",
        lesson=4,
        change="{obs_normalization} = True",
    ),
    FindingKind(
        name="normalizer empty",
        listed_as="normalizer empty",
        check=normalizer_empty,
        threshold="0 samples",
        meaning="There is a normalizer, but it has no effect: update_normalization was never called, or the "
        "statistics were not saved with the weights.",
        lesson=4,
        change="{obs_normalization}; save all of actor.state_dict()",
    ),
    FindingKind(
        name="normalizer frozen",
        listed_as="normalizer frozen",
        check=normalizer_frozen,
        threshold="no new samples between the last two checkpoints",
        meaning="The policy moved on to new states, but the statistics did not change. This is intended if `until` is "
        "set; otherwise the model was in evaluation mode during training.",
        lesson=4,
        change="the normalizer's until; model.train() during training",
    ),
    RUNS_MIXED,
    FindingKind(
        name="normalizer stale",
        listed_as="normalizer stale",
        check=normalizer_stale,
        threshold=f"mean more than {STALE:g} running stds from the running mean, or std above {STALE:g} running stds",
        meaning="The policy observes something that it did not see in training: features in a different order or "
        "unit, a different robot, or these weights with the statistics of a different run.",
        lesson=4,
        change="obs_groups, scales of the observations; load statistics and weights from the same file",
    ),
    FindingKind(
        name="inputs that never varied",
        listed_as="inputs that never varied",
        check=inputs_never_varied,
        threshold=f"std in the normalizer below {short(STILL)}",
        meaning="These are flags or commands that were constant in training, or sensors that were missing. A constant "
        "input does no harm while it stays constant. If it changes later, in simulation or on the robot, the "
        "normalizer multiplies the change by 100 (it divides by std + 0.01), and the weights of this input were never "
        "trained.",
        lesson=4,
        change="leave these inputs out of obs_groups, or vary them in training with commands or randomization",
    ),
)
