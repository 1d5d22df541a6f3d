"""The page for a student: points, what is wrong with each answer, and what happened to the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Assignment, Task
from rsl_edu.course.check import Verdict

from ..gradebook import GRADED, Row
from ..marking import Mark
from .render import harmless, render
from .words import NOTES


@dataclass(frozen=True)
class ByHand:
    """Points of an exercise that were entered by hand.

    Attributes:
        before: What the grader gave; None if nothing. The same as now if there is only a comment.
        comment: Why, in the instructor's words.
    """

    before: float | None
    comment: str = ""


def feedback(
    assignment: Assignment,
    row: Row,
    *,
    by_hand: Mapping[str, ByHand] | None = None,
    taken_off: float = 0.0,
    late: str = "",
    others: Sequence[str] = (),
) -> str:
    """Return the page for a student.

    Args:
        assignment: What was graded.
        row: What the student got, with the points that were entered by hand.
        by_hand: Which exercises have points that were entered by hand.
        taken_off: Points that the student loses because the submission came late.
        late: Why, in a sentence; it is shown where nothing is taken off, too.
        others: Sentences on other submissions of this student.
    """
    tasks = {task.name: task for task in assignment.tasks}
    return render(
        "feedback.html.j2",
        assignment=assignment,
        row=row,
        why_not_graded="" if row.status == GRADED else row.status.removeprefix("not graded, and "),
        open_points=sum(tasks[mark.task].points for mark in row.marks if mark.points is None),
        taken_off=taken_off,
        total=max(row.total - taken_off, 0.0),
        late=late or ("It was handed in late." if row.late else ""),
        others=others,
        marks=[_shown(tasks[mark.task], mark, (by_hand or {}).get(mark.task)) for mark in row.marks],
        kinds=[about for kind, about in NOTES.items() if any(note.kind == kind for note in row.notes)],
    )


@dataclass(frozen=True)
class _Shown:
    """What the page shows of an exercise.

    The verdict is HTML, and empty if no check ran; it is overruled if somebody changed its points. Of what is marked by
    hand, it shows what was written, and what the grader says of that.
    """

    mark: Mark
    maximum: float
    by_hand: ByHand | None
    verdict: str
    overruled: bool
    partly: bool
    written: str
    says: str


def _shown(task: Task, mark: Mark, by_hand: ByHand | None) -> _Shown:
    verdict = Verdict(mark.task, mark.mistake is None, mark.mistake, harmless(mark.message))
    partly = mark.points is not None and 0 < mark.points < task.points and not by_hand and mark.mistake != "partial"
    checked = bool(mark.message) and not task.manual  # what could not be graded, people can have given points
    overruled = checked and by_hand is not None and by_hand.before != mark.points
    html = verdict._repr_html_() if checked else ""
    written = mark.answer if task.manual else ""
    changed = by_hand is not None and by_hand.before != mark.points
    says = mark.message[:1].upper() + mark.message[1:] if task.manual and not changed else ""
    return _Shown(mark, task.points, by_hand, html, overruled, partly, written, says)
