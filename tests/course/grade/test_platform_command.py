"""Command line for instructors: files for Moodle and Canvas."""

import csv
import zipfile

from course.grade.small_class import table

from rsl_edu.course.grade import run
from rsl_edu.course.grade.marking import Mark, Marks


def cells(path):
    return list(csv.reader(path.read_text("utf-8-sig").splitlines()))


WORKSHEET = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 101","Ada Lovelace",ada@example.org,"Submitted for grading - 1 day 2 hours late",,2.00,Yes,-,-,\n'
    '"Participant 102","Bo Ek",bo@example.org,"Submitted for grading",,2.00,Yes,-,-,\n'
    '"Participant 103",Cy,cy@example.org,"No submission",,2.00,Yes,-,-,\n'
)


def moodle(four):
    """Write a Moodle export with two students from the worksheet and one who is not in it."""
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        for name, number, file in (("Ada Lovelace", 101, "a"), ("Bo Ek", 102, "b"), ("Zoe", 109, "c")):
            archive.write(four / "class" / f"{file}.ipynb", f"{name}_{number}_assignsubmission_file_/x.ipynb")
    (four / "worksheet.csv").write_text(WORKSHEET)
    (four / "course.yml").write_text("late: {per_day: 10}")
    return ["grade", "doubling", "class.zip", "--sources=sources", "--out=grades.csv"]


def test_worksheet_and_feedback_for_moodle(week, four):
    words = moodle(four)
    status, said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")
    assert status == 0, said
    assert [(name, row["total"], row["late"]) for name, row in table(four).items()] == [
        ("Ada Lovelace", "1.6", "26"),
        ("Bo Ek", "2", ""),
        ("Cy", "0", ""),
        ("Zoe", "2", ""),
    ]
    header, *rows = cells(four / "grades_moodle.csv")
    grades = {row[0]: row[header.index("Grade")] for row in rows}
    assert {name: float(grade) for name, grade in grades.items() if grade} == {
        "Participant 101": 1.6,
        "Participant 102": 2,
    }
    comment = rows[0][header.index("Feedback comments")]
    assert comment == "double: 2 of 2<br>handed in 26 hours late: 20 % of 2 points<br>taken off for lateness: 0.4"
    with zipfile.ZipFile(four / "grades_feedback.zip") as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(pages) == 3
    assert any(name.startswith("Ada Lovelace_101_assignfeedback_file_") for name in pages)
    assert all(page.startswith("<!") for page in pages.values())
    lines = said.splitlines()
    assert lines[1:5] == [
        "  Cy: nothing handed in",
        "  Zoe: no certain match in the roster",
        "grades_moodle.csv",
        "grades_feedback.zip",
    ]
    assert lines[5] == ("  Cy: nothing handed in, and no points, because this submission may be theirs: Zoe")
    assert lines[6].startswith("  grades_moodle.csv: Zoe: ")


def test_absent_students_get_zero_in_moodle_if_all_submissions_match(week, four):
    words = moodle(four)
    with (four / "worksheet.csv").open("a") as file:
        file.write('"Participant 109",Zoe,zoe@example.org,"Submitted for grading",,2.00,Yes,-,-,\n')
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")[1]
    assert "may be theirs" not in said
    header, *rows = cells(four / "grades_moodle.csv")
    assert [float(row[header.index("Grade")]) for row in rows] == [1.6, 2, 0, 2]


def test_group_points_are_in_the_row_of_each_member(week, four):
    words = moodle(four)
    (four / "class.zip").unlink()
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        archive.write(four / "class" / "a.ipynb", "Team Blue_41_assignsubmission_file_/x.ipynb")
    lines = WORKSHEET.replace("Status,Grade", "Status,Group,Group status,Grade").splitlines()
    teams = ("Team Blue", "Team Blue", "Team Red")
    lines[1:] = [line.replace(",,2.00", f",{team},x,,2.00") for line, team in zip(lines[1:], teams, strict=True)]
    (four / "worksheet.csv").write_text("\n".join(lines))
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")[1]
    header, *rows = cells(four / "grades_moodle.csv")
    assert [row[header.index("Grade")] for row in rows] == ["2.00", "2.00", ""]
    assert "Ada Lovelace; Bo Ek; Cy: nothing handed in, and no points, because this submission may be theirs" in said


