"""Files for Canvas, tested with a model of Canvas's own rules (lms_importers)."""

import csv
import io
import unicodedata

import pytest
from course.grade.lms_importers import Course, as_csv, canvas

from rsl_edu.course.grade.lms import Entry, TemplateError
from rsl_edu.course.grade.lms.canvas import gradebook as fill

NAMES = [
    "Lovelace, Ada",
    'Weird, "Al"',
    "رضا, علي",
    "李, 小龙",
    "Robot, 🤖",
    "=HYPERLINK(1), x",
    "D'Angelo, Anne-Marie",
    "Öztürk, İlker",
    "शर्मा, प्रिया",
    "محمّد, عليّ",
    "King, Jr., Martin Luther",
]
STUDENTS = {100 + at: (name, f"login{at}") for at, name in enumerate(NAMES)}
STUDENTS |= {200 + at: (f"Student{at}, One", f"s{at}") for at in range(107)}
STUDENTS |= {400: ("Li, Wei", "wei1"), 401: ("Li, Wei", "wei2")}
ASSIGNMENTS = {7: ("Homework 4", 20.0), 8: ("Homework 5", 20.0), 9: ("Homework 5", 30.0), 10: ("Quiz (2)", 20.0)}


def course():
    return Course(STUDENTS, dict(ASSIGNMENTS), {(student, 8): "3.00" for student in STUDENTS})


def exported(*, sis=True, names="Student", muted=True, decimal=".", there=None, students=STUDENTS):
    """Return the cells of a gradebook, as lib/gradebook_exporter.rb writes them."""

    def points(value):
        return f"{value:.2f}".replace(".", decimal)

    def start(name, *rest):
        return [*(name.split(", ", 1) if names == "LastName" else [name]), *rest]

    blank = start(", " if names == "LastName" else "", "", *[""] * (4 if sis else 2))
    header = [
        *(["LastName", "FirstName"] if names == "LastName" else ["Student"]),
        *(["ID", "SIS User ID", "SIS Login ID", "Integration ID"] if sis else ["ID", "SIS Login ID"]),
        *("Section", "Notes", *(f"{title} ({number})" for number, (title, _) in ASSIGNMENTS.items())),
        *("Homework Current Score", "Homework Final Points", "Current Score (2026)", "Override Score"),
    ]
    rows = [header]
    if muted:
        rows.append([*blank, "", "Manual Posting", "", "", "Manual Posting", "", "", "", ""])
    most = [points(most) for _, most in ASSIGNMENTS.values()]
    total = ["(read only)", "(read only)", "(read only)", ""]
    first = ["    Points Possible", ""] if names == "LastName" else ["    Points Possible"]
    rows.append([*first, *blank[len(first) :], "(read only)", *most, *total])
    for number, (name, login) in students.items():
        ids = [str(number), f"SIS{number}", login, ""] if sis else [str(number), login]
        grades = [(there or {}).get(number, ""), points(3), "", ""]
        rows.append([*start(name, *ids), "Section 1 and Section 2", "a note", *grades, "50", "1", "2", ""])
    return rows


def file_name(name):
    """Return a name in the form used in file names (lib/content_zipper.rb)."""
    kept = (letter for letter in name.lower() if letter.isalnum() or unicodedata.category(letter)[0] == "M")
    return "".join(kept)


def entries():
    return [Entry(file_name(name), (number % 81) / 4, identifier=str(number)) for number, (name, _) in STUDENTS.items()]


