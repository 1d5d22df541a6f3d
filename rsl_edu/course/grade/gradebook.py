"""The grades: a journal to which each graded submission is added at once, and the table that is made from it."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsl_edu.atomic_write import atomic_write
from rsl_edu.printable import printable

from .marking import Mark
from .notebook import Note

GRADED = "graded"
"""Status of a submission that was graded; every other status says why it was not."""
TRIED_AGAIN = "not graded, and tried again next time"
"""How the status begins where something went wrong that may not be the student's fault."""


@dataclass(frozen=True)
class Row:
    """A submission and what it got.

    Attributes:
        submission: Name of the submission.
        key: Hash of the submission and of all that decides about its points.
        status: ``graded``, or why not.
        marks: One for each exercise.
        notes: What happened while its cells ran.
        seconds: How long it took.
        safe: Whether it ran in a sandbox.
        file: The notebook, as the export names it.
        identifier: What the export calls the student: Moodle's number of the participant, Canvas's ID; or empty.
        late: Whether the export says that it came late.
    """

    submission: str
    key: str
    status: str
    marks: tuple[Mark, ...]
    notes: tuple[Note, ...] = ()
    seconds: float = 0.0
    safe: bool = True
    file: str = ""
    identifier: str = ""
    late: bool = False

    @property
    def total(self) -> float:
        """Points for all exercises that have been marked."""
        return sum(mark.points or 0.0 for mark in self.marks)

    @property
    def tried_again(self) -> bool:
        """Whether the next run grades it, because nothing is known about its points yet."""
        return self.status.startswith(TRIED_AGAIN)


class Journal:
    """Rows in a file next to the grades; what is in it survives a power cut.

    Args:
        path: The file; made if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], Row] = {}
        lines = path.read_bytes().splitlines() if path.exists() else []
        for line in lines:
            try:
                row = _row(json.loads(line))
                self.rows[row.submission, row.key] = row
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue  # a line that was cut off, or of another version: it is graded again

    def add(self, row: Row) -> None:
        """Keep a row."""
        self.rows[row.submission, row.key] = row
        with self.path.open("a", encoding="utf-8") as file:
            if file.tell() and not self._ends_a_line():
                file.write("\n")
            file.write(json.dumps(asdict(row)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _ends_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _row(fields: dict[str, Any]) -> Row:
    marks = tuple(Mark(**{**mark, "carried": tuple(mark["carried"])}) for mark in fields.pop("marks"))
    notes = tuple(Note(**note) for note in fields.pop("notes"))
    return Row(marks=marks, notes=notes, **fields)


def table(rows: Iterable[Row], tasks: dict[str, float]) -> str:
    """Return the grades as CSV. What is tried again next time has no points in it, not 0.

    Args:
        rows: The submissions.
        tasks: Names of the exercises and their points.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["submission", "status", "total", "max", *tasks])
    for row in rows:
        status = row.status if row.safe else f"{row.status} (unsafe: without a sandbox)"
        points = ["" if mark.points is None else number(mark.points) for mark in row.marks] or ["0"] * len(tasks)
        total = number(row.total)
        if row.tried_again:
            points, total = [""] * len(tasks), ""
        cells = [row.submission, status, total, number(sum(tasks.values())), *points]
        writer.writerow([_without_formula(cell) for cell in cells])
    return text.getvalue()


def number(points: float) -> str:
    """Write points: ``4``, ``2.5``."""
    return f"{points:g}"


def write(path: Path, text: str) -> None:
    """Write a file so that there is always the whole of it, old or new."""
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")


def _without_formula(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, nor for two cells where ``;`` separates them."""
    cell = printable(cell, " ").replace(";", ",")
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else cell
