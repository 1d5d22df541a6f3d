"""Input and output of the tests of two recordings."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .data import SENT, Block, Recording
from .pairs import Change, Pair, changes, find_pairs
from .repairs import Repair, find_repair
from .statistics import Statistics, statistics

LONG = 299
"""Fewest transitions for a verdict on means, sizes and relations: the transitions in 300 steps of one robot."""
SHOWN = 4
"""Largest number of features to name one by one."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A difference that a test found.

    Attributes:
        kind: Key of its row in the table of differences.
        features: Features that differ.
        figure: What was observed, with numbers.
        second: The second recording without the difference; None if the difference cannot be undone, so that the later
            tests must ignore these features.
    """

    kind: str
    features: tuple[int, ...]
    figure: str
    second: Recording | None = None


class UncheckedError(Exception):
    """Raised by a test that cannot run; the message states what is missing."""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Two recordings, and the differences between them that are already explained.

    Attributes:
        first: The first recording.
        second: The second recording, with the differences found so far undone.
        names: Names of the features; generated if ``named`` is False.
        named: Whether the features have real names.
        blocks: The terms.
        explained: Features for which a difference was found.
        closed: Features that later tests must ignore.
        undone: Differences that were undone, as kind and features.
        dt: Seconds between two steps of the first recording, or None.
    """

    first: Recording
    second: Recording
    names: tuple[str, ...]
    named: bool
    blocks: tuple[Block, ...]
    explained: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    undone: frozenset[tuple[str, tuple[int, ...]]] = frozenset()
    dt: float | None = None

    @functools.cached_property
    def statistics(self) -> Statistics:
        """Statistics of the second recording relative to the first."""
        return statistics(self.first, self.second)

    @functools.cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Pairs of positions and velocities in the first recording."""
        return find_pairs(self.first)

    @functools.cached_property
    def changes(self) -> tuple[Change, ...]:
        """The pairs of positions and velocities in the second recording."""
        open_pairs = tuple(pair for pair in self.pairs if not {pair.position, pair.velocity} & self.closed)
        return changes(open_pairs, self.second)

    @property
    def repair(self) -> Repair | None:
        """Repair that makes the second recording's features correlate as in the first; None if none is found."""
        return self._repair_and_tied[0]

    @functools.cached_property
    def _repair_and_tied(self) -> tuple[Repair | None, np.ndarray]:
        return find_repair(self.first, self.second, self.blocks, np.flatnonzero(self.open))

    @property
    def loose(self) -> np.ndarray:
        """Features without correlations in the first recording, so sign and lag are unknown, ``[features]``, bool."""
        look = np.asarray(self.unexplained & ~self.acts)
        paired = {i for pair in self.pairs for i in (pair.position, pair.velocity)}
        look[[*paired, *self._repair_and_tied[1]]] = False
        return look

    @property
    def open(self) -> np.ndarray:
        """Features to test, which vary in both recordings, ``[features]``, bool."""
        look = np.asarray(~self.statistics.constant.any(0))
        look[list(self.closed)] = False
        return look

    @property
    def unexplained(self) -> np.ndarray:
        """Features to test in which no difference was found so far, ``[features]``, bool."""
        look = self.open
        look[list(self.explained)] = False
        return look

    @property
    def commanded(self) -> np.ndarray:
        """Features that are commands by their names and may therefore differ, ``[features]``, bool."""
        return np.array(["command" in name for name in self.names])

    @functools.cached_property
    def acts(self) -> np.ndarray:
        """Features that are actions, by their names or as copies of recorded actions, ``[features]``, bool.

        Their size may differ, because a policy samples actions in training and uses their mean in play.
        """
        found = np.array([name.startswith((SENT, "action", "last_action")) for name in self.names])
        for pair in self.pairs:
            if pair.copied and found[pair.velocity]:
                found[pair.position] = True
        return found

    @property
    def free(self) -> np.ndarray:
        """Features that may differ between two recordings of the same policy, ``[features]``, bool."""
        return np.asarray(self.commanded | self.acts)

    def block_of(self, feature: int) -> Block:
        """Return the term that contains a feature."""
        return next(block for block in self.blocks if feature in block.columns)

    def by_term(self, features: Iterable[int]) -> Iterator[tuple[int, ...]]:
        """Yield features term by term; without names, in runs of consecutive features."""
        at = sorted(int(feature) for feature in features)
        if not self.named:
            yield from (tuple(range(low, high + 1)) for low, high in runs(at))
            return
        for block in self.blocks:
            if inside := tuple(column for column in block.columns if column in at):
                yield inside

    def after(self, found: Found) -> Evidence:
        """Return the evidence that remains after a difference was found."""
        explained = self.explained | frozenset(found.features)
        if found.second is None:
            return dataclasses.replace(self, explained=explained, closed=self.closed | frozenset(found.features))
        undone = self.undone | {(found.kind, found.features)}
        return dataclasses.replace(self, explained=explained, second=found.second, undone=undone)

    def require_time(self) -> None:
        """Raise :class:`UncheckedError` if the rows of a recording are not in the order of time."""
        if not (self.first.ordered and self.second.ordered):
            raise UncheckedError("needs recordings in the order of time, [time, envs, features]")

    def require_length(self) -> None:
        """Raise :class:`UncheckedError` if a recording is too short for a verdict."""
        if min(self.first.steps, self.second.steps) < LONG:
            raise UncheckedError(f"needs {LONG + 1} samples of each recording")

    def spoken(self, features: Iterable[int]) -> str:
        """Describe features by their terms, by their names, or only by how many they are."""
        left, said = set(features), []
        for block in self.blocks:
            inside = [column for column in block.columns if column in left]
            if inside and len(inside) == len(block.columns):
                said.append(block.name if self.named and len(inside) > 1 else self.names[inside[0]])
            elif inside and len(inside) <= SHOWN:
                said += [self.names[column] for column in inside]
            elif inside:
                said.append(f"{len(inside)} of {block.name}")
        if not self.named:
            seen = {column for column in left if column < self.first.observed}
            said = [self._run(*ends) for part in (seen, left - seen) for ends in runs(sorted(part))]
        rest = len(said) - 2 * SHOWN
        return ", ".join(said if rest <= 1 else [*said[: 2 * SHOWN], f"and {rest} more"])

    def _run(self, low: int, high: int) -> str:
        first, last = self.names[low], self.names[high]
        if low == high:
            return first
        return (
            f"{first} to {last}" if SENT in first else f"{first.replace('feature', 'features')} to {last.split()[-1]}"
        )


def runs(features: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each run of consecutive numbers."""
    start = 0
    for i in range(1, len(features) + 1):
        if i == len(features) or features[i] != features[i - 1] + 1:
            yield features[start], features[i - 1]
            start = i