KINDS = {
    "plain": {},
    "without SIS IDs": {"sis": False},
    "first and last names": {"names": "LastName"},
    "first and last names without SIS IDs": {"names": "LastName", "sis": False},
    "nothing muted": {"muted": False},
    "decimal commas": {"decimal": ","},
}
FILES = {
    "plain": {},
    "BOM": {"encoding": "utf-8-sig"},
    "semicolons": {"separator": ";", "encoding": "utf-8-sig", "newline": "\r\n"},
    "UTF-16": {"separator": "\t", "encoding": "utf-16"},
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("title", ["Homework 4", "homework  4", "Homework 4 (7)", "7"])
def test_class_can_be_imported_into_canvas(kind, file, title):
    filled = fill(entries(), title, 20, as_csv(exported(**KINDS[kind]), **FILES[file]))
    assert (filled.filled, filled.problems) == (120, ())
    there = course()
    assert canvas(filled.content, there) == ([], [])
    assert {number: float(there.grades[number, 7]) for number in STUDENTS} == {
        number: (number % 81) / 4 for number in STUDENTS
    }
    assert there.assignments == ASSIGNMENTS
    assert {there.grades[number, 8] for number in STUDENTS} == {"3.00"}


def test_roster_names_match_their_rows():
    people = {"Martin Luther King, Jr.": 110, "Li Wei (400)": 400, "İlker Öztürk": 107}
    some = [Entry(name, 5.0, identifier=str(number)) for name, number in people.items()]
    assert fill(some, "7", 20, as_csv(exported())).problems == ()


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_other_assignments_are_removed(kind):
    before = exported(**KINDS[kind])
    filled = fill([], "Homework 5 (8)", 20, as_csv(before))
    after = list(csv.reader(io.StringIO(filled.content.decode(), newline="")))
    end = before[0].index("Section") + 1
    column = before[0].index("Homework 5 (8)")
    assert after == [[*row[:end], row[column]] for row in before]
    assert filled.filled == 0


def test_canvas_finds_students_and_assignment_without_a_template():
    some = [*entries(), Entry("Robot, 🤖", 3.0, login="login4", section="A")]
    filled = fill(some, "Homework 4", 20)
    assert filled.problems == ("Robot, 🤖: no ID, so Canvas will search by name",)
    there = course()
    assert canvas(filled.content, there) == ([], [])
    assert there.assignments == ASSIGNMENTS
    assert there.grades[401, 7] == f"{401 % 81 / 4:.2f}"
    assert there.grades[104, 7] == "3.00"
    assert b",7," not in fill([Entry("=1+1", 2.0, identifier="7")], "Homework 4", 20).content.splitlines()[0]
    assert b"'=1+1,7," in fill([Entry("=1+1", 2.0, identifier="7")], "Homework 4", 20).content
    assert fill([Entry("muted", 2.0)], "Homework 4", 20).filled == 1


def test_new_title_creates_a_new_assignment():
    assert canvas(fill(entries(), "Homework 6", 20).content, course()) == ([], ["Homework 6"])


def test_students_without_points_keep_their_old_points():
    template = as_csv(exported(there={100: "4.00", 101: "EX", 102: "N/A", 103: "5.00"}))
    some = [Entry(file_name(STUDENTS[number][0]), 6.0, identifier=str(number)) for number in (101, 102)]
    some += [Entry("李小龙", None, identifier="103")]
    filled = fill(some, "7", 20, template)
    assert filled.filled == 0
    assert filled.problems == ("weirdal: is excused in Canvas", "رضاعلي: does not have the assignment in Canvas")
    there = course()
    canvas(filled.content, there)
    assert [there.grades[number, 7] for number in (100, 101, 102, 103, 104)] == ["4.00", "EX", "N/A", "5.00", ""]


@pytest.mark.parametrize(
    ("entry", "found"),
    {
        Entry("lovelaceada", 5.0, identifier="100"): 100,
        Entry("Ada Lovelace", 5.0): 100,
        Entry("Lovelace, Ada", 5.0): 100,
        Entry("Ada Lovelace", 5.0, identifier="100"): 100,
        Entry("someone", 5.0, login="login6"): 106,
        Entry("liwei (401)", 5.0, identifier="401"): 401,
        Entry("lovelaceada", 5.0): "lovelaceada: nobody in the table has this name",
        Entry("anon_aB3xZ", 5.0): "anon_aB3xZ: nobody in the table has this name",
        Entry("Wei Li", 5.0): "Wei Li: 2 rows of the table have this name",
        Entry("Bo", 5.0, identifier="100"): "Bo: in the table, the number 100 belongs to Lovelace, Ada",
        Entry("Bo", 5.0, identifier="999"): "Bo: no rows of the table have the number 999",
    }.items(),
)
@pytest.mark.parametrize("names", ["Student", "LastName"])
def test_row_is_found_by_id_or_else_by_name(entry, found, names):
    filled = fill([entry], "7", 20, as_csv(exported(names=names)))
    there = course()
    canvas(filled.content, there)
    changed = [number for number in STUDENTS if there.grades[number, 7]]
    assert (changed, filled.problems) == (([found], ()) if isinstance(found, int) else ([], (found,)))


def test_message_about_many_students_is_one_line():
    some = [Entry(f"Student {at}", 1.0) for at in range(12)]
    assert fill(some, "Homework 4", 20).problems == (
        "12 students: no ID, so Canvas will search by name: Student 0; Student 1; Student 2; and 9 more",
    )


SHORT = {100: STUDENTS[100]}


@pytest.mark.parametrize(
    ("title", "says"),
    {
        "Homework 5": r"more than one of these assignments is called 'Homework 5': Homework 4 \(7\), Homework 5 \(8\), "
        r"Homework 5 \(9\), Quiz \(2\) \(10\)\. Give the title with its number",
        "Homework": "none of these assignments is called 'Homework': Homework 4",
        "Current Score": "none of these assignments",
        "Current Score (2026)": "none of these assignments",
        "Homework 5 (9)": r"Homework 5 \(9\) has 30.00 points in Canvas, but the assignment has 20: change the points",
    }.items(),
)
def test_ambiguous_column_is_an_error(title, says):
    with pytest.raises(TemplateError, match=says):
        fill([], title, 20, as_csv(exported(students=SHORT)))


def test_title_may_end_with_a_number():
    assert fill([Entry("Ada Lovelace", 1.0)], "Quiz (2)", 20, as_csv(exported(students=SHORT))).filled == 1


def test_invalid_gradebook_is_an_error():
    for template in (b"a,b\n1,2\n", b"Student,ID\nAda,1\n"):
        with pytest.raises(TemplateError, match="the columns Student, ID and Section; got "):
            fill([], "Homework 4", 20, template)
    without_points = [row for row in exported(students=SHORT) if "Points Possible" not in row[0]]
    with pytest.raises(TemplateError, match=r"Homework 4 \(7\) has no points in Canvas"):
        fill([], "Homework 4", 20, as_csv(without_points))
