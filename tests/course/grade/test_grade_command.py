"""The week of an instructor on the command line: rules, roster, marks by hand, and files for Moodle and Canvas."""

import csv
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from course.grade.small_class import command, run_in_threads, table

from rsl_edu import cli
from rsl_edu.course.grade import run
from rsl_edu.course.grade.marking import Mark, Marks


@pytest.fixture
def week(four, marked, monkeypatch, capsys):
    """Runs `rsl-edu` in a folder with four submissions; returns its status and what it says."""
    run_in_threads(monkeypatch)
    monkeypatch.chdir(four)

    def rsl_edu(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        return status, said.out + said.err.partition("error: ")[2]

    return rsl_edu


def graded(week, *options):
    status, said = week(*command(Path(), *options))
    assert status == 0, said
    return said


def cells(path):
    return list(csv.reader(path.read_text("utf-8-sig").splitlines()))


# The rules ------------------------------------------------------------------------------------------------------------


def test_the_course_file_next_to_the_table_is_taken(week, four):
    (four / "roster.csv").write_text("name,late_hours\nb,30\na,\nzoe,\n")
    (four / "course.yml").write_text("late: {per_day: 10}\nroster: roster.csv\nnothing: empty\n")
    said = graded(week)
    rows = table(four)
    assert [*rows] == ["b", "a", "zoe", "c", "d"]
    assert (rows["b"]["total"], rows["b"]["deduction"], rows["zoe"]["total"]) == ("1.6", "0.4", "")
    assert said.splitlines() == [
        "grades.csv: 5 students, 4 graded",
        "  zoe: nothing handed in",
        "  c: not in the roster, or not for certain",
        "  d: not in the roster, or not for certain",
    ]
    (four / "other.yml").write_text("assignments: {doubling: {late: {per_day: 20}}}")
    (four / "names.csv").write_text("name;late hours\nb;30\n")
    graded(week, "--course=other.yml", "--roster=names.csv")
    assert (table(four)["b"]["deduction"], [*table(four)]) == ("0.8", ["b", "a", "c", "d"])


def test_only_errors_in_the_command_show_its_usage(four, monkeypatch, capsys):
    monkeypatch.chdir(four)
    (four / "course.yml").write_text("late: {per_day: ten}")
    for words, has_usage in (
        (command(Path()), False),
        (command(Path(), "--sources=class"), False),
        (["mark", "none.csv"], False),
        (["mark"], True),
        (command(Path(), "--jobs=0"), True),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert said.startswith("usage: ") == has_usage
        assert "error: " in said


def test_limits_and_rules_reach_the_marker(week, four, monkeypatch):
    given = []

    def mark(assignment, cells, box, limits, **rules):
        given.append((limits.cell, limits.call, limits.memory, rules))
        return Marks((Mark("double", 1.0, "partial", "in part."),), ())

    monkeypatch.setattr(run, "mark", mark)
    (four / "course.yml").write_text("limits: {cell: 20, call: 7}\npartial: cases\ncarry: false\n")
    graded(week, "--limit=cell=30.5", "--limit", "memory=4096")
    assert given == [(30.5, 7, 4 << 30, {"partial": True, "carry": False})] * 4


def test_what_is_wrong_in_the_course_file_stops_it(week, four, marked):
    (four / "course.yml").write_text("late: {per_day: ten}")
    status, said = week(*command(Path()))
    assert (status, said) == (2, "course.yml: late.per_day: expected a percentage from 0 to 100, got 'ten'\n")
    assert not marked


def test_lateness_that_nobody_knows_is_said(week, four):
    (four / "course.yml").write_text("due: 2026-11-30\nlate: {per_day: 10}")
    assert "Nobody is late, because nothing says when" in graded(week)
    (four / "class").rename(four / "canvas")
    (four / "canvas" / "a.ipynb").rename(four / "canvas" / "lovelaceada_LATE_101_7001_x.ipynb")
    said = week("grade", "doubling", "canvas", "--sources=sources", "--out=late.csv")[1]
    assert "lovelaceada: handed in late by an unknown time: nothing is taken off, look at it" in said
    assert "Nobody is late" not in said


def test_times_that_cannot_be_read_are_said(week, four):
    (four / "course.yml").write_text("due: 2026-11-30\nlate: {per_day: 10}")
    (four / "roster.csv").write_text("name,submitted\na,2026-12-01 01:00\nb,12/02/2026 19:00\nc,yesterday\nd,\n")
    assert graded(week, "--roster=roster.csv").splitlines() == [
        "grades.csv: 4 students, 4 graded",
        "2 students handed in at a time that cannot be read: nothing is taken off, such as '12/02/2026 19:00' of b",
        "  Write times as 2026-12-01 18:00 in a column submitted of --roster, or take --worksheet in English.",
    ]
    assert [row["late"] for row in table(four).values()] == ["1", "?", "?", ""]


def test_a_worksheet_that_says_no_times_is_said(week, four):
    words = moodle(four)
    (four / "course.yml").write_text("due: 2026-11-30")
    text = WORKSHEET.replace(" - 1 day 2 hours late", "").replace("Last modified (submission)", "Ultima modifica")
    (four / "worksheet.csv").write_text(text)
    said = week(*words, "--worksheet=worksheet.csv")[1]
    assert "Nobody is late, because nothing in the worksheet says when: take it in English, or give a roster" in said


def test_an_empty_folder_is_told_before_anything_starts(week, four, marked):
    (four / "nothing").mkdir()
    assert week("grade", "doubling", "nothing", "--sources=sources", "--out=x.csv") == (
        2,
        "SUBMISSIONS: there is nothing in nothing\n",
    )
    with zipfile.ZipFile(four / "empty.zip", "w"):
        pass
    assert week("grade", "doubling", "empty.zip", "--sources=sources", "--out=x.csv")[0] == 2
    assert not (four / "x.csv").exists()


def test_of_two_notebooks_in_one_hand_in_the_better_one_counts(week, four, monkeypatch):
    monkeypatch.setattr(
        run, "mark", lambda _, cells, *__, **___: Marks((Mark("double", float("2 *" in cells[0]), None, ""),), ())
    )
    text = (four / "class" / "a.ipynb").read_text()
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        archive.writestr("Ann_1_assignsubmission_file_/1.ipynb", text.replace("'a'", "'2 * a'"))
        archive.writestr("Ann_1_assignsubmission_file_/1_original.ipynb", text)
    for _ in range(2):
        said = week("grade", "doubling", "class.zip", "--sources=sources", "--out=grades.csv")[1]
        assert said.splitlines() == [
            "grades.csv: 1 student, 1 graded",
            "1 student with files that do not count, because another does: see remarks",
        ]
        (row,) = table(four).values()
        assert row["total"] == "1"
        assert row["remarks"] == "does not count: Ann_1_assignsubmission_file_/1_original.ipynb"


def test_a_comparison_makes_the_report(week, four):
    graded(week)
    (four / "grades.journal.jsonl").rename(four / "earlier.jsonl")
    (four / "grades.csv").unlink()
    graded(week, "--compare=earlier.jsonl")
    assert (four / "grades_report.html").exists()


# By hand --------------------------------------------------------------------------------------------------------------


def test_points_by_hand_reach_the_table(week, four, marked):
    graded(week)
    status, said = week("mark", "grades.csv", "b", "double", "1,5", "--comment", "a good try")
    assert (status, said.splitlines()) == (
        0,
        [
            "b, double: 1.5 points, comment: a good try",
            "Run `rsl-edu grade` again, with --out grades.csv: it puts this into the table and the pages.",
        ],
    )
    graded(week)
    assert (table(four)["b"]["total"], table(four)["b"]["remarks"]) == ("1.5", "double by hand (a good try)")
    week("mark", "grades.csv", "b", "double", "1")
    graded(week)
    assert (table(four)["b"]["total"], table(four)["b"]["remarks"]) == ("1", "double by hand (a good try)")
    assert week("mark", "grades.csv", "b", "double", "--remove")[1].startswith("b, double: taken back\n")
    graded(week)
    assert (table(four)["b"]["total"], table(four)["b"]["remarks"]) == ("2", "")
    assert len(marked) == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bo", "double", "1"), "there is no student 'bo' in the grades; did you mean 'b'?"),
        (("b", "doubel", "1"), "there is no exercise 'doubel'; did you mean 'double'?"),
        (("b", "double", "3"), "double: expected points from 0 to 2, got '3'"),
        (("b", "double", "--remove"), "b, double: nothing was given by hand"),
        (("b",), "expected STUDENT EXERCISE POINTS; instead of POINTS, or with them, --comment TEXT, or --remove"),
        (
            ("b", "double"),
            "expected STUDENT EXERCISE POINTS; instead of POINTS, or with them, --comment TEXT, or --remo",
        ),
        (
            ("b", "double", "--from", "grades.csv"),
            "--from: takes over all edits of a table; STUDENT does not go with it",
        ),
        (("--from", "nowhere.csv"), "nowhere.csv: No such file or directory"),
    ],
)
def test_marks_that_cannot_be_given_change_nothing(week, four, words, says):
    graded(week)
    status, said = week("mark", "grades.csv", *words)
    assert status == 2
    assert said.startswith(says)
    assert not (four / "grades_marks.csv").exists()


