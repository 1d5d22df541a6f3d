"""Command line for instructors: rules, roster, and marks by hand."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from course.grade.small_class import command, submit, table
from tiers import exhaustive

from rsl_edu import cli
from rsl_edu.course.grade import pages, run
from rsl_edu.course.grade.marking import Mark, Marks


def graded(week, *options):
    status, said = week(*command(Path(), *options))
    assert status == 0, said
    return said


# The rules ------------------------------------------------------------------------------------------------------------


def test_course_file_next_to_the_table_is_used(week, four):
    (four / "roster.csv").write_text("name,late_hours\nb,30\na,\nzoe,\n")
    (four / "course.yml").write_text("late: {per_day: 10}\nroster: roster.csv\nnothing: empty\n")
    said = graded(week)
    rows = table(four)
    assert [*rows] == ["b", "a", "zoe", "c", "d"]
    assert (rows["b"]["total"], rows["b"]["deduction"], rows["zoe"]["total"]) == ("1.6", "0.4", "")
    assert said.splitlines() == [
        "grades.csv: 5 students, 4 graded",
        "  zoe: nothing handed in",
        "  c: no certain match in the roster",
        "  d: no certain match in the roster",
    ]
    (four / "other.yml").write_text("assignments: {doubling: {late: {per_day: 20}}}")
    (four / "names.csv").write_text("name;late hours\nb;30\n")
    graded(week, "--course=other.yml", "--roster=names.csv")
    assert (table(four)["b"]["deduction"], [*table(four)]) == ("0.8", ["b", "a", "c", "d"])


def test_usage_is_shown_only_for_errors_in_the_command(four, monkeypatch, capsys):
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


def test_limits_and_rules_are_used_for_marking(week, four, monkeypatch):
    given = []

    def mark(assignment, cells, box, limits, **rules):
        given.append((limits.cell, limits.call, limits.memory, rules))
        return Marks((Mark("double", 1.0, "partial", "in part."),), ())

    monkeypatch.setattr(run, "mark", mark)
    (four / "course.yml").write_text("limits: {cell: 20, call: 7}\npartial: cases\ncarry: false\n")
    graded(week, "--limit=cell=30.5", "--limit", "memory=4096")
    assert given == [(30.5, 7, 4 << 30, {"partial": True, "carry": False, "written": {}})] * 4


def test_error_in_the_course_file_stops_the_command(week, four, marked):
    (four / "course.yml").write_text("late: {per_day: ten}")
    status, said = week(*command(Path()))
    assert (status, said) == (2, "course.yml: late.per_day: expected a percentage from 0 to 100, got 'ten'\n")
    assert not marked


def test_unknown_lateness_is_reported(week, four):
    (four / "course.yml").write_text("due: 2026-11-30\nlate: {per_day: 10}")
    assert "Nobody is late, because no times of submission are known" in graded(week)
    (four / "class").rename(four / "canvas")
    (four / "canvas" / "a.ipynb").rename(four / "canvas" / "lovelaceada_LATE_101_7001_x.ipynb")
    said = week("grade", "doubling", "canvas", "--sources=sources", "--out=late.csv")[1]
    assert "lovelaceada: handed in late, but it is unknown how late: nothing is taken off, decide by hand" in said
    assert "Nobody is late" not in said


def test_unreadable_times_are_reported(week, four):
    (four / "course.yml").write_text("due: 2026-11-30\nlate: {per_day: 10}")
    (four / "roster.csv").write_text("name,submitted\na,2026-12-01 01:00\nb,12/02/2026 19:00\nc,yesterday\nd,\n")
    assert graded(week, "--roster=roster.csv").splitlines() == [
        "grades.csv: 4 students, 4 graded",
        "2 students handed in at a time that cannot be read: nothing is taken off (such as '12/02/2026 19:00' of b)",
        "  Write times as 2026-12-01 18:00 in a column submitted of --roster, or download --worksheet in English.",
    ]
    assert [row["late"] for row in table(four).values()] == ["1", "?", "?", ""]


def test_empty_folder_is_reported_before_anything_starts(week, four, marked):
    (four / "nothing").mkdir()
    assert week("grade", "doubling", "nothing", "--sources=sources", "--out=x.csv") == (
        2,
        "SUBMISSIONS: there is nothing in nothing\n",
    )
    with zipfile.ZipFile(four / "empty.zip", "w"):
        pass
    assert week("grade", "doubling", "empty.zip", "--sources=sources", "--out=x.csv")[0] == 2
    assert not (four / "x.csv").exists()


def test_better_of_two_notebooks_handed_in_together_counts(week, four, monkeypatch):
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
            "1 student with files that do not count, because another file does: see remarks",
        ]
        (row,) = table(four).values()
        assert row["total"] == "1"
        assert row["remarks"] == "does not count: Ann_1_assignsubmission_file_/1_original.ipynb"


def test_compare_option_writes_the_report(week, four):
    graded(week)
    (four / "grades.journal.jsonl").rename(four / "earlier.jsonl")
    (four / "grades.csv").unlink()
    graded(week, "--compare=earlier.jsonl")
    assert (four / "grades_report.html").exists()


# By hand --------------------------------------------------------------------------------------------------------------


def test_points_by_hand_appear_in_the_table(week, four, marked):
    graded(week)
    status, said = week("mark", "grades.csv", "b", "double", "1,5", "--comment", "a good try")
    assert (status, said.splitlines()) == (
        0,
        [
            "b, double: 1.5 points, comment: a good try",
            "Run `rsl-edu grade` again, with --out grades.csv, to update the table and the pages.",
        ],
    )
    graded(week)
    assert (table(four)["b"]["total"], table(four)["b"]["remarks"]) == ("1.5", "double by hand (a good try)")
    week("mark", "grades.csv", "b", "double", "1")
    graded(week)
    assert (table(four)["b"]["total"], table(four)["b"]["remarks"]) == ("1", "double by hand (a good try)")
    assert week("mark", "grades.csv", "b", "double", "--remove")[1].startswith("b, double: removed\n")
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
        (("b",), "expected STUDENT EXERCISE and then POINTS, --comment TEXT, or both; or STUDENT EXERCISE --remove"),
        (
            ("b", "double"),
            "expected STUDENT EXERCISE and then POINTS, --comment TEXT, or both; or STUDENT EXERCISE --remo",
        ),
        (
            ("b", "double", "--from", "grades.csv"),
            "--from takes over all edits of a table, so leave out STUDENT",
        ),
        (("--from", "nowhere.csv"), "nowhere.csv: No such file or directory"),
    ],
)
def test_invalid_marks_change_nothing(week, four, words, says):
    graded(week)
    status, said = week("mark", "grades.csv", *words)
    assert status == 2
    assert said.startswith(says)
    assert not (four / "grades_marks.csv").exists()


def test_edits_of_the_table_can_be_applied(week, four):
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


def test_edits_of_a_copy_can_be_applied(week, four):
    graded(week)
    text = (four / "grades.csv").read_text()
    (four / "copy.csv").write_text(text.replace("c,,graded,2,2,,,,2,", "c,,graded,2,2,,,,0.5,"))
    assert week("mark", "grades.csv", "--from", "copy.csv")[0] == 0
    assert (four / "grades.csv").read_text() == text
    graded(week)
    assert table(four)["c"]["total"] == "0.5"


def listed(name):
    begins = f"'{name}' because of this of this of this of this of this of this …"
    page = Path("grades_feedback", pages.file_name(name))
    return [f"  {name}, double: to mark, out of 2: {begins}", f"    {page}"]


def test_exercises_to_mark_are_listed(week, four, monkeypatch):
    def mark(assignment, cells, *_, **__):
        return Marks((Mark("double", None, None, "", answer=f"{cells[0]}\n because " + 9 * "of this "),), ())

    monkeypatch.setattr(run, "mark", mark)
    said = graded(week)
    assert "4 answers to mark by hand: rsl-edu mark grades.csv" in said
    week("mark", "grades.csv", "b", "double", "1")
    graded(week)
    assert week("mark", "grades.csv")[1].splitlines() == [
        "grades.csv: 3 answers to mark, 1 marked by hand",
        *(line for name in "acd" for line in listed(name)),
        "  b, double: 1 point",
    ]
    assert (four / "grades_feedback" / pages.file_name("a")).exists()
    assert (table(four)["a"]["to_mark"], table(four)["b"]["to_mark"], table(four)["b"]["total"]) == ("1", "", "1")


def test_mark_for_an_earlier_notebook_is_reported(week, four):
    graded(week)
    week("mark", "grades.csv", "b", "double", "1", "--comment", "half")
    week("mark", "grades.csv", "c", "double", "1")
    says = "1 mark by hand given for an earlier notebook: look again"
    assert "look again" not in graded(week) + week("mark", "grades.csv")[1]
    submit(four, b="'new'")
    assert f"{says} (see remarks)" in graded(week).splitlines()
    assert week("mark", "grades.csv")[1].splitlines()[1:] == [
        "  b, double: 1 point, comment: half; given for an earlier notebook: look again",
        "  c, double: 1 point",
        says,
    ]
    week("mark", "grades.csv", "b", "double", "1")  # the instructor confirms the mark
    assert "look again" not in graded(week) + week("mark", "grades.csv")[1]


def test_new_marks_replace_marks_under_another_name(week, four):
    for name in "abcd":
        (four / "class" / f"{name}.ipynb").rename(four / "class" / f"{name.upper()} Lee.ipynb")
    graded(week)
    (four / "grades_marks.csv").write_text('student,exercise,points,comment\n"Lee, A",double,1,old\nBo,double,1,\n')
    assert week("mark", "grades.csv", "A Lee", "double", "0.5")[0] == 0
    marks = (four / "grades_marks.csv").read_text().splitlines()
    assert [line.rpartition(",")[0] for line in marks[1:]] == ["A Lee,double,0.5,old,", "Bo,double,1,,"]
    assert week("mark", "grades.csv", "Bo", "double", "--remove")[1].startswith("there is no student 'Bo'")


# Stopping -------------------------------------------------------------------------------------------------------------


def test_grader_processes_ignore_ctrl_c_from_the_start(monkeypatch):
    def of_a_process():
        with run.processes(1) as pool:
            return pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()

    assert signal.SIGINT not in of_a_process()  # processes started later behave as usual
    monkeypatch.setattr(run, "_begin", None)
    assert signal.SIGINT in of_a_process()  # before that
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


@exhaustive
def test_full_disk_for_the_output_is_reported(four):
    for name in "abcd":
        (four / "class" / f"{name}.ipynb").write_text("")  # no code has to run
    words = [sys.executable, "-m", "rsl_edu.cli", *command(four, "--jobs=1")]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "rsl-edu: error: cannot write the output: No space left on device"
    assert "Traceback" not in ended.stderr
