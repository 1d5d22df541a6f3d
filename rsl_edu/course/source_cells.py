"""Read the cells of an assignment's source, with their nbgrader metadata, and check that the format is nbgrader's."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import names
from .regions import HIDDEN, MARK_SCHEME, SOLUTION, MarkerError, regions, replaced, without

DEMO = "demo"
"""Tag of a cell that shows something and defines nothing that a check needs."""
_SCHEMA = 3  # newest version of nbgrader's metadata; older versions are read too
_FLAGS = ("grade", "solution", "locked", "task")


class AssignmentError(ValueError):
    """The source of an assignment cannot be used; the message names the notebook, the cell and the line."""


@dataclass(frozen=True)
class SourceCell:
    """A cell of an assignment's source.

    Attributes:
        place: Its position among all cells of the notebook, from 1.
        code: Whether it is a code cell; otherwise it is text.
        source: Its source.
        id: Its ``grade_id`` in nbgrader, or an empty string.
        solution: Whether it is a cell for an answer.
        grade: Whether it gives points.
        task: Whether it is a text that gives points for something that the student does in additional cells.
        points: Number of points.
        demo: Whether it has the tag ``demo``.
    """

    place: int
    code: bool
    source: str
    id: str
    solution: bool
    grade: bool
    task: bool
    points: float
    demo: bool

    @property
    def manual(self) -> bool:
        """Whether its points are given by hand."""
        return self.task or (self.grade and self.solution)


class Stubs:
    """The text that replaces a solution in the student version.

    Args:
        options: ``stub`` for code and ``text_stub`` for text. The defaults are nbgrader's stubs, but the error that the
            code stub raises also names the missing answers.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._code, self._text = options.get("stub"), options.get("text_stub", "YOUR ANSWER HERE")

    def unanswered(self, cell: SourceCell) -> str:
        """Return a cell as it is handed out."""
        source = cell.source
        if cell.solution and not regions(source, SOLUTION):
            begin, end = SOLUTION
            source = f"{begin}\n{source}\n{end}"  # without markers, the whole cell is the solution
        for removed in (HIDDEN, MARK_SCHEME):
            source = replaced(source, removed, lambda _: "")
        return replaced(
            source,
            SOLUTION,
            lambda region: "".join(
                f"{region.indent}{line}\n" for line in self._lines(cell, region.function, region.body)
            ),
        )

    def _lines(self, cell: SourceCell, function: str, body: str) -> list[str]:
        if not cell.code:
            return self._text.split("\n")
        if self._code is not None:
            return self._code.split("\n")
        wanted = (function,) if function else names.defined(body)
        says = f'"{", ".join(wanted)} {"is" if len(wanted) == 1 else "are"} not answered yet"' if wanted else ""
        return ["# YOUR CODE HERE", f"raise NotImplementedError({says})"]


def read_cells(name: str, notebook: Any) -> tuple[SourceCell, ...]:
    """Read the cells of a source.

    Args:
        name: Name of the notebook, for the messages of errors.
        notebook: The notebook.

    Raises:
        AssignmentError: If the notebook is not in nbgrader's format, or a code cell is not valid Python.
    """
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise AssignmentError(f"{name}: expected a Python notebook, got a notebook in {language}")
    cells: list[SourceCell] = []
    for place, cell in enumerate(notebook.cells, 1):
        where = f"{name}, cell {place}"
        try:
            read = _read(place, cell)
            _check_markers(read)
            if read.code:
                _check_python(read.source)
        except _LineError as error:
            raise AssignmentError(f"{where}, line {error.line}: {error}") from None
        except ValueError as error:
            raise AssignmentError(f"{where}: {error}") from None
        if read.id and any(other.id == read.id for other in cells):
            raise AssignmentError(f"{where}: grade_id: expected a unique name, but {read.id!r} is used twice")
        cells.append(read)
    return tuple(cells)


def hidden_check(source: str) -> tuple[str, bool]:
    """Return the hidden check of a cell, on its original lines, and whether it is the complete check."""
    if not (found := regions(source, HIDDEN)):
        return "", False
    lines = replaced(source, HIDDEN, lambda region: f"\n{region.body}\n").split("\n")  # empty lines replace the markers
    begin = found[0].begin
    alone = "\n" * begin + "\n".join(lines[begin:])
    shown_after = without("\n".join(source.split("\n")[begin - 1 :]), HIDDEN)
    try:
        if not ast.parse(shown_after).body:
            ast.parse(alone)
            return alone, False
    except SyntaxError:  # the hidden part begins or continues inside a function or a loop
        pass
    return "\n".join(lines), True


class _LineError(ValueError):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def _read(place: int, cell: Any) -> SourceCell:
    says = cell.metadata.get("nbgrader") or {}
    version = says.get("schema_version", 0)
    if not isinstance(version, int) or version > _SCHEMA:
        raise ValueError(f"nbgrader's schema_version: expected {_SCHEMA} or less, got {version!r}")
    flags = {flag: bool(says.get(flag, False)) for flag in _FLAGS}
    code, grade, solution, task = cell.cell_type == "code", flags["grade"], flags["solution"], flags["task"]
    identity = says.get("grade_id", "") if any(flags.values()) else ""
    if any(flags.values()) and not re.fullmatch(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*", str(identity)):
        raise ValueError(f"grade_id: expected letters, digits, '_' and '-', got {identity!r}")
    if cell.cell_type == "raw" and (grade or solution or task):
        raise ValueError("a raw cell cannot give points or contain an answer; make it a code or text cell")
    if task and (code or grade or solution):
        raise ValueError("a task must be a text cell that is neither graded nor a solution")
    if not code and grade and not solution:
        raise ValueError("a text cell that gives points must also be a solution: its points are given by hand")
    if not code and solution and not grade:
        raise ValueError("a text cell for an answer must give points, which are given by hand")
    points = _points(says, version) if grade or task else 0.0
    demo = DEMO in cell.metadata.get("tags", ())
    return SourceCell(place, code, cell.source, str(identity), solution, grade, task, points, demo)


def _points(says: Mapping[str, Any], version: int) -> float:
    points = says.get("points", 0 if version == 0 else None)
    if version == 0:  # this version stored texts, and treated missing or negative points as 0
        with contextlib.suppress(ValueError):
            points = max(float(points or 0), 0)
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 <= points < float("inf"):
        raise ValueError(f"points: expected a number from 0 up, got {points!r}")
    return points


def _check_markers(cell: SourceCell) -> None:
    for markers, fits, kind in (
        (SOLUTION, cell.solution, "solution cell"),
        (HIDDEN, cell.grade, "cell that gives points"),
        (MARK_SCHEME, cell.task, "task"),
    ):
        try:
            found = regions(cell.source, markers)
        except MarkerError as error:
            raise _LineError(error.line, str(error)) from None
        if found and not fits:
            raise _LineError(found[0].begin, f"{markers[0]!r} in a cell that is not a {kind}")
    for number, line in enumerate(cell.source.split("\n"), 1):
        if cell.grade and re.match(r"\s*#+\s*(HASHED\s+)?AUTOTEST\b", line):
            raise _LineError(number, "AUTOTEST works only in nbgrader: replace this line with the code of the tests")


def _check_python(source: str) -> None:
    try:
        names.statements(source)
    except SyntaxError as error:
        raise _LineError(error.lineno or 1, f"not valid Python: {error.msg}") from None
