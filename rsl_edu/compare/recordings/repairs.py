"""Which repair of the second recording makes its features go together as in the first: signs, lags, or an order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from .alignment import ALIKE, Alignment, by_lag, by_order, by_sign, none, several
from .data import Block, Recording
from .relations import fast_part, surprises
from .terms import looks

FIRM = 2.0
"""The same for at least one of the features that a repair changes."""
BROKEN, RESTORED = 0.03, 0.4
"""How far features must be from going together as in the first, and the part of it that a repair may leave."""
CLEARLY, SURELY = 0.06, 0.02
"""The part that a sign may leave which no noise confirms, and a lag of one or two features. In a regular gait, another
policy may have another phase."""
TIE = 0.02
"""Repairs whose gains differ by less are as good as each other."""
SIMPLE = 5e-4
"""What a repair must gain for each feature that it changes."""


@dataclasses.dataclass(frozen=True)
class Repair:
    """What undoes a difference of the second recording.

    Attributes:
        kind: ``sign``, ``lag`` or ``order``.
        order: Where in the second recording each feature of the first is.
        late: How many steps late each feature of the second is.
        sign: 1 or -1 for each feature.
        before: How well the features that differ go with the others, from -1 to 1, without the repair.
        after: The same with it.
        rival: Another repair that does as well, if there is one.
        sure: Of an order that another repair nearly equals, features whose places are settled; else None, for all.
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
        """The features that differ, by their places in the first recording."""
        return np.flatnonzero((self.order != np.arange(len(self.order))) | (self.late != 0) | (self.sign < 0))

    def of(self, second: Recording) -> Recording:
        """Return the second recording, repaired."""
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
    """Return the simplest repair with which the features of the second go together as in the first, if one is needed.

    Next to it, the features that go with others in the first, of which alone a repair can tell.

    It is believed if it restores most of what is broken, in each part of the second recording, and if more is broken
    than between parts of the first recording that are as long as the second.

    Args:
        first: The first recording.
        second: The second.
        blocks: The terms: what is late is late as a whole.
        features: Which features are looked at.
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
    """Return a repair of some features as one of all."""
    order, late, sign = none(number)
    order[features], late[features], sign[features] = features[repair.order], repair.late, repair.sign
    rival = None if repair.rival is None else _placed(repair.rival, features, number)
    sure = None if repair.sure is None else frozenset(int(features[i]) for i in repair.sure)
    return dataclasses.replace(repair, order=order, late=late, sign=sign, rival=rival, sure=sure)


def _believed_of(
    first: Recording, second: Recording, blocks: Sequence[Block], alignment: Alignment, noise: Alignment
) -> Repair | None:
    """Return the repair that gains most by one kind of relations, if one is believed, with another that ties.

    In a regular gait, one leg does what another does half a period later, or with the opposite sign. What is noise
    does not, so it decides between repairs that are as good.
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
    """Return features whose places noise settles: its own, and terms reordered as a term of these."""
    sure = set(np.flatnonzero(noise.tied & noise.alive).tolist())
    inside = {tuple(order[list(b.columns)] - b.columns[0]) for b in blocks if sure >= set(b.columns)}
    alike = [b.columns for b in blocks if tuple(order[list(b.columns)] - b.columns[0]) in inside]
    return frozenset(sure.union(*alike))


def _same(one: Repair, other: Repair) -> bool:
    return bool((one.order == other.order).all() and (one.sign == other.sign).all())


def _as_one(order: np.ndarray, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """Yield orders in which other terms of one size are reordered as one of them is."""
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
    """Return how good a repair is, and the repair; None if it is not believed."""
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
    """Tell whether what is noise in the features goes together with the repair, too."""
    at = repair.features[noise.tied[repair.features]]
    if not len(at) or not noise.alive:
        return False
    before, after = (
        1 - noise.agreement(repair.order, repair.late, sign) for sign in (1 + 0 * repair.sign, repair.sign)
    )
    return bool(before[at].mean() > BROKEN and after[at].mean() <= RESTORED * before[at].mean())
