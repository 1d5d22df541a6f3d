"""The grades: a journal to which each graded submission is added immediately, and the table made from it.

A row of the journal is the result of a submission. :mod:`.policy` combines a student's rows into one row of the table.
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
"""Status of a graded submission; every other status is the reason why it was not graded."""
TRIED_AGAIN = "not graded, and tried again next time"
"""Beginning of the status after a failure that may not be the student's fault."""


NOTHING = "nothing handed in"
"""Status of a student in the roster who has no submission."""
OUTDATED = "graded with an earlier version of the assignment or the checks (to grade it again, give its file again)"
"""Remark about points from a different version."""
DRAFT = "a draft, not submitted, in the worksheet"
"""Remark about a submission that is only a draft according to Moodle's worksheet."""
_MOST_CELLS = 10  # largest number of cells named in the remarks
COLUMNS = ("submission", "identifier", "status", "total", "max", "late", "deduction", "to_mark")
"""Columns of the table before the exercises; after these comes ``remarks``."""


@dataclass(frozen=True)
class Decided:
    """A manual decision about the points of an exercise or about the lateness.

    Attributes:
        hand: The manual mark.
        before: Points from the checks, or points that the rules take off for lateness; None if there were no such
            points.
        outlived: Whether the notebook that counts now is different from the one at the time of the decision.
    """

    hand: Hand
    before: float | None = None
    outlived: bool = False

    @property
    def takes_off(self) -> str:
        """Words about the deduction, which follow "late by hand"; empty for exercises, whose points have columns."""
        points = self.hand.points
        return f": takes off {number(points)}" if self.hand.exercise == LATE and points is not None else ""


@dataclass(frozen=True)
class Settled:
    """Effect of the rules of the course and of manual decisions on a student's row.

    Attributes:
        hours_late: How many hours late the submission was; None if unknown.
        deduction: Points that lateness takes off.
        late: Words about the lateness; may be empty.
        by_hand: Manual decisions; the marks already contain their points.
        others: Other files of the student, which do not count.
        outdated: Whether the points are from a different version of the assignment or the checks.
        empty: Whether the points stay empty, because the student handed in nothing.
        person: The student in the roster; None if unknown.
        draft: Whether the submission is only a draft according to Moodle's worksheet.
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
        """All remarks, in one line."""
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
    """A submission and its result.

    Attributes:
        submission: Name of the submission.
        key: Hash of the submission and of everything that determines its points.
        status: ``graded``, or why the submission was not graded.
        marks: One mark for each exercise.
        notes: Notes on cells that did not run normally.
        seconds: Duration of the grading.
        safe: Whether the submission ran in a sandbox.
        file: The notebook's name in the export.
        identifier: The student's identifier in the export: Moodle's participant number, or Canvas's ID; may be empty.
        late: Whether the submission is late according to the export.
        modified: Time of the file's last change, in seconds since 1970; None if unknown.
        hand_in: Text that is equal for all files that a student handed in together; empty if unknown.
        version: Version of the assignment and the checks; rows of a different version are outdated.
        notebook: Digest of the file; empty if unknown.
        settled: Effect of the rules of the course and of manual decisions; not stored in the journal.
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
        """The student's identifier in the export, or else in the roster."""
        return self.identifier or (self.settled.person.identifier if self.settled.person else "")

    @property
    def reached(self) -> float:
        """Points for all exercises that have been marked."""
        return sum(mark.points or 0.0 for mark in self.marks)

    @property
    def total(self) -> float:
        """Points for all exercises that have been marked, minus the deduction for lateness."""
        return max(0.0, self.reached - self.settled.deduction)

    @property
    def to_mark(self) -> int:
        """Number of exercises that are still to be marked by hand."""
        return sum(mark.points is None for mark in self.marks)

    @property
    def broken_cells(self) -> tuple[int, ...]:
        """Numbers of the code cells that did not run in full."""
        return tuple(sorted({note.cell for note in self.notes if note.kind in ("raised", "stopped", "syntax")}))

    @property
    def remarks(self) -> str:
        """All remarks, in one line."""
        cells = self.broken_cells
        named = ", ".join(map(str, cells[:_MOST_CELLS])) + (", …" if len(cells) > _MOST_CELLS else "")
        broken = f"did not run in full: code cells {named}" if cells else ""
        return ". ".join(filter(None, (self.settled.remarks, broken)))

    @property
    def has_points(self) -> bool:
        """Whether the points of the submission are known."""
        return not self.settled.empty and (bool(self.marks) or not self.tried_again)

    @property
    def tried_again(self) -> bool:
        """Whether the next run grades the submission again, because its points are not known yet."""
        return self.status.startswith(TRIED_AGAIN)


class Journal:
    """The journal: rows in a file that is next to the grades and survives a power failure.

    Args:
        path: The file; created if missing.

    Attributes:
        rows: Graded submissions, by name and key.
        written: The table that was written last; None if there was none.
        before: The table before the last one. It is still on the disk if the run stopped after writing to the journal
            and before writing the table.
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
                continue  # a row from another version of rsl_edu; the submission is graded again

    @property
    def newest(self) -> list[Row]:
        """The last row for each file of each student, the oldest first."""
        return list(self._newest.values())

    def add(self, row: Row) -> None:
        """Store a row."""
        self._keep(row)
        fields = asdict(row)
        del fields["settled"]
        journal_file.append(self.path, fields)

    def is_newest(self, row: Row) -> bool:
        """Return whether this exact row is the last one for its file."""
        return self._newest.get((row.submission, row.file)) == row

    def wrote(self, written: Written) -> None:
        """Store the table that is being written, so that later edits of the file can be detected."""
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
    """Return the grades as CSV. A cell is empty if its points are not known yet (to be marked, or graded again).

    Args:
        rows: One row for each student.
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
    """Format hours: with more digits below one hour, and never as 0 for a late submission."""
    if not late:
        return ""
    return number(round(late, 1) if late >= 1 else max(0.01, round(late, 2)))


def number(points: float) -> str:
    """Format points: ``4``, ``2.5``."""
    return f"{points:g}"


def write(path: Path, text: str) -> None:
    """Write a file atomically, so that it always contains either the old or the new content, in full."""
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet treats as a formula, or as two cells if ``;`` is the separator."""
    cell = printable(cell, " ").replace(";", ",")
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else cell
