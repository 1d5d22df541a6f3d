"""Differences in the values of features: constant, held, normalised, of another length, scaled, shifted, clipped, noisy."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from rsl_edu.number_format import short

from .recording_data import SENT, Recording
from .recording_pairs import Change
from .recording_kinds import Evidence, Found, UncheckedError

HELD, FREE = 0.3, 0.05
"""Share of steps in which a sensor repeats its value: in the second recording from, in the first up to."""
UNIT = 0.35
"""Spread of the squared length of a vector, in units of what it would be if its parts had nothing to do with it."""
LENGTH = 0.05
"""How far the length of a vector may change, as a logarithm."""
FACTOR, EXACT = 2.5, 1.6
"""Ratio of sizes that is a scale, and the same for position and velocity, whose ratio does not depend on the motion."""
FITS, LOSS = 0.8, 0.03
"""Correlation of a position's change with the velocity, from which on their ratio is believed; and how much it may
lose against the first recording."""
ALIKE = 1.35
"""How far the ratios of neighbours may be apart to count as one."""
NEAR = 0.1
"""How far a ratio may be from a known one, as a part of it."""
SHIFT, SURE = 1.0, 5.0
"""Shift in std of the first recording, and how many standard errors it must be."""
CLIPPED, BEYOND = 0.02, 0.01
"""Share of samples at the largest or smallest value of one recording, and beyond it in the other."""
NOISE, ENOUGH = 0.05, 500
"""Share of the variance that is noise, which the second recording has more, and the fewest steps that tell."""
OTHERWISE = 1 / 3
"""Share of the features that differ in mean or size, from which on the robots do not move alike."""

KNOWN = {
    57.2958: "degrees instead of radians",
    1 / 57.2958: "radians instead of degrees",
    9.81: "m/s² instead of units of g",
    1 / 9.81: "units of g instead of m/s²",
    60 / 2 / np.pi: "rpm instead of rad/s",
    2 * np.pi / 60: "rad/s instead of rpm",
    1000.0: "thousandths of the unit",
    0.001: "a unit that is a thousand times larger",
    20.0: "an observation scale of 0.05 that is missing",
    0.05: "an observation scale of 0.05",
    5.0: "an observation scale of 0.2 that is missing",
    0.2: "an observation scale of 0.2",
    4.0: "an observation scale of 0.25 that is missing",
    0.25: "an observation scale of 0.25",
    2.0: "an observation scale of 2",
    0.5: "an observation scale of 2 that is missing",
    10.0: "a factor of ten",
    0.1: "a factor of ten",
}
"""Ratios that are met in practice, and what they usually are."""


def constant(evidence: Evidence) -> Iterator[Found]:
    """Look for features that stand still in one recording and move in the other."""
    still = evidence.statistics.constant
    for which, (a, b) in enumerate((("first", "second"), ("second", "first"))):
        moving = evidence.first if which == 1 else evidence.second
        resting = evidence.second if which == 1 else evidence.first
        only = still[which] & ~still[1 - which] & ~evidence.commanded
        for group in by_block(evidence, np.flatnonzero(only)):
            values = sorted({short(value) for value in resting.flat[0, list(group)]})
            low, high = moving.flat[:, list(group)].min(), moving.flat[:, list(group)].max()
            said = values[0] if len(values) == 1 else f"{len(values)} different values"
            yield Found("constant", group, f"always {said} in the {a}, from {short(low)} to {short(high)} in the {b}")
    both = still.all(0) & (np.abs(evidence.second.flat[0] - evidence.first.flat[0]) > 1e-6) & ~evidence.commanded
    for group in by_block(evidence, np.flatnonzero(both)):
        one, other = (each.flat[0, group[0]] for each in (evidence.first, evidence.second))
        yield Found("constant", group, f"always {short(one)} in the first, always {short(other)} in the second")


def held(evidence: Evidence) -> Iterator[Found]:
    """Look for sensors that repeat their values from step to step, while the robot moves."""
    evidence.require_time()
    first, second = evidence.first, evidence.second
    if (first.rarely_move() & ~second.rarely_move()).any():
        return  # the commands are in other places
    slow = np.flatnonzero(evidence.open & (_repeats(second) > HELD) & (_repeats(first) < FREE))
    if 2 * len(slow) > evidence.open.sum():
        return  # the robot stands still
    for group in by_block(evidence, slow):
        share, before = (100 * _together(each, group) for each in (second, first))
        if share > 100 * HELD:
            yield Found("held", group, f"{share:.0f} % of the values repeat the one before, {before:.0f} % in the first")


def normalised(evidence: Evidence) -> Iterator[Found]:
    """Look for a recording that was made behind the normaliser, where the other was made before it."""
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
            yield Found("normalised", tuple(seen.tolist()), figure, dataclasses.replace(evidence.second, x=x))


def length(evidence: Evidence) -> Iterator[Found]:
    """Look for vectors whose length is the same at all times in the first recording, and another in the second."""
    for columns in _vectors(evidence):
        first, second = (np.linalg.norm(each.flat[:, columns], axis=1) for each in (evidence.first, evidence.second))
        usual, now = float(np.median(first)), float(np.median(second))
        spread, spread_now = (float(np.std(each) / max(np.median(each), 1e-12)) for each in (first, second))
        if now <= 0 or abs(np.log(now / usual)) <= LENGTH + 3 * spread:
            if spread_now > LENGTH + 3 * spread:
                yield Found(
                    "length",
                    tuple(columns),
                    f"its length varies by {100 * spread_now:.0f} % (in the first by {100 * spread:.0f} %)",
                )
            continue
        figure = f"its length is {short(now)}, in the first {short(usual)}: {_times(now / usual)}"
        yield Found("scale", tuple(columns), figure, _divided(evidence.second, columns, now / usual))


def scale(evidence: Evidence) -> Iterator[Found]:
    """Look for features that are a multiple of those in the first recording."""
    if not evidence.unexplained[: evidence.first.observed].any():
        return  # normalised: its scale is not known any more
    ratio, exact = _ratios(evidence)
    for group in _alike(evidence, ratio):
        certain = [feature for feature in group if feature in exact]
        factor = float(np.exp(np.median([ratio[feature] for feature in certain or group])))
        term = evidence.block_of(group[0]).columns
        if evidence.named and len(certain) > 1 and certain == [feature for feature in term if feature in exact]:
            group = tuple(feature for feature in term if evidence.open[feature])
        if not certain and not _sure_of_scale(evidence, group, factor):
            continue
        std = [short(float(each.flat[:, list(group)].std(0).mean())) for each in (evidence.second, evidence.first)]
        figure = f"{_times(factor)} (std {std[0]}, in the first {std[1]})"
        yield Found("scale", group, figure, _divided(evidence.second, group, factor))


def rate(evidence: Evidence) -> Iterator[Found]:
    """Look for steps that last longer or shorter: positions change by another multiple of their velocity."""
    evidence.require_time()
    if not evidence.pairs:
        raise UncheckedError("needs a position and its velocity among the features")
    here = [change for change in evidence.changes if change.fits.max() >= FITS and _apart(evidence, change)]
    factors = np.log([change.factor for change in here])
    if len(factors) < 2:
        return
    middle = float(np.median(factors))
    together = np.abs(factors - middle) < np.log(ALIKE)
    if abs(middle) > np.log(EXACT) and together.mean() > 0.8:
        at = sorted({feature for change in here for feature in (change.pair.position, change.pair.velocity)})
        figure = f"positions change by {short(np.exp(middle))} times as much in a step, at the same velocity"
        yield Found("time step", tuple(at), figure)


def shift(evidence: Evidence) -> Iterator[Found]:
    """Look for an offset that nothing else explains."""
    s = evidence.statistics
    away = (np.abs(s.shift) > SHIFT) & (np.abs(s.shift) > SURE * s.shift_error) & (np.abs(s.spread) < np.log(2))
    away &= evidence.unexplained & ~evidence.commanded
    if away.sum() > OTHERWISE * evidence.open.sum():
        return
    for group in by_block(evidence, np.flatnonzero(away)):
        worst = max(group, key=lambda feature: abs(s.shift[feature]))
        mean = s.mean[worst]
        now = mean + s.shift[worst] * s.std[worst]
        figure = f"{evidence.names[worst]} has mean {short(now)}, in the first {short(mean)}: "
        yield Found("shift", group, figure + f"{short(abs(s.shift[worst]))} std away, with about the same std")


def clipped(evidence: Evidence) -> Iterator[Found]:
    """Look for values of the second recording that pile up at a limit which the first goes beyond."""
    return _clipped(evidence, evidence.second, evidence.first, ("second", "first"))


def unclipped(evidence: Evidence) -> Iterator[Found]:
    """Look for values of the first recording that pile up at a limit which the second goes beyond."""
    return _clipped(evidence, evidence.first, evidence.second, ("first", "second"))


def _clipped(evidence: Evidence, narrow: Recording, wide: Recording, words: tuple[str, str]) -> Iterator[Found]:
    cut = _cut(narrow, wide)
    piled = np.flatnonzero(evidence.unexplained & ~wide.rarely_move() & (_repeats(narrow) < HELD) & (cut > CLIPPED))
    for group in by_block(evidence, piled):
        worst = max(group, key=lambda feature: cut[feature])
        x, other = narrow.flat[:, worst], wide.flat[:, worst]
        beyond = ((other < x.min()) | (other > x.max())).mean()
        figure = (
            f"{evidence.names[worst]} ends at {short(x.min())} and {short(x.max())} in the {words[0]}, where "
            f"{100 * cut[worst]:.0f} % of the samples are; {100 * beyond:.0f} % lie beyond in the {words[1]}"
        )
        yield Found("clipped", group, figure)


def noise(evidence: Evidence) -> Iterator[Found]:
    """Look for values that jump from step to step more than in the first recording, and not because the robot does."""
    evidence.require_time()
    if min(evidence.first.steps, evidence.second.steps) < ENOUGH:
        raise UncheckedError(f"needs {ENOUGH} steps of each recording")
    first, second = (_jumps(each) for each in (evidence.first, evidence.second))
    more = second - first
    acts = np.array([name.startswith((SENT, "action", "last_action")) for name in evidence.names]) & evidence.open
    calm = bool(acts.any() and (more[acts] < 2 * NOISE).all())  # rough actions shake the robot
    noisy = (more > NOISE) & (first < NOISE) & calm
    steps = [_jumps(_steps(each)) for each in (evidence.first, evidence.second)]
    for change in evidence.changes:  # a robot that moves roughly shows it in both
        p, v = change.pair.position, change.pair.velocity
        rough = (float(steps[1][p] - steps[0][p]), float(more[v]))
        lost = change.pair.fit**2 - change.fits.max() ** 2 > NOISE / 2 and not change.pair.copied
        noisy[p] = lost and rough[0] > NOISE and rough[1] < rough[0] / 3
        noisy[v] = lost and rough[1] > NOISE and rough[0] < rough[1] / 3
    noisy &= evidence.unexplained & ~acts & ~evidence.commanded & ~evidence.first.rarely_move()
    for group in by_block(evidence, np.flatnonzero(noisy)):
        if evidence.named and 3 * len(group) < len(evidence.block_of(group[0]).columns):
            continue
        worst = max(group, key=lambda feature: more[feature])
        shares = f"{100 * second[worst]:.0f} % of its variance, in the first {100 * first[worst]:.0f} %"
        yield Found("noise", group, f"{evidence.names[worst]} jumps from step to step: {shares}")


def motion(evidence: Evidence) -> Iterator[Found]:
    """Look for robots that move otherwise, although nothing is wrong with what they saw."""
    s = evidence.statistics
    away = np.abs(s.shift) > np.maximum(2 * SHIFT, SURE * s.shift_error)
    wide = np.abs(s.spread) > np.maximum(np.log(3), SURE * s.spread_error)
    differ = evidence.unexplained & ~evidence.commanded & (away | wide)
    if evidence.explained or differ.sum() <= OTHERWISE * evidence.open.sum():
        return
    worst = int(np.where(differ, np.maximum(np.abs(s.shift), np.abs(s.spread)), 0).argmax())
    figure = (
        f"{int(differ.sum())} of {len(differ)} features have another mean or size, {evidence.names[worst]} most: "
        f"{short(abs(s.shift[worst]))} std away, {short(np.exp(s.spread[worst]))} times the std"
    )
    yield Found("motion", tuple(np.flatnonzero(differ).tolist()), figure)


def by_block(evidence: Evidence, features: Sequence[int] | np.ndarray) -> Iterator[tuple[int, ...]]:
    """Yield features term by term; without names, in runs of consecutive ones."""
    if not evidence.named:
        at = [int(feature) for feature in features]
        breaks = [i for i in range(1, len(at)) if at[i] != at[i - 1] + 1]
        for low, high in itertools.pairwise([0, *breaks, len(at)]):
            if at:
                yield tuple(at[low:high])
        return
    left = {int(feature) for feature in features}
    for block in evidence.blocks:
        inside = tuple(column for column in block.columns if column in left)
        if inside:
            yield inside


def _apart(evidence: Evidence, change: Change) -> bool:
    """Tell whether position and velocity are of two terms, unlike sine and cosine."""
    pair = change.pair
    return not evidence.named or evidence.block_of(pair.position) != evidence.block_of(pair.velocity)


def _sure_of_scale(evidence: Evidence, group: Sequence[int], factor: float) -> bool:
    """Tell whether a ratio of sizes is one of units: of many features alike, or a known one."""
    term = [feature for feature in evidence.block_of(group[0]).columns if evidence.open[feature]]
    if evidence.named and len(group) < len(term):
        return False
    if evidence.explained or len(group) < 3:
        return bool(_known(factor)) and len(group) > bool(evidence.explained) and abs(np.log(factor)) > np.log(FACTOR)
    return True


def _ratios(evidence: Evidence) -> tuple[dict[int, float], set[int]]:
    """Return the logarithm of each feature's ratio, where it has one, and for which of them it is exact."""
    s, look = evidence.statistics, evidence.open
    usual = float(np.median(s.speed[look])) if look.any() else 0.0
    cut = np.maximum(_cut(evidence.first, evidence.second), _cut(evidence.second, evidence.first)) > CLIPPED
    ratio: dict[int, float] = {}
    exact: set[int] = set()
    consistent: set[int] = set()
    changed: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
    for change in evidence.changes:
        p, v = change.pair.position, change.pair.velocity
        fits = change.fits.max() > max(FITS, 1 - 3 * (1 - change.pair.usual) - LOSS)
        if not fits or not _apart(evidence, change) or cut[[p, v]].any():
            continue
        factor = float(np.log(change.factor))
        if abs(factor) < np.log(EXACT):
            consistent |= {p, v}
        elif abs(s.size[p] - s.size[v] - factor) < abs(factor) / 2:  # else it is the time between two steps
            changed.setdefault((evidence.block_of(p).name, evidence.block_of(v).name), []).append((p, v, factor))
    for pairs in changed.values():
        ps, vs = [p for p, _, _ in pairs], [v for _, v, _ in pairs]
        positions = np.median(np.abs(s.size[ps] - usual)) > np.median(np.abs(s.size[vs] - usual))
        ratio |= {p if positions else v: factor if positions else -factor for p, v, factor in pairs}
        exact |= set(ps if positions else vs)
        consistent |= set(vs if positions else ps)
    least = np.log(FACTOR)
    rare = evidence.first.rarely_move()
    speed = np.where(rare, s.spread, s.speed - usual)
    same = np.sign(speed) == np.sign(s.size)
    large = (np.abs(s.size) > least) & (np.abs(speed) > least) & same & (np.abs(s.size - speed) < np.abs(s.size) / 2)
    large &= (np.abs(s.spread) > SURE * s.spread_error) & look & ~cut
    partner = {a: b for pair in evidence.pairs for a, b in ((pair.position, pair.velocity), (pair.velocity, pair.position))}
    for feature in np.flatnonzero(large):
        alone = feature in consistent and not large[partner.get(int(feature), int(feature))]
        if int(feature) not in exact and not alone:
            ratio[int(feature)] = float(s.size[feature])
    return ratio, exact


