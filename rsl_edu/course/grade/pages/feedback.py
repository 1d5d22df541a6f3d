"""Feedback page for a student: points, what is wrong with each answer, and cells that did not run normally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rsl_edu.course.assignment import Assignment, Task
from rsl_edu.course.check import Verdict

from ..gradebook import GRADED, Row
from ..marking import Mark
from .render import harmless, render
from .words import NOTES


@dataclass(frozen=True)
class ByHand:
    """Points for an exercise that were entered by hand.

    Attributes:
        before: Points from the grader; None if it gave none. Equal to the current points if there is only a comment.
        comment: The instructor's comment.
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
        assignment: The assignment.
        row: The student's result, including points entered by hand.
        by_hand: Points entered by hand, by exercise.
        taken_off: Points that lateness takes off.
        late: Sentence about the lateness; also shown if no points are taken off.
        others: Sentences about other submissions of this student.
    """
    tasks = {task.name: task for task in assignment.tasks}
    return render(
        "feedback.html.j2",
        assignment=assignment,
        row=row,
        why_not_graded=_why_not_graded(row),
        open_points=sum(tasks[mark.task].points for mark in row.marks if mark.points is None),
        taken_off=taken_off,
        total=max(row.total - taken_off, 0.0),
        late=late or ("Handed in late." if row.late else ""),
        others=others,
        marks=[_shown(tasks[mark.task], mark, (by_hand or {}).get(mark.task)) for mark in row.marks],
        kinds=[about for kind, about in NOTES.items() if any(note.kind == kind for note in row.notes)],
    )


def _why_not_graded(row: Row) -> str:
    """Return why a submission was not graded, in a sentence without a full stop; empty if it was graded."""
    if row.status == GRADED:
        return ""
    return row.status[:1].upper() + row.status[1:] if row.tried_again else f"Not graded: {row.status}"


@dataclass(frozen=True)
class _Shown:
    """Content of the page for one exercise.

    The verdict is HTML. It is empty if no check ran, and counts as overruled if somebody changed the points. For an
    exercise that is marked by hand, the page shows the student's text and the grader's message about it.
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
    checked = (
        bool(mark.message) and not task.manual
    )  # somebody may have given points for an answer that could not be graded
    overruled = checked and by_hand is not None and by_hand.before != mark.points
    html = verdict._repr_html_() if checked else ""
    html = html.replace(f" {escape(mark.task, quote=False)}: ", " ", 1)  # the heading above it has the name
    written = mark.answer if task.manual else ""
    changed = by_hand is not None and by_hand.before != mark.points
    says = mark.message[:1].upper() + mark.message[1:] if task.manual and not changed else ""
    return _Shown(mark, task.points, by_hand, html, overruled, partly, written, says)
