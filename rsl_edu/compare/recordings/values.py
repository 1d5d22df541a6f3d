"""Features that stand still, repeat themselves, were normalized, or lie elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from rsl_edu.number_format import short

from .data import Recording
from .evidence import Evidence, Found

HELD, FREE = 0.3, 0.05
"""Share of steps in which a sensor repeats its value: in the second recording from, in the first up to."""
STUCK = 0.2
"""Share of the repeated values that are one value, from which on the robot, not the sensor, is stuck."""
CHANGED, RESTS = 0.02, 0.9
"""Share of the steps that change a feature, up to which it may keep its value; of samples at that value, from which."""
BEAT, EVEN = 20, 0.25
"""Steps of a stretch, and how far the share of repeats in it may be from that in the whole recording."""
SHIFT, SURE = 1.0, 5.0
"""Shift in std of the first recording, and how many standard errors it must be."""
LESS = 1 / 2
"""Size of the commands, in units of the first's, below which a robot lawfully moves otherwise."""
OTHERWISE = 1 / 3
"""Share of the features that differ in mean or size, from which on the robots do not move alike."""


def constant(evidence: Evidence) -> Iterator[Found]:
    """Look for features that stand still in one recording and vary within the episodes of the other."""
    still, may_rest = evidence.statistics.constant, kept(evidence)
    for which, (a, b) in enumerate((("first", "second"), ("second", "first"))):
        resting, moving = _resting_and_moving(evidence, which)
        only = np.flatnonzero(still[which] & ~still[1 - which] & ~may_rest)
        for group in _alike(evidence, only, resting):
            values = sorted({short(value) for value in resting.flat[0, list(group)]})
            low, high = moving.flat[:, list(group)].min(), moving.flat[:, list(group)].max()
            said = values[0] if len(values) == 1 else f"{len(values)} different values"
            yield Found("constant", group, f"always {said} in the {a}, from {short(low)} to {short(high)} in the {b}")
    for group in evidence.by_term(np.flatnonzero(_otherwise(evidence) & ~may_rest)):
        one, other = (each.flat[0, group[0]] for each in (evidence.first, evidence.second))
        yield Found("constant", group, f"always {short(one)} in the first, always {short(other)} in the second")


def kept(evidence: Evidence) -> np.ndarray:
    """Return which features stand still only because nobody changed them, ``[features]``, bool.

    These are commands by their names; what hardly ever changes within an episode of the other recording either, such
    as a command, a one-hot or a flag; what rests at the same value in nearly all samples of it, such as the force of a
    contact; and what differs if the first recording is of one robot and does not tell what varies.
    """
    still, found = evidence.statistics.constant, np.zeros(len(evidence.names), bool)
    for which in (0, 1):
        resting, moving = _resting_and_moving(evidence, which)
        rests = np.abs(moving.flat - resting.flat[0]) <= 1e-6
        hardly = (moving.changes() < CHANGED) | (rests.mean(0) > RESTS) | evidence.commanded
        found |= still[which] & ~still[1 - which] & hardly
    one = evidence.first.x.shape[1] == 1
    return np.asarray(found | (_otherwise(evidence) & (evidence.commanded | one)))


def _resting_and_moving(evidence: Evidence, which: int) -> tuple[Recording, Recording]:
    return (evidence.second, evidence.first) if which else (evidence.first, evidence.second)


def _otherwise(evidence: Evidence) -> np.ndarray:
    """Return which features have one value in the first and another one in the second, ``[features]``, bool."""
    apart = np.abs(evidence.second.flat[0] - evidence.first.flat[0]) > 1e-6
    return np.asarray(evidence.statistics.constant.all(0) & apart)


def _alike(evidence: Evidence, features: np.ndarray, resting: Recording) -> Iterator[tuple[int, ...]]:
    """Yield features term by term, but those that rest at one value together."""
    groups: dict[object, list[int]] = {}
    for group in evidence.by_term(features):
        values = {short(value) for value in resting.flat[0, list(group)]}
        groups.setdefault(values.pop() if len(values) == 1 else group, []).extend(group)
    yield from map(tuple, groups.values())


def held(evidence: Evidence) -> Iterator[Found]:
    """Look for sensors that repeat their values from step to step, while the robot moves."""
    evidence.require_time()
    first, second = evidence.first, evidence.second
    if (first.rarely_move() & ~second.rarely_move()).any():
        return  # the commands are in other places
    moved = evidence.open & ~first.rarely_move()
    slow = np.flatnonzero(moved & (second.repeats() > HELD) & (first.repeats() < FREE))
    most = 2 * len(slow) > evidence.open.sum()  # held, or the robot stands still
    seen = slow < first.observed  # what was done repeats a step later than what was seen
    said: dict[str, list[int]] = {}
    for group in (*evidence.by_term(slow[seen]), *evidence.by_term(slow[~seen])):
        share, before = (100 * (_repeated if most else _together)(each, group) for each in (second, first))
        if share > 100 * HELD and (not most or _catches_up(evidence, group)):
            figure = f"{share:.0f} % of the values repeat the one before, {before:.0f} % in the first"
            said.setdefault(figure, []).extend(group)
    for figure, features in said.items():
        yield Found("held", tuple(features), figure)