def test_unknown_points_stay_empty_in_moodle(week, four, monkeypatch):
    monkeypatch.setattr(run, "mark", lambda *_, **__: Marks((Mark("double", None, None, "?"),), ()))
    said = week(*moodle(four), "--format=moodle", "--worksheet=worksheet.csv")[1]
    assert "  Ada Lovelace: no points yet, because exercises are still to be marked" in said.splitlines()
    header, *rows = cells(four / "grades_moodle.csv")
    assert [row[header.index("Grade")] for row in rows][:2] == ["", ""]


GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (55),Homework 2 (56),Current Score\n"
    ",,,,,Manual Posting,Manual Posting,\n"
    "    Points Possible,,,,,10,2,(read only)\n"
    '"Lovelace, Ada",101,S1,ada,Lab 1,9,,\n'
    '"Ek, Bo",102,S2,bo,Lab 1,,,\n'
)


def test_gradebook_for_canvas(week, four):
    (four / "canvas").mkdir()
    for file, name in {"a": "lovelaceada_101_7001_x", "b": "ekbo_102_7002_x"}.items():
        (four / "class" / f"{file}.ipynb").rename(four / "canvas" / f"{name}.ipynb")
    (four / "gradebook.csv").write_text(GRADEBOOK)
    words = ["grade", "doubling", "canvas", "--sources=sources", "--out=grades.csv", "--format=canvas"]
    status, said = week(*words, "--gradebook=gradebook.csv")
    assert status == 2
    assert "gradebook.csv: none of these assignments is called 'doubling': Homework 1 (55), Homework 2 (56)" in said
    assert not (four / "grades.csv").exists()  # reported before anything is graded
    status, said = week(*words, "--gradebook=gradebook.csv", "--title=Homework 2")
    assert status == 0, said
    assert [*table(four)] == ["Lovelace, Ada", "Ek, Bo"]
    header, *rows = cells(four / "grades_canvas.csv")
    assert {row[0]: row[header.index("Homework 2 (56)")] for row in rows if row[1]} == {
        "Lovelace, Ada": "2.00",
        "Ek, Bo": "2.00",
    }
    assert "Homework 1 (55)" not in header


def test_canvas_group_leaves_the_cells_of_its_members_empty(week, four):
    (four / "canvas").mkdir()
    (four / "class" / "a.ipynb").rename(four / "canvas" / "teamblue_101_7001_x.ipynb")
    (four / "gradebook.csv").write_text(GRADEBOOK)
    words = ["grade", "doubling", "canvas", "--sources=sources", "--out=grades.csv", "--format=canvas"]
    said = week(*words, "--gradebook=gradebook.csv", "--title=Homework 2")[1]
    header, *rows = cells(four / "grades_canvas.csv")
    assert [row[header.index("Homework 2 (56)")] for row in rows if row[1]] == ["", ""]
    assert "Lovelace, Ada; Ek, Bo: nothing handed in, and no points" in said
    assert "grades_canvas.csv: teamblue: in the table, the number 101 belongs to Lovelace, Ada" in said


def test_numbers_in_the_own_roster_are_not_moodle_numbers(week, four):
    words = moodle(four)
    (four / "roster.csv").write_text("name,student id\nAda Lovelace,102\nBo Ek,5\nCy,101\n")
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv", "--roster=roster.csv")[1]
    header, *rows = cells(four / "grades_moodle.csv")
    grades = {row[1]: row[header.index("Grade")] for row in rows}
    assert float(grades["Bo Ek"]) == 2
    assert "Cy: in the table, the number 101 belongs to Ada Lovelace" in said


def test_worksheet_without_times_is_reported(week, four):
    words = moodle(four)
    (four / "course.yml").write_text("due: 2026-11-30")
    text = WORKSHEET.replace(" - 1 day 2 hours late", "").replace("Last modified (submission)", "Ultima modifica")
    (four / "worksheet.csv").write_text(text)
    said = week(*words, "--worksheet=worksheet.csv")[1]
    assert (
        "Nobody is late, because the worksheet has no times that can be read: download it in English, or give a roster"
        in said
    )


