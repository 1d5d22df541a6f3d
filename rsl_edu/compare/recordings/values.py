"""Tests for features that are constant, repeat values, were normalized, or have a different mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from rsl_edu.number_format import short

from .data import Recording
from .evidence import Evidence, Found

HELD, FREE = 0.3, 0.05
"""A sensor counts as held if it repeats its value in more than this share of steps, only in the second recording."""
STUCK = 0.2
"""If more than this share of the repeated values are equal, the robot is stuck, not the sensor."""
CHANGED, RESTS = 0.02, 0.9
"""A feature may stay constant if it changes in less than this share of the steps, or has one value in more than this
share of the samples of the other recording."""
BEAT, EVEN = 20, 0.25
"""Length of a window in steps, and how far its share of repeats may deviate from the recording's."""
SHIFT, SURE = 1.0, 5.0
"""Smallest shift, in std of the first recording and in standard errors."""
LESS = 1 / 2
"""If the commands are smaller than this, relative to the first recording, a robot may move less."""
OTHERWISE = 1 / 3
"""If more than this share of the features differ in mean or std, the robots move differently."""


def constant(evidence: Evidence) -> Iterator[Found]:
    """Find features that are constant in one recording and vary within the episodes of the other."""
    still, may_rest = evidence.statistics.constant, kept(evidence)
    for which, (a, b) in enumerate((("first", "second"), ("second", "first"))):
        resting, moving = _resting_and_moving(evidence, which)
        only = np.flatnonzero(still[which] & ~still[1 - which] & ~may_rest)
        for group in _alike(evidence, only, resting):
            values = sorted({short(value) for value in resting.flat[0, list(group)]})
            low, high = moving.flat[:, list(group)].min(), moving.flat[:, list(group)].max()
            said = values[0] if len(values) == 1 else f"{len(values)} different values"
            figure = f"always {said} in the {a} recording, but {short(low)} to {short(high)} in the {b}"
            yield Found("constant", group, figure)
    for group in evidence.by_term(np.flatnonzero(_otherwise(evidence) & ~may_rest)):
        one, other = (each.flat[0, group[0]] for each in (evidence.first, evidence.second))
        yield Found(
            "constant", group, f"always {short(one)} in the first recording, always {short(other)} in the second"
        )


