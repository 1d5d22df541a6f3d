"""Comparison of a class with an earlier class that had the same assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Task

from ..gradebook import Row
from .counts import answers_to, is_right, mistakes


@dataclass(frozen=True)
class Change:
    """Change of an exercise's results since the earlier class.

    Attributes:
        name: Name of the exercise.
        earlier: Number of right answers and of all answers in the earlier class.
        now: Number of right answers and of all answers in this class.
        new: Mistakes that nobody made earlier, with the number of students who make them now.
        gone: Mistakes that nobody makes now, with the number of students who made them earlier.
    """

    name: str
    earlier: tuple[int, int]
    now: tuple[int, int]
    new: tuple[tuple[str, int], ...]
    gone: tuple[tuple[str, int], ...]


def changes(tasks: Sequence[Task], now: Sequence[Row], earlier: Sequence[Row]) -> list[Change]:
    """Compare two classes exercise by exercise, for exercises that both had and that are not marked by hand.

    Args:
        tasks: The exercises.
        now: Graded submissions of this class.
        earlier: Graded submissions of the earlier class.
    """
    compared = []
    for task in (task for task in tasks if not task.manual):
        here, there = answers_to(task, now), answers_to(task, earlier)
        if here and there:
            made, made_then = ({name: len(of) for name, of in mistakes(task, answers)} for answers in (here, there))
            right, right_then = (sum(is_right(task, mark) for _, mark in answers) for answers in (here, there))
            new = tuple((name, count) for name, count in made.items() if name not in made_then)
            gone = tuple((name, count) for name, count in made_then.items() if name not in made)
            compared.append(Change(task.name, (right_then, len(there)), (right, len(here)), new, gone))
    return compared