def normalized(evidence: Evidence) -> Iterator[Found]:
    """Look for a recording that was made behind the normalizer, where the other was made before it."""
    seen = np.flatnonzero(evidence.open & (np.arange(len(evidence.names)) < evidence.first.observed))
    both = [(each.flat[:, seen].mean(0), each.flat[:, seen].std(0)) for each in (evidence.first, evidence.second)]
    like = [np.mean((np.abs(mean) < 0.5) & (std > 0.5) & (std < 1.6)) if len(seen) > 3 else 0 for mean, std in both]
    for which, (a, b) in enumerate((("first", "second"), ("second", "first"))):
        if like[which] > 0.85 and like[1 - which] < 0.5:
            (mean, std), (to_mean, to_std) = both[1], both[0]
            x = evidence.second.x.copy()
            x[..., seen] = (x[..., seen] - mean) / std * to_std + to_mean
            figure = (
                f"{100 * like[which]:.0f} % of the features have mean 0 and std 1 in the {a}, "
                f"{100 * like[1 - which]:.0f} % in the {b}"
            )
            yield Found("normalized", tuple(seen.tolist()), figure, dataclasses.replace(evidence.second, x=x))


def shift(evidence: Evidence) -> Iterator[Found]:
    """Look for an offset that nothing else explains."""
    evidence.require_length()
    s = evidence.statistics
    away = (np.abs(s.shift) > SHIFT) & (np.abs(s.shift) > SURE * s.shift_error) & (np.abs(s.spread) < np.log(2))
    away &= evidence.unexplained & ~evidence.free
    if away.sum() > OTHERWISE * evidence.open.sum():
        return
    for group in evidence.by_term(np.flatnonzero(away)):
        worst = max(group, key=lambda feature: abs(s.shift[feature]))
        mean = s.mean[worst]
        now = mean + s.shift[worst] * s.std[worst]
        figure = f"{evidence.names[worst]} has mean {short(now)}, in the first {short(mean)}: "
        yield Found("shift", group, figure + f"{short(abs(s.shift[worst]))} std away, with about the same std")


def motion(evidence: Evidence) -> Iterator[Found]:
    """Look for robots that move otherwise, although nothing is wrong with what they saw."""
    evidence.require_length()
    s = evidence.statistics
    seen = evidence.unexplained & ~evidence.free
    differ = most_differ(evidence)
    if not differ.any() or in_one_proportion(evidence, differ):
        return
    if asked(evidence) < LESS and (s.spread[differ] < 0).mean() > 0.8:
        return
    worst = int(np.where(differ, np.maximum(np.abs(s.shift), np.abs(s.spread)), 0).argmax())
    figure = (
        f"{int(differ.sum())} of {int(seen.sum())} features (without commands and actions) have another mean or "
        f"size, {evidence.names[worst]} most: {short(abs(s.shift[worst]))} std away, "
        f"{short(np.exp(s.spread[worst]))} times the std"
    )
    yield Found("motion", tuple(np.flatnonzero(differ).tolist()), figure)


def most_differ(evidence: Evidence) -> np.ndarray:
    """Return which features have another mean or size, if these are many and nothing explains it, ``[features]``."""
    s = evidence.statistics
    away = np.abs(s.shift) > np.maximum(2 * SHIFT, SURE * s.shift_error)
    wide = np.abs(s.spread) > np.maximum(np.log(3), SURE * s.spread_error)
    seen = evidence.unexplained & ~evidence.free
    differ = seen & (away | wide)
    many = not evidence.explained and differ.sum() > OTHERWISE * seen.sum()
    return np.asarray(differ & many)


def asked(evidence: Evidence) -> float:
    """Return how large the commands of the second are, in units of the first's: asked for less, a robot moves less."""
    commands = (evidence.commanded if evidence.named else evidence.first.rarely_move()) & ~evidence.acts
    sizes = [each.flat[:, commands].std(0) for each in (evidence.first, evidence.second)]
    return float(np.median(sizes[1] / sizes[0].clip(1e-12))) if commands.any() else 1.0


def in_one_proportion(evidence: Evidence, differ: np.ndarray) -> bool:
    """Tell whether what differs are neighbours, all by about the same factor: their scale, not the motion."""
    ratio = evidence.statistics.spread[differ]
    alike = float(np.std(ratio)) < max(np.log(1.5), abs(float(np.median(ratio))) / 3)
    return len(list(evidence.by_term(np.flatnonzero(differ)))) == 1 and alike


def _together(recording: Recording, features: Sequence[int]) -> float:
    """Return the share of steps in which all of these features repeat their values, and the robot does not rest."""
    x = recording.x[..., list(features)]
    still = (x[1:] == x[:-1]).all(-1)
    if not still.any() or still.all():
        return 0.0
    others = np.delete(recording.x, list(features), axis=2)
    move = (np.abs(np.diff(others, axis=0)) / others.std((0, 1)).clip(1e-12)).mean(-1)
    kept = np.round(x[1:][still][:, 0] / (0.01 * x[..., 0].std() + 1e-12))
    stuck = np.unique(kept, return_counts=True)[1].max() > STUCK * len(kept)  # at the end of a joint's range
    return 0.0 if stuck or move[still].mean() < move[~still].mean() / 2 else float(still.mean())


def _repeated(recording: Recording, features: Sequence[int]) -> float:
    """Return the share of steps in which all of these features repeat their values."""
    x = recording.x[..., list(features)]
    return float((x[1:] == x[:-1]).all(-1).mean())


def _catches_up(evidence: Evidence, features: Sequence[int]) -> bool:
    """Tell whether features that repeat their values do so all the time, and then move as far as in the first.

    A robot that stands still repeats them for a while, or moves by next to nothing in between.
    """
    x, before = (each.x[..., list(features)] for each in (evidence.second, evidence.first))
    still = (x[1:] == x[:-1]).all(-1)
    stretches = still[: len(still) // BEAT * BEAT].reshape(-1, BEAT, still.shape[1]).mean(1)
    steady = len(stretches) > 0 and (np.abs(stretches - still.mean()) < EVEN).mean() > 1 - FREE
    step, usual = (np.abs(np.diff(each, axis=0)) for each in (x, before))
    return bool(steady and np.median(step[~still].mean(0) / usual.mean((0, 1)).clip(1e-12)) > 0.5)
