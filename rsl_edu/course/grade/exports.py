"""Files for learning platforms, made from the table of grades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rsl_edu.atomic_write import atomic_write

from . import pages
from .gradebook import NOTHING, Row, number
from .listing import listed, named
from .lms import Entry, TemplateError, canvas, moodle
from .roster import Person, Roster


@dataclass(frozen=True)
class Exports:
    """The files to write next to the table.

    Args:
        formats: Any of ``moodle`` and ``canvas``.
        title: Title of the assignment in Canvas.
        worksheet: Grading worksheet downloaded from Moodle, or None.
        gradebook: Gradebook exported by Canvas, or None.
        rosters: Students in the worksheet and in the gradebook, by format, with the identifiers that are valid on that
            platform.
    """

    formats: Sequence[str] = ()
    title: str = ""
    worksheet: Path | None = None
    gradebook: Path | None = None
    rosters: Mapping[str, Roster] = field(default_factory=dict)

    def check(self, most: Mapping[str, float]) -> None:
        """Check the templates before anything is graded.

        Raises:
            TemplateError: If a template cannot be filled in; the text names it.
            OSError: If a template cannot be read.
        """
        for form in self.formats:
            self._table(form, [], sum(most.values()))

    def write(self, out: Path, rows: Iterable[Row], most: Mapping[str, float]) -> tuple[list[Path], list[str]]:
        """Write the files; return their paths, and sentences about students for whom something is missing.

        Args:
            out: Path of the table of grades, after which the files are named.
            rows: The rows of the table.
            most: Points of each exercise.

        Raises:
            TemplateError: If a template cannot be filled in.
            OSError: If a file cannot be read or written.
        """
        if not self.formats:
            return [], []
        rows, files = _not_known_to_be_absent(list(rows)), []
        problems = _of_nobody(rows)
        for form in dict.fromkeys(self.formats):
            entries = [self._entry(form, row, most) for row in rows]
            content, left_out = self._table(form, entries, sum(most.values()))
            files.append(out.with_name(f"{out.stem}_{form}.csv"))
            with atomic_write(files[-1]) as part:
                part.write_bytes(content)
            problems += [f"{files[-1].name}: {problem}" for problem in left_out]
        if "moodle" in self.formats:
            files.append(out.with_name(f"{out.stem}_feedback.zip"))
            folder = out.with_name(f"{out.stem}_feedback")
            entries = [self._entry("moodle", row, most) for row in rows]
            not_in_it = moodle.feedback_zip(_pages(rows, entries, folder), files[-1])
            problems += [f"{files[-1].name}: {problem}" for problem in not_in_it]
        problems += listed((row.submission, _why_open(row)) for row in rows if _why_open(row))
        return files, problems

    def _table(self, form: str, entries: Sequence[Entry], maximum: float) -> tuple[bytes, tuple[str, ...]]:
        template = self.worksheet if form == "moodle" else self.gradebook
        content = template.read_bytes() if template else None
        try:
            if form == "moodle":
                filled = moodle.worksheet(entries, maximum, content)
            else:
                filled = canvas.gradebook(entries, self.title, maximum, content)
        except TemplateError as error:
            raise TemplateError(f"{template}: {error}") from None
        return filled.content, filled.problems

    def _entry(self, form: str, row: Row, most: Mapping[str, float]) -> Entry:
        person = row.settled.person or Person("")
        known = form in self.rosters and self.rosters[form].has(person.identifier)
        return Entry(
            row.submission,
            None if _why_open(row) or not row.has_points else row.total,
            _comment(row, most),
            row.identifier
            or (person.identifier if known else ""),  # an identifier from another table means nothing on this platform
            person.email,
            person.login,
            person.section,
        )


def _not_known_to_be_absent(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, with empty points for absent students if a submission belongs to nobody in the roster.

    The submission may be from an absent student's group: it then has the name of the group, and in Canvas also the ID
    of a member.
    """
    if all(row.settled.person for row in rows):
        return [*rows]
    return [replace(row, settled=replace(row.settled, empty=True)) if _is_absent(row) else row for row in rows]


def _of_nobody(rows: Sequence[Row]) -> list[str]:
    """Report submissions that belong to nobody in the roster, and the absent students who therefore get no points."""
    absent = [row.submission for row in rows if _is_absent(row)]
    strangers = [row.submission for row in rows if row.settled.person is None]
    if not absent or not strangers:
        return []
    whose = "this submission" if len(strangers) == 1 else "one of these submissions"
    says = f"nothing handed in, and no points, because {whose} may be theirs"
    return [f"{named(absent)}: {says}: {named(strangers)}"]


def _is_absent(row: Row) -> bool:
    return row.status == NOTHING and not row.marks


def _why_open(row: Row) -> str:
    """Return why a row has no points yet; empty if it has points, or if it will never have any."""
    if row.to_mark:
        return "no points yet, because exercises are still to be marked"
    return "no points yet, because it will be graded again" if row.tried_again and not row.marks else ""


def _comment(row: Row, most: Mapping[str, float]) -> str:
    """Return the comment for a student: the points, and what was changed by hand or by the rules of the course."""
    if row.status == NOTHING and not row.marks:
        return ""
    lines = [
        f"{mark.task}: {'to be marked' if mark.points is None else number(mark.points)} of {number(most[mark.task])}"
        for mark in row.marks
    ] or [row.status]
    late = row.settled.late
    hands = [f"{each.hand.exercise}: {each.hand.comment}" for each in row.settled.by_hand if each.hand.comment]
    off = f"taken off for lateness: {number(row.settled.deduction)}" if row.settled.deduction else ""
    return "\n".join(filter(None, [*lines, late, off, *hands]))


def _pages(rows: Sequence[Row], entries: Sequence[Entry], folder: Path) -> Iterator[tuple[Entry, str, bytes]]:
    for row, entry in zip(rows, entries, strict=True):
        if row.status != NOTHING or row.marks:
            yield entry, "feedback.html", (folder / pages.file_name(row.submission)).read_bytes()
