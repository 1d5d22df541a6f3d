"""Points by hand are checked when they are read, and edits of the table are recognized."""

import pytest

from rsl_edu.course.grade import by_hand
from rsl_edu.course.grade.by_hand import Hand, HandError
from rsl_edu.course.grade.spreadsheet import SheetError

MOST = {"reset_done": 3.0, "unpad": 4.5}


def read(folder, text):
    path = folder / "grades_marks.csv"
    path.write_text(text, "utf-8")
    return by_hand.read(path, MOST)


HEAD = "student,exercise,points,comment\n"
WHOLE_HEAD = "student,exercise,points,comment,identifier,notebook\n"
HANDS = [
    Hand("Ada Lovelace", "unpad", 2.5, 'the "hard" one; half'),
    Hand("Ada Lovelace", "reset_done", None, "see me"),
    Hand("李小龙", "late", 0.0, "ill,\nas told", "17", "n0123456789"),
]


def test_marks_survive_writing_and_reading(tmp_path):
    assert read(tmp_path, by_hand.write(HANDS)) == HANDS
    assert by_hand.write([]) == WHOLE_HEAD


def test_tables_saved_by_a_spreadsheet_are_read(tmp_path):
    assert read(tmp_path, "Student;Exercise;Points;Comment\r\nAda;unpad;2,50;\r\n;;;\r\n") == [
        Hand("Ada", "unpad", 2.5)
    ]


def test_missing_file_means_no_marks(tmp_path):
    assert by_hand.read(tmp_path / "grades_marks.csv", MOST) == []
    assert read(tmp_path, "") == read(tmp_path, HEAD) == read(tmp_path, WHOLE_HEAD) == []


def test_identifier_and_notebook_are_optional(tmp_path):
    assert read(tmp_path, f"{HEAD}Ada,unpad,1,half, as told\n") == [Hand("Ada", "unpad", 1, "half")]
    assert read(tmp_path, f"{WHOLE_HEAD}Ada,unpad,1,half\nBo,unpad,1,,,n1") == [
        Hand("Ada", "unpad", 1, "half"),
        Hand("Bo", "unpad", 1, notebook="n1"),
    ]


@pytest.mark.parametrize(("given", "now", "outlived"), [("n1", "n2", True), ("n1", "n1", False)])
def test_mark_for_another_notebook_is_recognized(given, now, outlived):
    assert Hand("Ada", "unpad", 1, notebook=given).outlived(now) == outlived
    assert not Hand("Ada", "unpad", 1).outlived(now)
    assert not Hand("Ada", "unpad", 1, notebook=given).outlived("")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Ada,unpda,1,", "Ada: there is no exercise 'unpda'; did you mean 'unpad'?"),
        ("Ada,xyz,1,", "Ada: there is no exercise 'xyz'; there are 'reset_done', 'unpad', 'late'"),
        ("Ada,unpad,5,", "Ada: unpad: expected points from 0 to 4.5, got '5'"),
        ("Ada,unpad,-1,", "Ada: unpad: expected points from 0 to 4.5, got '-1'"),
        ("Ada,unpad,nan,", "Ada: unpad: expected points from 0 to 4.5, got 'nan'"),
        ("Ada,unpad,many,", "Ada: unpad: expected points from 0 to 4.5, got 'many'"),
        ("Ada,late,8,", "Ada: late: expected points from 0 to 7.5, got '8'"),
        ("Ada,unpad,,", "Ada: unpad: expected points or a comment, got neither"),
        ("Ada,unpad,1,\nAda,unpad,2,", "Ada: unpad is marked twice; keep one of the two lines"),
    ],
)
def test_invalid_marks_are_named(tmp_path, line, says):
    with pytest.raises(HandError) as error:
        read(tmp_path, HEAD + line)
    assert str(error.value) == f"{tmp_path / 'grades_marks.csv'}, {says}"


def test_table_with_other_columns_is_refused(tmp_path):
    with pytest.raises(SheetError, match="expected the columns student, exercise, points, comment; got name, points"):
        read(tmp_path, "name,points\nAda,3\n")


NAMES = {
    "Carla Adler": "1",
    "Thomas Martin": "2",
    "Martin Thomas": "3",
    "Wei Li (4)": "4",
    "Wei Li (5)": "5",
    "Ana María de la Cruz": "6",
    "Chloë O'Neil-Smith": "7",
    "Zoe": "",
}


@pytest.mark.parametrize(
    ("student", "identifier", "found"),
    [
        ("Carla Adler", "9", "Carla Adler"),  # the same name
        ("Adler, Carla", "", "Carla Adler"),
        ("adlercarla", "", "Carla Adler"),
        ("carla  ADLER", "1", "Carla Adler"),
        ("Adler, Carla", "9", None),  # somebody else
        ("1", "", "Carla Adler"),
        ("Adler-Weiß, Carla", "1", "Carla Adler"),
        ("Somebody Else", "1", None),  # an identifier from another table
        ("Martin, Thomas", "", None),
        ("Martin, Thomas", "2", "Thomas Martin"),
        ("Li, Wei", "", None),
        ("Li, Wei", "5", "Wei Li (5)"),
        ("Li, Wei (4)", "", "Wei Li (4)"),
        ("de la Cruz, Ana María", "", "Ana María de la Cruz"),
        ("O'Neil-Smith, Chloë", "", "Chloë O'Neil-Smith"),
        ("Zoe", "8", "Zoe"),
        ("Carla", "", None),
    ],
)
def test_student_is_found_by_another_name_only_if_certain(student, identifier, found):
    assert by_hand.whose(Hand(student, "unpad", 1.0, identifier=identifier), NAMES) == found


