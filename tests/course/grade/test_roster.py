"""Rosters from learning platforms and spreadsheets are read, and students are matched without guessing."""

import datetime

import pytest

from rsl_edu.course.grade import roster
from rsl_edu.course.grade.roster import Person, Roster
from rsl_edu.course.grade.spreadsheet import SheetError


def read(folder, content, encoding="utf-8"):
    path = folder / "roster.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return list(roster.read(path).people)


ADA = [Person("Ada Lovelace", "101", "ada@example.org")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_from_any_spreadsheet_are_read(tmp_path, encoding, separator, end):
    rows = [["Name", "ID", "E-Mail", "Größe"], ["Ada Lovelace", "101", "ada@example.org", "1"], ["", "", "", ""]]
    assert read(tmp_path, end.join(separator.join(row) for row in rows), encoding) == ADA


@pytest.mark.parametrize(
    "header", ["Full name,Identifier,Email address", "student,student id,mail", "NAME , Canvas ID,E-Mail-Adresse"]
)
def test_usual_column_names_are_recognized(tmp_path, header):
    assert read(tmp_path, f"{header}\nAda Lovelace,Participant 101,ada@example.org\n") == ADA


def test_first_and_last_names_are_joined(tmp_path):
    text = "Last name,First name,Username,Group\nLovelace,Ada,ada,A\n"
    assert read(tmp_path, text) == [Person("Ada Lovelace", login="ada", section="A", sortable="Lovelace, Ada")]


def test_short_line_has_empty_cells(tmp_path):
    assert read(tmp_path, "name,id,email\nAda\n") == [Person("Ada")]


MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 101","Ada Lovelace",ada@example.org,"Submitted for grading - 2 days 3 hours late",,20.00,Yes,'
    '"Wednesday, 2 December 2026, 3:00 PM",-,\n'
    '"Participant 102","Bo Ek",bo@example.org,"Submitted for grading",,20.00,Yes,"Monday, 30 November 2026, 23:05",-,\n'
    '"Participant 103",Cy,cy@example.org,"No submission - Assignment is overdue by: 4 days",,20.00,Yes,-,-,\n'
    '"Participant 104",Di,di@example.org,"Submitted for grading - 5 mins 30 secs late",,20.00,Yes,-,-,\n'
)


def test_lateness_is_read_from_moodle_s_worksheet(tmp_path):
    people = read(tmp_path, MOODLE)
    assert [(person.name, person.identifier, person.email) for person in people[:2]] == [
        ("Ada Lovelace", "101", "ada@example.org"),
        ("Bo Ek", "102", "bo@example.org"),
    ]
    assert [person.late_hours for person in people] == [51, None, None, pytest.approx(5.5 / 60)]
    assert [person.submitted for person in people] == [
        datetime.datetime(2026, 12, 2, 15).astimezone(),
        datetime.datetime(2026, 11, 30, 23, 5).astimezone(),
        None,
        None,
    ]


EXTENDED = "Extension granted until: Monday, 23 November 2026, 11:59 PM"


@pytest.mark.parametrize(
    ("status", "time", "says"),
    [
        (f"Submitted for grading - {EXTENDED}", "Sunday, 22 November 2026, 10:00 AM", {"late_hours": 0}),
        (f"Submitted for grading - Graded - {EXTENDED}", "-", {"late_hours": 0}),
        (f"Submitted for grading - 3 hours late - {EXTENDED}", "x", {"late_hours": 3, "unread": "x"}),
        (f"No submission - Assignment is overdue by: 4 days - {EXTENDED}", "-", {"nothing": True}),
        ("No submission", "", {"nothing": True}),
        ("Keine Abgabe - Überfällig seit: 4 Tage", "-", {"nothing": True}),
        ("Submitted for grading - Graded", "-", {}),
        ("Submitted for grading - Submission changes not allowed", "-", {}),
        ("Draft (not submitted)", "-", {"draft": True}),
        ("Draft (not submitted) - 1 hour 30 mins late", "-", {"draft": True, "late_hours": 1.5}),
        ("Entwurf (nicht abgegeben)", "-", {"draft": True}),
        ("Zur Bewertung abgegeben - Verlängerung bis: Montag, 23. November 2026, 23:59", "x", {"late_hours": 0}),
        ("評定のため提出 - 次の日時まで延長が許可されました: 2026年 11月 23日", "x", {"late_hours": 0}),
        ("Zur Bewertung abgegeben - 2 Tage später", "x", {"unread": "Zur Bewertung abgegeben - 2 Tage später"}),
        ("Abgegeben - 2 Tage später - Bis: 23. 11. 2026", "2026-11-25", {"unread": ...}),
        ("", "-", {}),
    ],
)
def test_status_of_moodle_s_worksheet_is_read(tmp_path, status, time, says):
    (person,) = read(tmp_path, f'Identifier,Full name,Status,Submitted\nParticipant 1,Ada,"{status}","{time}"\n')
    says = {key: status if value is ... else value for key, value in says.items()}
    wanted = {
        "late_hours": None,
        "unread": person.unread if time == "x" else "",
        "nothing": False,
        "draft": False,
    } | says
    assert {key: getattr(person, key) for key in wanted} == wanted


