"""Results of each exercise for the report: shares, named mistakes with their students, and a typical answer."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Task

from ..gradebook import Row
from ..marking import Mark
from .render import Link, links
from .separation import Separation
from .typical import typical
from .words import UNANSWERED, advice, headline

_VAGUE = ("exception", "partial", "unknown")  # each of these names can stand for many different mistakes
Answer = tuple[Row, Mark]
"""A submission, and its mark for one exercise."""


@dataclass(frozen=True)
class Mistake:
    """A mistake in the answers to an exercise.

    Attributes:
        name: Name of the mistake.
        students: Students who made it.
        headline: What such an answer does, addressed to these students; empty if only their pages describe it.
        why: What to do about it, addressed to these students; may be empty.
        said: The most frequent message on their pages; empty if the headline is enough.
        code: A typical answer; empty if none can be shown, or if only one student made the mistake.
    """

    name: str
    students: tuple[Link, ...]
    headline: str
    why: str
    said: str
    code: str


@dataclass(frozen=True)
class Exercise:
    """Results of an exercise.

    Attributes:
        name: Name of the exercise.
        maximum: Points for a right answer.
        parts: Number of answers of each kind in :data:`PARTS`.
        manual: Whether it is marked by hand.
        mean: Mean points; None if there are none yet, or if every answer got either all points or none.
        separation: How well the exercise separates strong from weak students who answered it; None if unknown.
        mistakes: The mistakes, the most frequent first; an answer can contain two.
        unanswered: Reasons why there was no answer to judge, each with its students.
        waiting: Students whose answers are still to be marked.
    """

    name: str
    maximum: float
    parts: dict[str, int]
    manual: bool
    mean: float | None
    separation: Separation | None
    mistakes: tuple[Mistake, ...]
    unanswered: tuple[tuple[str, tuple[Link, ...]], ...]
    waiting: tuple[Link, ...]

    @property
    def total(self) -> int:
        """Number of submissions."""
        return sum(self.parts.values())

    @property
    def judged(self) -> int:
        """Number of submissions that have points."""
        return self.total - self.parts["to be marked"]


def exercise(task: Task, tasks: Sequence[Task], graded: Sequence[Row], folder: str) -> Exercise:
    """Return the results of an exercise.

    Args:
        task: The exercise.
        tasks: All exercises of the assignment.
        graded: The graded submissions.
        folder: Name of the folder with the students' pages.
    """
    answers = answers_to(task, graded)
    parts = Counter(part(task, mark) for _, mark in answers)
    known = [mark.points for _, mark in answers if mark.points is not None]
    partly = any(0 < points < task.points for points in known)
    unanswered = [
        (why, links([row for row, mark in answers if mark.mistake == name and not is_right(task, mark)], folder))
        for name, why in UNANSWERED.items()
    ]
    return Exercise(
        task.name,
        task.points,
        {name: parts[name] for name in PARTS},
        task.manual,
        statistics.mean(known) if partly or (task.manual and known) else None,
        _separation(task, tasks, graded),
        tuple(_mistake(task, name, made, folder) for name, made in mistakes(task, answers)),
        tuple((why, who) for why, who in unanswered if who),
        links([row for row, mark in answers if mark.points is None], folder),
    )


PARTS = ("right", "partly right", "wrong", "not answered", "lost", "to be marked")
"""Kinds of answers."""


def part(task: Task, mark: Mark) -> str:
    """Return the kind of an answer, one of :data:`PARTS`."""
    if mark.points is None:
        return "to be marked"
    if is_right(task, mark):
        return "right"
    if mark.points > 0:
        return "partly right"
    if mark.mistake in UNANSWERED:
        return "lost" if mark.mistake == "lost" else "not answered"
    return "wrong"


def is_right(task: Task, mark: Mark) -> bool:
    """Return whether an answer has all points, from the check or by hand."""
    return mark.points is not None and mark.points >= task.points


def answers_to(task: Task, rows: Sequence[Row]) -> list[Answer]:
    """Return the answers to an exercise."""
    return [(row, mark) for row in rows for mark in row.marks if mark.task == task.name]


def mistakes(task: Task, answers: Sequence[Answer]) -> list[tuple[str, list[Answer]]]:
    """Return the mistakes in an exercise by name, each with the answers that contain it, the most frequent first."""
    made: dict[str, list[Answer]] = defaultdict(list)
    for row, mark in answers:
        if mark.mistake and mark.mistake not in UNANSWERED and not is_right(task, mark):
            for name in mark.mistake.split(" + "):
                made[name].append((row, mark))
    return sorted(made.items(), key=lambda each: (-len(each[1]), each[0]))


def to_say(exercises: Sequence[Exercise]) -> list[tuple[Exercise, Mistake]]:
    """Return the mistakes to discuss in class: at most five, each by at least two students and a tenth of the class.

    Args:
        exercises: Results of all exercises.
    """
    frequent = [
        (each, mistake)
        for each in exercises
        for mistake in each.mistakes
        if len(mistake.students) >= max(2, math.ceil(each.total / 10)) and mistake.name not in _VAGUE
    ]
    return sorted(frequent, key=lambda pair: -len(pair[1].students))[:5]


def _mistake(task: Task, name: str, made: Sequence[Answer], folder: str) -> Mistake:
    alone = [(row, mark) for row, mark in made if mark.mistake == name]
    said, times = _most_frequent(headline(mark.message) for _, mark in alone)
    says, why = advice(task.name, name)
    if not says:
        said = said or name.replace("-", " ")
    elif name not in _VAGUE or times == 1:
        said = ""
    code = typical((row.submission, mark.answer) for row, mark in alone or made) if len(made) > 1 else ""
    return Mistake(name, links([row for row, _ in made], folder), says, why, said, code)


def _most_frequent(sentences: Iterable[str]) -> tuple[str, int]:
    """Return the most frequent sentence and how often it occurs; an empty string if there is none."""
    return next(iter(Counter(sentences).most_common(1)), ("", 0))


def _separation(task: Task, tasks: Sequence[Task], graded: Sequence[Row]) -> Separation | None:
    """Compare an exercise with the other exercises, for the students who answered it.

    Only exercises that are marked for everybody count. Students without an answer are left out, because they tend to
    have few points on the other exercises as well, whatever this exercise is like.
    """
    given = [{mark.task: mark.points for mark in row.marks} for row in graded]
    marked = {each.name for each in tasks if all(row.get(each.name) is not None for row in given)}
    if task.name not in marked:
        return None
    parts = (part(task, mark) for _, mark in answers_to(task, graded))
    answered = [row for row, its in zip(given, parts, strict=True) if its not in ("not answered", "lost")]
    own = [row[task.name] or 0.0 for row in answered]
    rest = [sum(row[name] or 0.0 for name in sorted(marked - {task.name})) for row in answered]
    return Separation.of(own, rest, [points >= task.points for points in own])
