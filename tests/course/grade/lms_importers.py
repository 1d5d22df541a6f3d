"""Imports of tables by Moodle and Canvas, modelled on their sources; the tests pass files from the grader to them.

Moodle: moodle/moodle, ``lib/csvlib.class.php`` (``load_csv_content``), ``lib/moodlelib.php`` (``unformat_float``),
``mod/assign/gradingtable.php`` (the worksheet), ``mod/assign/feedback/offline/importgradeslib.php`` (``init``,
``next``) and ``locallib.php`` (``process_import_grades``), ``mod/assign/feedback/file/importziplib.php``
(``is_valid_filename_for_import``). Canvas: instructure/canvas-lms, ``lib/gradebook_importer.rb``.
"""

import csv
import io
import re
import time
from dataclasses import dataclass, field, replace

# Moodle ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Language:
    """The words of a language pack that appear in a worksheet."""

    recordid: str = "Identifier"
    fullname: str = "Full name"
    status: str = "Status"
    grade: str = "Grade"
    maxgrade: str = "Maximum grade"
    changed: str = "Grade can be changed"
    submitted: str = "Last modified (submission)"
    marked: str = "Last modified (grade)"
    comments: str = "Feedback comments"
    hiddenuser: str = "Participant "
    decsep: str = "."
    time: str = "%A, %d %B %Y, %I:%M %p"


@dataclass(frozen=True)
class Participant:
    """A participant in Moodle's database."""

    number: int
    name: str
    email: str = ""
    group: str = ""
    grade: float | None = None
    comment: str = ""
    modified: int = 0
    locked: bool = False


ENGLISH = Language()


def worksheet(people, maximum, language=ENGLISH, *, hidden=False, teams=False, comments=True):
    """Return the cells of a worksheet, as assign_grading_table writes them for download."""

    def points(value):
        return "" if value is None else f"{value:.2f}".replace(".", language.decsep)

    def row(one):
        marked = time.strftime(language.time, time.gmtime(one.modified)) if one.modified else "-"
        return [
            f"{language.hiddenuser}{one.number}",
            *([] if hidden else [one.name, one.email]),
            "Submitted for grading",
            *([one.group, "Submitted"] if teams else []),
            points(one.grade),
            points(maximum),
            "No" if one.locked else "Yes",
            "Sunday, 1 March 2026, 10:00 AM",
            "<p>Online text, with a comma\nand a line</p>",
            marked,
            *([one.comment] if comments else []),
        ]

    header = [
        language.recordid,
        *([] if hidden else [language.fullname, "Email address"]),
        language.status,
        *(["Group", "Group status"] if teams else []),
        *(language.grade, language.maxgrade, language.changed, language.submitted, "Online text", language.marked),
        *([language.comments] if comments else []),
    ]
    return [header, *map(row, people)]


def as_csv(rows, separator=",", encoding="utf-8", newline="\n"):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=newline).writerows(rows)
    return text.getvalue().encode(encoding)


def moodle(content, people, maximum, language=ENGLISH, *, separator=",", encoding="utf-8", ignore_modified=False):
    """Return the participants after an upload; raise ValueError if Moodle refuses the file."""
    people = {one.number: one for one in people}
    text = content.decode(encoding).removeprefix("\ufeff")
    rows = _fgetcsv(re.sub("\r\n?", "\n", text).strip(), separator)
    header = rows[0]
    if any(len(row) != len(header) for row in rows):
        raise ValueError("csvweirdcolumns")
    needed = (language.grade, language.recordid, language.marked)
    if not all(name in header for name in needed):
        raise ValueError("invalidgradeimport")
    grade_at, id_at, marked_at = map(header.index, needed)
    comment_at = header.index(language.comments) if language.comments in header else None
    for row in rows[1:]:
        number = row[id_at][len(language.hiddenuser) :]
        if not number.isdigit() or int(number) not in people:
            continue
        one = people[int(number)]
        stale = one.modified > _strtotime(row[marked_at]) + 60
        grade = _unformat(row[grade_at], language.decsep)
        may = grade is not None and grade != one.grade and 0 <= grade <= maximum and not one.locked
        if may and (ignore_modified or not stale):
            one = replace(one, grade=grade)
        if comment_at is not None and (ignore_modified or not stale):
            one = replace(one, comment=row[comment_at])
        people[one.number] = one
    return people


