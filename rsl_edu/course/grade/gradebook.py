"""The grades: a journal to which each graded submission is added at once, and the table that is made from it.

A row of the journal is what a submission got. :mod:`.policy` makes of the rows of a student the one of the table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsl_edu.atomic_write import atomic_write
from rsl_edu.printable import printable

from . import journal_file
from .by_hand import AGAIN, LATE, Hand
from .journal_file import Written
from .marking import Mark
from .notebook import Note
from .roster import Person

GRADED = "graded"
"""Status of a submission that was graded; every other status says why it was not."""
TRIED_AGAIN = "not graded, and tried again next time"
"""How the status begins where something went wrong that may not be the student's fault."""


NOTHING = "nothing handed in"
"""Status of a student of the roster who has no submission."""
OUTDATED = "graded against an earlier version of the assignment or of the checks; give its file again"
"""What is remarked where the points are of another version."""
DRAFT = "a draft, not submitted, in the worksheet"
"""What is remarked where Moodle's worksheet says so."""
_MOST_CELLS = 10  # that the remarks name
COLUMNS = ("submission", "identifier", "status", "total", "max", "late", "deduction", "to_mark")
"""Columns of the table before those of the exercises; behind these stands ``remarks``."""


@dataclass(frozen=True)
class Decided:
    """What somebody decided on an exercise.

    Attributes:
        hand: The decision.
        before: Points that the checks gave, or that lateness took off by the rules; None if there were none.
        outlived: Whether another notebook counts now than the one that it was given for.
    """

    hand: Hand
    before: float | None = None
    outlived: bool = False

    @property
    def takes_off(self) -> str:
        """What is taken off, as it is said behind "late by hand"; empty for an exercise, whose points have a column."""
        points = self.hand.points
        return f": takes off {number(points)}" if self.hand.exercise == LATE and points is not None else ""


@dataclass(frozen=True)
class Settled:
    """What the rules of the course, and people, have made of the row of a student.

    Attributes:
        hours_late: How many hours late the submission was; None if nobody knows.
        deduction: Points that lateness takes off.
        late: What is to be said of the lateness; empty if there is nothing to say.
        by_hand: What people decided; their points stand in the marks.
        others: Other files that the student handed in, and that do not count.
        outdated: Whether the points are of another version of the assignment or of the checks.
        empty: Whether the cells of the points stay empty, because the student handed in nothing.
        person: Who the student is in the roster; None if that is not known.
        draft: Whether Moodle's worksheet says that it is a draft, not submitted.
    """

    hours_late: float | None = 0.0
    deduction: float = 0.0
    late: str = ""
    by_hand: tuple[Decided, ...] = ()
    others: tuple[str, ...] = ()
    outdated: bool = False
    empty: bool = False
    person: Person | None = None
    draft: bool = False

    @property
    def remarks(self) -> str:
        """All that is to be said, in a line."""
        hands = (
            f"{each.hand.exercise} by hand{each.takes_off}"
            + (f" ({each.hand.comment})" if each.hand.comment else "")
            + (f", {AGAIN}" if each.outlived else "")
            for each in self.by_hand
        )
        others = f"does not count: {', '.join(self.others)}" if self.others else ""
        known = (DRAFT if self.draft else "", OUTDATED if self.outdated else "")
        return ". ".join(filter(None, (self.late, *hands, others, *known)))


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
        modified: When the file was changed last, in seconds since 1970; None if that is not known.
        hand_in: The same for all files of a student that came together; empty if that is not known.
        version: Of the assignment and of the checks: rows of another one are outdated.
        notebook: Digest of the file; empty if nobody knows it.
        settled: What the rules of the course, and people, have made of it; the journal does not hold it.
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
    modified: float | None = None
    hand_in: str = ""
    version: str = ""
    notebook: str = ""
    settled: Settled = Settled()

    @property
    def number(self) -> str:
        """What the export calls the student, or else the roster."""
        return self.identifier or (self.settled.person.identifier if self.settled.person else "")

    @property
    def reached(self) -> float:
        """Points for all exercises that have been marked."""
        return sum(mark.points or 0.0 for mark in self.marks)

    @property
    def total(self) -> float:
        """Points for all exercises that have been marked, less what lateness takes off."""
        return max(0.0, self.reached - self.settled.deduction)

    @property
    def to_mark(self) -> int:
        """How many exercises wait for somebody to mark them."""
        return sum(mark.points is None for mark in self.marks)

    @property
    def broken_cells(self) -> tuple[int, ...]:
        """Numbers of the code cells of which something did not run."""
        return tuple(sorted({note.cell for note in self.notes if note.kind in ("raised", "stopped", "syntax")}))

    @property
    def remarks(self) -> str:
        """All that is to be said, in a line."""
        cells = self.broken_cells
        named = ", ".join(map(str, cells[:_MOST_CELLS])) + (", …" if len(cells) > _MOST_CELLS else "")
        broken = f"did not run in full: code cells {named}" if cells else ""
        return ". ".join(filter(None, (self.settled.remarks, broken)))

    @property
    def has_points(self) -> bool:
        """Whether anything is known about its points."""
        return not self.settled.empty and (bool(self.marks) or not self.tried_again)

    @property
    def tried_again(self) -> bool:
        """Whether the next run grades it, because nothing is known about its points yet."""
        return self.status.startswith(TRIED_AGAIN)