def test_old_worksheet_and_drafts_are_reported_in_one_line(week, four):
    words = moodle(four)
    text = WORKSHEET.replace('"Submitted for grading",', '"No submission",').replace("- 1 day 2 hours late", "")
    text = text.replace('"Submitted for grading ",', '"Draft (not submitted)",')
    (four / "worksheet.csv").write_text(text)
    said = week(*words, "--worksheet=worksheet.csv")[1].splitlines()
    assert said[3:] == [
        "1 student handed in at an unknown time: nothing is taken off: Bo Ek",
        "  According to the worksheet, they handed in nothing: download a new one and give it as --worksheet.",
        "1 student with a draft, not submitted, in the worksheet: Ada Lovelace",
    ]
    rows = table(four)
    assert (rows["Bo Ek"]["late"], rows["Bo Ek"]["total"]) == ("?", "2")
    assert rows["Ada Lovelace"]["remarks"] == "a draft, not submitted, in the worksheet"


def test_worksheet_from_before_the_first_submission_is_reported_as_old(week, four):
    words = moodle(four)
    (four / "course.yml").write_text("due: 2026-11-30")
    (four / "worksheet.csv").write_text(WORKSHEET.replace("Submitted for grading", "No submission"))
    said = week(*words, "--worksheet=worksheet.csv")[1]
    assert "2 students handed in at an unknown time: nothing is taken off: Ada Lovelace; Bo Ek" in said
    assert "Nobody is late" not in said


def test_students_with_hidden_moodle_names_have_rows(week, four):
    words = moodle(four)
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        for number in (101, 102):
            archive.write(four / "class" / "a.ipynb", f"Participant_{number}_assignsubmission_file/x.ipynb")
    lines = [",".join((cells[0], *cells[3:])) for cells in csv.reader(WORKSHEET.splitlines())]
    (four / "worksheet.csv").write_text("\n".join(lines))
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")[1]
    assert [(name, row["total"], row["late"]) for name, row in table(four).items()] == [
        ("Participant 101", "1.6", "26"),
        ("Participant 102", "2", ""),
        ("Participant 103", "0", ""),
    ]
    assert said.splitlines()[1:] == ["  Participant 103: nothing handed in", "grades_moodle.csv", "grades_feedback.zip"]
    header, *rows = cells(four / "grades_moodle.csv")
    assert [float(row[header.index("Grade")]) for row in rows] == [1.6, 2, 0]


def test_unknown_submission_is_not_attributed_to_canvas_test_student(week, four):
    (four / "canvas").mkdir()
    (four / "class" / "a.ipynb").rename(four / "canvas" / "studenttest_9999_7001_x.ipynb")
    (four / "gradebook.csv").write_text(f'{GRADEBOOK}"Student, Test",9999,,abc,Lab 1,,,\n')
    (four / "roster.csv").write_text("name,id\nAda Lovelace,101\nBo Ek,102\n")
    words = ["grade", "doubling", "canvas", "--sources=sources", "--out=grades.csv", "--format=canvas"]
    for roster in ([], ["--roster=roster.csv"]):
        said = week(*words, "--gradebook=gradebook.csv", "--title=Homework 2", *roster)[1]
        assert "match in the roster" not in said
        assert "may be theirs" not in said
        header, *rows = cells(four / "grades_canvas.csv")
        assert [row[header.index("Homework 2 (56)")] for row in rows if row[1]] == ["0.00", "0.00", "2.00"]


def test_message_about_many_students_is_one_line(week, four, monkeypatch):
    monkeypatch.setattr(run, "mark", lambda *_, **__: Marks((Mark("double", None, None, "?"),), ()))
    words = moodle(four)
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        for number in range(9):
            archive.write(four / "class" / "a.ipynb", f"S{number}_{200 + number}_assignsubmission_file_/x.ipynb")
        archive.writestr("Bo Ek_102_assignsubmission_file_/x.pdf", "")
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")[1].splitlines()
    few = "S0; S1; S2; and 6 more"
    assert said[1:] == [
        "  Ada Lovelace: nothing handed in",
        "  Cy: nothing handed in",
        "  Bo Ek: no notebook: x.pdf",
        f"  9 students: no certain match in the roster: {few}",
        "9 answers to mark by hand: rsl-edu mark grades.csv",
        "grades_moodle.csv",
        "grades_feedback.zip",
        "  Ada Lovelace; Cy: nothing handed in, and no points, because one of these submissions may be theirs: "
        "S0; S1; S2; S3; S4; S5; S6; S7; and 1 more",
        "  grades_moodle.csv: 9 students, such as S0: no rows of the table have the number 200. "
        "The others: S1; S2; S3; and 5 more",
        f"  9 students: no points yet, because exercises are still to be marked: {few}",
    ]
