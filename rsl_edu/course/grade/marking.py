"""Marks for one submission: the checks run here, only calls of the student's functions leave for the sandbox."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment, Task
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.limit import unlimited
from rsl_edu.number_format import counted

from .judging import Names, Verdicts, judge, veiled
from .notebook import Cell, Note, answer_in, cells_of
from .sandbox import Limits
from .student import StoppedError, Student
from .usage import Budget

_LIVES = 3  # times that a cell may end the process before only the definitions of all cells run
_BLANK = {
    "not-answered": "not answered",
    "as-handed-out": "as it was handed out",
    "missing": "missing",
    "lost": "lost",
}
UNANSWERED = (*_BLANK,)
"""Names of what can be in the place of an answer."""
_LATER = (*UNANSWERED, "exception")  # what may be right at the end: it needs what a later cell defines
_DRAWN = 20  # random cases that count for a part of the points, besides the exercise's own
_LONGEST_TEXT = 20_000  # characters that somebody reads who marks by hand


@dataclass(frozen=True)
class Mark:
    """What an exercise got.

    Attributes:
        task: Name of the exercise.
        points: Points; None if they are to be given by hand.
        mistake: Name of what is wrong, as stable as an error code; None if nothing is.
        message: The explanation; it may hold anything that the student wrote, and nothing that is hidden.
        carried: Exercises whose answers are wrong or missing, and were replaced by right ones for this exercise.
        answer: Source of the cell with the answer, or the text to be marked by hand; empty if there is none.
    """

    task: str
    points: float | None
    mistake: str | None
    message: str
    carried: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Marks:
    """What a submission got.

    Attributes:
        marks: One for each exercise, in the order of the assignment.
        notes: What did not run, or not as in a kernel.
        cpu: Seconds of CPU time of its process, from its first cell on; 0 where the grader cannot see it.
        above: By the exercises whose check ends with a number of more than their points, this number.
    """

    marks: tuple[Mark, ...]
    notes: tuple[Note, ...]
    cpu: float = 0.0
    above: Mapping[str, float] = field(default_factory=dict)


def mark(
    assignment: Assignment,
    sources: Sequence[str],
    box: str,
    limits: Limits,
    *,
    partial: bool = False,
    carry: bool = True,
    written: Mapping[str, str | None] | None = None,
) -> Marks:
    """Mark a submission.

    First all checks that the learner has too, then the hidden ones: what is said of the first can hold no hidden input.

    Args:
        assignment: The source.
        sources: The code cells of the submission.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: What the submission may use.
        partial: Whether a wrong answer to an exercise of the course gets points for the cases where it is right.
        carry: Whether an exercise that needs a wrong or missing answer of another one gets the points that it has
            with a right one. If not, only its words are those that it gets then.
        written: What was written for the exercises that are marked by hand, as :func:`.written.written` returns it. By
            default nobody knows.

    Raises:
        StalledError: If the limit of the wall clock was reached: then nothing is known about its points.
        SandboxError: If nothing can run in the sandbox.
        AssignmentError: If the source is wrong.
        RuntimeError: If its process did not start, though it can.
    """
    cells = cells_of(assignment.handed, assignment.tasks, sources)
    session = _Session(assignment, box, limits, cells)
    tasks = [task for task in assignment.tasks if not task.manual]
    try:
        shown = {task.name: session.run_check(task) for task in tasks}
        notes = session.notes
        marks = {}
        for task in tasks:
            points, verdict = session.in_full(task, *shown[task.name], partial)
            marks[task.name] = Mark(task.name, points, verdict.mistake, verdict.message)
    finally:
        session.close()
    _carry(assignment, cells, marks, functools.partial(_Session, assignment, box, limits), partial, carry)
    answers = {task.name: answer_in(cells, task.answers) for task in tasks}
    found = {name: replace(mark, answer=answers[name]) for name, mark in marks.items()}
    all_marks = tuple(found.get(task.name) or by_hand(task, written or {}) for task in assignment.tasks)
    return Marks(all_marks, notes, session.budget.cpu, session.above)


def by_hand(task: Task, written: Mapping[str, str | None]) -> Mark:
    """Return the mark of an exercise that is marked by hand; as with nbgrader, it has 0 points if nothing was written.

    Args:
        task: The exercise.
        written: What was written, as for :func:`mark`.
    """
    text = written.get(task.name)
    if text == "":
        return Mark(task.name, 0.0, "not-answered", "nothing was written here.")
    if text is None:
        return Mark(task.name, None, None, "its cell was not found in your notebook." if task.name in written else "")
    more = f"\n\n[cut off here: it has {len(text):,} characters]" if len(text) > _LONGEST_TEXT else ""
    return Mark(task.name, None, None, "", answer=text[:_LONGEST_TEXT] + more)


def _carry(
    assignment: Assignment,
    cells: Sequence[Cell],
    marks: dict[str, Mark],
    start: Callable[[Sequence[Cell], Sequence[str]], _Session],
    partial: bool,
    counts: bool,
) -> None:
    """Judge what needs a wrong or missing answer once more, with the right one in its place.

    So no mistake costs points twice, and none is told of an answer that only needs the one that makes it.

    Args:
        assignment: The source.
        cells: The cells of the submission.
        marks: The marks, which are replaced.
        start: Starts a process with cells, where names mean what the last of these have defined.
        partial: Whether a part of the cases gives a part of the points.
        counts: Whether points change; else only the words do.
    """
    tasks = [task for task in assignment.tasks if not task.manual]
    for task in tasks:
        mark = marks[task.name]
        needed = {name for answer in task.answers for name in assignment.depends(answer)} - {*task.answers}
        wrong = [other for other in tasks if other is not task and marks[other.name].mistake]
        blamed = {name: marks[other.name] for other in wrong for name in other.answers if name in needed}
        blank = mark.mistake in UNANSWERED and not answer_in(cells, task.answers)
        if not mark.mistake or not blamed or blank:
            continue
        right = dict.fromkeys(assignment.reference(name) for name in blamed)
        beside = {other for name in blamed for other in assignment.depends(name)}  # as a function that it calls
        session = start([*cells, *(Cell(0, source) for source in right)], [*({*blamed, *beside} - {*task.answers})])
        try:
            points, verdict = session.in_full(task, *session.run_check(task), partial)
        finally:
            session.close()
        marks[task.name] = _carried(mark, points, verdict, blamed, counts)


def _carried(mark: Mark, points: float, verdict: Verdict, blamed: Mapping[str, Mark], counts: bool) -> Mark:
    """The mark of an exercise that was judged with right answers in place of others; it shows nothing of these."""
    yours = {name: _BLANK.get(str(its.mistake), "wrong") for name, its in blamed.items()}
    judged = "judged with " + " and ".join(
        f"a right {name} in place of yours, which is {yours[name]}" for name in yours
    )
    points = max(points, mark.points or 0.0) if counts else mark.points or 0.0
    carried = tuple(dict.fromkeys(its.task for its in blamed.values())) if counts and points else ()
    if verdict.passed and counts:
        return replace(mark, points=points, mistake=None, message=f"right, {judged}.", carried=carried)
    if verdict.passed:
        calls = " and ".join(f"{name}, which is {yours[name]}" for name in yours)
        return replace(mark, mistake="needs-another", message=f"your code calls {calls}; all else in it is right.")
    own = (mark.mistake, mark.message)  # the same counterexample, or at least the same mistake
    if own == (verdict.mistake, verdict.message) or (verdict.advice and verdict.mistake == mark.mistake):
        return replace(mark, points=points)
    verdict = veiled(verdict, verdict, f"wrong for some cases, {judged}")
    return replace(mark, points=points, mistake=verdict.mistake, message=verdict.message, carried=carried)


class _Session:
    """The student's process, which is started again after a call has stopped it.

    Args:
        assignment: The source.
        box: Which sandbox.
        limits: What it may use.
        cells: The cells of the submission, and right answers in place of some of it.
        keep: Names that mean everywhere what the right answers have defined.
    """

    def __init__(
        self, assignment: Assignment, box: str, limits: Limits, cells: Sequence[Cell], keep: Sequence[str] = ()
    ) -> None:
        self.assignment, self.cells, self.box, self.budget = assignment, cells, box, Budget(limits)
        self.keep = keep
        self.student: Student | None = None
        self.answers: dict[str, Any] = {}
        self.places: dict[str, str] = {}  # where an exercise was right: at its check, or (empty) at the end
        self.differs = False  # whether names meant something else at the last check than at the end
        self.spaces: dict[str, tuple[Student | None, str, Names]] = {}  # what the shown part of a check has defined
        self.modes: dict[int, str] = {}  # by the place of a cell
        self.ends: list[Note] = []  # of cells that ended the process
        self.noted: tuple[Note, ...] = ()
        self.over = ""  # why no process can be had any more
        self.above: dict[str, float] = {}  # the last value of a check that is more than its points

    @property
    def notes(self) -> tuple[Note, ...]:
        """What happened while the cells ran."""
        return tuple(sorted({*self.noted, *self.ends}, key=lambda note: note.cell))

    def run_check(self, task: Task, hidden: bool = False) -> tuple[float, Verdict]:
        """Run a check with the student's functions; the process that has them is started if there is none.

        Names mean what they meant where the check stands in the notebook. If it fails so, it is tried at the end of the
        notebook: cells may have been run in another order.

        Args:
            task: The exercise.
            hidden: Whether to run the part that only the grader has; it knows what the shown part has defined.

        Returns:
            The points, and the verdict.
        """
        try:
            self._start()
            if hidden:
                return self._run_hidden(task)
            points, verdict = self._run_shown(task, task.name)
            if verdict.mistake in _LATER or (verdict.mistake and self.differs):
                at_end = self._run_shown(task, "")
                if at_end[1].passed or verdict.mistake in UNANSWERED:
                    self.places[task.name] = ""
                    return at_end
            return points, verdict
        except StoppedError as stopped:
            self.close()
            return 0.0, Verdict(task.name, False, "stopped", f"your code was stopped: it {stopped}.")

    def in_full(self, task: Task, points: float, verdict: Verdict, partial: bool) -> tuple[float, Verdict]:
        """Go on where the shown part of a check has ended: with the hidden one, and points for a part.

        Args:
            task: The exercise.
            points: Points for the shown part.
            verdict: The verdict on it.
            partial: Whether a part of the cases gives a part of the points.

        Returns:
            The points, and the verdict.
        """
        if (verdict.passed or verdict.mistake == "partial") and task.hidden:
            points, hidden = self.run_check(task, hidden=True)
            verdict = veiled(hidden, verdict)
        if partial and points == 0 and verdict.mistake not in UNANSWERED:
            points = self.part_of(task)
        return points, verdict

    def _run_shown(self, task: Task, place: str) -> tuple[float, Verdict]:
        self._go(place)
        names = Names(self.assignment.setup, self.answers, self.assignment.answers, self.student)
        self.spaces[task.name] = self.student, place, names
        return self._judge(task, names, task.shown)

    def _run_hidden(self, task: Task) -> tuple[float, Verdict]:
        place = self.places.get(task.name, task.name)
        if self.spaces.get(task.name, ())[:2] != (self.student, place):  # the process that it knew has ended
            self._run_shown(task, place)
        self._go(place)
        names = self.spaces[task.name][2]
        if task.whole:
            names = Names(self.assignment.setup, self.answers, self.assignment.answers, self.student)
        return self._judge(task, names, task.hidden)

    def _go(self, place: str) -> None:
        """Let the names of the notebook mean what they meant when the check of an exercise ran, or at its end."""
        assert self.student is not None
        self.differs = self.student.at(place, self.keep)
        self.answers = self.student.names(self.assignment.answers)

    def part_of(self, task: Task) -> float:
        """Points for the cases of an exercise of the course on which a wrong answer is right, in halves."""
        exercise = check.EXERCISES.get(task.name)
        if exercise is None:
            return 0.0
        cases = (*exercise.cases, *exercise.sample(0, _DRAWN))
        try:
            self._start()
            self._go(self.places.get(task.name, task.name))
            answer = self.answers.get(exercise.reference.__name__)
            with unlimited():
                right = exercise.number_right(answer, cases) if answer is not None else 0
        except StoppedError:
            self.close()
            return 0.0
        return math.floor(2 * task.points * right / len(cases)) / 2

    def close(self) -> None:
        """End the process."""
        if self.student is not None:
            self.student.close()
            self.student = None

    def _judge(self, task: Task, names: Names, code: str) -> tuple[float, Verdict]:
        assert self.student is not None
        said = Verdicts(task.name, self.assignment.answers, self._lacks)
        points, verdict = judge(said, code, names)
        self.above.pop(task.name, None)  # of its shown part, which does not end the cell
        if verdict.passed and points is not None and points > task.points:
            self.above[task.name] = points
        if not verdict.passed or points is None or points >= task.points:
            return (task.points if verdict.passed else 0.0), verdict
        points = max(points, 0.0)
        says = f"right in part: {points:g} of {counted(task.points, 'point')}."
        return points, Verdict(task.name, False, "partial", says)

    def _lacks(self, name: str) -> tuple[str, str]:
        """Why there is no answer: its kind, and the words."""
        why = self.student.lacks.get(name) if self.student is not None else None
        if why == "lost":
            return "lost", f"the notebook has {name}, but its code did not run: see what is said of its cells."
        if why == "given":
            return "as-handed-out", f"{name} is as it was handed out, with its mistake."
        stubs = {cell.source for cell in self.cells if cell.handed}
        if any(name in stub and "NotImplementedError" in stub for stub in stubs):
            return "not-answered", f"not answered yet: {name} is as it was handed out."
        return "missing", f"the notebook has no {name} of yours."

    def _start(self) -> None:
        while self.student is None:
            if self.over:
                raise StoppedError(self.over)
            try:
                wanted, forbidden = self.assignment.answers, self.assignment.forbidden
                self.student = Student(self.cells, self.box, self.budget, wanted, forbidden, self.modes)
                self.noted = self.student.notes
            except StoppedError as stopped:
                self.close()
                self._spare(stopped)

    def _spare(self, stopped: StoppedError) -> None:
        """Next time, run only the definitions of the cell that ended the process; then nothing of it."""
        place = stopped.cell
        if place is None or self.modes.get(place) == "skip" or len(self.ends) > _LIVES:
            self.over = str(stopped)
            return
        self.ends.append(Note(self.cells[place].number, "stopped", f"was stopped: it {stopped}"))
        self.modes[place] = "skip" if place in self.modes else "names"
        if len(self.ends) == _LIVES:
            self.modes = {each: self.modes.get(each, "names") for each in range(len(self.cells))}
