"""Checks that explain: hand one your function, and it says what is right, or which mistake yours looks like.

    from rsl_edu.course import check
    check.merge_moments(merge_moments)
    check.hint("merge_moments", 1)

A check is an :class:`Exercise`; a new lesson adds its exercises in a file of its own and their names here.
"""

from __future__ import annotations

from .check_normalization import DISCOUNTED_RETURN_SCALE, MERGE_MOMENTS, RUNNING_NORM
from .check_verdict import Text, Verdict
from .checking import Case, Exercise, Mistake

__all__ = [
    "EXERCISES",
    "Case",
    "Exercise",
    "Mistake",
    "Text",
    "Verdict",
    "discounted_return_scale",
    "hint",
    "merge_moments",
    "running_norm",
    "solution",
]

# Lesson 4
merge_moments = MERGE_MOMENTS
running_norm = RUNNING_NORM
discounted_return_scale = DISCOUNTED_RETURN_SCALE

EXERCISES = {exercise.name: exercise for exercise in (merge_moments, running_norm, discounted_return_scale)}


def hint(exercise: str, stage: int = 1) -> Text:
    """Hint for an exercise, by its name; ``stage`` 1 is vague, 3 almost the answer."""
    return _find(exercise).hint(stage)


def solution(exercise: str) -> Text:
    """Source of a right answer for an exercise, by its name."""
    return _find(exercise).solution


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise ValueError(f"exercise: expected one of {', '.join(EXERCISES)}; got {name!r}")
    return EXERCISES[name]
