"""Marks for one submission: the checks run here, only calls of the student's functions leave for the sandbox."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsl_edu.course.assignment import Assignment
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.failure import Failure
from rsl_edu.course.check.limit import unlimited

from .notebook import Note
from .sandbox import Limits
from .student import StoppedError, Student
from .usage import Budget

_LIVES = 3  # cells that may end the process before the rest of the notebook is given up


@dataclass(frozen=True)
class Mark:
    """What an exercise got.

    Attributes:
        task: Name of the exercise.
        points: Points; None if they are to be given by hand.
        mistake: Name of what is wrong, as stable as an error code; None if nothing is.
        message: The explanation; it may hold anything that the student wrote, and nothing that is hidden.
        carried: Answers of earlier exercises that are wrong, and were replaced by right ones for this exercise.
        answer: Source of the cell with the answer; empty if there is none.
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
        notes: What happened while its cells ran: errors, and cells that were stopped.
    """

    marks: tuple[Mark, ...]
    notes: tuple[Note, ...]


def mark(assignment: Assignment, cells: Sequence[str], box: str, limits: Limits) -> Marks:
    """Mark a submission.

    First all checks that the learner has too, then the hidden ones: what is said of the first can hold no hidden input.

    Args:
        assignment: The source.
        cells: The code of the submission.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: What the submission may use.

    Raises:
        StalledError: If the limit of the wall clock was reached: then nothing is known about its points.
        SandboxError: If nothing can run in the sandbox.
        RuntimeError: If its process did not start, though it can.
    """
    session = _Session(assignment, cells, box, limits)
    try:
        shown = {task.name: session.run_check(task.name, task.shown) for task in assignment.tasks}
        notes = session.notes
        marks = []
        for task in assignment.tasks:
            verdict = shown[task.name]
            if verdict.passed and task.hidden:
                verdict = veiled(session.run_check(task.name, task.hidden), verdict)
            points = task.points if verdict.passed else 0.0
            marks.append(Mark(task.name, points, verdict.mistake, verdict.message))
        return Marks(tuple(marks), notes)
    finally:
        session.close()


class _Session:
    """The student's process, which is started again after a call has stopped it."""

    def __init__(self, assignment: Assignment, cells: Sequence[str], box: str, limits: Limits) -> None:
        self.assignment, self.box, self.budget = assignment, box, Budget(limits)
        self.cells = ["" if cell.strip() in assignment.left_out else cell for cell in cells]
        self.student: Student | None = None
        self.answers: dict[str, Any] = {}
        self.failed: dict[int, str] = {}
        self.skipped: dict[int, str] = {}
        self.over = ""  # why no process can be had any more

    @property
    def notes(self) -> tuple[Note, ...]:
        """What happened while the cells ran."""
        stopped = {place: Note(place + 1, "stopped", f"was stopped: it {why}") for place, why in self.skipped.items()}
        raised = {place: Note(place + 1, "raised", f"raised {text}") for place, text in self.failed.items()}
        return tuple(note for _, note in sorted((raised | stopped).items()))

    def run_check(self, name: str, code: str) -> Verdict:
        """Run a check with the student's functions; the process that has them is started if there is none."""
        try:
            self._start()
            names = {**setup(self.assignment.setup), **self.answers}
            return judge(name, code, names, self.assignment.answers)
        except StoppedError as stopped:
            self.close()
            return Verdict(name, False, "stopped", f"your code was stopped: it {stopped}.")

    def close(self) -> None:
        """End the process."""
        if self.student is not None:
            self.student.close()
            self.student = None

    def _start(self) -> None:
        while self.student is None:
            if self.over:
                raise StoppedError(self.over)
            try:
                forbidden = self.assignment.forbidden
                self.student = Student(self.cells, self.box, self.budget, forbidden, self.skipped)
                self.failed = self.student.failed
                self.answers = self.student.names(self.assignment.answers)
            except StoppedError as stopped:
                self.close()
                if stopped.cell is None or stopped.cell in self.skipped or len(self.skipped) == _LIVES:
                    self.over = str(stopped)
                else:
                    self.skipped[stopped.cell] = str(stopped)


@functools.lru_cache(maxsize=4)
def setup(cells: tuple[str, ...]) -> dict[str, Any]:
    """What the cells before the checks define."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        exec(cell, names)
    return names


def judge(name: str, code: str, names: dict[str, Any], answers: Sequence[str]) -> Verdict:
    """Run a check of an assignment: it passes if it raises nothing, and its last value is no verdict that fails.

    Args:
        name: Name of the exercise.
        code: The check.
        names: What its names mean, the learner's functions among them.
        answers: Which of them are the learner's.
    """
    tree = ast.parse(code)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):  # as in a notebook, the last value counts
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
    try:
        with unlimited():  # the student's process has its own limits
            exec(compile(ast.fix_missing_locations(tree), f"<check of {name}>", "exec"), names)
        value = names.get("_")
    except NameError as error:
        if error.name not in answers:
            raise
        return Verdict(name, False, "missing", f"the notebook defines no {error.name}.")
    except AssertionError as error:
        says = error.args[0] if error.args else ""
        return says if isinstance(says, Verdict) else Verdict(name, False, "unknown", f"your answer is wrong. {says}")
    except Failure as failure:
        where = f"line {failure.number}:".ljust(10)
        kinds = {
            "not-answered": f"not answered yet: {failure.function} raises NotImplementedError.",
            "library-answer": f"your code calls {failure}, which the exercise asks you to write.",
            "stopped": f"your code was stopped: it {failure}." + (f"\n  {where}{failure.line}" if failure.line else ""),
        }
        return Verdict(name, False, failure.kind, kinds.get(failure.kind, f"your code raises {failure}"))
    except Exception as error:  # a check that calculates with what an answer returns, whatever that is
        why = f"the check cannot use what your code returns: {type(error).__name__}: {error}"
        return Verdict(name, False, "exception", why)
    return value if isinstance(value, Verdict) else Verdict(name, True, None, "right.")


def veiled(hidden: Verdict, shown: Verdict) -> Verdict:
    """Say of a hidden check only what is written in this package: all else may hold its inputs."""
    if hidden.passed:
        return shown
    kinds = {
        "exception": "your code raises an error for some of them.",
        "stopped": "your code uses too much CPU time or memory for some of them, or ends its process.",
        "in-place": "your code changes its input for some of them.",
        "nan": "your code returns NaN for some of them.",
        "no-gradient": "your code returns what no gradient comes back from.",
        "integer-result": "your code returns whole numbers, where what is after the point counts.",
        "constant-result": "your code returns the same whatever the inputs are.",
        "random": "your code returns something else when it is called again.",
        "state-between-calls": "your code returns something else when it is called again.",
        "library-answer": "your code calls what the exercise asks you to write.",
    }
    text = hidden.advice or kinds.get(str(hidden.mistake), "your answer is wrong for some of them.")
    says = f"right for the cases of its check, wrong for further ones: {text}"
    return Verdict(shown.exercise, False, hidden.mistake or "unknown", says)