def test_numeric_time_counts_if_the_status_is_in_another_language(tmp_path):
    row = "Teilnehmer/in1,Ada,Zur Bewertung abgegeben - 2 Tage später,25.11.2026 18:00"
    (person,) = read(tmp_path, f"ID,Vollständiger Name,Status,Zuletzt geändert (Abgabe)\n{row}\n")
    assert (person.submitted, person.unread) == (datetime.datetime(2026, 11, 25, 18).astimezone(), "")


@pytest.mark.parametrize(
    ("header", "participant"),
    [
        ("Identifiant;Nom;Adresse;Statut;Note;Note maximale", "Participant·e 101"),
        ("識別子,フルネーム,メール,ステータス,評点,最大評点", "参加者 101"),
    ],
)
def test_moodle_s_worksheet_may_be_in_any_language(tmp_path, header, participant):
    separator = ";" if ";" in header else ","
    people = read(tmp_path, f"{header}\n{separator.join([participant, 'Ada Lovelace', 'a@b', 'x', '', '20'])}\n")
    assert [(person.name, person.identifier) for person in people] == [("Ada Lovelace", "101")]


def test_moodle_s_worksheet_may_hide_names(tmp_path):
    text = MOODLE.replace(',"Full name","Email address"', "").replace(',"Ada Lovelace",ada@example.org', "")
    lines = text.splitlines()[:2]
    people = read(tmp_path, "\n".join(lines))
    assert [(person.name, person.identifier) for person in people] == [("Participant 101", "101")]
    for name in ("Participant 101", "Participant (101)", "Participant"):
        assert Roster(people).find(name, "101") is people[0]
    assert Roster(people).find("Participant (102)", "102") is None


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Policies (77),Current Score\n"
    ",,,,,Manual Posting,\n"
    "    Points Possible,,,,,20,(read only)\n"
    '"Lovelace, Ada",101,S1,ada,Lab 1,,\n'
    '"Student, Test",999,,abc,Lab 1,,\n'
)


def test_canvas_rows_that_are_not_students_are_skipped(tmp_path):
    ada, test = read(tmp_path, CANVAS)
    assert ada == Person("Lovelace, Ada", "101", login="ada", section="Lab 1")
    assert test == Person("Student, Test", "999", login="abc", section="Lab 1", test=True)


def test_canvas_test_student_is_added_to_the_own_roster(tmp_path):
    gradebook = Roster(read(tmp_path, CANVAS))
    joined = Roster([Person("Ada Lovelace")]).with_test_student(gradebook)
    assert [person.name for person in joined.people] == ["Ada Lovelace", "Student, Test"]
    assert joined.find("studenttest", "999") is gradebook.people[1]
    assert joined.with_test_student(gradebook) is joined


def test_hours_and_times_of_an_own_table(tmp_path):
    text = (
        'name,late_hours,submitted\nAda,"2,5",\nBo,,2026-11-30T12:00Z\nCy,-3,2026-11-30 12:00+01:00\nDi,,soon\nEd,,-\n'
    )
    people = read(tmp_path, text)
    assert [person.late_hours for person in people] == [2.5, None, 0, None, None]
    assert [person.unread for person in people] == ["", "", "", "soon", ""]
    noon = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.timezone.utc)
    assert [person.submitted for person in people] == [None, noon, noon - datetime.timedelta(hours=1), None, None]


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-04 09:00",
        "2026-12-04T09:00:00",
        "Friday, 4 December 2026, 9:00 AM",
        "Friday, 4 December 2026, 09:00",
        "Friday, December 4, 2026, 9:00 AM",
        "04.12.2026 9:00",
        "4.12.2026, 09:00",
    ],
)
def test_times_in_unambiguous_formats_are_read(tmp_path, text):
    (person,) = read(tmp_path, f'name,submitted\nAda,"{text}"\n')
    assert (person.submitted, person.unread) == (datetime.datetime(2026, 12, 4, 9).astimezone(), "")


@pytest.mark.parametrize("text", ["12/04/2026 09:00", "yesterday", "Freitag, 4. Dezember 2026, 09:00", "2026-13-01"])
def test_unreadable_time_is_kept_as_text(tmp_path, text):
    (person,) = read(tmp_path, f'name,submitted\nAda,"{text}"\n')
    assert (person.submitted, person.unread) == (None, text)


