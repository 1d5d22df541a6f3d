"""Measure of how well an exercise separates strong submissions from weak ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_FEWEST = 10  # smallest number of submissions; with fewer, the result is chance
_FEWEST_OF_A_KIND = 5  # smallest number of right answers, and of answers that are not right


@dataclass(frozen=True)
class Separation:
    """Relation between the points of an exercise and the points of the rest.

    Attributes:
        right: Number of students who got the exercise right.
        others: Number of the other students who answered it.
        ahead: Mean points, on the rest of the assignment, of the students who got the exercise right, minus the mean of
            the other students.
        correlation: Correlation between the points of the exercise and the points of the rest; the point-biserial
            correlation if there are no partly right answers.
    """

    right: int
    others: int
    ahead: float
    correlation: float

    @property
    def verdict(self) -> str:
        """Verdict that follows the words "this exercise", with the usual limits of item analysis."""
        if self.correlation <= -0.2:
            return "separates strong submissions from weak ones in the wrong direction"
        if self.correlation < 0.2:
            return "hardly separates strong submissions from weak ones"
        return f"separates strong submissions from weak ones {'well' if self.correlation >= 0.3 else 'a little'}"

    @classmethod
    def of(cls, points: Sequence[float], rest: Sequence[float], right: Sequence[bool]) -> Separation | None:
        """Compare an exercise with the rest of the assignment; return None if there are too few data.

        Args:
            points: Points for the exercise, one value for each submission.
            rest: Points for all other exercises.
            right: Whether the answer is right, one value for each submission.
        """
        enough = len(points) >= _FEWEST and _FEWEST_OF_A_KIND <= sum(right) <= len(right) - _FEWEST_OF_A_KIND
        if not enough or len(set(points)) == 1 or len(set(rest)) == 1:
            return None
        good, others = (
            statistics.mean(score for score, is_right in zip(rest, right, strict=True) if is_right == kind)
            for kind in (True, False)
        )
        return cls(sum(right), len(right) - sum(right), good - others, statistics.correlation(points, rest))
