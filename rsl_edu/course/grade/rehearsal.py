"""Test of an assignment before it is handed out: the points for right answers, no answers and wrong answers."""

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

from . import poor_answers, submissions
from .hints import with_advice
from .marking import Mark, Marks, mark
from .notebook import Note
from .sandbox import Limits
from .student import StalledError

_UNANSWERED = ("not-answered", "missing", "as-handed-out")
_EXPECTS_ERROR = re.compile(r"\braises\(|\bassertRaises\w*\(|\bexcept\b")


def rehearse(
    assignment: Assignment,
    say: Callable[[str], None],
    *,
    wrong: Iterable[Path] = (),
    box: str = "bwrap",
    limits: Limits = Limits(),  # noqa: B008  it is frozen
    folder: Path | None = None,
) -> bool:
    """Grade the contents of the source like submissions, and report problems.

    First, the source is checked without running it; if it has errors, nothing runs. Then the right answers must get all
    points, and the notebook as handed out must get none, with every exercise not answered. Two kinds of wrong answers
    must not get all points: answers that do nothing, and answers that do not raise the errors that right answers raise.

    Args:
        assignment: The source.
        say: Called with each line of the report.
        wrong: Notebooks with wrong answers; the report lists their points.
        box: Which sandbox, as for :func:`.grade.sandbox.start`.
        limits: Limits of each run.
        folder: Folder in which a kernel runs the notebook as handed out, from top to bottom. The notebook runs without
            a sandbox, because the code is the author's own. By default, it does not run.

    Returns:
        Whether the source has no errors; it may have warnings.

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
                rehearsal.poor_answers()
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
        self.faulty: set[str] = set()  # exercises that already have an error, which may cause further errors

    def describe(self) -> None:
        """Report the exercises and their points."""
        exercises = counted(len(self.assignment.tasks), "exercise")
        self.say(f"{self.assignment.name}: {exercises}, {counted(self.assignment.maximum, 'point')}")
        for task in self.assignment.tasks:
            how = "by hand" if task.manual else f"for {', '.join(task.answers) or 'no answer'}"
            needed = dict.fromkeys(name for answer in task.answers for name in self.assignment.depends(answer))
            needs = f"; needs {', '.join(needed)}" if needed else ""
            self.say(
                f"  cell {self.cells[task.name].place}: {task.name}, {counted(task.points, 'point')}, {how}{needs}"
            )

    def report(self, found: Iterable[Finding]) -> None:
        """Report findings."""
        for finding in found:
            self.errors += finding.error
            self.warnings += not finding.error
            self.say(str(finding))

    def right_answers(self) -> None:
        """Mark the right answers, which must get all points."""
        marks = self._mark("right answers", self._code(self.assignment.solution()))
        self.report(Finding(self._place(note), 1, f"this cell {note.text}", error=False) for note in marks.notes)
        for name, value in marks.above.items():
            cell = self.cells[name]
            says = f"the last value of {name} is {value:g}, but its cell has only {counted(cell.points, 'point')}"
            says += f": nbgrader refuses to grade this, and here it counts as {cell.points:g}"
            self.report([Finding(cell.place, names.statements(cell.source)[-1].lineno, says)])
        lost = {task.name: got for task, got in self._checked(marks) if got.points != task.points}
        self.faulty |= {*lost}
        lines = self._lines_that_fail([*lost]) if lost else {}
        for name, got in lost.items():
            line, why = lines.get(name, (1, _first_line(got.message)))
            says = f"right answers get {got.points:g} of {counted(self.cells[name].points, 'point')} for {name}: {why}"
            self.report([Finding(self.cells[name].place, line, says)])

    def no_answers(self) -> None:
        """Mark the notebook as handed out, which must get no points."""
        marks = self._mark("no answers", self._code(self.assignment.student()))
        for task, got in self._checked(marks):
            place, message = self.cells[task.name].place, _first_line(got.message)
            if got.points:
                says = f"{task.name} gives {counted(got.points, 'point')} to a notebook without answers"
                self.report([Finding(place, 1, says)])
                self.faulty.add(task.name)
            elif got.mistake not in _UNANSWERED and task.name not in self.faulty:
                says = f"{task.name} counts a notebook without answers as wrong instead of not answered: let the stub "
                says += f"raise NotImplementedError, and do not catch it in the check. Students now see: {message}"
                self.report([Finding(place, 1, says, error=False)])

    def poor_answers(self) -> None:
        """Mark answers that do nothing, and right answers that never raise errors; neither may get all points."""
        for task in self._passed_with(poor_answers.returning_nothing):
            says = f"{task.name} gives {counted(task.points, 'point')} to answers that do nothing and return None"
            self.report([Finding(self.cells[task.name].place, 1, says)])
            self.faulty.add(task.name)
        for task in self._passed_with(poor_answers.never_raising):
            cell, points = self.cells[task.name], counted(task.points, "point")
            expects = bool(_EXPECTS_ERROR.search(cell.source))
            says = f"{task.name} gives {points} to answers that do not raise the errors that right answers raise: "
            says += "let the check fail if there is no error" if expects else "no check tests these errors"
            self.report([Finding(cell.place, 1, says, error=expects)])

    def _passed_with(self, change: Callable[[str], str]) -> list[Task]:
        """Return the exercises that still give all points after their right answers have been changed."""
        code, changed = [], set[str]()
        for cell, notebook_cell in zip(self.assignment.cells, self.assignment.solution().cells, strict=True):
            source = notebook_cell.source
            if cell.code and cell.solution and (new := change(source)) != source:
                changed |= {*names.defined(source)}
                source = new
            if cell.code:
                code.append(source)
        tried = [task for task in self.checked if changed & {*task.answers} and task.name not in self.faulty]
        if not tried:
            return []
        return [task for task, got in self._checked(self._graded(code)) if task in tried and got.points == task.points]

    def run_all(self, folder: Path) -> None:
        """Run the notebook as handed out, in a kernel; no cell of the set-up may raise an error."""
        notebook = self.assignment.student()
        begin = time.monotonic()
        try:
            raised = dict(_raised_in_kernel(notebook, folder))
        except (RuntimeError, TimeoutError) as error:  # the kernel has ended, or a cell does not end
            self.errors += 1
            self.say(f"error: Run All in the notebook as handed out: {_first_line(str(error))}")
            return
        self.say(f"Run All in the notebook as handed out: {time.monotonic() - begin:.1f} s")
        kinds = self.assignment.kinds
        for place, what in raised.items():
            if kinds[place] == "setup":
                self.report([Finding(place, 1, f"this cell raises {what} in the notebook as handed out")])
        others = [place for place in raised if kinds[place] != "setup"]
        if others:
            says = f"in the notebook as handed out, Run All stops here with {raised[others[0]]}"
            if others[1:]:
                more = ", ".join(map(str, others[1:]))
                says += f"; {f'cells {more} raise errors' if others[2:] else f'cell {more} raises an error'}, too"
            self.report([Finding(others[0], 1, says, error=False)])

    def wrong_answers(self, files: list[Path]) -> None:
        """Mark notebooks with wrong answers, and report their points in a table."""
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
            carried = [
                f"{got.task} {got.points:g} (carried forward)" for got in marks.marks if got.carried and not got.mistake
            ]
            self.say(f"  {file.name:{width}}  {points:5g}  {', '.join(lost + carried)}".rstrip())
            if not lost and not carried:
                self.warnings += 1
                self.say(f"warning: {file.name} gets all points")

    def _mark(self, name: str, code: list[str]) -> Marks:
        marks = self._graded(code)
        points, most = sum(mark.points or 0 for mark in marks.marks), sum(task.points for task in self.checked)
        self.say(f"{name}: {points:g} of {counted(most, 'point')}, {marks.cpu:.1f} s of CPU time")
        return marks

    def _graded(self, code: list[str], carry: bool = False) -> Marks:
        return mark(self.assignment, code, self.box, self.limits, carry=carry)

    def _checked(self, marks: Marks) -> Iterator[tuple[Task, Mark]]:
        got = {mark.task: mark for mark in marks.marks}
        return ((task, got[task.name]) for task in self.checked)

    def _place(self, note: Note) -> int:
        return self.places[note.cell - 1]

    def _lines_that_fail(self, tasks: list[str]) -> dict[str, tuple[int, str]]:
        """Return, for each check that right answers fail, the line of the first failing statement, and the message.

        To find the line, each check is split into several checks without hidden parts. Each of these contains one more
        statement of the check than the one before.
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
            # a number in the middle of a check is not its result
            if got.mistake and (got.mistake != "partial" or got is last[name]):
                found.setdefault(name, (line, with_advice(_first_line(got.message), codes[got.task])))
        return found

    @staticmethod
    def _code(notebook: Any) -> list[str]:
        return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _raised_in_kernel(notebook: Any, folder: Path) -> Iterator[tuple[int, str]]:
    """Run a notebook to its end, and yield the position and the error of each cell that raises an error."""
    from nbclient import NotebookClient

    resources = {"metadata": {"path": str(folder)}}
    quiet = ["--log-level=ERROR"]  # hides "Kernel is running over TCP without encryption"
    client = NotebookClient(notebook, kernel_name="python3", extra_arguments=quiet, resources=resources)
    client.allow_errors, client.timeout = True, 600
    client.execute()
    for place, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                yield place, f"{output.ename}: {_first_line(output.evalue)}".rstrip(": ")


def _first_lines(cell: Any, name: str, lines: list[str]) -> Any:
    """Return a cell that gives points for the first lines of a check."""
    cell = copy.deepcopy(cell)
    cell.source = "\n".join(lines)
    cell.metadata.nbgrader.grade_id = name
    return cell


def _without_points(cell: Any) -> Any:
    cell = copy.deepcopy(cell)
    if "nbgrader" in cell.metadata:
        cell.metadata.nbgrader.points = 0
    return cell


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
