"""The code of a notebook for the grader: cells to run, and notes on cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Handed, Task

KINDS = ("raised", "stopped", "syntax", "module", "line")
"""Kinds of notes."""

_LONGEST_ANSWER = 4000
_LONGEST_PARSED = 200_000  # largest number of characters in a cell; its syntax tree takes 500 times as many bytes


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        number: Number of the code cell in the notebook, from 1; 0 for a cell of the assignment that the notebook lacks.
        source: Its code.
        handed: Whether it is an unchanged cell of the assignment, so that its definitions are not answers.
        only_names: Whether only its definitions, imports and plain assignments run, because the rest is a demo.
        check: Name of the exercise that it checks. The cell does not run; the values of names at this point are stored
            for the check.
    """

    number: int
    source: str
    handed: bool = False
    only_names: bool = False
    check: str = ""


@dataclass(frozen=True)
class Note:
    """Note on code that did not run, or that ran differently than in a kernel.

    Attributes:
        cell: Number of the cell, from 1.
        kind: ``raised``, ``stopped``, ``syntax``, ``module`` for a missing module, or ``line`` for a command of IPython
            or of the shell.
        text: What happened, to follow the words "code cell 3": ``raised ValueError: 3``.
        line: The line of the notebook that the note is about, if there is one.
    """

    cell: int
    kind: str
    text: str
    line: str = ""

    def __str__(self) -> str:
        """Return the complete note, in one line."""
        return f"code cell {self.cell} {self.text}" + (f": {self.line}" if self.line else "")


def cells_of(handed: Iterable[Handed], tasks: Iterable[Task], sources: Sequence[str]) -> list[Cell]:
    """Return the cells to run: cells of the assignment that the notebook lacks, then the notebook's own cells.

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


def answers_in(cells: Iterable[Cell], tasks: Iterable[Task]) -> dict[str, str]:
    """Return the code of a notebook's answers: the last definition of each name, if it can be found.

    Args:
        cells: The cells of the notebook.
        tasks: The exercises.

    Returns:
        The code for each exercise, by its name.
    """
    tasks = [*tasks]
    names = {name for task in tasks for name in task.answers}
    found: dict[str, str] = {}
    for cell in cells:
        if not cell.handed:
            found |= _definitions(cell.source, {name for name in names if name in cell.source})
    texts = {task.name: [found[name] for name in task.answers if name in found] for task in tasks}
    return {name: "\n\n".join(parts)[:_LONGEST_ANSWER] for name, parts in texts.items()}


def _form(source: str) -> str:
    """Return a form of the source that does not depend on layout and comments."""
    try:
        return ast.dump(_tree(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _tree(source: str) -> ast.Module:
    """Parse a cell, unless it is too long: parsing happens in the grader's process, without the student's limits."""
    if len(source) > _LONGEST_PARSED:
        raise ValueError("too long to be parsed")
    return ast.parse(source)


def _definitions(source: str, names: Collection[str]) -> dict[str, str]:
    """Return, for each of these names, the code that defines it in a cell."""
    if not names:
        return {}
    try:
        tree = _tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        defined = re.findall(r"^\s*(?:def|class)\s+(\w+)", source, re.MULTILINE)
        return {name: source for name in names if name in defined}
    found: dict[str, ast.AST] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return {name: ast.get_source_segment(source, found[name]) or source for name in names if name in found}
