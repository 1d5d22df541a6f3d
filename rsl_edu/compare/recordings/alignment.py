"""Which repair of the second recording makes its features go together as in the first: signs, lags, or an order."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from .data import Block, Recording
from .relations import FAR, NEAR, Relations, fast_part, relations, surprises
from .terms import looks

STRONG = 0.2
"""A correlation from which on it counts."""
ALIVE = 0.3
"""How much must move in the second recording, in units of the first, for its relations to tell."""
TIED = 0.3
"""Sum of the squares of a feature's relations from which on they can tell its sign, lag and place."""


SPLIT = 4
"""Parts of the second recording in each of which a repair must do."""
PARTS, SURE = 8, 4.0
"""Parts of the first recording in which a relation is looked for, and how many standard errors it must be from 0."""
EVERYWHERE = 0.7
"""How well a feature must go with the others, on average, in a part of the first recording."""
FIRM = 1.0
"""The same for at least one of the features that a repair changes."""
BROKEN, RESTORED = 0.03, 0.4
"""How far features must be from going together as in the first, and the part of it that a repair may leave."""
SIMPLE = 5e-4
"""What a repair must gain for each feature that it changes."""
MOVED = 0.15
"""What it costs to look for a feature in another place."""
STARTS = 4
"""The most orders that are improved, the cheapest of those to begin with."""
ROUNDS = 12
"""The most times that an order is improved."""
ALIKE = 4
"""The most terms of one size of which any may be reordered alike."""
LINKED = 0.1
"""How much of a relation has to be left for two features to tell each other's sign."""
SUBSETS = 12
"""The most blocks of which any may be late together."""


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
    """

    kind: str
    order: np.ndarray
    late: np.ndarray
    sign: np.ndarray
    before: float = 0.0
    after: float = 0.0

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


class Alignment:
    """The relations of the first recording that can be relied on, held against those of the second.

    Args:
        first: The first recording.
        second: The second.
        moving: What of both is correlated: :func:`.fast_part` or :func:`.surprises`.
    """

    def __init__(self, first: Recording, second: Recording, moving: Callable[[Recording], Recording]) -> None:
        rare = first.rarely_move()
        first, second = moving(first), moving(second)
        whole = relations(first)
        a, features = whole.r, whole.r.shape[1]
        parts = np.stack([relations(part).r for part in first.parts(PARTS)])
        error = parts.std(0, ddof=1) / np.sqrt(len(parts)) if len(parts) > 1 else np.inf
        holds = (np.abs(a) > STRONG) & (np.abs(parts.mean(0)) > SURE * error)
        holds[:, range(features), range(features)] = False
        holds[:, rare] = holds[:, :, rare] = False
        self.a, self.holds = np.where(holds, a, 0.0), holds.astype(float)
        self.strength = (self.a**2).sum((0, 2))
        part = np.array([(self.a * each).sum((0, 2)) for each in parts])
        norms = np.array([np.sqrt(self.strength * (self.holds * each**2).sum((0, 2))) for each in parts])
        self.tied = (self.strength > TIED) & ((part / np.maximum(norms, 1e-9)).mean(0) > EVERYWHERE)
        self.seen = [relations(each, FAR) for each in (second, *second.parts(SPLIT))]
        self.second = self.seen[0]
        like_second = first.parts(min(8, max(2, first.steps // second.steps)))[:4]
        self.like = [relations(part, FAR) for part in like_second]
        sizes = [np.median(np.abs(each.flat), axis=0)[self.tied] for each in (first, second)]
        self.alive = bool(self.tied.any() and np.median(sizes[1] / np.maximum(sizes[0], 1e-12)) > ALIVE)

    def tables(self, order: np.ndarray, second: Relations | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return for each shift the sums of products, and of the second's squares, ``[shifts, features, features]``."""
        second = second or self.second
        b = second.r[:, order][:, :, order]
        apart, near = second.apart, len(self.a) // 2
        shifts = range(-NEAR, NEAR + 1) if apart else range(1)
        seen = [b[apart - d - near : apart - d + near + 1] for d in shifts]
        return (
            np.stack([(self.a * part).sum(0) for part in seen]),
            np.stack([(self.holds * part**2).sum(0) for part in seen]),
        )

    def agreement(
        self, order: np.ndarray, late: np.ndarray, sign: np.ndarray, second: Relations | None = None
    ) -> np.ndarray:
        """Return for each feature how well it goes with the others, from -1 to 1; 1 where nothing ties it."""
        product, squares = self.tables(order, second)
        middle = len(product) // 2
        shift = (late[:, None] - late + middle).clip(0, 2 * middle)
        rows, columns = np.indices(shift.shape)
        product = product[shift, rows, columns] * sign[:, None] * sign
        norm = np.sqrt(self.strength * squares[shift, rows, columns].sum(1))
        return np.where(self.tied, product.sum(1) / np.maximum(norm, 1e-9), 1.0)

    def costs(self, order: np.ndarray, looks: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """Return what it costs to take feature ``j`` of the second for feature ``i`` of the first.

        Args:
            order: Where the others are.
            looks: What it costs by their looks.
            among: Which of the others count, ``[features]``; None takes all.
        """
        near, apart = len(self.a) // 2, self.second.apart
        seen = self.second.r[apart - near : apart + near + 1][:, :, order]
        a, holds, b = (
            (each if among is None else each[:, :, among]).transpose(1, 0, 2).reshape(len(order), -1)
            for each in (self.a, self.holds, seen)
        )
        strength = (a**2).sum(1)
        norm = np.sqrt(strength[:, None] * (holds @ (b**2).T))
        tied = self.tied & (strength > TIED)
        return np.asarray(np.where(tied[:, None], 1 - (a @ b.T) / np.maximum(norm, 1e-9), 0) + looks)


def none(features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order, the lags and the signs that change nothing."""
    return np.arange(features), np.zeros(features, int), np.ones(features)


def assign(cost: np.ndarray) -> np.ndarray:
    """Return for each row the column of the cheapest assignment (Kuhn and Munkres, by shortest paths)."""
    n = len(cost)
    v = cost.min(0)
    u = (cost - v).min(1)
    column_of, row_of = np.full(n, -1), np.full(n, -1)
    for row, column in enumerate((cost - v).argmin(1)):  # most rows find their column at once
        if row_of[column] < 0:
            column_of[row], row_of[column] = column, row
    for root in np.flatnonzero(column_of < 0):
        least, way = cost[root] - u[root] - v, np.full(n, root)
        done, total = np.zeros(n, bool), np.zeros(n)
        while True:
            column = int(np.where(done, np.inf, least).argmin())
            done[column], total[column] = True, least[column]
            row = row_of[column]
            if row < 0:
                break
            through = least[column] + cost[row] - u[row] - v
            better = ~done & (through < least)
            least[better], way[better] = through[better], row
        end = total[column]
        seen = np.flatnonzero(done)
        u[row_of[seen[seen != column]]] += end - total[seen[seen != column]]
        u[root] += end
        v[seen] -= end - total[seen]
        while True:
            row = way[column]
            row_of[column], column_of[row], column = row, column, column_of[row]
            if row == root:
                break
    return column_of


def by_order(alignment: Alignment, look: np.ndarray, blocks: Sequence[Block]) -> np.ndarray:
    """Return the order in which the features of the second go together best, and look most like those of the first."""
    features = len(look)
    home = np.arange(features)
    stay = look + MOVED * (1 - np.eye(features))

    def total(order: np.ndarray) -> float:
        return float(alignment.costs(order, stay)[home, order].sum())

    starts = sorted((home, assign(stay), *_alike(alignment, look, blocks)), key=total)
    order = min((_settled(alignment, start, stay) for start in starts[:STARTS]), key=total)
    for block in blocks:  # where some have moved, the others are not held any more
        columns = list(block.columns)
        if (order[columns] != columns).any():
            stay[columns] = look[columns]
    order = _settled(alignment, order, stay)
    for cycle in _cycles(order):  # nothing but their looks says that they have moved
        if not alignment.tied[cycle].any():
            order[cycle] = cycle
    return order


def _alike(alignment: Alignment, look: np.ndarray, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """Yield orders in which terms of one size, such as positions and velocities, are reordered alike."""
    by_size: dict[int, list[list[int]]] = {}
    for block in blocks:
        by_size.setdefault(len(block.columns), []).append(list(block.columns))
    for size, terms in by_size.items():
        chosen = [terms] if len(terms) > ALIKE else _several(terms)
        for some in chosen if size > 1 else ():
            others = np.setdiff1d(np.arange(len(look)), np.concatenate(some))
            order = np.arange(len(look))
            for among in (others, *[None] * (ROUNDS // 4)):
                cost = alignment.costs(order, look, among)
                inside = assign(np.sum([cost[np.ix_(term, term)] for term in some], axis=0))
                for term in some:
                    order[term] = np.array(term)[inside]
            yield order


def _several(terms: list[list[int]]) -> Iterator[list[list[int]]]:
    for number in range(1, len(terms) + 1):
        yield from (list(some) for some in itertools.combinations(terms, number))


def _settled(alignment: Alignment, order: np.ndarray, look: np.ndarray) -> np.ndarray:
    for _ in range(ROUNDS):
        order, before = assign(alignment.costs(order, look)), order
        if (order == before).all():
            break
    return order


def _cycles(order: np.ndarray) -> list[list[int]]:
    """Return the features that have changed places among each other."""
    left, found = set(np.flatnonzero(order != np.arange(len(order))).tolist()), []
    while left:
        cycle = [left.pop()]
        while int(order[cycle[-1]]) in left:
            cycle.append(int(order[cycle[-1]]))
            left.remove(cycle[-1])
        found.append(cycle)
    return found


def by_sign(alignment: Alignment) -> np.ndarray:
    """Return the signs with which the features of the second go together best, as leading eigenvectors have them."""
    order, _, sign = none(len(alignment.tied))
    product = alignment.tables(order)[0]
    product = product[len(product) // 2]
    scale = np.sqrt(np.maximum(alignment.strength, 1e-9))
    m = (product + product.T) / 2 / np.outer(scale, scale)
    for group in _groups(np.abs(product) > LINKED):
        if len(group) > 2:
            vector = np.linalg.eigh(m[np.ix_(group, group)])[1][:, -1]
            sign[group] = np.sign(vector) * np.sign(vector.sum() or 1.0)
    return np.where(sign == 0, 1.0, sign)


def by_lag(alignment: Alignment, blocks: Sequence[Block]) -> np.ndarray:
    """Return how many steps late the features of the second are: the blocks, and the lag, that go together best."""
    order, late, _ = none(len(alignment.tied))
    product = alignment.tables(order)[0]
    middle = len(product) // 2
    member = np.zeros((len(blocks), len(late)))
    for row, block in enumerate(blocks):
        member[row, list(block.columns)] = 1
    sums = [member @ part @ member.T for part in product]
    chosen = np.array(list(_subsets(len(blocks))), float)
    best = (0.0, late)
    for d in range(1, middle + 1):
        gain = sums[middle + d] - sums[middle]
        total = np.einsum("sb,bc,sc->s", chosen, gain, 1 - chosen)
        top = total.max(initial=0.0)
        if top > best[0]:
            near = np.flatnonzero(total >= 0.98 * top)
            fewest = near[(chosen[near] @ member).sum(1).argmin()]
            best = (top, (chosen[fewest] @ member * d).astype(int))
    return best[1]


def _subsets(number: int) -> Iterable[list[int]]:
    """Return which blocks may be late together: any of few; one, or a run, or two of many."""
    if number <= SUBSETS:
        yield from ([subset >> block & 1 for block in range(number)] for subset in range(1, 2**number - 1))
        return
    for first, last in itertools.combinations_with_replacement(range(number), 2):
        yield [int(first <= block <= last) for block in range(number)]
        if last > first + 1:
            yield [int(block in (first, last)) for block in range(number)]


def _groups(linked: np.ndarray) -> list[np.ndarray]:
    """Return the features that are linked with each other, directly or through others."""
    left, groups = set(range(len(linked))), []
    while left:
        group = {left.pop()}
        fresh = group
        while fresh:
            fresh = {int(j) for i in fresh for j in np.flatnonzero(linked[i])} & left
            left -= fresh
            group |= fresh
        groups.append(np.array(sorted(group)))
    return groups


def find_repair(first: Recording, second: Recording, blocks: Sequence[Block], features: np.ndarray) -> Repair | None:
    """Return the simplest repair with which the features of the second go together as in the first, if one is needed.

    It is believed if it restores most of what is broken, in each part of the second recording, and if more is broken
    than between parts of the first recording that are as long as the second.

    Args:
        first: The first recording.
        second: The second.
        blocks: The terms: what is late is late as a whole.
        features: Which features are looked at.
    """
    if len(features) < 3:
        return None
    place = {int(feature): i for i, feature in enumerate(features)}
    inside = [Block(b.name, tuple(place[c] for c in b.columns if c in place)) for b in blocks]
    here, there, terms = first.of(features), second.of(features), [b for b in inside if b.columns]
    found = [_best(here, there, terms, fast_part)]
    if first.ordered and second.ordered and (found[0] is None or found[0].kind != "lag"):
        found.append(_best(here, there, terms, surprises))
    believed = [each for each in found if each is not None]
    if not believed:
        return None
    best = max(believed, key=lambda each: each.after)
    order, late, sign = none(first.x.shape[2])
    order[features], late[features], sign[features] = features[best.order], best.late, best.sign
    return dataclasses.replace(best, order=order, late=late, sign=sign)


def _best(
    first: Recording, second: Recording, blocks: Sequence[Block], moving: Callable[[Recording], Recording]
) -> Repair | None:
    """Return the repair that gains most by one kind of relations, if one is believed."""
    alignment = Alignment(first, second, moving)
    if not alignment.second.samples or not alignment.alive:
        return None
    order, late, sign = none(len(alignment.tied))
    if (alignment.agreement(order, late, sign) > 1 - BROKEN).all():
        return None
    alternatives = [Repair("sign", order, late, by_sign(alignment))]
    if alignment.second.apart and moving is fast_part:
        alternatives.append(Repair("lag", order, by_lag(alignment, blocks), sign))
    alternatives.append(Repair("order", by_order(alignment, looks(first, second), blocks), late, sign))
    believed = [judged for each in alternatives if (judged := _believed(alignment, each)) is not None]
    return max(believed, key=lambda each: each[0])[1] if believed else None


def _believed(alignment: Alignment, repair: Repair) -> tuple[float, Repair] | None:
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
    better = dataclasses.replace(repair, before=1 - before[at].mean(), after=1 - after[at].mean())
    return float(before.mean() - after.mean()) - SIMPLE * len(repair.features), better