def kept(evidence: Evidence) -> np.ndarray:
    """Return which features may be constant without a fault, ``[features]``, bool.

    Features that are commands by their names may be constant. Any feature may be constant if it hardly ever changes
    within an episode of the other recording either, such as a one-hot code or a flag, or if it has the same value in
    nearly all samples of the other recording, such as a contact force. If the first recording has only one robot and
    cannot show what varies, features that are constant in both recordings may be constant, too.
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
    """Return which features are constant in both recordings, with different values, ``[features]``, bool."""
    apart = np.abs(evidence.second.flat[0] - evidence.first.flat[0]) > 1e-6
    return np.asarray(evidence.statistics.constant.all(0) & apart)


def _alike(evidence: Evidence, features: np.ndarray, resting: Recording) -> Iterator[tuple[int, ...]]:
    """Yield features term by term, except that features with the same constant value form one group."""
    groups: dict[object, list[int]] = {}
    for group in evidence.by_term(features):
        values = {short(value) for value in resting.flat[0, list(group)]}
        groups.setdefault(values.pop() if len(values) == 1 else group, []).extend(group)
    yield from map(tuple, groups.values())


def held(evidence: Evidence) -> Iterator[Found]:
    """Find sensors that repeat their values from step to step while the robot moves."""
    evidence.require_time()
    first, second = evidence.first, evidence.second
    if (first.rarely_move() & ~second.rarely_move()).any():
        return  # the commands are at different positions
    moved = evidence.open & ~first.rarely_move()
    slow = np.flatnonzero(moved & (second.repeats() > HELD) & (first.repeats() < FREE))
    most = 2 * len(slow) > evidence.open.sum()  # either values are held, or the robot stands still
    seen = slow < first.observed  # actions repeat one step later than observations
    said: dict[str, list[int]] = {}
    for group in (*evidence.by_term(slow[seen]), *evidence.by_term(slow[~seen])):
        share, before = (100 * (_repeated if most else _together)(each, group) for each in (second, first))
        if share > 100 * HELD and (not most or _catches_up(evidence, group)):
            figure = f"{share:.0f} % of the values repeat the previous one, {before:.0f} % in the first recording"
            said.setdefault(figure, []).extend(group)
    for figure, features in said.items():
        yield Found("held", tuple(features), figure)


def normalized(evidence: Evidence) -> Iterator[Found]:
    """Find a recording that was made after the normalizer, while the other was made before it."""
    seen = np.flatnonzero(evidence.open & (np.arange(len(evidence.names)) < evidence.first.observed))
    both = [(each.flat[:, seen].mean(0), each.flat[:, seen].std(0)) for each in (evidence.first, evidence.second)]
    like = [np.mean((np.abs(mean) < 0.5) & (std > 0.5) & (std < 1.6)) if len(seen) > 3 else 0 for mean, std in both]
    for which, (a, b) in enumerate((("first", "second"), ("second", "first"))):
        if like[which] > 0.85 and like[1 - which] < 0.5:
            (mean, std), (to_mean, to_std) = both[1], both[0]
            x = evidence.second.x.copy()
            x[..., seen] = (x[..., seen] - mean) / std * to_std + to_mean
            figure = (
                f"{100 * like[which]:.0f} % of the features have mean 0 and std 1 in the {a} recording, "
                f"{100 * like[1 - which]:.0f} % in the {b}"
            )
            yield Found("normalized", tuple(seen.tolist()), figure, dataclasses.replace(evidence.second, x=x))


def shift(evidence: Evidence) -> Iterator[Found]:
    """Find offsets that nothing else explains."""
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
        figure = f"{evidence.names[worst]} has mean {short(now)} ({short(mean)} in the first recording):  "
        yield Found("shift", group, figure + f"shifted by {short(abs(s.shift[worst]))} std, with about the same std")


def motion(evidence: Evidence) -> Iterator[Found]:
    """Find robots that move differently although their observations are consistent."""
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
        f"{int(differ.sum())} of {int(seen.sum())} features (without commands and actions) have a different mean or "
        f"std; {evidence.names[worst]} differs most: shifted by {short(abs(s.shift[worst]))} std, "
        f"{short(np.exp(s.spread[worst]))} times the std"
    )
    yield Found("motion", tuple(np.flatnonzero(differ).tolist()), figure)


def most_differ(evidence: Evidence) -> np.ndarray:
    """Return features with a different mean or std, if these are many and unexplained, ``[features]``, bool."""
    s = evidence.statistics
    away = np.abs(s.shift) > np.maximum(2 * SHIFT, SURE * s.shift_error)
    wide = np.abs(s.spread) > np.maximum(np.log(3), SURE * s.spread_error)
    seen = evidence.unexplained & ~evidence.free
    differ = seen & (away | wide)
    many = not evidence.explained and differ.sum() > OTHERWISE * seen.sum()
    return np.asarray(differ & many)


def asked(evidence: Evidence) -> float:
    """Return the size of the second recording's commands relative to the first's, because a robot may move less."""
    commands = (evidence.commanded if evidence.named else evidence.first.rarely_move()) & ~evidence.acts
    sizes = [each.flat[:, commands].std(0) for each in (evidence.first, evidence.second)]
    return float(np.median(sizes[1] / sizes[0].clip(1e-12))) if commands.any() else 1.0


def in_one_proportion(evidence: Evidence, differ: np.ndarray) -> bool:
    """Return whether neighbours differ by about the same factor, as with a different scale, not a different motion."""
    ratio = evidence.statistics.spread[differ]
    alike = float(np.std(ratio)) < max(np.log(1.5), abs(float(np.median(ratio))) / 3)
    return len(list(evidence.by_term(np.flatnonzero(differ)))) == 1 and alike


def _together(recording: Recording, features: Sequence[int]) -> float:
    """Return the share of steps in which all of these features repeat their values while the robot moves."""
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
    """Return whether features repeat values throughout, and move as far between repeats as in the first recording.

    A robot that stands still repeats values only for a while, or hardly moves between repeats.
    """
    x, before = (each.x[..., list(features)] for each in (evidence.second, evidence.first))
    still = (x[1:] == x[:-1]).all(-1)
    stretches = still[: len(still) // BEAT * BEAT].reshape(-1, BEAT, still.shape[1]).mean(1)
    steady = len(stretches) > 0 and (np.abs(stretches - still.mean()) < EVEN).mean() > 1 - FREE
    step, usual = (np.abs(np.diff(each, axis=0)) for each in (x, before))
    return bool(steady and np.median(step[~still].mean(0) / usual.mean((0, 1)).clip(1e-12)) > 0.5)
