"""Assignments: a source notebook in nbgrader's format, and the versions that are made from this notebook.

A cell for an answer has ``solution: true`` in its nbgrader metadata, and contains the solution between
``### BEGIN SOLUTION`` and ``### END SOLUTION``; without these markers, the whole cell is the solution. A code cell
that gives points has ``grade: true``, points and a unique ``grade_id``. Whatever only the grader may see is between
``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``. A cell with both flags, or with ``task``, is marked by hand.
A cell with the tag ``demo`` shows something and defines nothing that a check needs, so the grader leaves it out.

The notebook's metadata may also have settings under ``rsl_edu`` that nbgrader does not have: ``forbidden``, the names
in torch that answers must not call; and ``stub`` and ``text_stub``, the text that replaces a solution.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import operator
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from . import names
from .regions import HIDDEN, MARK_SCHEME, SOLUTION, Region, replaced, unmarked, without
from .source_cells import AssignmentError, SourceCell, Stubs, hidden_check, read_cells

__all__ = ["Assignment", "AssignmentError", "Handed", "Task", "find", "folder", "locate", "with_solutions"]

Kind = Literal["answer", "check", "demo", "setup"]


@dataclass(frozen=True)
class Task:
    """An exercise that gives points.

    Attributes:
        name: Name of the exercise, and of its column in the grades: the ``grade_id`` of its cell. May contain ``-``.
        points: Points for a right answer.
        shown: The check that the student has too; may be empty.
        hidden: The check that only the grader has, on the same lines as in its cell; may be empty.
        manual: Whether the points are given by hand. If so, there is no check.
        whole: Whether ``hidden`` is the complete check and runs on its own, because hidden lines are between or inside
            visible lines. Otherwise ``hidden`` continues where ``shown`` ended, and uses the same variables.
        answers: The answers that the check calls or reads, directly or through functions of the set-up.
        stub: The cell as handed out, if it is marked by hand.
    """

    name: str
    points: float
    shown: str
    hidden: str
    manual: bool = False
    whole: bool = False
    answers: tuple[str, ...] = ()
    stub: str = ""

    @property
    def title(self) -> str:
        """The name; if nbgrader generated it, such as ``cell-5a1b``, the names of the answers instead."""
        return ", ".join(self.answers) if self.answers and re.fullmatch(r"cell-[0-9a-f]+", self.name) else self.name


@dataclass(frozen=True)
class Handed:
    """A code cell of the notebook that is handed out.

    Attributes:
        source: Its code, without solutions and hidden tests.
        kind: ``answer`` for a stub; ``check`` for a check; ``demo`` for a cell that no check needs; ``setup`` for all
            others. A cell that cannot run without an answer, such as ``squares(10)``, is a ``demo`` even without the
            tag.
    """

    source: str
    kind: Kind


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
        import nbformat  # imported here, like torch below, so that a wrong name or path is reported without delay

        try:
            return cls(path.stem, nbformat.reads(path.read_text("utf-8"), as_version=4))
        except AssignmentError:
            raise
        except Exception as error:  # nbformat and json raise many kinds
            raise AssignmentError(f"{path}: not a notebook ({error})") from error

    def __post_init__(self) -> None:
        """Raise an error if the notebook is not in the format."""
        if not any(cell.points for cell in self.cells):
            raise AssignmentError(f"{self.name}: no cell gives points")
        for cell in self.cells:
            if cell.code and cell.solution:
                try:
                    names.statements(self._stubs.unanswered(cell))
                except SyntaxError as error:
                    says = f"cell {cell.place}: not valid Python once a stub replaces the solution: {error.msg}"
                    raise AssignmentError(f"{self.name}, {says}") from None
        if self.forbidden:
            self._must_be_of_torch(self.forbidden)

    @cached_property
    def cells(self) -> tuple[SourceCell, ...]:
        """The cells of the source."""
        return read_cells(self.name, self.notebook)

    # The versions

    def student(self) -> Any:
        """Return the notebook to hand out, without solutions, hidden tests and outputs."""
        return self._version(self._stubs.unanswered, outputs=False)

    def solution(self) -> Any:
        """Return the notebook to publish later, with solutions but without hidden tests and marking schemes."""
        return self._version(_answered, outputs=True)

    def instructor(self) -> Any:
        """Return a copy of the complete source."""
        return copy.deepcopy(self.notebook)

    def _version(self, change: Callable[[SourceCell], str], outputs: bool) -> Any:
        notebook = copy.deepcopy(self.notebook)
        notebook.metadata.pop("rsl_edu", None)
        for cell, known in zip(notebook.cells, self.cells, strict=True):
            if known.code or known.id:
                cell.source = change(known)
            if known.code and not outputs:
                cell.outputs, cell.execution_count = [], None
        return notebook

    @property
    def _stubs(self) -> Stubs:
        return Stubs(self.notebook.metadata.get("rsl_edu", {}))

    # What the grader needs

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The exercises, in the order of the notebook. A cell with 0 points is not an exercise."""
        return tuple(self._task(cell) for cell in self.cells if cell.points)

    def _task(self, cell: SourceCell) -> Task:
        if cell.manual:
            return Task(cell.id, cell.points, "", "", manual=True, stub=self._stubs.unanswered(cell))
        hidden, whole = hidden_check(cell.source)
        called = names.reached(names.used(names.python(unmarked(cell.source, HIDDEN))), self._helpers)
        answers = tuple(name for name in self.answers if name in called)
        return Task(cell.id, cell.points, without(cell.source, HIDDEN), hidden, whole=whole, answers=answers)

    @property
    def maximum(self) -> float:
        """Points for all exercises."""
        return sum(task.points for task in self.tasks)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """Names of the functions, classes and variables that the student writes."""
        return tuple(dict.fromkeys(name for cell, _ in self._solutions for name in names.defined(cell)))

    def reference(self, name: str) -> str:
        """Return the cell with the right answer for this name, without markers.

        Raises:
            ValueError: If there is no such answer.
        """
        self._must_be_answer(name)
        return next(source for source, _ in reversed(self._solutions) if name in names.defined(source))

    def depends(self, name: str) -> tuple[str, ...]:
        """Return the other answers that the right answer for ``name`` uses, directly or indirectly.

        Raises:
            ValueError: If there is no such answer.
        """
        self._must_be_answer(name)
        found = names.reached({name}, self._helpers, names.definitions(source for source, _ in self._solutions))
        return tuple(answer for answer in self.answers if answer in found and answer != name)

    @cached_property
    def setup(self) -> tuple[str, ...]:
        """Code that can run without an answer and is neither a check nor a demonstration.

        The imports of the checks come last. They are included because, in a kernel, later checks can use them too.
        """
        cells = [cell.source for cell in self.cells if self.kinds.get(cell.place) == "setup"]
        checks = [cell.source for cell in self.cells if self.kinds.get(cell.place) == "check"]
        imports = "\n".join(dict.fromkeys(line for check in checks for line in names.imports(check)))
        return (*cells, imports) if imports else (*cells,)

    @cached_property
    def handed(self) -> tuple[Handed, ...]:
        """The code cells that are handed out, in order."""
        return tuple(Handed(self._stubs.unanswered(cell), self.kinds[cell.place]) for cell in self.cells if cell.code)

    @cached_property
    def left_out(self) -> frozenset[str]:
        """Cells that the grader does not run if the student left them as handed out."""
        return frozenset(cell.source.strip() for cell in self.handed if cell.kind in ("check", "demo"))

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Full names of functions that the student must write and not call, such as ``torch.nn.Conv2d``."""
        return tuple(self.notebook.metadata.get("rsl_edu", {}).get("forbidden", ()))

    @cached_property
    def digest(self) -> str:
        """Hash of everything that determines the points."""
        parts = repr((self.name, self.tasks, self.setup, self.handed, self.forbidden, self._solutions))
        return hashlib.sha256(parts.encode()).hexdigest()

    @cached_property
    def _solutions(self) -> tuple[tuple[str, int], ...]:
        """The right answers as Python code, and the positions of their cells."""
        cells = (cell for cell in self.cells if cell.code and cell.solution)
        return tuple((names.python(_answered(cell)), cell.place) for cell in cells)

    @cached_property
    def _helpers(self) -> dict[str, frozenset[str]]:
        return names.definitions(map(names.python, self.setup))

    @cached_property
    def kinds(self) -> dict[int, Kind]:
        """The kind of each code cell, as for :class:`Handed`, by its position in the notebook."""
        kinds: dict[int, Kind] = {}
        known: set[str] = set()  # defined by the set-up so far
        missing: set[str] = set()  # not defined by the set-up: answers, and names that other cells define
        for cell in self.cells:
            if not cell.code:
                continue
            code = ast.parse(names.python(_answered(cell))).body
            new = {name for part in code for name in names.bound(part)}
            if cell.solution:
                kinds[cell.place] = "answer"
                missing |= new
                known -= new
            elif cell.grade or cell.demo or names.need(code, missing):
                kinds[cell.place] = "check" if cell.grade else "demo"
                missing |= new - known
            else:
                kinds[cell.place] = "setup"
                missing -= new
                known |= new
        return kinds

    def _must_be_answer(self, name: str) -> None:
        if name not in self.answers:
            raise ValueError(f"name: expected one of {', '.join(self.answers)}; got {name!r}")

    def _must_be_of_torch(self, forbidden: tuple[str, ...]) -> None:
        import torch

        for name in forbidden:
            try:
                operator.attrgetter(name.removeprefix("torch."))(torch)
            except AttributeError:
                raise AssignmentError(f"{self.name}: forbidden: torch has no {name!r}") from None


def folder() -> Path:
    """Return the folder of the sources: ``notebooks/assignments`` of a clone.

    Raises:
        AssignmentError: If there is none. An installed package has no sources, since they contain solutions.
    """
    sources = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"
    if sources.is_dir():
        return sources
    raise AssignmentError(
        "only a clone of rsl_edu contains the sources of the assignments; give their folder: --sources"
    )


def locate(name: str, sources: Path | None = None) -> Path:
    """Return the source file of an assignment by its name, such as ``4_normalization``.

    Args:
        name: Name of the notebook, with or without its suffix.
        sources: Folder of the sources. Default: the folder in the clone.

    Raises:
        AssignmentError: If there is no such source.
    """
    sources = folder() if sources is None else sources
    names = sorted(path.stem for path in sources.glob("*.ipynb"))
    if not names:
        raise AssignmentError(f"NAME: there are no notebooks in {sources}; got {name!r}")
    if (stem := name.removesuffix(".ipynb")) not in names:
        raise AssignmentError(f"NAME: expected one of {', '.join(names)} in {sources}; got {name!r}")
    return sources / f"{stem}.ipynb"


def find(name: str, sources: Path | None = None) -> Assignment:
    """Read the source of an assignment by its name. Arguments are the same as for :func:`locate`.

    Raises:
        AssignmentError: If there is no such source, or it is not in the format.
    """
    return Assignment.read(locate(name, sources))


def with_solutions(source: str, bodies: Mapping[str, str]) -> str:
    """Return the source of a cell with new solutions between its markers.

    Args:
        source: Source of a cell for an answer.
        bodies: The body of each function or method, not indented, by name.

    Raises:
        ValueError: If the cell asks for a function that ``bodies`` does not have.
    """

    def solved(region: Region) -> str:
        if region.function not in bodies:
            raise ValueError(f"a solution cell is for {region.function}, but the exercise has {', '.join(bodies)}")
        begin, end = SOLUTION
        return textwrap.indent(f"{begin}\n{bodies[region.function]}\n{end}\n", region.indent)

    return replaced(source, SOLUTION, solved)


def _answered(cell: SourceCell) -> str:
    return unmarked(without(without(cell.source, HIDDEN), MARK_SCHEME), SOLUTION)