def test_all_marks_for_unknown_students_are_named():
    hands = [Hand(name, "unpad", 1.0) for name in ("Adler, Carla", "Bob", "Carl Adler", "left out")]
    with pytest.raises(HandError) as error:
        by_hand.with_names(hands, NAMES, ["left out"])
    bob, carl = str(error.value).splitlines()
    assert bob.startswith("there is no student 'Bob' in the grades; there are 'Carla Adler', ")
    assert carl.startswith("there is no student 'Carl Adler' in the grades; did you mean 'Carla Adler'")
    assert by_hand.with_names([hands[0], hands[3]], NAMES, ["left out"]) == [
        Hand("Carla Adler", "unpad", 1.0),
        hands[3],
    ]
    twice = [hands[0], Hand("Carla Adler", "unpad", 2.0)]
    with pytest.raises(
        HandError, match="'Adler, Carla' and 'Carla Adler' are the same student: unpad is marked twice; keep one"
    ):
        by_hand.with_names(twice, NAMES)
    assert len(by_hand.with_names([hands[0], Hand("Carla Adler", "late", 2.0)], NAMES)) == 2


def test_similar_names_are_suggested():
    names = ["Ada Lovelace", "Alan Turing", "Emmy Noether"]
    assert by_hand.known("Ada Lovelace", names) == "Ada Lovelace"
    for wrong, near in {
        "ada lovelace": "Ada Lovelace",
        "Noether": "Emmy Noether",
        "Allan Turing": "Alan Turing",
    }.items():
        with pytest.raises(HandError, match=f"there is no student '{wrong}' in the grades; did you mean '{near}"):
            by_hand.known(wrong, names)
    with pytest.raises(HandError, match="there are 'Ada Lovelace', 'Alan Turing', 'Emmy Noether'"):
        by_hand.known("Zoe", names)


# Edits of the table ---------------------------------------------------------------------------------------------------

COLUMNS = ["submission", "status", "total", "deduction", "reset_done", "unpad", "remarks"]
TABLE = [
    COLUMNS,
    ["Ada", "graded", "5.5", "2", "3", "4.5", "late"],
    ["Bo", "graded", "0", "", "0", "", ""],
    ["Cy", "x", "0", "", "0", "0", ""],
]


def edited(*changes):
    """Return the table with some cells changed, given by row and column."""
    rows = [list(row) for row in TABLE]
    for place, column, value in changes:
        rows[place][COLUMNS.index(column)] = value
    return rows


@pytest.mark.parametrize(
    ("changes", "hands"),
    [
        ([], []),
        ([(1, "unpad", "2")], [Hand("Ada", "unpad", 2)]),
        ([(1, "unpad", "2"), (1, "total", "3")], [Hand("Ada", "unpad", 2)]),
        ([(2, "unpad", "1,5"), (3, "unpad", "0.50")], [Hand("Bo", "unpad", 1.5), Hand("Cy", "unpad", 0.5)]),
        ([(1, "deduction", "0")], [Hand("Ada", "late", 0)]),
        ([(1, "total", "5,50"), (1, "unpad", "4,5")], []),  # saved by a spreadsheet
    ],
)
def test_edited_points_become_marks_by_hand(changes, hands):
    rows = edited(*changes)
    assert by_hand.edits(TABLE, rows, MOST) == hands
    assert by_hand.edits(TABLE, [rows[0], *rows[:0:-1]], MOST) == hands[::-1]  # sorted in another order


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (edited((1, "total", "7")), "Ada: total was '5.5' and is '7'; change the points of an exercise or the deduct"),
        (edited((1, "status", "ill")), "Ada: status was 'graded' and is 'ill'"),
        (edited((1, "remarks", "nice")), "Ada: remarks was 'late' and is 'nice'"),
        (edited((1, "unpad", "5")), "Ada: unpad: expected points from 0 to 4.5, got '5'"),
        (edited((1, "unpad", "")), "Ada: unpad: expected points or a comment, got neither"),
        (edited((1, "submission", "Eve")), "Eve: the row is new"),
        ([*TABLE, TABLE[1]], "Ada: the row exists twice"),
        (TABLE[:-1], "Cy: the row is missing"),
        ([[*COLUMNS[:-1], "notes"], *TABLE[1:]], "the columns were changed; the grader wrote submission, status"),
        ([], "the columns were changed"),
    ],
)
def test_edits_that_cannot_be_applied_are_named(rows, says):
    with pytest.raises(HandError) as error:
        by_hand.edits(TABLE, rows, MOST)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("Müller, Anna", "'Müller, Anna (67001)' or 'Müller, Anna (67002)'"),
        ("Anna Müller", "'Müller, Anna (67001)' or 'Müller, Anna (67002)'"),
        ("anna müller", "'Müller, Anna (67001)' or 'Müller, Anna (67002)'"),
        ("müller anna", "'Müller, Anna (67001)' or 'Müller, Anna (67002)'"),
        ("Ömer Tanaka", "'Tanaka, Ömer'"),
    ],
)
def test_name_in_another_order_suggests_everybody_with_it(wrong, near):
    names = ["Tanaka, Ömer", "Müller, Anna (67001)", "Müller, Anna (67002)", "Müller, Ina"]
    with pytest.raises(HandError) as error:
        by_hand.known(wrong, names)
    assert str(error.value) == f"there is no student {wrong!r} in the grades; did you mean {near}?"