def _fgetcsv(text, separator):
    """Read CSV like PHP, where a quote after a backslash does not end a cell."""
    cell = re.compile(rf'("(?:\\.|""|[^"\\])*"?|)([^{separator}\n]*)({separator}|\n|$)', re.DOTALL)
    rows, at, end = [[]], 0, ""
    while at < len(text) or end == separator:
        found = cell.match(text, at)
        quoted, rest, end = found.groups()
        rows[-1].append(quoted.removeprefix('"').removesuffix('"').replace('""', '"') + rest)
        at = found.end()
        if end == "\n":
            rows.append([])
    return rows


def _strtotime(text):
    """Parse a time like PHP's strtotime, which reads only English and otherwise returns false, which counts as 0."""
    try:
        return int(time.mktime(time.strptime(text, ENGLISH.time)) - time.timezone)
    except ValueError:
        return 0


def _unformat(text, decsep):
    text = text.strip().replace(" ", "").replace(decsep, ".")
    number = re.match(r"[+-]?\d*\.?\d*", text)[0]  # a cast to float uses a number at the beginning
    return float(number or 0) if text else None


def moodle_feedback(path, numbers):
    """Return the participant and the name of a file in a feedback zip; None if Moodle ignores it."""
    name = path.rpartition("/")[2]
    if name.startswith((".", "~")):
        return None
    parts = path.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) < 5:  # up to 4.0; since 4.1, four are enough
            continue
        if info[1].isdigit() and int(info[1]) in numbers and info[2:4] == ["assignfeedback", "file"]:
            return int(info[1]), "/".join([info[4], *parts]).lstrip("/")
    return None


# Canvas ---------------------------------------------------------------------------------------------------------------


@dataclass
class Course:
    """Students (sortable name and login) and assignments (title and points) by ID, and the grades."""

    students: dict
    assignments: dict
    grades: dict = field(default_factory=dict)


NOT_ASSIGNMENTS = "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|Override"


def canvas(content, course):
    """Import a gradebook into a course; return the students and assignments that would be new."""
    text = content.decode("utf-8")
    separator = _delimiter(text.splitlines()[:3])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [[_decimal(cell) for cell in row] for row in rows if not re.fullmatch("[;, ]*", separator.join(row))]
    header = rows[0]
    first_last = header[0] == "LastName" and header[1] == "FirstName"
    id_at = 2 if first_last else 1
    if not (first_last or "Student" in header[0]) or "ID" not in header[id_at]:
        raise ValueError("Invalid header row")
    at, login_at = id_at + 1, None
    if re.search(r"SIS\s+Login\s+ID", header[at]):
        login_at, at = at, at + 1
    elif re.search(r"SIS\s+User\s+ID", header[at]) and re.search(r"SIS\s+Login\s+ID", header[at + 1]):
        login_at, at = at + 1, at + 2
        at += bool(re.search(r"Integration\s+ID", header[at]))
        at += bool(re.search(r"Root\s+Account", header[at]))
    if "Section" not in header[at]:
        raise ValueError("Invalid header row")
    columns, new_assignments, new_students = {}, [], []
    for column in range(at + 1, len(header)):
        if re.search(NOT_ASSIGNMENTS, header[column]):
            continue
        found = re.fullmatch(r"(?s)(.*)\s\((\d+)\)", header[column])
        known = int(found[2]) if found and int(found[2]) in course.assignments else None
        known = known or next((each for each, (name, _) in course.assignments.items() if name == header[column]), None)
        if known is None:
            new_assignments.append(header[column])
        else:
            columns[known] = column
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            for assignment, column in columns.items():
                title, _ = course.assignments[assignment]
                course.assignments[assignment] = title, float(row[column])
            continue
        if all(re.fullmatch(r"(?i)\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row):
            continue
        student = _student(row, course.students, id_at, login_at, first_last)
        if student is None:
            new_students.append(row[0])
            continue
        for assignment, column in columns.items():
            course.grades[student, assignment] = row[column].strip()
    return new_students, new_assignments


def _student(row, students, id_at, login_at, first_last):
    if row[id_at].isdigit() and int(row[id_at]) in students:
        return int(row[id_at])
    logins = {login: number for number, (_, login) in students.items()}
    if login_at is not None and row[login_at] in logins:
        return logins[row[login_at]]
    name = f"{row[1]} {row[0]}" if first_last else row[0]
    for number, (sortable, _) in students.items():
        last, _, first = sortable.partition(", ")
        if name in (sortable, f"{first} {last}"):
            return number
    return None


def _decimal(cell):
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *parts, last = re.split("[,.]", cell)
    return f"{''.join(parts)}.{last}" if parts else last


def _delimiter(lines):
    counts = {}
    for separator in ";,":
        sizes = {len(next(csv.reader([line], delimiter=separator))) for line in lines}
        counts[separator] = sizes.pop() if len(sizes) == 1 else 0
    return ";" if counts[";"] > counts[","] else ","
