"""Turn an entry of the tables into the notebook that a student hands in."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rsl_edu.course import assignment

from .answers import ANSWERS

MADE_UP = "made up"
NAMES = {int(name[0]): name for name in ANSWERS}


class Markdown(str):
    """A Markdown cell."""


class Raw(str):
    """A raw cell."""


class Ran(str):
    """A cell that the student ran and then deleted, so it is not in the file."""


class Stopped(str):
    """A cell that the student stopped after some seconds."""


@dataclass
class Cell:
    """A cell as the student leaves it.

    Attributes:
        key: ``"first"`` for the imports, the name of the exercise for its answer, ``"check NAME"`` for its check,
            ``"demo 1"``, ``"demo 2"`` … for demonstrations, ``"code"`` for other code, ``"text"`` for Markdown, and
            ``"own"`` for cells that the student added.
        source: Text of the cell.
        handed: Its text in the notebook that was handed out.
        metadata: Its metadata.
        id: Its id.
    """

    key: str
    source: str
    handed: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    id: str = ""

    @property
    def type(self) -> str:
        """Type of the cell in the file."""
        if isinstance(self.source, Raw):
            return "raw"
        return "markdown" if isinstance(self.source, Markdown) else "code"


Edits = Mapping[str, "str | list[str]"]


@dataclass(frozen=True)
class Entry:
    """One odd notebook, as a table describes it.

    Attributes:
        name: Its name.
        number: Number of its assignment.
        edits: New text of a cell, by its key; a list replaces it by several cells. In a text, ``CELL`` stands for the
            right answer or the unchanged text of the cell, ``INDENTED`` for the same text four spaces further right,
            and ``STUB`` for the text that was handed out. The keys ``"top"`` and ``"end"`` add cells.
        source: Where such a notebook was found.
        then: Function that changes the list of cells after the edits.
        form: Function that turns the notebook into the content of a file.
        installed: Packages that the student has and the course does not. A real kernel gets stand-ins for them.
        note: What is odd, if the name does not say so.
    """

    name: str
    number: int
    edits: Edits = field(default_factory=dict)
    source: str = MADE_UP
    then: Callable[[list[Cell]], list[Cell]] = list
    form: Callable[[dict[str, Any]], bytes] = lambda notebook: json.dumps(notebook, indent=1).encode()
    installed: tuple[str, ...] = ()
    note: str = ""

    @property
    def assignment(self) -> str:
        """Name of the assignment."""
        return NAMES[self.number]

    def cells(self) -> list[Cell]:
        """Return the cells after the edits, including cells that the student ran and then deleted."""
        cells = [Cell("top", ""), *answered(self.assignment), Cell("end", "")]
        if unknown := set(self.edits) - {cell.key for cell in cells}:
            raise ValueError(f"{self.name}: no cells {unknown}; there are {[cell.key for cell in cells]}")
        changed = [new for cell in cells for new in _edited(cell, self.edits)]
        return self.then(changed)

    def content(self) -> bytes:
        """Return the content of the file."""
        cells = [cell for cell in self.cells() if not isinstance(cell.source, Ran)]
        return self.form(_notebook(cells))


def answered(name: str) -> list[Cell]:
    """Return the cells of the notebook that was handed out, with a right answer in each answer cell."""
    cells, demos = [], 0
    student = assignment.find(name).student().cells
    first = next(cell for cell in student if cell.cell_type == "code")
    for cell in student:
        about = cell.metadata.get("nbgrader", {})
        exercise = about.get("grade_id", "").removesuffix("-answer")
        key, source = "code", cell.source
        if cell.cell_type == "markdown":
            key, source = "text", Markdown(source)
        elif cell is first:
            key = "first"
        elif about.get("solution"):
            key, source = exercise, ANSWERS[name][exercise]
        elif about.get("grade"):
            key = f"check {exercise}"
        elif "demo" in cell.metadata.get("tags", ()):
            demos += 1
            key = f"demo {demos}"
        cells.append(Cell(key, source, cell.source, dict(cell.metadata), cell.id))
    return cells


def _edited(cell: Cell, edits: Edits) -> list[Cell]:
    if cell.key not in edits:
        return [] if cell.key in ("top", "end") else [cell]
    new = edits[cell.key]
    sources = [new] if isinstance(new, str) else new
    kept = next((source for source in sources if "CELL" in source), sources[0] if sources else "")
    return [
        Cell(cell.key, text, cell.handed, cell.metadata, cell.id) if source is kept else Cell("own", text)
        for source in sources
        for text in [_filled(source, cell)]
    ]


def _filled(source: str, cell: Cell) -> str:
    indented = textwrap.indent(cell.source, "    ")
    text = source.replace("INDENTED", indented).replace("STUB", cell.handed).replace("CELL", cell.source)
    return type(source)(text)


def _notebook(cells: list[Cell]) -> dict[str, Any]:
    made, count = [], 0
    for place, cell in enumerate(cells):
        one: dict[str, Any] = {"cell_type": cell.type, "id": cell.id or f"own-{place}", "metadata": cell.metadata}
        if cell.type == "code":
            count += 1
            one |= {"execution_count": count, "outputs": []}
        made.append(one | {"source": cell.source.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
