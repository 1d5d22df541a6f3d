"""Rehearses an assignment before it is handed out: what right answers get, no answers, and wrong ones."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rsl_edu.course import names
from rsl_edu.course.assignment import Assignment, AssignmentError, Task
from rsl_edu.course.regions import HIDDEN, replaced
from rsl_edu.course.source_check import Finding, findings
from rsl_edu.number_format import counted

from . import submissions
from .marking import Mark, Marks, mark
from .notebook import Note
from .sandbox import Limits
from .student import StalledError

_UNANSWERED = ("not-answered", "missing", "as-handed-out")
# What no check can do, because the answers run in a process of their own; and what to do instead.
_BY_MESSAGE = (
    (r"cannot be handed to", "hand over plain data, tensors, arrays or functions"),
    (r"No such file or directory", "the check and the answers share no files: let the answer return what it writes"),
    (r"catching classes that do not inherit", "catch the built-in error that the learner's own class derives from"),
    (r"coroutine", "a check cannot await an answer: ask for a function that runs it"),
    (r"does not require grad", "gradients pass from results to arguments, and not into an object's own parameters"),
    (r"'_ask_'", "a check cannot derive a class from an answer"),
)
_BY_CODE = (
    (r"\bis (?!None|True|False|not\b)", "what crosses to the answers is copied: compare values, not identity"),
    (r"\bis(instance|subclass)\(", "only torch.nn.Module and types of plain data are known here: check what it does"),
    (r"__doc__|\bsignature\(", "of a function, only its name and what it does are known here"),
    (r"\.args\b", "of an error, only its type and its text are known here"),
    (
        r"no_grad\(|\.(fill|copy|zero|add|mul)_\(",
        "a parameter that is changed here stays the same there: load a state dict",
    ),
    (r"\brandom\.seed\(", "only torch's random numbers are seeded there too"),
)


def rehearse(
    assignment: Assignment,
    say: Callable[[str], None],
    *,
    wrong: Iterable[Path] = (),
    box: str = "bwrap",
    limits: Limits = Limits(),  # noqa: B008  it is frozen
    folder: Path | None = None,
) -> bool:
    """Grade what the source itself holds, as submissions are graded, and say what is found.

    First comes what can be seen in the source; if right answers would lose points for it, nothing runs. Then the right
    answers must get all points, and the notebook as it is handed out none, with every exercise not answered.

    Args:
        assignment: The source.
        say: Gets each line of the report.
        wrong: Notebooks with wrong answers; the report says what each gets.
        box: Which sandbox, as for :func:`.grade.sandbox.start`.
        limits: What each run may use.
        folder: Where to run the notebook that is handed out in a kernel, from top to bottom, without a sandbox: it is
            the author's own. By default it does not run.

    Returns:
        Whether there was no error; there may be warnings.

    Raises:
        SandboxError: If nothing can run in the sandbox.
    """
    rehearsal = _Rehearsal(assignment, say, box, limits)
    rehearsal.describe()
    rehearsal.report(findings(assignment))
    if not rehearsal.errors:
        try:
            if rehearsal.checked:
                rehearsal.right_answers()
                rehearsal.no_answers()
            if folder is not None:
                rehearsal.run_all(folder)
            rehearsal.wrong_answers([*wrong])
        except (AssignmentError, StalledError) as error:
            rehearsal.errors += 1
            say(f"error: {error}")
    found = f"{counted(rehearsal.errors, 'error')}, {counted(rehearsal.warnings, 'warning')}"
    say(f"{found}: {'not ready to hand out' if rehearsal.errors else 'ready to hand out'}")
    return not rehearsal.errors


class _Rehearsal:
    def __init__(self, assignment: Assignment, say: Callable[[str], None], box: str, limits: Limits) -> None:
        self.assignment, self.say, self.box, self.limits = assignment, say, box, limits
        self.errors = self.warnings = 0
        self.cells = {cell.id: cell for cell in assignment.cells if cell.points}
        self.places = [cell.place for cell in assignment.cells if cell.code]
        self.checked = [task for task in assignment.tasks if not task.manual]

    def describe(self) -> None:
        """Say what gives points."""
        exercises = counted(len(self.assignment.tasks), "exercise")
        self.say(f"{self.assignment.name}: {exercises}, {_points(self.assignment.maximum)}")
        for task in self.assignment.tasks:
            how = "by hand" if task.manual else f"for {', '.join(task.answers) or 'no answer'}"
            needed = dict.fromkeys(name for answer in task.answers for name in self.assignment.depends(answer))
            needs = f"; needs {', '.join(needed)}" if needed else ""
            self.say(f"  cell {self.cells[task.name].place}: {task.name}, {_points(task.points)}, {how}{needs}")

    def report(self, found: Iterable[Finding]) -> None:
        """Say what was found."""
        for finding in found:
            self.errors += finding.error
            self.warnings += not finding.error
            self.say(str(finding))

    def right_answers(self) -> None:
        """Mark the right answers: they must get all points."""
        marks = self._mark("right answers", self._code(self.assignment.solution()))
        self.report(Finding(self._place(note), 1, f"this cell {note.text}", error=False) for note in marks.notes)
        lost = {task.name: got for task, got in self._checked(marks) if got.points != task.points}
        lines = self._lines_that_fail([*lost]) if lost else {}
        for name, got in lost.items():
            line, why = lines.get(name, (1, _first_line(got.message)))
            says = f"right answers get {got.points:g} of {_points(self.cells[name].points)} for {name}: {why}"
            self.report([Finding(self.cells[name].place, line, says)])

    def no_answers(self) -> None:
        """Mark the notebook as it is handed out: it must get no points."""
        marks = self._mark("no answers", self._code(self.assignment.student()))
        for task, got in self._checked(marks):
            place, message = self.cells[task.name].place, _first_line(got.message)
            if got.points:
                self.report(
                    [Finding(place, 1, f"{task.name} gives {_points(got.points)} to a notebook without answers")]
                )
            elif got.mistake not in _UNANSWERED:
                says = f"{task.name} does not count as not answered when it is as handed out: {message}"
                self.report([Finding(place, 1, says, error=False)])

    def run_all(self, folder: Path) -> None:
        """Run the notebook as it is handed out in a kernel: no cell of the set-up may raise."""
        notebook = self.assignment.student()
        begin = time.monotonic()
        try:
            raised = dict(_raised_in_kernel(notebook, folder))
        except (RuntimeError, TimeoutError) as error:  # of the kernel, which has ended or does not end
            self.errors += 1
            self.say(f"error: Run All of the notebook as handed out: {_first_line(str(error))}")
            return
        self.say(f"Run All of the notebook as handed out: {time.monotonic() - begin:.1f} s")
        kinds = self.assignment.kinds
        for place, what in raised.items():
            if kinds[place] == "setup":
                self.report([Finding(place, 1, f"this cell raises {what} in the notebook as handed out")])
        others = [place for place in raised if kinds[place] != "setup"]
        if others:
            says = f"Run All stops here in the notebook as handed out, which raises {raised[others[0]]}"
            if others[1:]:
                says += f"; so {'do cells' if others[2:] else 'does cell'} {', '.join(map(str, others[1:]))}"
            self.report([Finding(others[0], 1, says, error=False)])

    def wrong_answers(self, files: list[Path]) -> None:
        """Mark notebooks with wrong answers, and say in a table what each gets."""
        if not files:
            return
        width = max(len(file.name) for file in files)
        for file in files:
            try:
                marks = self._graded(submissions.code(file.read_bytes()), carry=True)
            except (OSError, submissions.ProblemError) as error:
                self.errors += 1
                self.say(f"error: {file}: {error}")
                continue
            points = sum(mark.points or 0 for mark in marks.marks)
            lost = [f"{got.task} {got.points:g} ({got.mistake})" for _, got in self._checked(marks) if got.mistake]
            carried = [f"{got.task} {got.points:g} (carried forward)" for got in marks.marks if got.carried]
            self.say(f"  {file.name:{width}}  {points:5g}  {', '.join(lost + carried)}".rstrip())
            if not lost and not carried:
                self.warnings += 1
                self.say(f"warning: {file.name} gets all points")

    def _mark(self, name: str, code: list[str]) -> Marks:
        marks = self._graded(code)
        points, most = sum(mark.points or 0 for mark in marks.marks), sum(task.points for task in self.checked)
        self.say(f"{name}: {points:g} of {most:g} points, {marks.cpu:.1f} s of CPU time")
        return marks

    def _graded(self, code: list[str], carry: bool = False) -> Marks:
        return mark(self.assignment, code, self.box, self.limits, carry=carry)

    def _checked(self, marks: Marks) -> Iterator[tuple[Task, Mark]]:
        got = {mark.task: mark for mark in marks.marks}
        return ((task, got[task.name]) for task in self.checked)

    def _place(self, note: Note) -> int:
        return self.places[note.cell - 1]

    def _lines_that_fail(self, tasks: list[str]) -> dict[str, tuple[int, str]]:
        """Return for each check the first line of the statement that right answers do not pass, and what it says.

        Each check becomes many, each with one more of its statements, and nothing in them is hidden.
        """
        notebook, steps = copy.deepcopy(self.assignment.notebook), dict[str, tuple[str, int]]()
        cells, codes = [], dict[str, str]()
        for cell, known in zip(notebook.cells, self.assignment.cells, strict=True):
            if known.id not in tasks:
                cells.append(_without_points(cell))
                continue
            lines = replaced(known.source, HIDDEN, lambda region: f"\n{region.body}\n").split("\n")
            for number, part in enumerate(names.statements(known.source)):
                cells.append(_first_lines(cell, f"{known.id}_{number}", lines[: part.end_lineno]))
                step = cells[-1].metadata.nbgrader.grade_id
                steps[step], codes[step] = (known.id, part.lineno), cells[-1].source
        notebook.cells = cells
        assignment = Assignment(self.assignment.name, notebook)
        marks = mark(assignment, self._code(self.assignment.solution()), self.box, self.limits, carry=False).marks
        last = {steps[got.task][0]: got for got in marks}
        found: dict[str, tuple[int, str]] = {}
        for got in marks:
            name, line = steps[got.task]
            # in the middle, a number on a line of its own is no result
            if got.mistake and (got.mistake != "partial" or got is last[name]):
                found.setdefault(name, (line, _with_advice(_first_line(got.message), codes[got.task])))
        return found

    @staticmethod
    def _code(notebook: Any) -> list[str]:
        return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _raised_in_kernel(notebook: Any, folder: Path) -> Iterator[tuple[int, str]]:
    """Run a notebook to its end, and yield the places of the cells that raise, and what they raise."""
    from nbclient import NotebookClient

    resources = {"metadata": {"path": str(folder)}}
    quiet = ["--log-level=ERROR"]  # not: "Kernel is running over TCP without encryption"
    client = NotebookClient(notebook, kernel_name="python3", extra_arguments=quiet, resources=resources)
    client.allow_errors, client.timeout = True, 600
    client.execute()
    for place, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                yield place, f"{output.ename}: {_first_line(output.evalue)}".rstrip(": ")


def _first_lines(cell: Any, name: str, lines: list[str]) -> Any:
    """A cell that gives points for the first lines of a check."""
    cell = copy.deepcopy(cell)
    cell.source = "\n".join(lines)
    cell.metadata.nbgrader.grade_id = name
    return cell


def _without_points(cell: Any) -> Any:
    cell = copy.deepcopy(cell)
    if "nbgrader" in cell.metadata:
        cell.metadata.nbgrader.points = 0
    return cell


def _points(number: float) -> str:
    return f"{number:g} point{'' if number == 1 else 's'}"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _with_advice(message: str, code: str) -> str:
    """Say also what cannot be checked, if it is that; of the code, the last line that might be the reason counts."""
    for pattern, what in _BY_MESSAGE:
        if re.search(pattern, message):
            return f"{message}: {what}"
    for line in reversed(code.split("\n")):
        for pattern, what in _BY_CODE:
            if re.search(pattern, line):
                return f"{message} (perhaps: {what})"
    return message
