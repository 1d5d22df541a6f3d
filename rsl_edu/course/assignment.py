"""Assignments: one notebook in the format of nbgrader, and the versions that are made of it.

The source is a notebook. A cell in which the learner answers has ``solution: true`` in its nbgrader metadata, and the
answer between ``### BEGIN SOLUTION`` and ``### END SOLUTION``. A cell that gives points has ``grade: true``, points and
the name of the exercise as ``grade_id``; what only the grader may see stands between ``### BEGIN HIDDEN TESTS`` and
``### END HIDDEN TESTS``. A cell with the tag ``demo`` shows something and defines nothing that an answer needs: the
grader leaves it out.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import operator
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
DEMO = "demo"
"""Tag of a cell that the grader leaves out."""


class AssignmentError(ValueError):
    """A source that cannot be used; the text names the notebook and the cell."""


@dataclass(frozen=True)
class Task:
    """What gives points.

    Attributes:
        name: Name of the exercise, and of its column in the grades.
        points: Points for a right answer.
        shown: The check that the learner has too.
        hidden: The check that only the grader has.
        manual: Whether the points are given by hand; there is no check then.
    """

    name: str
    points: float
    shown: str
    hidden: str
    manual: bool = False


@dataclass(frozen=True)
class Handed:
    """A code cell of the notebook that is handed out.

    Attributes:
        source: Its code: without solutions and hidden tests.
        kind: ``answer`` for a stub, ``check``, ``demo``, or ``setup`` for all others.
    """

    source: str
    kind: Literal["answer", "check", "demo", "setup"]


@dataclass(frozen=True, repr=False)
class Assignment:
    """The source of an assignment.

    Args:
        name: Name of the notebook, without its suffix.
        notebook: The notebook.

    Raises:
        AssignmentError: If the notebook is not in the format.
    """

    name: str
    notebook: Any

    @classmethod
    def read(cls, path: Path) -> Assignment:
        """Read a source.

        Raises:
            AssignmentError: If the file is not a notebook, or not in the format.
        """
        import nbformat  # here, as torch below: a wrong name or path is reported without waiting for it

        try:
            return cls(path.stem, nbformat.reads(path.read_text("utf-8"), as_version=4))
        except AssignmentError:
            raise
        except Exception as error:  # nbformat and json have many
            raise AssignmentError(f"{path}: not a notebook ({error})") from error

    def __post_init__(self) -> None:
        """Refuse what is not in the format."""
        names: set[str] = set()
        for place, cell in self._code():
            for markers in (SOLUTION, HIDDEN):
                self._must_be_paired(place, cell.source, markers)
            if _says(cell, "solution"):
                if SOLUTION[0] not in cell.source:
                    raise self._error(place, f"a solution cell without {SOLUTION[0]!r}")
                if re.search(f"^{SOLUTION[0]}", cell.source, re.MULTILINE):
                    raise self._error(place, "indent the solution into its function: a stub must not stop Run All")
            if _says(cell, "grade"):
                name, points = cell.metadata.nbgrader.get("grade_id"), cell.metadata.nbgrader.get("points")
                if not re.fullmatch(r"[a-zA-Z]\w*", str(name)) or name in names:
                    raise self._error(place, f"grade_id: expected a name of its own, got {name!r}")
                if not isinstance(points, (int, float)) or not points > 0:
                    raise self._error(place, f"points: expected a positive number, got {points!r}")
                names.add(name)
        if not names:
            raise AssignmentError(f"{self.name}: no cell gives points")
        if self.forbidden:
            self._must_be_of_torch(self.forbidden)

    # The versions

    def student(self) -> Any:
        """The notebook to hand out: without solutions, without hidden tests, without outputs."""
        return self._version(lambda source: _without(_unanswered(source), HIDDEN), outputs=False)

    def solution(self) -> Any:
        """The notebook to publish afterwards: with solutions, without hidden tests."""
        return self._version(lambda source: _without(_unmarked(source), HIDDEN), outputs=True)

    def instructor(self) -> Any:
        """The notebook with all that is in the source."""
        return copy.deepcopy(self.notebook)

    def _version(self, change: Callable[[str], str], outputs: bool) -> Any:
        notebook = copy.deepcopy(self.notebook)
        notebook.metadata.pop("rsl_edu", None)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.source = change(cell.source)
                if not outputs:
                    cell.outputs, cell.execution_count = [], None
        return notebook

    # What the grader needs

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The exercises, in the order of the notebook."""
        return tuple(
            Task(
                cell.metadata.nbgrader.grade_id,
                cell.metadata.nbgrader.points,
                _without(cell.source, HIDDEN),
                _inside(cell.source, HIDDEN),
            )
            for _, cell in self._code()
            if _says(cell, "grade")
        )

    @property
    def maximum(self) -> float:
        """Points for all exercises."""
        return sum(task.points for task in self.tasks)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """Names of the functions and classes that the learner writes."""
        cells = (ast.parse(_unmarked(cell.source)) for _, cell in self._code() if _says(cell, "solution"))
        kinds = (ast.FunctionDef, ast.ClassDef)
        return tuple(dict.fromkeys(part.name for cell in cells for part in cell.body if isinstance(part, kinds)))

    @cached_property
    def setup(self) -> tuple[str, ...]:
        """Code that comes before the checks, and is neither an answer, nor a check, nor a demonstration."""
        return tuple(cell.source for _, cell in self._code() if _kind(cell) == "setup")

    @cached_property
    def left_out(self) -> frozenset[str]:
        """Code of a learner's notebook that the grader does not run, if it is as handed out."""
        return frozenset(
            _without(cell.source, HIDDEN).strip()
            for _, cell in self._code()
            if _says(cell, "grade") or DEMO in cell.metadata.get("tags", ())
        )

    @cached_property
    def handed(self) -> tuple[Handed, ...]:
        """The code cells that are handed out, in their order."""
        return tuple(Handed(_without(_unanswered(cell.source), HIDDEN), _kind(cell)) for _, cell in self._code())

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Full names of what the learner is asked to write, and may not call, such as ``torch.nn.Conv2d``."""
        return tuple(self.notebook.metadata.get("rsl_edu", {}).get("forbidden", ()))

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides about the points."""
        parts = repr((self.name, self.tasks, self.setup, self.handed, self.forbidden))
        return hashlib.sha256(parts.encode()).hexdigest()

    def _code(self) -> Iterator[tuple[int, Any]]:
        return ((place, cell) for place, cell in enumerate(self.notebook.cells, 1) if cell.cell_type == "code")

    def _must_be_paired(self, place: int, source: str, markers: tuple[str, str]) -> None:
        found = [line.strip() for line in source.splitlines() if line.strip() in markers]
        if found != list(markers) * (len(found) // 2):
            raise self._error(place, f"{markers[0]!r} and {markers[1]!r} must alternate, each on a line of its own")

    def _must_be_of_torch(self, names: tuple[str, ...]) -> None:
        import torch

        for name in names:
            try:
                operator.attrgetter(name.removeprefix("torch."))(torch)
            except AttributeError:
                raise AssignmentError(f"{self.name}: forbidden: torch has no {name!r}") from None

    def _error(self, place: int, text: str) -> AssignmentError:
        return AssignmentError(f"{self.name}, cell {place}: {text}")


def folder() -> Path:
    """Return the folder of the sources: ``notebooks/assignments`` of a clone.

    Raises:
        AssignmentError: If there is none: an installed package has no sources, which hold solutions and hidden tests.
    """
    sources = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"
    if sources.is_dir():
        return sources
    raise AssignmentError("the sources of the assignments are in a clone of rsl_edu only: name their folder, --sources")


def locate(name: str, sources: Path | None = None) -> Path:
    """Return the file that is the source of an assignment, by its name: ``4_normalization``.

    Args:
        name: Name of the notebook, with or without its suffix.
        sources: Folder of the sources; that of the clone by default.

    Raises:
        AssignmentError: If there is no such source.
    """
    sources = folder() if sources is None else sources
    names = sorted(path.stem for path in sources.glob("*.ipynb"))
    if (stem := name.removesuffix(".ipynb")) not in names:
        raise AssignmentError(f"NAME: expected one of {', '.join(names) or 'none'} in {sources}; got {name!r}")
    return sources / f"{stem}.ipynb"


def find(name: str, sources: Path | None = None) -> Assignment:
    """Read the source of an assignment, by its name, as for :func:`locate`.

    Raises:
        AssignmentError: If there is no such source, or it is not in the format.
    """
    return Assignment.read(locate(name, sources))


def with_solutions(source: str, bodies: Mapping[str, str]) -> str:
    """Return the source of a cell with other solutions between its markers.

    Args:
        source: Source of a cell in which the learner answers.
        bodies: The body of each function or method, not indented, by its name.

    Raises:
        ValueError: If the cell asks for a function that ``bodies`` does not have.
    """

    def solved(region: re.Match[str]) -> str:
        name = _function_of(region)
        if name not in bodies:
            raise ValueError(f"a solution cell asks for {name}; the exercise has {', '.join(bodies)}")
        begin, end = SOLUTION
        return textwrap.indent(f"{begin}\n{bodies[name]}\n{end}\n", region[1])

    return _regions(SOLUTION).sub(solved, source).rstrip("\n")


def _says(cell: Any, what: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(what))


def _kind(cell: Any) -> Literal["answer", "check", "demo", "setup"]:
    if _says(cell, "solution"):
        return "answer"
    if _says(cell, "grade"):
        return "check"
    return "demo" if DEMO in cell.metadata.get("tags", ()) else "setup"


def _regions(markers: tuple[str, str]) -> re.Pattern[str]:
    begin, end = map(re.escape, markers)
    return re.compile(rf"^([ \t]*){begin}[ \t]*\n(.*?)^[ \t]*{end}[ \t]*(?:\n|\Z)", re.MULTILINE | re.DOTALL)


def _without(source: str, markers: tuple[str, str]) -> str:
    return _regions(markers).sub("", source).rstrip("\n")


def _inside(source: str, markers: tuple[str, str]) -> str:
    return "".join(region[2] for region in _regions(markers).finditer(source))


def _unmarked(source: str) -> str:
    return _regions(SOLUTION).sub(lambda region: region[2], source).rstrip("\n")


def _unanswered(source: str) -> str:
    def stub(region: re.Match[str]) -> str:
        indent = region[1]
        message = f"{_function_of(region)} is not answered yet"
        return f'{indent}# YOUR CODE HERE\n{indent}raise NotImplementedError("{message}")\n'

    return _regions(SOLUTION).sub(stub, source).rstrip("\n")


def _function_of(region: re.Match[str]) -> str:
    """Name of the function or method that a region stands in."""
    return str(re.findall(r"\b(?:def|class)[ ]+(\w+)", region.string[: region.start()])[-1])