def _alike(evidence: Evidence, ratio: dict[int, float]) -> Iterator[tuple[int, ...]]:
    """Yield neighbours of one term with about the same ratio."""
    for group in by_block(evidence, sorted(ratio)):
        left = list(group)
        while left:
            middle = sorted(ratio[feature] for feature in left)[len(left) // 2]
            near = max(np.log(ALIKE), abs(middle) / 3)
            like = tuple(feature for feature in left if abs(ratio[feature] - middle) < near)
            yield like
            left = [feature for feature in left if feature not in like]


def _known(factor: float) -> str:
    """Say what a ratio usually is; empty if it is not a known one."""
    nearest = min(KNOWN, key=lambda known: abs(np.log(factor / known)))
    return KNOWN[nearest] if abs(factor / nearest - 1) < NEAR else ""


def _times(factor: float) -> str:
    known = _known(factor)
    return f"{short(factor, 3 if factor < 1 else 1)} times as large" + (f", as with {known}" if known else "")


def _cut(narrow: Recording, wide: Recording) -> np.ndarray:
    """Return the share of samples at limits that the other recording goes beyond.

    0 where that one ends at limits itself, or where what lies inside the limits has another size.
    """
    x, other = narrow.flat, wide.flat
    low, high, margin = x.min(0), x.max(0), 0.02 * x.std(0)
    below = (x == low).mean(0) * ((other < low - margin).mean(0) > BEYOND)
    above = (x == high).mean(0) * ((other > high + margin).mean(0) > BEYOND)
    limited = (other == other.min(0)).mean(0) + (other == other.max(0)).mean(0) > CLIPPED
    inside = [np.median(np.abs(each - np.median(each, axis=0)), axis=0).clip(1e-12) for each in (x, other)]
    scaled = np.abs(np.log(inside[0] / inside[1])) > np.log(EXACT)
    return np.asarray(np.where(limited | scaled, 0.0, below + above))


def _divided(recording: Recording, features: Sequence[int], factor: float) -> Recording:
    x = recording.x.copy()
    x[..., list(features)] /= factor
    return dataclasses.replace(recording, x=x)


def _repeats(recording: Recording) -> np.ndarray:
    """Return the share of steps in which a feature repeats its value, its extremes left out."""
    x = recording.x
    inside = (x[1:] > x.min((0, 1))) & (x[1:] < x.max((0, 1)))
    return np.asarray(((x[1:] == x[:-1]) & inside).mean((0, 1)))


def _together(recording: Recording, features: Sequence[int]) -> float:
    """Return the share of steps in which all of these features repeat their values; 0 if the robot rests in them."""
    still = (recording.x[1:] == recording.x[:-1])[..., list(features)].all(-1)
    others = np.abs(np.diff(np.delete(recording.x, list(features), axis=2), axis=0)) / recording.x.std((0, 1)).max()
    move = others.mean(-1)
    resting = still.any() and not still.all() and move[still].mean() < move[~still].mean() / 2
    return 0.0 if resting else float(still.mean())


def _vectors(evidence: Evidence) -> Iterator[list[int]]:
    """Yield features that are the parts of a vector of constant length in the first recording."""
    x, look = evidence.first.flat, evidence.open
    taken: set[int] = set()
    for size in (4, 3, 2):
        starts = range(evidence.first.observed - size + 1)
        places = [list(range(start, start + size)) for start in starts]
        if evidence.named:
            places = [list(block.columns) for block in evidence.blocks if len(block.columns) == size]
        for columns in places:
            if (taken | evidence.explained) & set(columns) or look[columns].sum() < 2:
                continue
            squares = x[:, columns] ** 2
            free = np.sqrt(squares.var(0).sum())
            if squares.sum(1).mean() > 0 and squares.sum(1).std() < UNIT * free:
                taken |= set(columns)
                yield columns


def _steps(recording: Recording) -> Recording:
    """Return the change from step to step; those across the end of an episode are too few to count."""
    return dataclasses.replace(recording, x=np.diff(recording.x, axis=0), episode=recording.episode[1:])


def _jumps(recording: Recording) -> np.ndarray:
    """Return the share of a feature's variance that does not go on smoothly from step to step; impacts do not count."""
    x = recording.x
    whole = recording.episode[2:] == recording.episode[:-2]
    bend = (x[2:] - 2 * x[1:-1] + x[:-2])[whole]
    if not len(bend):
        return np.zeros(x.shape[2])
    white = np.median(bend**2, axis=0) / (6 * 0.4549)  # for which a normal distribution has its variance
    return np.asarray(white / recording.flat.var(0).clip(1e-24))
