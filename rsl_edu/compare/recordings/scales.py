"""Tests for features that differ by a factor: different units, a different scale or a different time step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from rsl_edu.number_format import short

from .data import Block, Recording
from .evidence import Evidence, Found, UncheckedError
from .limits import CLIPPED, cut_short
from .pairs import Change, changes, find_pairs, smoothed
from .values import LESS, SURE, asked, in_one_proportion, most_differ

UNIT = 0.35
"""Largest std of a vector's squared length, relative to the std it would have with independent components."""
LENGTH = 0.05
"""Largest change of a vector's length, as a logarithm."""
FACTOR, EXACT = 2.5, 1.6
"""Smallest ratio of sizes that counts as a scale; and the same for position and velocity, whose ratio does not depend
on the motion."""
FITS, LOSS = 0.8, 0.03
"""Smallest correlation of a position's change with the velocity for their ratio to count, and how far the correlation
may drop below the first recording's."""
MOST = 0.5
"""Smallest share of the pairs between two terms that must have a changed ratio."""
ALIKE = 1.35
"""Largest factor between the ratios of neighbours that count as equal."""
NEAR = 0.1
"""Largest relative distance from a known ratio."""

STEP = 1.15
"""Smallest ratio of two time steps that counts as a difference."""

KNOWN = {
    57.2958: "degrees instead of radians",
    1 / 57.2958: "radians instead of degrees",
    9.81: "m/s² instead of units of g",
    1 / 9.81: "units of g instead of m/s²",
    60 / 2 / np.pi: "rpm instead of rad/s",
    2 * np.pi / 60: "rad/s instead of rpm",
    1000.0: "a unit a thousand times smaller",
    0.001: "a unit a thousand times larger",
    20.0: "a missing observation scale of 0.05",
    0.05: "an observation scale of 0.05",
    5.0: "a missing observation scale of 0.2",
    0.2: "an observation scale of 0.2",
    4.0: "a missing observation scale of 0.25",
    0.25: "an observation scale of 0.25",
    2.0: "an observation scale of 2",
    0.5: "a missing observation scale of 2",
    10.0: "a factor of ten",
    0.1: "a factor of ten",
}
"""Ratios that are common in practice, and their usual reason."""


def length(evidence: Evidence) -> Iterator[Found]:
    """Find vectors whose length is constant in the first recording and different in the second."""
    for columns in _vectors(evidence):
        first, second = (np.linalg.norm(each.flat[:, columns], axis=1) for each in (evidence.first, evidence.second))
        usual, now = float(np.median(first)), float(np.median(second))
        spread, spread_now = (float(np.std(each) / max(np.median(each), 1e-12)) for each in (first, second))
        if now <= 0 or abs(np.log(now / usual)) <= LENGTH + 3 * spread:
            if spread_now > LENGTH + 3 * spread:
                yield Found(
                    "length",
                    tuple(columns),
                    f"its length varies by {100 * spread_now:.0f} % (by {100 * spread:.0f} % in the first recording)",
                )
            continue
        figure = f"its length is {short(now)} ({short(usual)} in the first recording): {_times(now / usual)}"
        yield Found("scale", tuple(columns), figure, _divided(evidence.second, columns, now / usual))


def scale(evidence: Evidence) -> Iterator[Found]:
    """Find features that differ from the first recording by a factor."""
    evidence.require_length()
    if not evidence.unexplained[: evidence.first.observed].any():
        return  # normalized, so the original scale is lost
    ratio, exact = _ratios(evidence)
    for group in _neighbours(evidence, ratio):
        certain = [feature for feature in group if feature in exact]
        factor = float(np.exp(np.median([ratio[feature] for feature in certain or group])))
        term = evidence.block_of(group[0]).columns
        if evidence.named and len(certain) > 1 and certain == [feature for feature in term if feature in exact]:
            group = tuple(feature for feature in term if evidence.open[feature])
        if len(group) < 2 and not evidence.named and abs(np.log(factor)) < np.log(FACTOR):
            continue  # without names, a joint that moves differently looks like a joint in different units
        if not certain and not (_sure_of_scale(evidence, group, factor) and _by_itself(evidence, group, factor)):
            continue
        std = [short(float(each.flat[:, list(group)].std(0).mean())) for each in (evidence.second, evidence.first)]
        figure = f"{_times(factor)} (std {std[0]}, or {std[1]} in the first recording)"
        yield Found("scale", group, figure, _divided(evidence.second, group, factor))


def scale_of_most(evidence: Evidence) -> Iterator[Found]:
    """Find a scale of so many features that the few others cannot show how much faster the robot moves."""
    evidence.require_length()
    differ = most_differ(evidence)
    if differ.any() and in_one_proportion(evidence, differ):
        features = tuple(np.flatnonzero(differ).tolist())
        factor = float(np.exp(np.median(evidence.statistics.spread[differ])))
        if abs(np.log(factor)) > np.log(FACTOR) and not (asked(evidence) < LESS and factor < 1):
            std = [short(float(each.flat[:, differ].std(0).mean())) for each in (evidence.second, evidence.first)]
            yield Found("scale", features, f"{_times(factor)} (std {std[0]}, or {std[1]} in the first recording)")