def test_german_worksheet_has_times(tmp_path):
    header = "ID,Vollständiger Name,Status,Bewertung,Bestwertung,Bewertung kann geändert werden,"
    row = 'Teilnehmer/in101,Ada,Zur Bewertung abgegeben,,"20,00",Ja,"Freitag, 4. Dezember 2026, 09:00",-,'
    (person,) = read(tmp_path, f"{header}Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),Kommentar\n{row}\n")
    assert person.unread == "Freitag, 4. Dezember 2026, 09:00"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "expected a table in CSV, got an empty file"),
        (b"\n , \n", "expected a table in CSV, got an empty file"),
        (
            b"id,grade\n1,2\n",
            "expected a column called name, full name, student, or one column each for first and last",
        ),
        (b"name,late_hours\nAda,soon\n", "Ada: expected a number of late hours, got 'soon'"),
        (b"name,late_hours\nAda,nan\n", "Ada: expected a number of late hours, got 'nan'"),
        (b"\x81\x8d\x8f", "expected a table in CSV ("),
    ],
)
def test_invalid_roster_is_an_error(tmp_path, content, says):
    with pytest.raises(SheetError) as error:
        read(tmp_path, content)
    assert str(tmp_path / "roster.csv") in str(error.value)
    assert says in str(error.value)


def test_missing_roster_is_an_error(tmp_path):
    with pytest.raises(SheetError, match=r"nowhere\.csv: No such file"):
        roster.read(tmp_path / "nowhere.csv")


def test_students_with_the_same_name_are_distinguished_by_number(tmp_path):
    people = read(tmp_path, "name,id\nAda,1\nAda,2\nBo,3\n")
    assert [person.name for person in people] == ["Ada (1)", "Ada (2)", "Bo"]
    everybody = Roster(people)
    assert everybody.find("Ada") is None
    assert everybody.find("Ada (2)") == everybody.find("Ada", "2") == people[1]


PEOPLE = [Person("Lovelace, Ada", "101", "ada@example.org", "adal"), Person("Bo  Ék", "102"), Person("Cy")]


@pytest.mark.parametrize(
    ("name", "identifier", "place"),
    [
        ("lovelaceada", "101", 0),
        ("Ada Lovelace", "", 0),
        ("LOVELACE, ada", "", 0),
        ("ada@example.org", "", 0),
        ("adal", "", 0),
        ("bo e\u0301k", "", 1),
        ("Bo Ek", "", None),
        ("Ada", "", None),
        ("Cy", "7", 2),  # the table has no identifier for Cy
        ("Cy", "102", 2),  # an identifier from another table
        ("", "", None),
        ("", "101", None),
        ("Group A-Bo  Ék", "102", 1),
        ("Max Born", "101", None),
    ],
)
def test_uncertain_matches_are_not_guessed(name, identifier, place):
    assert Roster(PEOPLE).find(name, identifier) == (None if place is None else PEOPLE[place])


CANVASS = [  # names in two columns, and in Canvas's file names (lib/content_zipper.rb, with Ruby's downcase)
    ("Ada", "Lovelace", "lovelaceada"),
    ("Martin Luther", "King, Jr.", "kingjrmartinluther"),
    ("José Ángel", "Núñez de la Peña", "núñezdelapeñajoséángel"),
    ("İlker", "Öztürk", "öztürki\u0307lker"),
    ("प्रिया", "शर्मा", "शर्माप्रिया"),
    ("عليّ", "محمّد", "محمّدعليّ"),
    ("Seán", "O'Brien", "obriensea\u0301n"),
    ("A_1", "Groß", "großa_1"),
]


@pytest.mark.parametrize("columns", ["first name,last name,id", "full name,id", "student,id", "name"])
def test_canvas_names_are_found_in_any_roster(tmp_path, columns):
    lines = [columns]
    for number, (first, last, _) in enumerate(CANVASS, start=101):
        lines.append(
            {
                "first name,last name,id": f'{first},"{last}",{number}',
                "full name,id": f'"{first} {last}",{number}',
                "student,id": f'"{last}, {first}",{number}',
                "name": f'"{last}, {first}"',
            }[columns]
        )
    people = read(tmp_path, "\n".join(lines))
    for number, (person, (*_, name)) in enumerate(zip(people, CANVASS, strict=True), start=101):
        assert Roster(people).find(name, str(number)) is person
        certain = person if columns != "full name,id" else None  # unknown where the last name begins
        assert Roster(people).find(name, "7") is certain


def test_canvas_name_of_two_students_matches_only_with_the_number(tmp_path):
    people = read(tmp_path, "first name,last name,id\nAnna,Müller,1\nAnna,Müller,2\n")
    assert [Roster(people).find("müllerna", "1"), Roster(people).find("mülleranna", "7")] == [None, None]
    assert Roster(people).find("mülleranna", "2") is people[1]
