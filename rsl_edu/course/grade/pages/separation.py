"""How well an exercise separates strong submissions from weak ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_FEWEST = 10  # submissions; of fewer, chance decides
_FEWEST_OF_A_KIND = 5  # right ones, and others


@dataclass(frozen=True)
class Separation:
    """What the points of an exercise tell of the rest.

    Attributes:
        right: How many got it right.
        others: How many did not.
        ahead: Mean points on the rest of those who got it right, minus that of the others.
        correlation: Of the points of the exercise with those of the rest; the point-biserial one if there are no
            partly right answers.
    """

    right: int
    others: int
    ahead: float
    correlation: float

    @property
    def verdict(self) -> str:
        """What follows "this exercise"; the limits are those that item analysis commonly takes."""
        if self.correlation <= -0.2:
            return "separates strong submissions from weak ones the wrong way round"
        if self.correlation < 0.2:
            return "hardly separates strong submissions from weak ones"
        return f"separates strong submissions from weak ones {'well' if self.correlation >= 0.3 else 'a little'}"

    @classmethod
    def of(cls, points: Sequence[float], rest: Sequence[float], right: Sequence[bool]) -> Separation | None:
        """Compare an exercise with the rest of the assignment; None where that says nothing.

        Args:
            points: Points for the exercise, one for each submission.
            rest: Points for all others.
            right: Whether the exercise is right.
        """
        enough = len(points) >= _FEWEST and _FEWEST_OF_A_KIND <= sum(right) <= len(right) - _FEWEST_OF_A_KIND
        if not enough or len(set(points)) == 1 or len(set(rest)) == 1:
            return None
        good, others = (
            statistics.mean(score for score, is_right in zip(rest, right, strict=True) if is_right == kind)
            for kind in (True, False)
        )
        return cls(sum(right), len(right) - sum(right), good - others, statistics.correlation(points, rest))