def rate(evidence: Evidence) -> Iterator[Found]:
    """Find time steps that are longer or shorter, so that positions change by a different multiple of their velocity.

    Different units have the same effect, but then the size of positions or velocities differs as well.
    """
    evidence.require_time()
    here = [each for each in (*evidence.changes, *_smoothed(evidence)) if _kinematic(evidence, each)]
    if len({each.pair.position for each in here}) < 2:
        raise UncheckedError("needs two positions and their velocities among the features")
    s = evidence.statistics
    factors = np.log([each.factor for each in here])
    middle = float(np.median(factors))
    sizes = [s.spread[each.pair.position] - s.spread[each.pair.velocity] for each in here]
    # noise in both makes a slope uncertain, by as much as it lowers the correlation
    noise = -float(np.median([np.log(each.fits.max() * each.pair.fit) for each in here]))
    together = np.abs(factors - middle) < min(np.log(ALIKE), abs(middle) / 3)
    same_size = abs(float(np.median(sizes))) < abs(middle) / 2
    if abs(middle) > np.log(STEP) + noise and together.mean() > 0.7 and same_size:
        pairs = [each.pair for each, like in zip(here, together, strict=True) if like]
        at = sorted({i for pair in pairs for i in (pair.position, pair.velocity) if not evidence.acts[i]})
        lasts = f": {short(evidence.dt * np.exp(middle))} s instead of {short(evidence.dt)} s" if evidence.dt else ""
        figure = f"positions change {short(np.exp(middle))} times as much per step at the same velocity{lasts}"
        yield Found("time step", tuple(at), figure)


def _smoothed(evidence: Evidence) -> tuple[Change, ...]:
    """Return pairs of positions and velocities that only show after averaging over the noise of single steps."""
    first, second = (smoothed(each) for each in (evidence.first, evidence.second))
    open_pairs = [pair for pair in find_pairs(first) if not {pair.position, pair.velocity} & evidence.closed]
    return changes(tuple(open_pairs), second)


def _kinematic(evidence: Evidence, change: Change) -> bool:
    """Return whether a pair is a position and its velocity, and not two oscillations such as sine and cosine."""
    pair = change.pair
    if pair.copied or pair.slope < 0 or change.fits.max() < FITS or not _apart(evidence, change):
        return False
    back = [each for each in evidence.pairs if (each.position, each.velocity) == (pair.velocity, pair.position)]
    return not any(1 - each.fit < 4 * (1 - pair.fit) for each in back)  # sine and cosine of a gait


def _vectors(evidence: Evidence) -> Iterator[list[int]]:
    """Yield features that form a vector of constant length in the first recording."""
    x, look = evidence.first.flat, evidence.open & ~evidence.first.rarely_move()  # no commands and one-hot codes
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


def _apart(evidence: Evidence, change: Change) -> bool:
    """Return whether position and velocity belong to two terms, unlike sine and cosine."""
    pair = change.pair
    return not evidence.named or evidence.block_of(pair.position) != evidence.block_of(pair.velocity)


def _sure_of_scale(evidence: Evidence, group: Sequence[int], factor: float) -> bool:
    """Return whether a ratio of sizes comes from units: many features share it, or it is a known ratio."""
    term = [feature for feature in evidence.block_of(group[0]).columns if evidence.open[feature]]
    if evidence.named and len(group) < len(term):
        return False
    if len(group) < 2 and (evidence.explained or not evidence.named):
        return False  # a single joint may move more than before
    many = len(group) > 2 and not evidence.explained
    return many or (bool(_known(factor)) and abs(np.log(factor)) > np.log(FACTOR))


def _ratios(evidence: Evidence) -> tuple[dict[int, float], set[int]]:
    """Return the logarithm of each feature's ratio, if it has one, and the features whose ratio is exact."""
    cut = np.maximum(cut_short(evidence.first, evidence.second), cut_short(evidence.second, evidence.first)) > CLIPPED
    s, look = evidence.statistics, evidence.open
    usual = _usual(evidence, s.speed)
    ratio, consistent = _by_velocities(evidence, cut, usual)
    exact = set(ratio)
    least = np.log(FACTOR)
    speed = s.speed - usual
    same = (np.sign(speed) == np.sign(s.size)) & (np.abs(s.size - speed) < np.abs(s.size) / 2)
    large = (np.abs(s.size) > least) & (np.abs(speed) > least) & same
    large &= (np.abs(s.spread) > SURE * s.spread_error) & look & ~cut & ~evidence.free
    large &= ~evidence.first.rarely_move()  # like a command, it may be smaller without a fault
    partner = {pair.position: pair.velocity for pair in evidence.pairs}
    partner |= {pair.velocity: pair.position for pair in evidence.pairs}
    for feature in map(int, np.flatnonzero(large)):
        both = large[partner.get(feature, feature)]  # if both have changed, their ratio is the same
        if feature not in exact and (both or feature not in consistent):
            ratio[feature] = float(s.size[feature])
    return ratio, exact


