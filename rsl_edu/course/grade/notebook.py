"""The code of a notebook, as the grader sees it: which cells it runs, and what it has to say of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Handed, Task

KINDS = ("raised", "stopped", "syntax", "module", "line")
"""What a note can be about."""

_LONGEST_ANSWER = 4000


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        number: Its place among the code cells of the notebook, from 1; 0 for a cell of the assignment that it lacks.
        source: Its code.
        handed: Whether it stands in the assignment as it is here: what it defines is no answer.
        only_names: Whether only its definitions, imports and plain assignments run: it shows something else.
        check: Name of the exercise that it checks: nothing of it runs, but here names mean what the check meant.
    """

    number: int
    source: str
    handed: bool = False
    only_names: bool = False
    check: str = ""


@dataclass(frozen=True)
class Note:
    """Something of a cell that did not run, or not as in a notebook.

    Attributes:
        cell: Number of the cell, from 1.
        kind: ``raised``, ``stopped``, ``syntax``, ``module`` for one that is missing, or ``line`` for a command of
            IPython or of the shell.
        text: What happened, to be read after "code cell 3": ``raised ValueError: 3``.
        line: The line of the notebook, if there is one.
    """

    cell: int
    kind: str
    text: str
    line: str = ""

    def __str__(self) -> str:
        """The whole, in a line."""
        return f"code cell {self.cell} {self.text}" + (f": {self.line}" if self.line else "")


def cells_of(handed: Iterable[Handed], tasks: Iterable[Task], sources: Sequence[str]) -> list[Cell]:
    """Return the cells to run: those of a notebook, and before them those that were handed out and that it lacks.

    Args:
        handed: The code cells of the assignment.
        tasks: Its exercises.
        sources: The code cells of the notebook.
    """
    known = {_form(cell.source): cell for cell in handed}
    checks = [(_form(task.shown), task.name) for task in tasks]
    exercise = {form: name for form, name in checks if [other for other, _ in checks].count(form) == 1}
    forms = [_form(source) for source in sources]
    lost = [cell for form, cell in known.items() if cell.kind in ("setup", "demo") and form not in forms]
    cells = [Cell(0, cell.source, handed=True, only_names=cell.kind == "demo") for cell in lost]
    for number, (form, source) in enumerate(zip(forms, sources, strict=True), 1):
        kind = known[form].kind if form in known else ""
        check = exercise.get(form, "") if kind == "check" else ""
        if kind != "check" or check:
            cells.append(Cell(number, source, bool(kind), only_names=kind == "demo", check=check))
    return cells


def answer_in(cells: Iterable[Cell], names: Iterable[str]) -> str:
    """Return the code with which a notebook answers, as far as it can be found; the last definition of each name.

    Args:
        cells: Its cells.
        names: Names of the answers.
    """
    found: dict[str, str] = {}
    for cell in cells:
        if not cell.handed:
            found |= {name: text for name in names for text in _definitions(cell.source, name)}
    return "\n\n".join(found.values())[:_LONGEST_ANSWER]


def _form(source: str) -> str:
    """The same for two sources that differ only in layout and comments."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _definitions(source: str, name: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if re.search(rf"^\s*(def|class)\s+{re.escape(name)}\b", source, re.MULTILINE):
            yield source
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            matches = node.name == name
        else:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            stores = isinstance(node, (ast.Assign, ast.AnnAssign))
            matches = stores and any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if matches:
            yield ast.get_source_segment(source, node) or source
