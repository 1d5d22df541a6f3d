"""Checks that explain: hand one your function, and it says what is right, or which mistake yours looks like.

::

    from rsl_edu.course import check
    check.merge_moments(merge_moments)
    check.hint("merge_moments", 1)

A check is an :class:`Exercise`, or a :class:`Choice` where one decides or finds a fault. Each lesson has its own in a
folder of its name, with a file for each exercise and one for all choices. A new exercise is a file and its name in the
folder's ``EXERCISES``; a new lesson is a folder and its name here.
"""

from __future__ import annotations

from . import cnn, distributions, mlp, normalization, policy, rnn
from .choice import Choice
from .exercise import Exercise
from .mistake import Mistake
from .trial import Case
from .verdict import Text, Verdict

__all__ = ["CHOICES", "EXERCISES", "Case", "Choice", "Exercise", "Mistake", "Text", "Verdict", "hint", "solution"]

_LESSONS = (mlp, cnn, rnn, normalization, distributions, policy)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for lesson in _LESSONS for exercise in lesson.EXERCISES}
"""All exercises by their names, lesson by lesson; each is an attribute of this module too."""
CHOICES: dict[str, Choice] = {choice.name: choice for lesson in _LESSONS for choice in lesson.CHOICES}
"""All choices by their names, in the same way; they stand in the lessons and are not graded."""


def __getattr__(name: str) -> Exercise | Choice:
    found = EXERCISES.get(name) or CHOICES.get(name)
    if found is None:
        known = ", ".join([*EXERCISES, *CHOICES])
        raise AttributeError(f"module {__name__!r} has no exercise {name!r}; there are {known}")
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *EXERCISES, *CHOICES])


def hint(exercise: str, stage: int = 1) -> Text:
    """Hint for an exercise, by its name; ``stage`` 1 is vague, 3 almost the answer."""
    return _find(exercise).hint(stage)


def solution(exercise: str) -> Text:
    """Source of a right answer for an exercise, by its name."""
    return _find(exercise).solution


def _find(name: str) -> Exercise:
    if isinstance(name, str) and name in CHOICES:
        raise ValueError(f"exercise: {name!r} is a choice, which has no hint and no solution: call check.{name}(...)")
    if not isinstance(name, str) or name not in EXERCISES:
        raise ValueError(f"exercise: expected one of {', '.join(EXERCISES)}; got {name!r}")
    return EXERCISES[name]
