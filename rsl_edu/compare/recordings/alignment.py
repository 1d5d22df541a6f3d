"""Match of the correlations in two recordings, and the signs, lags and orders that maximize it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from .data import Block, Recording
from .relations import FAR, NEAR, Relations, relations

STRONG = 0.2
"""Smallest correlation that counts."""
ALIVE = 0.3
"""Smallest motion in the second recording, relative to the first, for its correlations to be used."""
TIED = 0.3
"""Smallest sum of a feature's squared correlations for determining its sign, lag and position."""


SPLIT = 4
"""Number of parts into which the second recording is divided; a repair must work in each part."""
PARTS, SURE = 8, 4.0
"""Number of parts of the first recording, and the distance from 0 that a correlation must have, in standard errors."""
EVERYWHERE = 0.7
"""Smallest mean match of a feature's correlations between a part of the first recording and all of it."""
MOVED = 0.15
"""Cost of assigning a feature to another position."""
STARTS = 4
"""Largest number of initial orders to improve, the cheapest first."""
ROUNDS = 12
"""Largest number of improvements of one order."""
ALIKE = 4
"""If at most this many terms have the same size, every combination of equally reordered terms is tried."""
LINKED = 0.1
"""Smallest remaining correlation with which two features determine each other's sign."""
SUBSETS = 12
"""Up to this many terms, every combination of late terms is tried."""


class Alignment:
    """Comparison of the first recording's reliable correlations with the second's.

    Args:
        first: The first recording.
        second: The second recording.
        moving: Function that extracts the part to correlate: :func:`.fast_part` or :func:`.surprises`.
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
        """Return sums of products and of the second's squares for each shift, each ``[shifts, features, features]``."""
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
        """Return how well the correlations of each feature match, from -1 to 1; 1 if it has no strong correlations."""
        product, squares = self.tables(order, second)
        middle = len(product) // 2
        shift = (late[:, None] - late + middle).clip(0, 2 * middle)
        rows, columns = np.indices(shift.shape)
        product = product[shift, rows, columns] * sign[:, None] * sign
        norm = np.sqrt(self.strength * squares[shift, rows, columns].sum(1))
        return np.where(self.tied, product.sum(1) / np.maximum(norm, 1e-9), 1.0)

    def costs(self, order: np.ndarray, looks: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """Return the cost ``[i, j]`` of matching feature ``j`` of the second recording with feature ``i`` of the first.

        Args:
            order: Positions of the other features.
            looks: Cost from the statistics of single features, ``[features, features]``.
            among: Indices of the other features that count; None takes all.
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
    """Return the column of each row in the cheapest assignment (Kuhn-Munkres algorithm with shortest paths)."""
    n = len(cost)
    v = cost.min(0)
    u = (cost - v).min(1)
    column_of, row_of = np.full(n, -1), np.full(n, -1)
    for row, column in enumerate((cost - v).argmin(1)):  # most rows get their column immediately
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
    """Return the order in which the second recording's correlations and statistics match the first recording best."""
    features = len(look)
    home = np.arange(features)
    stay = look + MOVED * (1 - np.eye(features))

    def total(order: np.ndarray) -> float:
        return float(alignment.costs(order, stay)[home, order].sum())

    starts = sorted((home, assign(stay), *_alike(alignment, look, blocks)), key=total)
    order = min((_settled(alignment, start, stay) for start in starts[:STARTS]), key=total)
    for block in blocks:  # if some features of a term have moved, the others may move without extra cost
        columns = list(block.columns)
        if (order[columns] != columns).any():
            stay[columns] = look[columns]
    order = _settled(alignment, order, stay)
    for cycle in _cycles(order):  # undo moves that only the statistics of single features suggest
        if not alignment.tied[cycle].any():
            order[cycle] = cycle
    return order


def _alike(alignment: Alignment, look: np.ndarray, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """Yield orders that reorder terms of equal size, such as positions and velocities, in the same way."""
    by_size: dict[int, list[list[int]]] = {}
    for block in blocks:
        by_size.setdefault(len(block.columns), []).append(list(block.columns))
    for size, terms in by_size.items():
        chosen = [terms] if len(terms) > ALIKE else several(terms)
        for some in chosen if size > 1 else ():
            others = np.setdiff1d(np.arange(len(look)), np.concatenate(some))
            order = np.arange(len(look))
            for among in (others, *[None] * (ROUNDS // 4)):
                cost = alignment.costs(order, look, among)
                inside = assign(np.sum([cost[np.ix_(term, term)] for term in some], axis=0))
                for term in some:
                    order[term] = np.array(term)[inside]
            yield order


def several(terms: list[list[int]]) -> Iterator[list[list[int]]]:
    """Yield all non-empty combinations of the given terms."""
    for number in range(1, len(terms) + 1):
        yield from (list(some) for some in itertools.combinations(terms, number))


def _settled(alignment: Alignment, order: np.ndarray, look: np.ndarray) -> np.ndarray:
    for _ in range(ROUNDS):
        order, before = assign(alignment.costs(order, look)), order
        if (order == before).all():
            break
    return order


def _cycles(order: np.ndarray) -> list[list[int]]:
    """Return the groups of features that have swapped positions."""
    left, found = set(np.flatnonzero(order != np.arange(len(order))).tolist()), []
    while left:
        cycle = [left.pop()]
        while int(order[cycle[-1]]) in left:
            cycle.append(int(order[cycle[-1]]))
            left.remove(cycle[-1])
        found.append(cycle)
    return found


def by_sign(alignment: Alignment) -> np.ndarray:
    """Return the signs with which the second recording's correlations match the first best, using eigenvectors."""
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
    """Return each feature's lag in the second recording, in steps, for the best match of late terms and their lag."""
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
    """Yield combinations of blocks that may be late together; if there are many, only runs and pairs of blocks."""
    if number <= SUBSETS:
        yield from ([subset >> block & 1 for block in range(number)] for subset in range(1, 2**number - 1))
        return
    for first, last in itertools.combinations_with_replacement(range(number), 2):
        yield [int(first <= block <= last) for block in range(number)]
        if last > first + 1:
            yield [int(block in (first, last)) for block in range(number)]


def _groups(linked: np.ndarray) -> list[np.ndarray]:
    """Return the groups of features that are linked, directly or through others."""
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
