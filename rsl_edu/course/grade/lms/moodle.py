r"""For Moodle: the grading worksheet with points and comments, and a zip of pages as feedback files.

To upload the worksheet, use *Upload grading worksheet* in Moodle (moodle/moodle:
``mod/assign/feedback/offline/importgradeslib.php`` and ``locallib.php``, ``process_import_grades``). The rules of the
upload are:

- Moodle needs the columns *Identifier*, *Grade* and *Last modified (grade)*, in the language of the user who uploads. A
  worksheet that was downloaded in that language has them; without a template they are in English.
- Moodle skips a row whose grade was changed in Moodle after the time in *Last modified (grade)*, unless *Allow updating
  records that have been modified more recently in Moodle than in the spreadsheet* is on. Moodle can only read times in
  English, so in other languages every row that already had a grade is skipped.
- Moodle skips grades above the maximum, and locked grades.
- Comments are HTML.
- Moodle reads the file with PHP's ``fgetcsv`` (``lib/csvlib.class.php``), which does not end a cell at a quote after
  ``\``. So ``\`` is written as the HTML entity ``&#92;`` in all cells; the comments are the only text that Moodle takes
  from the file.

To upload feedback files, use *Upload multiple feedback files in a zip* (``mod/assign/feedback/file/importziplib.php``).
Moodle reads the number of the participant, or of the group, from the name of each folder.
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
_NO_NUMBER = "the participant's number is unknown"
_NUMBER = re.compile(r"(?P<word>.*?)\s*(?P<number>\d+)")
_NO = ("no", "nein", "non", "não", "nee", "nej", "nie", "ne")
_FORMULA = "=+-@＝＋－＠"


def worksheet(entries: Iterable[Entry], maximum: float, template: bytes | None = None) -> Filled:
    """Return a grading worksheet for Moodle.

    Args:
        entries: The results, one for each student or group.
        maximum: Maximum points, which must equal Moodle's maximum grade.
        template: The worksheet downloaded from Moodle, in any language. Only its grades and comments are changed.

    Raises:
        TemplateError: If the template is not a worksheet, or has a different maximum grade.
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
        general.append("comments are left out, because the worksheet has no column for them (Feedback comments)")
    filled, replaced = 0, []
    for row, entry in rows.items():
        if entry.points is not None and entry.points > maximum:
            problems.append((entry.name, f"{entry.points:g} points are more than Moodle accepts ({maximum:g})"))
            continue
        if entry.points is not None:
            sheet.fill(row, columns.grade, points(entry.points, like=sheet.cell(row, columns.maximum)))
            if columns.is_locked(row):
                problems.append((entry.name, "Moodle will not accept the points, because the grade is locked there"))
        if entry.comment and columns.comments is not None:
            comment, there = _html(entry.comment), sheet.cell(row, columns.comments)
            if there not in ("", comment):
                replaced.append(entry.name)
            sheet.fill(row, columns.comments, comment)
        filled += entry.points is not None or bool(entry.comment)
    if replaced:
        general.append(f"a different comment in Moodle will be replaced: {named(replaced)}")
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
    """Columns of a worksheet in any language, found by their order (``mod/assign/gradingtable.php``).

    The identifier comes first, then the full name unless it is hidden, then other identifying columns. Immediately
    before the grade is the status of the submission, or for groups the group and its status. After the grade comes the
    maximum grade. Comments come last, after the time of the grade, which is never empty.
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
                f"the maximum grade in Moodle is {most}, but the assignment has {maximum:g} points: change the maximum "
                "grade in Moodle's settings and download the worksheet again"
            )
        if len(same) > 1:
            raise TemplateError(f"more than one column looks like the maximum grade; got the columns {names}")
        self.maximum = same[0]
        self.grade = self.maximum - 1
        self.comments = self._comments()

    def _maximum(self, column: int) -> float | None:
        """Return the maximum grade from a column; None if this cannot be the column of the maximum grade.

        That column has the same number in all rows, and is to the right of the grades.
        """
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
        """Return whether the grade of a row is locked according to Moodle, in one of the known languages."""
        return self.sheet.cell(row, self.maximum + 1).casefold() in _NO

    def lines(self) -> list[Line]:
        """Return the students of the rows."""
        return [self._line(row) for row in self.rows]

    def _line(self, row: int) -> Line:
        identifier = _NUMBER.fullmatch(self.sheet.cell(row, 0))
        assert identifier is not None  # it is in self.rows
        cells = [self.sheet.cell(row, column) for column in range(1, self.grade - 1)]
        group = self.sheet.cell(row, self.grade - 2) if self.grade > 3 else ""
        names = tuple(name for name in cells if name) or (identifier["word"], identifier[0])  # if names are hidden
        return Line(row, identifier["number"], names, group)


def _html(comment: str) -> str:
    """Return a comment as HTML that no spreadsheet reads as a formula."""
    text = html.escape(comment.strip(), quote=False)
    if text[:1] in _FORMULA:
        text = f"&#{ord(text[0])};{text[1:]}"
    return "<br>".join(text.splitlines())


def feedback_zip(pages: Iterable[tuple[Entry, str, bytes]], out: Path) -> list[str]:
    """Write a zip of feedback files for Moodle; return sentences about students whose pages are not in the zip.

    Args:
        pages: For each page: the student, the name of the file, such as ``feedback.html``, and its content.
        out: The zip to write.

    Raises:
        ValueError: If Moodle would not accept the name of a file.
        OSError: If the zip cannot be written.
    """
    problems: list[Said] = []
    written = set()
    with atomic_write(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, name, content in pages:
            if "/" in name or name[:1] in ("", ".", "~"):
                raise ValueError(f"name: expected a file name that begins with neither . nor ~, got {name!r}")
            folder = f"{_clean(entry.name)}_{entry.identifier}_assignfeedback_file_"  # before 4.1, the last _ is needed
            if not (entry.identifier.isascii() and entry.identifier.isdigit()):
                problems.append((entry.name, _NO_NUMBER))
            elif (entry.identifier, name) in written:
                problems.append((entry.name, f"there is already a page for the number {entry.identifier}"))
            else:
                written.add((entry.identifier, name))
                archive.writestr(f"{folder}/{name}", content)
    return listed(problems)


def _clean(name: str) -> str:
    """Return a name that is safe in a path and contains no ``_``, because Moodle splits names there."""
    return re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name.replace("_", " ")).strip(" .") or "-"
