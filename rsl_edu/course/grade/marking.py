"""Marking of one submission: the checks run here, and only calls of the student's functions go to the sandbox."""

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
from .notebook import Cell, Note, answers_in, cells_of
from .sandbox import Limits
from .student import StoppedError, Student
from .usage import Budget

_LIVES = 3  # how often cells may end the process before only the definitions of all cells run
_BLANK = {
    "not-answered": "not answered",
    "as-handed-out": "unchanged",
    "missing": "missing",
    "lost": "lost",
}
UNANSWERED = (*_BLANK,)
"""Names of the mistakes that mean that there is no answer."""
_LATER = (*UNANSWERED, "exception")  # these answers may be right at the end of the notebook, if they need a later cell
_DRAWN = 20  # number of random cases for partial points, besides the exercise's own cases
_LONGEST_TEXT = 20_000  # largest number of characters shown for marking by hand


@dataclass(frozen=True)
class Mark:
    """The result of an exercise.

    Attributes:
        task: Name of the exercise.
        points: Points; None if they are still to be given by hand.
        mistake: Name of the mistake, as stable as an error code; None if there is none.
        message: The explanation; it may contain anything that the student wrote, and nothing hidden.
        carried: Exercises with wrong or missing answers, which were replaced by right ones for this exercise.
        answer: Source of the cell with the answer, or the text to mark by hand; may be empty.
    """

    task: str
    points: float | None
    mistake: str | None
    message: str
    carried: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Marks:
    """The results of a submission.

    Attributes:
        marks: One mark for each exercise, in the order of the assignment.
        notes: Notes on code that did not run, or that ran differently than in a kernel.
        cpu: CPU time of the submission's process from the first cell on, in seconds; 0 if the grader cannot measure it.
        above: Last values of checks that are numbers above the points of their exercise, by exercise.
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

    The checks in the student's notebook run first, and the hidden checks after them, so that messages of the visible
    checks cannot contain hidden inputs.

    Args:
        assignment: The source.
        sources: The code cells of the submission.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: Limits of the submission.
        partial: Whether a wrong answer to an exercise of the course gets points for the cases where it is right.
        carry: Whether an exercise that needs a wrong or missing answer to another exercise gets the points that it
            would get with a right answer there. If not, only the message about the exercise changes.
        written: Texts for the exercises that are marked by hand, as returned by :func:`.written.written`; None if
            unknown.

    Raises:
        StalledError: If the limit on the wall clock was reached, so that the points are unknown.
        SandboxError: If nothing can run in the sandbox.
        AssignmentError: If the source is wrong.
        RuntimeError: If the submission's process did not start although the sandbox works.
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
    answers = answers_in(cells, tasks)
    found = {name: replace(mark, answer=answers[name]) for name, mark in marks.items()}
    all_marks = tuple(found.get(task.name) or by_hand(task, written or {}) for task in assignment.tasks)
    return Marks(all_marks, notes, session.budget.cpu, session.above)


def by_hand(task: Task, written: Mapping[str, str | None]) -> Mark:
    """Return the mark of an exercise that is marked by hand; as in nbgrader, an empty answer gets 0 points.

    Args:
        task: The exercise.
        written: The texts, as for :func:`mark`.
    """
    text = written.get(task.name)
    if text == "":
        return Mark(task.name, 0.0, "not-answered", "you wrote nothing here.")
    if text is None:
        return Mark(
            task.name,
            None,
            None,
            "the cell for this exercise was not found in your notebook." if task.name in written else "",
        )
    more = f"\n\n[cut off here: the text has {len(text):,} characters]" if len(text) > _LONGEST_TEXT else ""
    return Mark(task.name, None, None, "", answer=text[:_LONGEST_TEXT] + more)


def _carry(
    assignment: Assignment,
    cells: Sequence[Cell],
    marks: dict[str, Mark],
    start: Callable[[Sequence[Cell], Sequence[str]], _Session],
    partial: bool,
    counts: bool,
) -> None:
    """Judge again the answers that use a wrong or missing answer, after replacing that answer with a right one.

    So no mistake costs points twice, and no answer is blamed for a mistake in another answer that it uses.

    Args:
        assignment: The source.
        cells: The cells of the submission.
        marks: The marks, which are updated.
        start: Function that starts a process with the given cells; definitions in the last cells replace earlier ones.
        partial: Whether an answer that is right for some cases gets some of the points.
        counts: Whether points change; otherwise only messages do.
    """
    tasks = [task for task in assignment.tasks if not task.manual]
    for task in tasks:
        mark = marks[task.name]
        needed = {name for answer in task.answers for name in assignment.depends(answer)} - {*task.answers}
        wrong = [other for other in tasks if other is not task and marks[other.name].mistake]
        blamed = {name: marks[other.name] for other in wrong for name in other.answers if name in needed}
        blank = mark.mistake in UNANSWERED and not answers_in(cells, [task])[task.name]
        if not mark.mistake or not blamed or blank:
            continue
        right = dict.fromkeys(assignment.reference(name) for name in blamed)
        beside = {
            other for name in blamed for other in assignment.depends(name)
        }  # for example a function that it calls
        session = start([*cells, *(Cell(0, source) for source in right)], [*({*blamed, *beside} - {*task.answers})])
        try:
            points, verdict = session.in_full(task, *session.run_check(task), partial)
        finally:
            session.close()
        marks[task.name] = _carried(mark, points, verdict, blamed, counts)


def _carried(mark: Mark, points: float, verdict: Verdict, blamed: Mapping[str, Mark], counts: bool) -> Mark:
    """Return the mark of an exercise that was judged with right answers to others; do not reveal those answers."""
    yours = {name: _BLANK.get(str(its.mistake), "wrong") for name, its in blamed.items()}
    judged = "judged with " + " and ".join(f"a right {name} instead of yours, which is {yours[name]}" for name in yours)
    points = max(points, mark.points or 0.0) if counts else mark.points or 0.0
    carried = tuple(dict.fromkeys(its.task for its in blamed.values())) if counts and points else ()
    if verdict.passed and counts:
        return replace(mark, points=points, mistake=None, message=f"right, {judged}.", carried=carried)
    if verdict.passed:
        calls = " and ".join(f"{name}, which is {yours[name]}" for name in yours)
        return replace(mark, mistake="needs-another", message=f"your code calls {calls}. The rest of it is right.")
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
        limits: Limits of the submission.
        cells: The cells of the submission, followed by right answers that replace some of its answers.
        keep: Names that always refer to the right answers.
    """

    def __init__(
        self, assignment: Assignment, box: str, limits: Limits, cells: Sequence[Cell], keep: Sequence[str] = ()
    ) -> None:
        self.assignment, self.cells, self.box, self.budget = assignment, cells, box, Budget(limits)
        self.keep = keep
        self.student: Student | None = None
        self.answers: dict[str, Any] = {}
        self.places: dict[str, str] = {}  # where an exercise was right: at its check, or at the end (empty)
        self.differs = False  # whether names had another meaning at the last check than at the end
        self.spaces: dict[str, tuple[Student | None, str, Names]] = {}  # definitions of the shown part of a check
        self.modes: dict[int, str] = {}  # by index of a cell
        self.ends: list[Note] = []  # notes on cells that ended the process
        self.noted: tuple[Note, ...] = ()
        self.over = ""  # why no further process can be started
        self.above: dict[str, float] = {}  # last values of checks that exceed their points

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes on cells that did not run normally."""
        return tuple(sorted({*self.noted, *self.ends}, key=lambda note: note.cell))

    def run_check(self, task: Task, hidden: bool = False) -> tuple[float, Verdict]:
        """Run a check with the student's functions; start the student's process if it is not running.

        Names have the values that they had at the check's position in the notebook. If the check fails, it is tried
        again at the end of the notebook, because the student may have run the cells in another order.

        Args:
            task: The exercise.
            hidden: Whether to run the hidden part, which can use definitions of the shown part.

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
        """Continue after the shown part of a check: run the hidden part, and give partial points.

        Args:
            task: The exercise.
            points: Points for the shown part.
            verdict: Verdict on the shown part.
            partial: Whether an answer that is right for some cases gets some of the points.

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
        """Set the names of the notebook to their values at the check of an exercise, or at the end."""
        assert self.student is not None
        self.differs = self.student.at(place, self.keep)
        self.answers = self.student.names(self.assignment.answers)

    def part_of(self, task: Task) -> float:
        """Return partial points, in steps of 0.5, for cases in which a wrong answer to a course exercise is right."""
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
        self.above.pop(task.name, None)  # from its shown part, which does not end the cell
        if verdict.passed and points is not None and points > task.points:
            self.above[task.name] = points
        if not verdict.passed or points is None or points >= task.points:
            return (task.points if verdict.passed else 0.0), verdict
        points = max(points, 0.0)
        says = f"partly right: {points:g} of {counted(task.points, 'point')}."
        return points, Verdict(task.name, False, "partial", says)

    def _lacks(self, name: str) -> tuple[str, str]:
        """Return why there is no answer: the name of the mistake, and a message."""
        why = self.student.lacks.get(name) if self.student is not None else None
        if why == "lost":
            return "lost", f"your notebook contains {name}, but its code did not run: see the notes on its cells below."
        if why == "given":
            return "as-handed-out", f"{name} is unchanged, with the mistake that it was handed out with."
        stubs = {cell.source for cell in self.cells if cell.handed}
        if any(name in stub and "NotImplementedError" in stub for stub in stubs):
            return "not-answered", f"not answered yet: {name} is unchanged."
        return "missing", f"your notebook does not define {name}."

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
        """Run only the definitions of the cell that ended the process next time; if that fails, skip the cell."""
        place = stopped.cell
        if place is None or self.modes.get(place) == "skip" or len(self.ends) > _LIVES:
            self.over = str(stopped)
            return
        self.ends.append(Note(self.cells[place].number, "stopped", f"was stopped: it {stopped}"))
        self.modes[place] = "skip" if place in self.modes else "names"
        if len(self.ends) == _LIVES:
            self.modes = {each: self.modes.get(each, "names") for each in range(len(self.cells))}