def test_edits_of_the_table_can_be_taken_over(week, four):
    graded(week)
    path = four / "grades.csv"
    path.write_text(path.read_text().replace("c,,graded,2,2,,,,2,", "c,,graded,2,2,,,,0.5,"))
    status, said = week(*command(Path()))
    assert status == 2
    assert "rsl-edu mark --from grades.csv" in said
    status, said = week("mark", "--from", "grades.csv")
    assert (status, said.splitlines()[:2]) == (0, ["c, double: 0.5 points", "grades_marks.csv: 1 edit taken over"])
    graded(week)
    assert (table(four)["c"]["total"], table(four)["b"]["total"]) == ("0.5", "2")
    assert week("mark", "--from", "grades.csv")[1].splitlines()[0] == "grades_marks.csv: 0 edits taken over"


def test_edits_of_a_copy_can_be_taken_over_too(week, four):
    graded(week)
    text = (four / "grades.csv").read_text()
    (four / "copy.csv").write_text(text.replace("c,,graded,2,2,,,,2,", "c,,graded,2,2,,,,0.5,"))
    assert week("mark", "grades.csv", "--from", "copy.csv")[0] == 0
    assert (four / "grades.csv").read_text() == text
    graded(week)
    assert table(four)["c"]["total"] == "0.5"


