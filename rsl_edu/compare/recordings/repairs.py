"""Search for signs, lags or an order that make the second recording's features correlate as in the first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from .alignment import ALIKE, Alignment, by_lag, by_order, by_sign, none, several
from .data import Block, Recording
from .relations import fast_part, surprises
from .terms import looks

FIRM = 2.0
"""Smallest sum of squared relations for at least one of the features that a repair changes."""
BROKEN, RESTORED = 0.03, 0.4
"""Smallest mismatch with the first recording that counts, and the largest part of it that may remain after a repair."""
CLEARLY, SURELY = 0.06, 0.02
"""Largest part of the mismatch that may remain after a change of sign that noise does not confirm, and after a lag of
one or two features. In a regular gait, a different policy may have a different phase."""
TIE = 0.02
"""Repairs whose gains differ by less than this are equally good."""
SIMPLE = 5e-4
"""Smallest gain of a repair per feature that it changes."""


@dataclasses.dataclass(frozen=True)
class Repair:
    """A change of the second recording that undoes a difference.

    Attributes:
        kind: ``sign``, ``lag`` or ``order``.
        order: Index in the second recording of each feature of the first.
        late: By how many steps each feature of the second recording is late.
        sign: 1 or -1 for each feature.
        before: Match of the differing features' correlations with the first recording, from -1 to 1, before the repair.
        after: The same after the repair.
        rival: Another repair that is equally good, if there is one.
        sure: Features whose positions in an order are certain, if another repair is nearly as good; None if all are
            certain.
    """

    kind: str
    order: np.ndarray
    late: np.ndarray
    sign: np.ndarray
    before: float = 0.0
    after: float = 0.0
    rival: Repair | None = None
    sure: frozenset[int] | None = None

    @property
    def features(self) -> np.ndarray:
        """Indices of the differing features in the first recording."""
        return np.flatnonzero((self.order != np.arange(len(self.order))) | (self.late != 0) | (self.sign < 0))

    def of(self, second: Recording) -> Recording:
        """Return the second recording after the repair."""
        x, episode = second.x[..., self.order] * self.sign, second.episode
        low, high = min(0, int(self.late.min())), max(0, int(self.late.max()))
        if low == high:
            return dataclasses.replace(second, x=x)
        time = len(x) - (high - low)
        moved = np.stack([x[late - low : late - low + time, :, i] for i, late in enumerate(self.late)], -1)
        return dataclasses.replace(second, x=moved, episode=episode[-low : -low + time])


def find_repair(
    first: Recording, second: Recording, blocks: Sequence[Block], features: np.ndarray
) -> tuple[Repair | None, np.ndarray]:
    """Find the simplest repair with which the second recording's features correlate as in the first.

    A repair is accepted if it removes most of the mismatch in each part of the second recording, and if the mismatch is
    larger than between parts of the first recording that are as long as the second.

    Args:
        first: The first recording.
        second: The second recording.
        blocks: The terms; a lag applies to an entire term.
        features: Features to test.

    Returns:
        The repair, or None if none is needed or accepted; and the features that correlate with others in the first
        recording. For all other features, nothing can be found.
    """
    if len(features) < 3:
        return None, features[:0]
    place = {int(feature): i for i, feature in enumerate(features)}
    inside = [Block(b.name, tuple(place[c] for c in b.columns if c in place)) for b in blocks]
    ordered = first.ordered and second.ordered
    here, there = (dataclasses.replace(each.of(features), ordered=ordered) for each in (first, second))
    terms = [b for b in inside if b.columns]
    fast = Alignment(here, there, fast_part)
    noise = Alignment(here, there, surprises) if ordered else fast
    found = _believed_of(here, there, terms, fast, noise)
    if ordered and (found is None or found.kind != "lag"):
        other = _believed_of(here, there, terms, noise, noise)
        if other is not None and (found is None or other.after > found.after):
            found = other
    tied = features[fast.tied | noise.tied]
    return None if found is None else _placed(found, features, first.x.shape[2]), tied


def _placed(repair: Repair, features: np.ndarray, number: int) -> Repair:
    """Extend a repair of some features to all features."""
    order, late, sign = none(number)
    order[features], late[features], sign[features] = features[repair.order], repair.late, repair.sign
    rival = None if repair.rival is None else _placed(repair.rival, features, number)
    sure = None if repair.sure is None else frozenset(int(features[i]) for i in repair.sure)
    return dataclasses.replace(repair, order=order, late=late, sign=sign, rival=rival, sure=sure)


def _believed_of(
    first: Recording, second: Recording, blocks: Sequence[Block], alignment: Alignment, noise: Alignment
) -> Repair | None:
    """Return the accepted repair with the largest gain for one kind of relations, and an equally good one, if any.

    In a regular gait, one leg does what another does half a period later, or the same with the opposite sign. The noise
    of the two legs has no such symmetry, so the noise decides between equally good repairs.
    """
    if not alignment.second.samples or not alignment.alive:
        return None
    order, late, sign = none(len(alignment.tied))
    if (alignment.agreement(order, late, sign) > 1 - BROKEN).all():
        return None
    look = looks(first, second)
    alternatives = [Repair("sign", order, late, by_sign(alignment))]
    if alignment.second.apart and alignment is not noise:
        alternatives.append(Repair("lag", order, by_lag(alignment, blocks), sign))
    orders = [by_order(alignment, look, blocks)]
    if alignment is not noise and noise.alive:
        told = by_order(noise, look, blocks)
        orders += list(_as_one(told, blocks))
        told = np.where(noise.tied, told, orders[0])
        orders += [told] if len(set(told.tolist())) == len(told) else []
    alternatives += [Repair("order", each, late, sign) for each in orders]
    believed = [judged for each in alternatives if (judged := _believed(alignment, noise, each)) is not None]
    if not believed:
        return None
    top, best = max(believed, key=lambda each: each[0])
    if best.kind == "lag":
        return best
    near = [(score, each) for score, each in believed if score > top - TIE and each.kind != "lag"]
    misfit = [np.mean(1 - noise.agreement(each.order, each.late, each.sign)) if noise.alive else 0 for _, each in near]
    ranked = sorted(zip(near, misfit, strict=True), key=lambda each: each[1] - each[0][0])
    (score, best), least = ranked[0]
    if len(ranked) > 1 and best.kind == "order":
        best = dataclasses.replace(best, sure=_settled(best.order, noise, blocks))
    for (other, rival), more in ranked[1:]:
        if more - other < least - score + TIE and not _same(best, rival):
            return dataclasses.replace(best, rival=rival)
    return best


def _settled(order: np.ndarray, noise: Alignment, blocks: Sequence[Block]) -> frozenset[int]:
    """Return the features whose positions are certain from their noise, and all features of equally reordered terms."""
    sure = set(np.flatnonzero(noise.tied & noise.alive).tolist())
    inside = {tuple(order[list(b.columns)] - b.columns[0]) for b in blocks if sure >= set(b.columns)}
    alike = [b.columns for b in blocks if tuple(order[list(b.columns)] - b.columns[0]) in inside]
    return frozenset(sure.union(*alike))


def _same(one: Repair, other: Repair) -> bool:
    return bool((one.order == other.order).all() and (one.sign == other.sign).all())


def _as_one(order: np.ndarray, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """Yield orders that apply the reordering of one term to other terms of the same size."""
    for block in blocks:
        columns = list(block.columns)
        if (order[columns] == columns).all() or not {int(i) for i in order[columns]} <= set(columns):
            continue
        inside = [columns.index(int(i)) for i in order[columns]]
        terms = [list(each.columns) for each in blocks if len(each.columns) == len(columns)]
        for some in several(terms) if len(terms) <= ALIKE else [terms]:
            alike = np.arange(len(order))
            for term in some:
                alike[term] = np.array(term)[inside]
            yield alike


def _believed(alignment: Alignment, noise: Alignment, repair: Repair) -> tuple[float, Repair] | None:
    """Return the score of a repair, and the repair; None if it is not accepted."""
    unrepaired = none(len(alignment.tied))
    at = repair.features
    at = at[alignment.tied[at]]
    if not len(at) or alignment.strength[at].max() < FIRM:
        return None
    misfits = []
    for second in alignment.seen:
        before = 1 - alignment.agreement(*unrepaired, second)
        after = 1 - alignment.agreement(repair.order, repair.late, repair.sign, second)
        if second.samples and not after[at].mean() <= RESTORED * before[at].mean():
            return None
        misfits.append((before, after))
    before, after = misfits[0]
    usual = np.mean([1 - alignment.agreement(*unrepaired, part) for part in alignment.like if part.samples] or 0)
    if before[at].mean() < BROKEN + 3 * usual:
        return None
    left = float(after[at].mean() / before[at].mean())
    others = np.setdiff1d(np.flatnonzero(alignment.tied), at)
    as_others = len(others) and len(at) > 1 and after[at].mean() < 6 * np.median(after[others])
    if repair.kind == "sign" and left > CLEARLY and not as_others and not _confirmed(noise, repair):
        return None
    if repair.kind == "lag" and left > SURELY and len(at) < 3:
        return None
    better = dataclasses.replace(repair, before=1 - before[at].mean(), after=1 - after[at].mean())
    return float(before.mean() - after.mean()) - SIMPLE * len(repair.features), better


def _confirmed(noise: Alignment, repair: Repair) -> bool:
    """Return whether the repair also improves the correlations of the features' noise."""
    at = repair.features[noise.tied[repair.features]]
    if not len(at) or not noise.alive:
        return False
    before, after = (
        1 - noise.agreement(repair.order, repair.late, sign) for sign in (1 + 0 * repair.sign, repair.sign)
    )
    return bool(before[at].mean() > BROKEN and after[at].mean() <= RESTORED * before[at].mean())
