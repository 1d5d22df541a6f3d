r"""For Moodle: the grading worksheet with points and comments, and a zip of pages as feedback files.

Moodle takes the worksheet back by *Upload grading worksheet* (moodle/moodle:
``mod/assign/feedback/offline/importgradeslib.php`` and ``locallib.php``, ``process_import_grades``). Whoever uploads
should know its rules:

- It needs the columns *Identifier*, *Grade* and *Last modified (grade)*, called as in the language of the one who
  uploads. A worksheet that was downloaded in that language has them; without a template they are in English.
- It skips a row whose grade was changed in Moodle after the time in *Last modified (grade)*, unless *Allow updating
  records that have been modified more recently in Moodle than in the spreadsheet* is on. Times in another language
  than English it cannot read, so every row that had a grade before is skipped.
- It skips grades above the maximum, and grades that are locked.
- Comments are HTML.
- It reads the file by PHP's ``fgetcsv`` (``lib/csvlib.class.php``), in which a ``\`` before the quote that ends a cell
  makes it go on. So ``\`` is written as in HTML, ``&#92;``, in all cells: only comments are taken out of them as text.

Feedback files go back by *Upload multiple feedback files in a zip* (``mod/assign/feedback/file/importziplib.php``),
which reads the number of the participant, or the group, in the name of each folder.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from rsl_edu.atomic_write import atomic_write

from ..listing import Said, listed, named
from . import Entry, Filled, TemplateError
from .matching import Line, match
from .sheet import Sheet, harmless, number, points

_HEADER = [
    *("Identifier", "Full name", "Email address", "Grade", "Maximum grade"),
    *("Last modified (grade)", "Feedback comments"),
]
_COMMENTS = "feedback comments"
_NO_NUMBER = "no number of the participant"
_NUMBER = re.compile(r"(?P<word>.*?)\s*(?P<number>\d+)")
_NO = ("no", "nein", "non", "não", "nee", "nej", "nie", "ne")
_FORMULA = "=+-@＝＋－＠"


def worksheet(entries: Iterable[Entry], maximum: float, template: bytes | None = None) -> Filled:
    """Return a grading worksheet for Moodle.

    Args:
        entries: What each student gets, or each group.
        maximum: The most points there are; Moodle's maximum grade has to be the same.
        template: The worksheet that Moodle gave, in any language. Only its grades and comments are changed.

    Raises:
        TemplateError: If the template is no worksheet, or has another maximum.
    """
    entries = list(entries)
    problems: list[Said] = []
    if template is None:
        problems = [(entry.name, _NO_NUMBER) for entry in entries if not entry.identifier]
        entries = [entry for entry in entries if entry.identifier]
        sheet = _new(entries, maximum)
        if not entries:
            return Filled(sheet.write(), 0, tuple(listed(problems)))
    else:
        sheet = Sheet.read(template)
    columns = _Columns(sheet, maximum)
    rows, unmatched = match(entries, columns.lines())
    problems += unmatched
    general = []
    if columns.comments is None and any(entry.comment for entry in rows.values()):
        general.append("comments are left out: the worksheet has no column for them (Feedback comments)")
    filled, replaced = 0, []
    for row, entry in rows.items():
        if entry.points is not None and entry.points > maximum:
            problems.append((entry.name, f"{entry.points:g} points are more than Moodle takes ({maximum:g})"))
            continue
        if entry.points is not None:
            sheet.fill(row, columns.grade, points(entry.points, like=sheet.cell(row, columns.maximum)))
            if columns.is_locked(row):
                problems.append((entry.name, "Moodle does not take the points: the grade cannot be changed there"))
        if entry.comment and columns.comments is not None:
            comment, there = _html(entry.comment), sheet.cell(row, columns.comments)
            if there not in ("", comment):
                replaced.append(entry.name)
            sheet.fill(row, columns.comments, comment)
        filled += entry.points is not None or bool(entry.comment)
    if replaced:
        general.append(f"a comment in Moodle is replaced by another one: {named(replaced)}")
    sheet.rows = [[cell.replace("\\", "&#92;") for cell in row] for row in sheet.rows]
    return Filled(sheet.write(), filled, (*listed(problems), *general))


def _new(entries: Iterable[Entry], maximum: float) -> Sheet:
    """Return a worksheet with a row for each entry, and no grades yet."""
    rows = [
        [f"Participant {entry.identifier}", harmless(entry.name), harmless(entry.email), "", points(maximum), "-", ""]
        for entry in entries
    ]
    return Sheet([_HEADER, *rows])


class _Columns:
    """Where things are in a worksheet of any language, by the order of its columns (``mod/assign/gradingtable.php``).

    First comes the identifier, then the full name unless it is hidden, then what else identifies; at last before the
    grade the status of the submission, with groups the group and its status. After the grade comes the maximum grade.
    Comments are the last, after the time of the grade, which is never empty.
    """

    def __init__(self, sheet: Sheet, maximum: float) -> None:
        self.sheet = sheet
        self.rows = [row for row in range(1, len(sheet.rows)) if _NUMBER.fullmatch(sheet.cell(row, 0))]
        names = ", ".join(sheet.header)
        if not self.rows:
            raise TemplateError(
                "expected a grading worksheet of Moodle, with a first column of identifiers such as Participant 101; "
                f"got the columns {names}"
            )
        columns = range(2, len(sheet.header))
        maxima = {column: found for column in columns if (found := self._maximum(column)) is not None}
        if not maxima:
            raise TemplateError(
                f"expected a grading worksheet of Moodle with a maximum grade, not a scale; got the columns {names}"
            )
        same = [column for column, found in maxima.items() if abs(found - maximum) < 0.005]
        if not same:
            most = " or ".join(f"{found:g}" for found in maxima.values())
            raise TemplateError(
                f"the maximum grade in Moodle is {most}, and that of the assignment {maximum:g}: change the one in the "
                "settings in Moodle, and download the worksheet again"
            )
        if len(same) > 1:
            raise TemplateError(f"more than one column looks like the maximum grade; got the columns {names}")
        self.maximum = same[0]
        self.grade = self.maximum - 1
        self.comments = self._comments()

    def _maximum(self, column: int) -> float | None:
        """Return the maximum grade, if it can be in this column: a number in all rows, and before it grades."""
        found = {number(self.sheet.cell(row, column)) for row in self.rows}
        before = [self.sheet.cell(row, column - 1) for row in self.rows]
        if len(found) > 1 or any(cell not in ("", "-") and number(cell) is None for cell in before):
            return None
        (maximum,) = found
        return maximum

    def _comments(self) -> int | None:
        header = [name.casefold() for name in self.sheet.header]
        if _COMMENTS in header:
            return header.index(_COMMENTS)
        last = len(header) - 1
        is_time = all(self.sheet.cell(row, last) for row in self.rows)
        return None if is_time or last <= self.maximum else last

    def is_locked(self, row: int) -> bool:
        """Whether Moodle says, in one of some languages, that the grade of a row cannot be changed."""
        return self.sheet.cell(row, self.maximum + 1).casefold() in _NO

    def lines(self) -> list[Line]:
        """Return what the rows say of their students."""
        return [self._line(row) for row in self.rows]

    def _line(self, row: int) -> Line:
        identifier = _NUMBER.fullmatch(self.sheet.cell(row, 0))
        assert identifier is not None  # it is in self.rows
        cells = [self.sheet.cell(row, column) for column in range(1, self.grade - 1)]
        group = self.sheet.cell(row, self.grade - 2) if self.grade > 3 else ""
        names = tuple(name for name in cells if name) or (identifier["word"], identifier[0])  # where they are hidden
        return Line(row, identifier["number"], names, group)


def _html(comment: str) -> str:
    """A comment as HTML, which no spreadsheet takes for a formula."""
    text = html.escape(comment.strip(), quote=False)
    if text[:1] in _FORMULA:
        text = f"&#{ord(text[0])};{text[1:]}"
    return "<br>".join(text.splitlines())


def feedback_zip(pages: Iterable[tuple[Entry, str, bytes]], out: Path) -> list[str]:
    """Write a zip of feedback files for Moodle, and return what is not in it, a sentence for each student, or for many.

    Args:
        pages: For each page whose it is, the name of the file, such as ``feedback.html``, and its content.
        out: The zip to write.

    Raises:
        ValueError: If a name of a file cannot be taken back.
        OSError: If the zip cannot be written.
    """
    problems: list[Said] = []
    written = set()
    with atomic_write(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, name, content in pages:
            if "/" in name or name[:1] in ("", ".", "~"):
                raise ValueError(f"name: expected a file name that begins with neither . nor ~, got {name!r}")
            folder = (
                f"{_clean(entry.name)}_{entry.identifier}_assignfeedback_file_"  # without the last _, not before 4.1
            )
            if not (entry.identifier.isascii() and entry.identifier.isdigit()):
                problems.append((entry.name, _NO_NUMBER))
            elif (entry.identifier, name) in written:
                problems.append((entry.name, f"the number {entry.identifier} has a page already"))
            else:
                written.add((entry.identifier, name))
                archive.writestr(f"{folder}/{name}", content)
    return listed(problems)


def _clean(name: str) -> str:
    """A name that is safe in a path, without the ``_`` at which Moodle splits."""
    return re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name.replace("_", " ")).strip(" .") or "-"
