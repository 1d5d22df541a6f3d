"""For Canvas: the gradebook with a column of points.

To upload it, use *Import* in Canvas's gradebook (instructure/canvas-lms: ``lib/gradebook_importer.rb``). The rules of
the import are:

- The header begins with *Student* and *ID*, or *LastName*, *FirstName* and *ID*, and the columns of the student end
  with *Section* (``header?``). A student is found by the ID, else by the SIS IDs, else by the name
  (``process_student``).
- An assignment is found by the number in ``Title (number)``, else by the full title; an unknown title creates a new
  assignment (``parse_assignments``). Columns that are not in the file stay unchanged, so only one column of points is
  written.
- The row *Points Possible* sets the points of the assignment (``process_pp``); a row with only *Muted* or *Manual
  Posting* is skipped (``check_for_non_student_row``).
- Decimal commas are accepted (``decimal_comma_to_period``). The separator may be ``;`` if this gives more columns
  (``identify_delimiter``).
- The file is read as UTF-8. A BOM counts as part of the first name, so *LastName* is then not found (``header?``).
- ``EX`` means that a student is excused. ``N/A`` means that a student does not have the assignment
  (``lib/gradebook_exporter.rb``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..listing import Said, listed
from ..spelling import turned
from . import Entry, Filled, TemplateError
from .matching import Line, match, normal
from .sheet import Sheet, harmless, number, points

_HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
_POINTS_POSSIBLE = "Points Possible"
_TITLE = re.compile(r"(?s)(?P<title>.*)\s\((?P<id>\d+)\)")
_TOTALS = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
_KEPT = {"EX": "is excused in Canvas", "N/A": "does not have the assignment in Canvas"}


def gradebook(entries: Iterable[Entry], title: str, maximum: float, template: bytes | None = None) -> Filled:
    """Return a gradebook for Canvas, with the columns about the students and one column of points.

    Args:
        entries: The results, one for each student.
        title: The title of the assignment in Canvas, its number, or both: ``Homework 4 (123)``.
        maximum: Maximum points, which must equal the points of the assignment in Canvas.
        template: The gradebook exported by Canvas. Students without an entry keep their points.

    Raises:
        TemplateError: If the template is not a gradebook, does not have exactly one assignment with this title, or has
            different maximum points.
    """
    entries = list(entries)
    sheet = _new(entries, title, maximum) if template is None else _only(Sheet.read(template), title)
    column = len(sheet.header) - 1
    possible, lines = _lines(sheet)
    problems: list[Said] = []
    if template is None:
        problems = [(entry.name, "no ID, so Canvas will search by name") for entry in entries if not entry.identifier]
        rows = dict(enumerate(entries, start=2))
    else:
        most = number(possible)
        if most is None or abs(most - maximum) > 0.005:
            raise TemplateError(
                f"{sheet.header[column]} has {possible or 'no'} points in Canvas, but the assignment has {maximum:g}: "
                "change the points in Canvas and export the gradebook again"
            )
        rows, problems = match(entries, lines)
    filled = 0
    for row, entry in rows.items():
        there = sheet.cell(row, column)
        if there.upper() in _KEPT:
            problems.append((entry.name, _KEPT[there.upper()]))
        elif entry.points is not None:
            sheet.fill(row, column, points(entry.points, like=possible))
            filled += 1
    return Filled(sheet.write(), filled, tuple(listed(problems)))


def _new(entries: Iterable[Entry], title: str, maximum: float) -> Sheet:
    """Return a gradebook with a row for each entry, and no points yet."""
    header = [*_HEADER, title]
    most = [f"    {_POINTS_POSSIBLE}", "", "", "", "", points(maximum)]
    students = ([entry.name, entry.identifier, "", entry.login, entry.section, ""] for entry in entries)
    return Sheet([header, most, *([harmless(cell) for cell in cells] for cells in students)])


def _only(sheet: Sheet, title: str) -> Sheet:
    """Return a gradebook, in UTF-8, with only the columns of the student and of this assignment.

    Raises:
        TemplateError: If the sheet is not a gradebook, or does not have exactly one assignment with this title.
    """
    header = sheet.header
    if "Section" not in header or "ID" not in header:
        raise TemplateError(
            f"expected a gradebook of Canvas with the columns Student, ID and Section; got {', '.join(header)}"
        )
    students = header.index("Section") + 1
    assignments = {
        column: name
        for column, name in enumerate(header)
        if column >= students and _TITLE.fullmatch(name) and not _TOTALS.search(name)
    }
    found = [column for column, name in assignments.items() if _is_called(name, title)]
    if len(found) != 1:
        names = ", ".join(assignments.values()) or "none"
        how_many = "more than one of these assignments is" if found else "none of these assignments is"
        raise TemplateError(f"{how_many} called {title!r}: {names}. Give the title with its number")
    kept = [*range(students), found[0]]
    rows = [[row[column] if column < len(row) else "" for column in kept] for row in sheet.rows]
    return Sheet(rows, ";" if sheet.separator == ";" else ",", sheet.newline)


def _is_called(name: str, title: str) -> bool:
    parts = _TITLE.fullmatch(name)
    return parts is not None and normal(title) in (normal(name), normal(parts["title"]), parts["id"])


def _lines(sheet: Sheet) -> tuple[str, list[Line]]:
    """Return the maximum points and the rows of students."""
    header = sheet.header
    identifier, login = header.index("ID"), header.index("SIS Login ID") if "SIS Login ID" in header else None
    possible, lines = "", []
    for row in range(1, len(sheet.rows)):
        cells = [sheet.cell(row, column) for column in range(len(header))]
        if _POINTS_POSSIBLE in cells[0]:
            possible = cells[-1]
        else:  # or a row with only Manual Posting, which has neither ID nor name
            name = ", ".join(cells[:2]) if header[0] == "LastName" else cells[0]
            names = (name, turned(name), *([cells[login]] if login is not None and cells[login] else []))
            lines.append(Line(row, cells[identifier], names))
    return possible, lines
