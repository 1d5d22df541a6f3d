"""Checks that explain: each says whether your function is right and, if it is wrong, which mistake it seems to make.

::

    from rsl_edu.course import check
    check.merge_moments(merge_moments)
    check.hint("merge_moments", 1)

A check is an :class:`Exercise`, or a :class:`Choice` if the learner only makes a decision or finds a fault. The checks
of a lesson are in a folder with the lesson's name, with one file for each exercise and one for all choices. To add an
exercise, add a file and list it in the folder's ``EXERCISES``; to add a lesson, add a folder and list it here.
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
"""All exercises by name, lesson by lesson; each is also an attribute of this module."""
CHOICES: dict[str, Choice] = {choice.name: choice for lesson in _LESSONS for choice in lesson.CHOICES}
"""All choices by name, lesson by lesson; each is also an attribute. They belong to the lessons and are not graded."""


def __getattr__(name: str) -> Exercise | Choice:
    found = EXERCISES.get(name) or CHOICES.get(name)
    if found is None:
        known = ", ".join([*EXERCISES, *CHOICES])
        raise AttributeError(f"module {__name__!r} has no exercise {name!r}; it has {known}")
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *EXERCISES, *CHOICES])


def hint(exercise: str, stage: int = 1) -> Text:
    """Return a hint for an exercise, by name; ``stage`` 1 is vague, and 3 almost gives the answer."""
    return _find(exercise).hint(stage)


def solution(exercise: str) -> Text:
    """Return the source of a right answer for an exercise, by name."""
    return _find(exercise).solution


def _find(name: str) -> Exercise:
    if isinstance(name, str) and name in CHOICES:
        raise ValueError(f"exercise: {name!r} is a choice, which has no hints and no solution; call check.{name}(...)")
    if not isinstance(name, str) or name not in EXERCISES:
        raise ValueError(f"exercise: expected one of {', '.join(EXERCISES)}; got {name!r}")
    return EXERCISES[name]