class Journal:
    """Rows in a file next to the grades; what is in it survives a power cut.

    Args:
        path: The file; made if missing.

    Attributes:
        rows: What was graded, by the name and the key.
        written: The table that was written last; None if there was none.
        before: The one before it, which is still there if the run was stopped between the journal and the table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], Row] = {}
        self.written: Written | None = None
        self.before: Written | None = None
        self._newest: dict[tuple[str, str], Row] = {}
        for line in journal_file.lines(path):
            if written := journal_file.as_written(line):
                self.before, self.written = self.written, written
                continue
            try:
                self._keep(_row(line))
            except (KeyError, TypeError, AttributeError):
                continue  # a row of another version: it is graded again

    @property
    def newest(self) -> list[Row]:
        """What was graded last of each file of each student, the oldest first."""
        return list(self._newest.values())

    def add(self, row: Row) -> None:
        """Keep a row."""
        self._keep(row)
        fields = asdict(row)
        del fields["settled"]
        journal_file.append(self.path, fields)

    def is_newest(self, row: Row) -> bool:
        """Whether this row, as it is, is the last one of its file."""
        return self._newest.get((row.submission, row.file)) == row

    def wrote(self, written: Written) -> None:
        """Keep a table that is written now, so that edits can be told from it."""
        if written != self.written:
            journal_file.keep(self.path, written)
            self.before, self.written = self.written, written

    def _keep(self, row: Row) -> None:
        self.rows[row.submission, row.key] = row
        self._newest.pop((row.submission, row.file), None)
        self._newest[row.submission, row.file] = row


def _row(fields: dict[str, Any]) -> Row:
    marks = tuple(Mark(**{**mark, "carried": tuple(mark["carried"])}) for mark in fields.pop("marks"))
    notes = tuple(Note(**note) for note in fields.pop("notes"))
    return Row(marks=marks, notes=notes, **fields)


def table(rows: Iterable[Row], tasks: Mapping[str, float]) -> str:
    """Return the grades as CSV. A cell is empty where no points are known: to be marked by hand, or tried again.

    Args:
        rows: One for each student.
        tasks: Names of the exercises and their points.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *tasks, "remarks"])
    for row in rows:
        status = row.status if row.safe else f"{row.status} (unsafe: without a sandbox)"
        hours = row.settled.hours_late
        cells = {
            "submission": row.submission,
            "identifier": row.number,
            "status": status,
            "total": number(row.total) if row.has_points else "",
            "max": number(sum(tasks.values())),
            "late": "?" if hours is None else _hours(hours),
            "deduction": number(row.settled.deduction) if row.settled.deduction else "",
            "to_mark": str(row.to_mark) if row.to_mark else "",
        }
        points = {mark.task: "" if mark.points is None else number(mark.points) for mark in row.marks}
        nothing = "0" if row.has_points and not row.marks else ""
        said = [*cells.values(), *(points.get(task, nothing) for task in tasks), row.remarks]
        writer.writerow([as_text(cell) for cell in said])
    return text.getvalue()


def _hours(late: float) -> str:
    """Write hours: below one so that minutes can be told, and never 0 for what was late."""
    if not late:
        return ""
    return number(round(late, 1) if late >= 1 else max(0.01, round(late, 2)))


def number(points: float) -> str:
    """Write points: ``4``, ``2.5``."""
    return f"{points:g}"


def write(path: Path, text: str) -> None:
    """Write a file so that there is always the whole of it, old or new."""
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, nor for two cells where ``;`` separates them."""
    cell = printable(cell, " ").replace(";", ",")
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else cell
