"""Findings: what in the measures of a run is likely wrong, with its figure, its threshold and what to change.

The thresholds leave room: of trainings that went well (rsl_rl on Gymnasium's InvertedPendulum and Hopper, MLP and GRU)
no figure comes within a factor of two of them, but for two: the std grew up to 1.0 of the first, and of small relu
layers up to 44 % of the units were dead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rsl_edu.checkpoint import Checkpoint
from rsl_edu.number_format import short

from .measures import Measures
from .sample import Sample

ASLEEP = 0.5
"""Share of the units of a hidden layer that are dead or saturated."""
LOST, EXPLODED = 0.01, 30.0
"""Std over the samples in a hidden layer: below it next to nothing is said, above it nothing is learned gently."""
LARGE, UNEVEN = 10.0, 50.0
"""Size of an input feature, and how many times the median feature it may be."""
STALE = 5.0
"""How far a feature may lie from the normaliser's mean, or spread, in units of its std."""
COLLAPSED, GROWN = 0.02, 1.5
"""The last std over the first one."""
LOUD, GAIN = 1.0, 5.0
"""Std of the untrained policy's mean action in units of its noise; gain of any policy's last layer."""
EARLY = 1
"""Up to this iteration a policy counts as untrained."""
CARRIED, SURE = 0.5, 3.0
"""Share of a memory without resets in the recorded actions, and how many standard errors it must lie beyond that."""

