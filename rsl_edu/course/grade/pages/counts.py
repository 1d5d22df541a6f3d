"""What the report says of each exercise: shares, mistakes by name, who made them, and a typical answer."""

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

_VAGUE = ("exception", "partial", "unknown")  # names of what may be many mistakes
Answer = tuple[Row, Mark]
"""A submission, and its mark for one exercise."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that was made in an exercise.

    Attributes:
        name: Its name.
        students: Who made it.
        headline: What such an answer does, spoken to those who made it; empty if only their pages tell of it.
        why: What to do about it, spoken to them too; empty if there is nothing to say.
        said: What their pages say, most often the same; empty if the headline says enough.
        code: A typical answer; empty if there is none to be shown, or if it is only one student's.
    """

    name: str
    students: tuple[Link, ...]
    headline: str
    why: str
    said: str
    code: str


@dataclass(frozen=True)
class Exercise:
    """What came of an exercise.

    Attributes:
        name: Its name.
        maximum: Points for a right answer.
        parts: How many answers are what, by the words of :data:`PARTS`.
        manual: Whether it is marked by hand.
        mean: Mean points; None if nobody has any yet, or if a check gave each answer all of them or none.
        separation: How well it separates strong from weak among those who answered it; None if that cannot be said.
        mistakes: The mistakes, the most frequent first; an answer can make two.
        unanswered: Why there was nothing to judge, with whom.
        waiting: Whose answers are to be marked.
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
        """How many submissions there are."""
        return sum(self.parts.values())

    @property
    def judged(self) -> int:
        """How many of them have points."""
        return self.total - self.parts["to be marked"]


def exercise(task: Task, tasks: Sequence[Task], graded: Sequence[Row], folder: str) -> Exercise:
    """Count what came of an exercise.

    Args:
        task: The exercise.
        tasks: All exercises of the assignment.
        graded: The submissions that were graded.
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
"""What an answer can be."""


def part(task: Task, mark: Mark) -> str:
    """Return which of :data:`PARTS` an answer is."""
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
    """Whether an answer has all points, be they given by hand."""
    return mark.points is not None and mark.points >= task.points


def answers_to(task: Task, rows: Sequence[Row]) -> list[Answer]:
    """Return the answers to an exercise."""
    return [(row, mark) for row in rows for mark in row.marks if mark.task == task.name]


def mistakes(task: Task, answers: Sequence[Answer]) -> list[tuple[str, list[Answer]]]:
    """Return the names of the mistakes in an exercise and the answers that make them, the most frequent first."""
    made: dict[str, list[Answer]] = defaultdict(list)
    for row, mark in answers:
        if mark.mistake and mark.mistake not in UNANSWERED and not is_right(task, mark):
            for name in mark.mistake.split(" + "):
                made[name].append((row, mark))
    return sorted(made.items(), key=lambda each: (-len(each[1]), each[0]))


def to_say(exercises: Sequence[Exercise]) -> list[tuple[Exercise, Mistake]]:
    """Return what is worth a word in class: at most five mistakes that a tenth of it made, and at least two students.

    Args:
        exercises: What came of each exercise.
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
    """Return the most frequent sentence, and how often it is there; an empty one if there is none."""
    return next(iter(Counter(sentences).most_common(1)), ("", 0))


def _separation(task: Task, tasks: Sequence[Task], graded: Sequence[Row]) -> Separation | None:
    """Compare an exercise with the others, among those who answered it.

    Only exercises that are marked for everybody count. Students without an answer are left out: they tend to have few
    points on the rest too, whatever the exercise is like.
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