def _by_itself(evidence: Evidence, group: Sequence[int], factor: float) -> bool:
    """Return whether a ratio of sizes is not due to motion: large and small values share it, and commands do not."""
    x = [each.flat[:, list(group)] for each in (evidence.first, evidence.second)]
    parts = [np.quantile(np.abs(each - np.median(each, axis=0)), (0.5, 0.8, 0.95), axis=0).clip(1e-12) for each in x]
    apart = np.ptp(np.log(parts[1] / parts[0]), axis=0)
    same_shape = np.median(apart) < max(np.log(1.5), abs(np.log(factor)) / 4)
    return bool(same_shape and not (asked(evidence) < LESS and asked(evidence) / 2 < factor < 1))


def _usual(evidence: Evidence, ratio: np.ndarray) -> float:
    """Return the logarithm of the usual ratio, ignoring a single term, however large, that has a different ratio."""
    look = evidence.open
    if not look.any():
        return 0.0
    other = look & (np.abs(ratio) > np.log(ALIKE))
    left = look & ~other
    if 4 * left.sum() > look.sum() and len(list(evidence.by_term(np.flatnonzero(other)))) == 1:
        look = left
    return float(np.median(ratio[look]))


def _by_velocities(evidence: Evidence, cut: np.ndarray, usual: float) -> tuple[dict[int, float], set[int]]:
    """Return the ratios by which positions change at the same velocity, and the features whose scale is unchanged.

    Args:
        evidence: The recordings.
        cut: Features that end at a limit in one recording.
        usual: How much faster most features move in the second recording, as a logarithm.
    """
    s = evidence.statistics
    changed: dict[tuple[Block, Block], list[tuple[int, int, float]]] = {}
    unsure: dict[int, float] = {}
    ratio: dict[int, float] = {}
    consistent: set[int] = set()
    for change in evidence.changes:
        p, v = change.pair.position, change.pair.velocity
        fits = change.fits.max() > max(FITS, 1 - 3 * (1 - change.pair.usual) - LOSS)
        if fits and _apart(evidence, change) and not cut[[p, v]].any():
            terms = evidence.block_of(p), evidence.block_of(v)
            changed.setdefault(terms, []).append((p, v, float(np.log(change.factor))))
            unsure[p] = -float(np.log(change.fits.max() * change.pair.fit))  # noise in both has this much effect
    for pairs in changed.values():
        consistent |= {i for p, v, factor in pairs if abs(factor) < np.log(EXACT) for i in (p, v)}
        other = [each for each in pairs if abs(each[2]) >= np.log(EXACT) + unsure[each[0]]]
        other = [
            (p, v, f) for p, v, f in other if abs(s.size[p] - s.size[v] - f) < abs(f) / 2
        ]  # otherwise it is the rate
        if not other or len(other) < MOST * len(pairs):
            continue  # a joint at the end of its range
        ps, vs = [p for p, _, _ in other], [v for _, v, _ in other]
        positions = np.median(np.abs(s.size[ps] - usual)) > np.median(np.abs(s.size[vs] - usual))
        ratio |= {p if positions else v: factor if positions else -factor for p, v, factor in other}
        consistent |= set(vs if positions else ps)
    return ratio, consistent


def _neighbours(evidence: Evidence, ratio: dict[int, float]) -> Iterator[tuple[int, ...]]:
    """Yield groups of neighbouring features within a term that have about the same ratio."""
    for group in evidence.by_term(sorted(ratio)):
        left = list(group)
        while left:
            middle = sorted(ratio[feature] for feature in left)[len(left) // 2]
            near = max(np.log(ALIKE), abs(middle) / 3)
            like = tuple(feature for feature in left if abs(ratio[feature] - middle) < near)
            yield like
            left = [feature for feature in left if feature not in like]


def _known(factor: float) -> str:
    """Return the usual reason for a ratio, or an empty string if the ratio is not a known one."""
    nearest = min(KNOWN, key=lambda known: abs(np.log(factor / known)))
    return KNOWN[nearest] if abs(factor / nearest - 1) < NEAR else ""


def _times(factor: float) -> str:
    known = _known(factor)
    return f"{short(factor, 3 if factor < 1 else 1)} times as large" + (f", which suggests {known}" if known else "")


def _divided(recording: Recording, features: Sequence[int], factor: float) -> Recording:
    x = recording.x.copy()
    x[..., list(features)] /= factor
    return dataclasses.replace(recording, x=x)