def test_what_is_to_be_marked_is_listed(week, four, monkeypatch):
    marks = Marks((Mark("double", None, None, "to be marked."),), ())
    monkeypatch.setattr(run, "mark", lambda *_, **__: marks)
    said = graded(week)
    assert "4 answers to mark by hand: rsl-edu mark grades.csv" in said
    week("mark", "grades.csv", "b", "double", "1")
    graded(week)
    assert week("mark", "grades.csv")[1].splitlines() == [
        "grades.csv: 3 answers to mark, 1 decided by hand",
        *(f"  {name}, double: to be marked, of 2" for name in "acd"),
        "  b, double: 1 points",
    ]
    assert (table(four)["a"]["to_mark"], table(four)["b"]["to_mark"], table(four)["b"]["total"]) == ("1", "", "1")


# Moodle and Canvas ----------------------------------------------------------------------------------------------------

WORKSHEET = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 101","Ada Lovelace",ada@example.org,"Submitted for grading - 1 day 2 hours late",,2.00,Yes,-,-,\n'
    '"Participant 102","Bo Ek",bo@example.org,"Submitted for grading",,2.00,Yes,-,-,\n'
    '"Participant 103",Cy,cy@example.org,"No submission",,2.00,Yes,-,-,\n'
)


def moodle(four):
    """An export of Moodle: of two students of the worksheet, and of one who is not in it."""
    with zipfile.ZipFile(four / "class.zip", "w") as archive:
        for name, number, file in (("Ada Lovelace", 101, "a"), ("Bo Ek", 102, "b"), ("Zoe", 109, "c")):
            archive.write(four / "class" / f"{file}.ipynb", f"{name}_{number}_assignsubmission_file_/x.ipynb")
    (four / "worksheet.csv").write_text(WORKSHEET)
    (four / "course.yml").write_text("late: {per_day: 10}")
    return ["grade", "doubling", "class.zip", "--sources=sources", "--out=grades.csv"]


def test_moodle_gets_its_worksheet_and_its_feedback_back(week, four):
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
        "  Zoe: not in the roster, or not for certain",
        "grades_moodle.csv",
        "grades_feedback.zip",
    ]
    assert lines[5] == ("  Cy: nothing handed in, and no points, because this submission may be theirs: Zoe")
    assert lines[6].startswith("  grades_moodle.csv: Zoe: ")


def test_without_a_submission_of_nobody_moodle_gets_a_zero_for_whoever_handed_in_nothing(week, four):
    words = moodle(four)
    with (four / "worksheet.csv").open("a") as file:
        file.write('"Participant 109",Zoe,zoe@example.org,"Submitted for grading",,2.00,Yes,-,-,\n')
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv")[1]
    assert "may be theirs" not in said
    header, *rows = cells(four / "grades_moodle.csv")
    assert [float(row[header.index("Grade")]) for row in rows] == [1.6, 2, 0, 2]


def test_a_group_gets_its_points_in_the_row_of_each_member(week, four):
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
    assert "Ada Lovelace, Bo Ek, Cy: nothing handed in, and no points, because this submission may be theirs" in said


def test_what_has_no_points_yet_stays_open_there(week, four, monkeypatch):
    monkeypatch.setattr(run, "mark", lambda *_, **__: Marks((Mark("double", None, None, "?"),), ()))
    said = week(*moodle(four), "--format=moodle", "--worksheet=worksheet.csv")[1]
    assert "  Ada Lovelace: no points yet, because exercises are to be marked" in said.splitlines()
    header, *rows = cells(four / "grades_moodle.csv")
    assert [row[header.index("Grade")] for row in rows][:2] == ["", ""]


GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (55),Homework 2 (56),Current Score\n"
    ",,,,,Manual Posting,Manual Posting,\n"
    "    Points Possible,,,,,10,2,(read only)\n"
    '"Lovelace, Ada",101,S1,ada,Lab 1,9,,\n'
    '"Ek, Bo",102,S2,bo,Lab 1,,,\n'
)


def test_canvas_gets_its_gradebook_back(week, four):
    (four / "canvas").mkdir()
    for file, name in {"a": "lovelaceada_101_7001_x", "b": "ekbo_102_7002_x"}.items():
        (four / "class" / f"{file}.ipynb").rename(four / "canvas" / f"{name}.ipynb")
    (four / "gradebook.csv").write_text(GRADEBOOK)
    words = ["grade", "doubling", "canvas", "--sources=sources", "--out=grades.csv", "--format=canvas"]
    status, said = week(*words, "--gradebook=gradebook.csv")
    assert status == 2
    assert "gradebook.csv: none of these assignments is called 'doubling': Homework 1 (55), Homework 2 (56)" in said
    assert not (four / "grades.csv").exists()  # told before anything is graded
    status, said = week(*words, "--gradebook=gradebook.csv", "--title=Homework 2")
    assert status == 0, said
    assert [*table(four)] == ["Lovelace, Ada", "Ek, Bo"]
    header, *rows = cells(four / "grades_canvas.csv")
    assert {row[0]: row[header.index("Homework 2 (56)")] for row in rows if row[1]} == {
        "Lovelace, Ada": "2.00",
        "Ek, Bo": "2.00",
    }
    assert "Homework 1 (55)" not in header


def test_a_group_of_canvas_leaves_the_cells_of_its_members_empty(week, four):
    (four / "canvas").mkdir()
    (four / "class" / "a.ipynb").rename(four / "canvas" / "teamblue_101_7001_x.ipynb")
    (four / "gradebook.csv").write_text(GRADEBOOK)
    words = ["grade", "doubling", "canvas", "--sources=sources", "--out=grades.csv", "--format=canvas"]
    said = week(*words, "--gradebook=gradebook.csv", "--title=Homework 2")[1]
    header, *rows = cells(four / "grades_canvas.csv")
    assert [row[header.index("Homework 2 (56)")] for row in rows if row[1]] == ["", ""]
    assert "Lovelace, Ada, Ek, Bo: nothing handed in, and no points" in said
    assert "grades_canvas.csv: teamblue: the number 101 is that of Lovelace, Ada there" in said


def test_numbers_of_a_table_of_ones_own_are_none_of_moodles(week, four):
    words = moodle(four)
    (four / "roster.csv").write_text("name,student id\nAda Lovelace,102\nBo Ek,5\nCy,101\n")
    said = week(*words, "--format=moodle", "--worksheet=worksheet.csv", "--roster=roster.csv")[1]
    header, *rows = cells(four / "grades_moodle.csv")
    grades = {row[1]: row[header.index("Grade")] for row in rows}
    assert float(grades["Bo Ek"]) == 2
    assert "Cy: the number 101 is that of Ada Lovelace there" in said


# Stopping -------------------------------------------------------------------------------------------------------------


def test_the_graders_processes_start_deaf_to_ctrl_c(monkeypatch):
    def of_a_process():
        with run.processes(1) as pool:
            return pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()

    assert signal.SIGINT not in of_a_process()  # what it starts later is as usual
    monkeypatch.setattr(run, "_begin", None)
    assert signal.SIGINT in of_a_process()  # before it comes to that
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_ctrl_c_while_torch_is_imported_ends_without_a_traceback(four, until):
    torch = four / "slow" / "torch.py"
    torch.parent.mkdir()
    torch.write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(999)")
    paths = os.pathsep.join([str(torch.parent), *sys.path])
    words = [sys.executable, "-m", "rsl_edu.cli", *command(four)]
    process = subprocess.Popen(
        words, cwd=four, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True
    )
    until((four / "begun").exists)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == "Stopped.\n"
    assert process.returncode == 130


def test_a_full_disk_for_what_it_says_is_told(four):
    for name in "abcd":
        (four / "class" / f"{name}.ipynb").write_text("")  # nothing has to run
    words = [sys.executable, "-m", "rsl_edu.cli", *command(four, "--jobs=1")]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "rsl-edu: error: cannot write the output: No space left on device"
    assert "Traceback" not in ended.stderr
