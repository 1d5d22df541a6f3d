"""What the tests of two recordings look at, and what they return."""

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
"""Fewest transitions that carry a verdict on means, sizes and relations: those of 300 steps of one robot."""
SHOWN = 4
"""The most features that are named one by one."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A difference that a test found.

    Attributes:
        kind: Its row in the table of differences.
        features: Which features differ.
        figure: What was seen, with its number.
        second: The second recording without the difference; None if that cannot be undone, and the later tests must
            leave these features out.
    """

    kind: str
    features: tuple[int, ...]
    figure: str
    second: Recording | None = None


class UncheckedError(Exception):
    """A test that cannot be made; the message says what is missing."""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Two recordings, and what is explained of their difference.

    Attributes:
        first: The first.
        second: The second, with what was found undone.
        names: Names of the features; if ``named`` is False, made up.
        named: Whether they have names of their own.
        blocks: The terms.
        explained: Features for which something was found.
        closed: Features that no test may look at any more.
        undone: What was repaired: kind and features.
        dt: Seconds between two steps of the first, or None.
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
        """Statistics of the second against the first."""
        return statistics(self.first, self.second)

    @functools.cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Positions and velocities of the first."""
        return find_pairs(self.first)

    @functools.cached_property
    def changes(self) -> tuple[Change, ...]:
        """What became of them in the second."""
        open_pairs = tuple(pair for pair in self.pairs if not {pair.position, pair.velocity} & self.closed)
        return changes(open_pairs, self.second)

    @property
    def repair(self) -> Repair | None:
        """What makes the features of the second go together as in the first, if anything is needed and does it."""
        return self._repair_and_tied[0]

    @functools.cached_property
    def _repair_and_tied(self) -> tuple[Repair | None, np.ndarray]:
        return find_repair(self.first, self.second, self.blocks, np.flatnonzero(self.open))

    @property
    def loose(self) -> np.ndarray:
        """Which features go with no other in the first, so nothing tells their sign and lag, ``[features]``, bool."""
        look = np.asarray(self.unexplained & ~self.acts)
        paired = {i for pair in self.pairs for i in (pair.position, pair.velocity)}
        look[[*paired, *self._repair_and_tied[1]]] = False
        return look

    @property
    def open(self) -> np.ndarray:
        """Which features are looked at: they move in both recordings, ``[features]``, bool."""
        look = np.asarray(~self.statistics.constant.any(0))
        look[list(self.closed)] = False
        return look

    @property
    def unexplained(self) -> np.ndarray:
        """Which of them nothing was found for, ``[features]``, bool."""
        look = self.open
        look[list(self.explained)] = False
        return look

    @property
    def commanded(self) -> np.ndarray:
        """Which features are commands by their names: what is asked of the robot may differ, ``[features]``, bool."""
        return np.array(["command" in name for name in self.names])

    @functools.cached_property
    def acts(self) -> np.ndarray:
        """Which features are actions, by their names or as copies of recorded ones, ``[features]``, bool.

        Their size may differ: a policy samples them in training, and plays their mean.
        """
        found = np.array([name.startswith((SENT, "action", "last_action")) for name in self.names])
        for pair in self.pairs:
            if pair.copied and found[pair.velocity]:
                found[pair.position] = True
        return found

    @property
    def free(self) -> np.ndarray:
        """Which features may lawfully differ between two recordings of one policy, ``[features]``, bool."""
        return np.asarray(self.commanded | self.acts)

    def block_of(self, feature: int) -> Block:
        """Return the term of a feature."""
        return next(block for block in self.blocks if feature in block.columns)

    def by_term(self, features: Iterable[int]) -> Iterator[tuple[int, ...]]:
        """Yield features term by term; without names, in runs of consecutive ones."""
        at = sorted(int(feature) for feature in features)
        if not self.named:
            yield from (tuple(range(low, high + 1)) for low, high in runs(at))
            return
        for block in self.blocks:
            if inside := tuple(column for column in block.columns if column in at):
                yield inside

    def after(self, found: Found) -> Evidence:
        """Return what is left to look at."""
        explained = self.explained | frozenset(found.features)
        if found.second is None:
            return dataclasses.replace(self, explained=explained, closed=self.closed | frozenset(found.features))
        undone = self.undone | {(found.kind, found.features)}
        return dataclasses.replace(self, explained=explained, second=found.second, undone=undone)

    def require_time(self) -> None:
        """Raise :class:`UncheckedError` if the rows of a recording do not follow each other."""
        if not (self.first.ordered and self.second.ordered):
            raise UncheckedError("needs recordings in the order of time, [time, envs, features]")

    def require_length(self) -> None:
        """Raise :class:`UncheckedError` if a recording is too short for a verdict."""
        if min(self.first.steps, self.second.steps) < LONG:
            raise UncheckedError(f"needs {LONG + 1} samples of each recording")

    def spoken(self, features: Iterable[int]) -> str:
        """Name features: whole terms, or each of a few, or how many."""
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
    """Yield first and last of each run of consecutive numbers."""
    start = 0
    for i in range(1, len(features) + 1):
        if i == len(features) or features[i] != features[i - 1] + 1:
            yield features[start], features[i - 1]
            start = i
