"""A class next to an earlier one that had the same assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Task

from ..gradebook import Row
from .counts import answers_to, is_right, mistakes


@dataclass(frozen=True)
class Change:
    """What became of an exercise since the earlier class.

    Attributes:
        name: Name of the exercise.
        earlier: How many answers were right, and of how many.
        now: The same of this class.
        new: Mistakes that nobody made earlier, and how many make them now.
        gone: Mistakes that nobody makes now, and how many made them earlier.
    """

    name: str
    earlier: tuple[int, int]
    now: tuple[int, int]
    new: tuple[tuple[str, int], ...]
    gone: tuple[tuple[str, int], ...]


def changes(tasks: Sequence[Task], now: Sequence[Row], earlier: Sequence[Row]) -> list[Change]:
    """Compare two classes, exercise by exercise; without those that one of them did not have, and those marked by hand.

    Args:
        tasks: The exercises.
        now: Submissions of this class that were graded.
        earlier: Those of the earlier class.
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