LESSONS = {1: "MLP", 2: "CNN", 3: "RNN", 4: "Normalization", 5: "Distributions", 6: "Policy"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is likely wrong.

    Attributes:
        name: Of the finding.
        figure: What was seen, with its number.
        threshold: From where on it is a finding.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change: fields of rsl_rl's configuration, in the names of the run's release.
    """

    name: str
    figure: str
    threshold: str
    meaning: str
    lesson: int
    change: str


@dataclasses.dataclass(frozen=True)
class Case:
    """What the checks look at: a run up to one of its checkpoints."""

    checkpoints: Sequence[Checkpoint]
    measures: Sequence[Measures]
    sample: Sample
    whole: bool = True

    @property
    def last(self) -> Measures:
        """Of the checkpoint that is judged."""
        return self.measures[-1]

    @property
    def first(self) -> Measures:
        """Of the first checkpoint."""
        return self.measures[0]


class UncheckedError(Exception):
    """A check that cannot be made; the message says what is missing."""


def _broken(case: Case) -> Iterator[Finding]:
    names = case.last.broken
    if names:
        since = next(m.iteration for m in case.measures if m.broken)
        yield Finding(
            "broken weights",
            f"NaN or infinity in {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}, "
            f"since iteration {since}",
            "any",
            "A loss was NaN once, and the optimiser wrote it into the weights. Nothing after that can be saved: go "
            "back to a checkpoint before it. Look for NaN in observations and rewards, and for a std near zero.",
            5,
            "algorithm.max_grad_norm, algorithm.learning_rate; check_for_nan",
        )


def _unread(case: Case) -> Iterator[Finding]:
    names = case.checkpoints[-1].unread
    if names:
        yield Finding(
            "parts that were not read",
            f"{len(names)} parameters: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}",
            "any",
            "The policy has parts that no model of rsl_rl has. What the x-ray shows is the policy without them.",
            6,
            "actor.class_name",
        )


def _dead(case: Case) -> Iterator[Finding]:
    if not case.sample.real and case.checkpoints[-1].policy.normalizer is None:
        raise UncheckedError("needs observations")
    rows, shares = case.last.rows, np.nan_to_num(case.last.layers.asleep)
    worst = int(shares.argmax())
    if shares[worst] >= ASLEEP:
        yield Finding(
            "dead units",
            f"{100 * shares[worst]:.0f} % of the units of layer {rows[worst]} are dead or saturated on all samples",
            f"{100 * ASLEEP:.0f} % of a layer",
            "These units say the same whatever the robot sees, and get no gradient to change that. Usual causes: a "
            "learning rate that was too high once, inputs of a wrong size, relu or tanh with large weights.",
            1,
            "{activation}, algorithm.learning_rate, {obs_normalization}",
        )


def _signal(case: Case) -> Iterator[Finding]:
    if not case.sample.real and case.checkpoints[-1].policy.normalizer is None:
        raise UncheckedError("needs observations")
    rows, std = case.last.rows[1:-1], case.last.layers.std[1:-1]
    if not len(std) or not np.isfinite(std).all():
        return
    least, most = int(std.argmin()), int(std.argmax())
    entering = case.last.layers.std[0]
    if std[least] < LOST * min(1, entering):
        yield Finding(
            "signal lost",
            f"std over the samples {short(std[least])} in layer {rows[least]}, {short(entering)} at the input",
            f"below {LOST:g}, or this part of the input's",
            "The network says nearly the same whatever the robot sees: weights too small for the activation, a depth "
            "that lets the signal fade.",
            1,
            "{activation}, {hidden_dims}, {obs_normalization}",
        )
    if std[most] > EXPLODED:
        yield Finding(
            "signal exploded",
            f"std over the samples {short(std[most])} in layer {rows[most]}",
            f"above {EXPLODED:g}",
            "A small step of the weights moves the actions by much: the KL of an update jumps, and the adaptive "
            "learning rate falls to its floor. Usual causes: inputs of a wrong size, or weights that grew.",
            1,
            "{obs_normalization}, algorithm.learning_rate",
        )


def _inputs(case: Case) -> Iterator[Finding]:
    if case.last.count is not None:
        return
    if not case.sample.real:
        raise UncheckedError("needs observations")
    size = case.last.size
    worst, middle = int(size.argmax()), float(np.median(size))
    if size[worst] > LARGE or (middle > 0 and size[worst] > UNEVEN * middle):
        yield Finding(
            "input not normalised",
            f"{case.sample.name(worst)} has size {short(size[worst])}, the median feature {short(middle)}, "
            "and there is no normaliser",
            f"{LARGE:g}, or {UNEVEN:g} times the median",
            "The first layer hears the loud features alone. What is small, an angle of some hundredths, is lost beside "
            "them.",
            4,
            "{obs_normalization} = True",
        )


def _normalizer(case: Case) -> Iterator[Finding]:
    last, checkpoint = case.last, case.checkpoints[-1]
    if last.count is None:
        if checkpoint.critic_normalized:
            yield Finding(
                "normaliser absent",
                "the critic's observations are normalised, the actor's are not",
                "both or none",
                "Either the actor was configured without, or its statistics were lost when the file was written: the "
                "same weights then see inputs of another size, and the robot falls.",
                4,
                "{obs_normalization} = True",
            )
        return
    if last.count == 0:
        yield Finding(
            "normaliser empty",
            "the normaliser has learned from 0 samples: mean 0, std 1",
            "above 0",
            "There is a normaliser, and it does nothing: update_normalization was never called, or its statistics "
            "were not saved with the weights.",
            4,
            "{obs_normalization}; save actor.state_dict() whole",
        )
        return
    if len(case.measures) > 1 and case.measures[-2].count == last.count:
        still = [m.iteration for m in case.measures if m.count == last.count]
        yield Finding(
            "normaliser frozen",
            f"{last.count:,} samples at iteration {still[0]} and still at iteration {still[-1]}",
            "no growth between two checkpoints",
            "The policy went on to new states, and the statistics stayed. Intended if `until` is set; otherwise the "
            "model was in evaluation mode while it trained.",
            4,
            "until, of the normaliser; model.train() while training",
        )


def _stale(case: Case) -> Iterator[Finding]:
    last = case.last
    if not last.count:
        return
    if not case.sample.real:
        raise UncheckedError("needs observations")
    if not case.whole:
        raise UncheckedError("judged at the last checkpoint: what is shown is from there")
    off = np.maximum(np.abs(last.shift), last.ratio)
    many, worst = int((off > STALE).sum()), int(off.argmax())
    if many:
        seen, known = last.shift[worst], last.norm_mean[worst]
        yield Finding(
            "normaliser stale",
            f"{many} of {len(off)} features are far from what the normaliser knows; worst: {case.sample.name(worst)}, "
            f"{short(abs(seen))} std from its mean of {short(known)}, spread {short(last.ratio[worst])} times "
            f"its std",
            f"{STALE:g} std",
            "The policy sees what it did not see in training: another order or unit of the features, another robot, or "
            "statistics of another run beside these weights.",
            4,
            "obs_groups, scales of the observations; load statistics and weights from one file",
        )


def _std(case: Case) -> Iterator[Finding]:
    first, last = case.first, case.last
    raw = last.raw_std
    distribution = case.checkpoints[-1].policy.distribution
    std_type = getattr(distribution, "std_type", "")
    limits = getattr(distribution, f"{'log_' * (std_type == 'log')}std_range", None)
    low, high = limits or (-np.inf, np.inf)
    clamped = (raw <= low) | (raw >= high)
    if clamped.any():
        worst = int(clamped.argmax())
        yield Finding(
            "std clamped",
            f"{int(clamped.sum())} of {len(raw)} actions: the {'log std' if std_type == 'log' else 'std'} of action "
            f"{worst} "
            f"is stored as {short(raw[worst])}",
            f"limits {short(low)} and {short(high)}",
            "Beyond its limit rsl_rl's std has no gradient, so it stays there for good; older releases stop with "
            "`normal expects all elements of std >= 0.0`. An optimiser step was larger than the std itself.",
            5,
            '{std_type} = "log"; algorithm.learning_rate',
        )
        return
    if len(case.measures) < 2 or not np.isfinite(last.std).all() or not (first.std > 0).all():
        if len(case.measures) < 2:
            raise UncheckedError("needs two checkpoints or more")
        return
    ratio = last.std / first.std
    worst = int(ratio.argmin())
    if ratio[worst] < COLLAPSED:
        yield Finding(
            "std collapsed",
            f"action {worst}: std {short(first.std[worst])} at iteration {first.iteration}, "
            f"{short(last.std[worst])} at "
            f"iteration {last.iteration}",
            f"below {100 * COLLAPSED:g} % of the first",
            "The policy no longer tries anything. If the robot is not as good as it should be, it stopped exploring "
            "too early.",
            5,
            "algorithm.entropy_coef (higher), {init_std}",
        )
    grown = float(last.std.mean() / first.std.mean())
    if grown > GROWN:
        yield Finding(
            "std growing",
            f"mean std {short(first.std.mean())} at iteration {first.iteration}, {short(last.std.mean())} at "
            f"iteration "
            f"{last.iteration}: {grown:.1f} times",
            f"above {GROWN:g} times the first",
            "Noise pays more than what the robot earns with it: the entropy bonus is too large beside the rewards, or "
            "the advantages are noise themselves, as when a time-out counts as a failure.",
            5,
            'algorithm.entropy_coef (lower); extras["time_outs"] of the environment',
        )


def _memory(case: Case) -> Iterator[Finding]:
    memory = case.last.memory
    if memory is None:
        return
    if memory.errors is None:
        raise UncheckedError("needs observations with dones and actions, as they were played")
    if memory.share is None:
        return
    (right, never), (share, error) = memory.errors, memory.share
    if not abs(share - CARRIED) > SURE * error:
        raise UncheckedError("needs more episodes, so little does the memory change")
    if share > CARRIED:
        yield Finding(
            "hidden state not reset",
            f"{100 * share:.0f} % of what a memory without a reset changes is in the recorded actions: they are "
            f"{short(right)} std from those with a reset after each episode, {short(never)} std from those without",
            f"{100 * CARRIED:.0f} %, and {SURE:g} standard errors",
            "When this was recorded, the memory of one episode leaked into the next: the policy began each new one "
            "with the memory of a fall.",
            3,
            "policy.reset(dones) after every step, where it is played",
        )


def _gain(case: Case) -> Iterator[Finding]:
    first, last = case.first, case.last
    with np.errstate(divide="ignore", invalid="ignore"):
        loud = float(np.nan_to_num(first.spread / first.std).max()) / max(1, first.layers.std[0])
    if first.iteration <= EARLY and case.sample.real and loud > LOUD:
        figure = f"at iteration {first.iteration} the mean action varies by {short(loud)} times its noise"
        figure += ", for inputs of std 1"
    elif last.gain > GAIN:
        figure = f"the weights of the last layer have gain {short(last.gain)}"
    elif first.iteration <= EARLY and not case.sample.real:
        raise UncheckedError("needs observations")
    else:
        return
    yield Finding(
        "last layer too large",
        figure,
        f"{LOUD:g} times before training; gain {GAIN:g} at any time",
        "The policy has strong opinions before it has learned anything, or ends at the limits of its motors: the noise "
        "cannot try what it does not want, and actions saturate.",
        1,
        "a last layer with gain 0.01: MLP.init_weights; {init_std} (higher), algorithm.learning_rate",
    )


CHECKS: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "broken weights": _broken,
    "unread parts": _unread,
    "dead units": _dead,
    "signal lost or exploded": _signal,
    "input not normalised": _inputs,
    "normaliser absent, empty or frozen": _normalizer,
    "normaliser stale": _stale,
    "std clamped, collapsed or growing": _std,
    "hidden state not reset": _memory,
    "last layer too large": _gain,
}
"""What is looked for, by its name."""

_FIELDS = {  # since rsl_rl 5, in rsl_rl 4, before
    "activation": ("actor.activation", "actor.activation", "policy.activation"),
    "hidden_dims": ("actor.hidden_dims", "actor.hidden_dims", "policy.actor_hidden_dims"),
    "obs_normalization": ("actor.obs_normalization", "actor.obs_normalization", "policy.actor_obs_normalization"),
    "std_type": ("actor.distribution_cfg.std_type", "actor.noise_std_type", "policy.noise_std_type"),
    "init_std": ("actor.distribution_cfg.init_std", "actor.init_noise_std", "policy.init_noise_std"),
}


def judge(case: Case) -> tuple[tuple[Finding, ...], tuple[str, ...], dict[str, str]]:
    """Make all checks.

    Returns:
        What was found, the checks that found nothing, and for each check that could not be made what is missing.
    """
    layout = case.checkpoints[-1].layout
    release = 0 if "5" in layout else 1 if "4" in layout else 2
    fields = {name: names[release] for name, names in _FIELDS.items()}
    if layout == "rsl_rl 2":
        fields["obs_normalization"] = "empirical_normalization"
    found: list[Finding] = []
    absent: list[str] = []
    unchecked: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            here = list(check(case))
        except UncheckedError as missing:
            unchecked[name] = str(missing)
            continue
        if not here and case.last.broken and check is not _unread:
            unchecked[name] = "needs weights without NaN"
            continue
        found += [dataclasses.replace(finding, change=finding.change.format(**fields)) for finding in here]
        absent += [] if here else [name]
    return tuple(found), tuple(absent), unchecked
