"""Data that runs keep: earlier submissions, edits of the table, marks by hand, and the journal's assignment."""

import datetime
import shutil
from dataclasses import replace

import pytest
from course.grade.small_class import grade, journal, submit, table, write_source

from rsl_edu.course.assignment import Assignment, AssignmentError
from rsl_edu.course.grade import by_hand, journal_file, pages, run
from rsl_edu.course.grade.by_hand import HandError
from rsl_edu.course.grade.ledger import EditedError, Table
from rsl_edu.course.grade.roster import Person, Roster
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.settings import Late, Policy, Rules
from rsl_edu.course.grade.spreadsheet import SheetError


def page(folder, name):
    return (folder / "grades_feedback" / pages.file_name(name)).read_text("utf-8")


def by_hands(folder, *lines):
    (folder / "grades_marks.csv").write_text("\n".join(["student,exercise,points,comment", *lines]))


# Earlier runs ---------------------------------------------------------------------------------------------------------


def test_late_submission_can_be_graded_from_its_own_file(four, marked):
    grade(four)
    shutil.move(four / "class", four / "first")
    submit(four, eve="'eve'")
    rows = grade(four)
    assert [row.submission for row in rows] == [*table(four)] == [*"abcd", "eve"]
    assert marked == [*"abcd", "eve"]
    assert {row["total"] for row in table(four).values()} == {"2"}
    assert [row.submission for row in grade(four, how=Table(only_these=True))] == [*table(four)] == ["eve"]
    assert [*table(four)] != [row.submission for row in grade(four)] == [*"abcd", "eve"]


def test_same_file_by_another_path_is_the_same_submission(four, marked):
    grade(four)
    for name in "abcd":
        (four / "class" / name).mkdir()
        (four / "class" / f"{name}.ipynb").rename(four / "class" / name / "work.ipynb")
    for _ in range(2):
        first = grade(four)[0]
        assert (first.submission, first.file, first.settled.others) == ("a", "a/work.ipynb", ())
    shutil.move(four / "class", four / "first")
    submit(four, eve="'eve'")
    assert [(row.submission, row.settled.others) for row in grade(four)] == [(name, ()) for name in [*"abcd", "eve"]]
    assert marked == [*"abcd", "eve"]


def test_changed_file_replaces_the_earlier_one(four, marked):
    grade(four)
    submit(four, a="'new'")
    assert grade(four, how=Table(Policy(several="best")))[0].settled.others == ()
    assert len(journal(four)) == 5


def test_results_of_an_earlier_version_get_a_remark(four, marked):
    grade(four)
    write_source(four, number=5)
    for name in "bcd":
        (four / "class" / f"{name}.ipynb").unlink()
    rows = grade(four)
    assert [(row.submission, row.settled.outdated) for row in rows] == [("a", False), *((x, True) for x in "bcd")]
    assert "earlier version" in table(four)["b"]["remarks"]
    assert not table(four)["a"]["remarks"]
    assert "earlier version" in page(four, "b")


def test_table_contains_only_one_assignment(four, marked):
    grade(four)
    shutil.copy(four / "sources" / "doubling.ipynb", four / "sources" / "other.ipynb")
    other = Assignment.read(four / "sources" / "other.ipynb")
    before = (four / "grades.csv").read_bytes()
    with pytest.raises(AssignmentError, match=r"grades\.csv contains the grades of doubling, not of other: choose"):
        run.grade(other, [four / "class"], four / "grades.csv", executor=lambda: None, window=1)
    assert (four / "grades.csv").read_bytes() == before


def test_only_changes_that_affect_points_cause_regrading(four, marked):
    grade(four)
    late = Policy(datetime.datetime.now().astimezone(), Late(per_day=10), "best", "empty")
    grade(four, how=Table(late, Roster([Person("a")])))
    grade(four, limits=Limits(wall=5, start=5))
    assert len(marked) == 4
    for options in ({"limits": Limits(cell=20)}, {"rules": Rules(partial=True)}, {"rules": Rules(carry=False)}):
        marked.clear()
        grade(four, **options)
        assert len(marked) == 4


def test_rules_are_used_for_marking(four, marked, monkeypatch):
    given = []
    monkeypatch.setattr(run, "mark", lambda *_, mark=run.mark, **rules: given.append(rules) or mark(*_))
    grade(four, rules=Rules(partial=True, carry=False))
    assert given == [{"partial": True, "carry": False, "written": {}}] * 4


def test_only_pages_without_a_row_are_removed(four, marked):
    grade(four)
    others = ["notes.html", "a.html", "a-0123456789.txt", "a_b-0123456789.html", "a-012345678X.html", ".DS_Store"]
    others += [f"{'n' * 41}-0123456789.html", f"copy of {pages.file_name('a')}"]
    folder = four / "grades_feedback"
    for name in others:
        (folder / name).write_text("mine")
    (folder / "folder-0123456789.html").mkdir()
    people = Roster([Person("Ada", "1", login="a"), Person("Zoë", "2")])
    rows = grade(four, how=Table(roster=people))
    assert [row.submission for row in rows] == ["Ada", "Zoë", *"bcd"]
    pages_now = {pages.file_name(row.submission) for row in rows}
    assert {path.name for path in folder.iterdir()} == {*pages_now, *others, "folder-0123456789.html"}
    grade(four)
    assert {path.name for path in folder.glob("?-*.html")} >= {pages.file_name(name) for name in "abcd"}
    assert not (folder / pages.file_name("Ada")).exists()


# Edits of the table ---------------------------------------------------------------------------------------------------


def test_edits_of_the_table_are_not_lost_silently(four, marked):
    grade(four)
    path = four / "grades.csv"
    edited = path.read_text().replace("b,,graded,2,2,,,,2,", "b,,graded,2,2,,,,1,")
    path.write_text(edited)
    with pytest.raises(
        EditedError, match=r"grades\.csv was edited, and this run would overwrite(?s:.*)mark --from(?s:.*)discard"
    ):
        grade(four)
    assert path.read_text() == edited
    grade(four, how=Table(discard_edits=True))
    assert table(four)["b"]["double"] == "2"
    grade(four)


def test_saving_in_a_spreadsheet_is_not_an_edit(four, marked):
    grade(four)
    path = four / "grades.csv"
    lines = path.read_text().replace(",2,", ";2,00;").replace(",", ";").replace(";2;00;", ';"2,00";')
    path.write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())
    grade(four)
    assert path.read_text().startswith("submission,")


def test_edits_made_during_grading_are_kept(four, marked):
    grade(four)
    submit(four, a="'new'")
    path = four / "grades.csv"
    with pytest.raises(EditedError):
        grade(four, each=lambda _: path.write_text("mine"))
    assert path.read_text() == "mine"
    grade(four, how=Table(discard_edits=True))
    assert len(marked) == 5


def test_foreign_table_is_not_overwritten(four, marked):
    (four / "grades.csv").write_text("name,grade\nAda,1\n")
    with pytest.raises(EditedError, match="the grader did not write it"):
        grade(four)
    assert not marked
    (four / "grades.csv").write_text("")
    grade(four)


def test_run_continues_after_a_stop_between_journal_and_table(four, marked, monkeypatch):
    grade(four)
    submit(four, eve="'eve'")
    with monkeypatch.context() as patch:
        patch.setattr("rsl_edu.course.grade.ledger.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            grade(four)
    grade(four)
    assert [*table(four)] == [*"abcd", "eve"]


# By hand --------------------------------------------------------------------------------------------------------------


def test_points_by_hand_are_kept_in_all_runs(four, marked):
    grade(four)
    by_hands(four, "b,double,0.5,half a point", "c,double,,see me")
    for _ in range(2):
        grade(four)
        row = table(four)["b"]
        assert (row["total"], row["double"], row["remarks"]) == ("0.5", "0.5", "double by hand (half a point)")
        assert "half a point" in page(four, "b")
        assert "see me" in page(four, "c")
        write_source(four, number=5)  # all are graded again
    assert len(marked) == 8


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("b,duoble,1,", HandError, "b: there is no exercise 'duoble'; did you mean 'double'"),
        ("b,double,3,", HandError, "b: double: expected points from 0 to 2, got '3'"),
        ('"b', SheetError, "grades_marks.csv: expected a"),
    ],
)
def test_invalid_marks_stop_the_run_before_it_begins(four, marked, line, error, says):
    by_hands(four, line)
    if error is SheetError:
        (four / "grades_marks.csv").write_text("b;double")
        says = "expected the columns student, exercise, points, comment"
    with pytest.raises(error, match=says):
        grade(four)
    assert not marked
    assert not (four / "grades.csv").exists()


def test_marks_for_unknown_students_are_reported_before_anything_is_written(four, marked):
    grade(four)
    before = {path: path.read_bytes() for path in four.rglob("*") if path.is_file()}
    by_hands(four, "a,double,1,", "Bob,double,1,")
    says = r"grades_marks\.csv: there is no student 'Bob' in the grades; did you mean 'b'"
    with pytest.raises(HandError, match=says):
        grade(four, how=Table(roster=Roster([Person("Ada", "1", login="a")])), report=True)
    assert {path: path.read_bytes() for path in before} == before
    submit(four, eve="'eve'")
    with pytest.raises(HandError, match=says):
        grade(four)
    assert "eve" not in table(four)
    by_hands(four, "a,double,1,")
    assert [row.total for row in grade(four)] == [1, 2, 2, 2, 2]
    assert marked == [*"abcd", "eve"]  # no result is lost
    (four / "class" / "a.ipynb").unlink()
    grade(four, how=Table(only_these=True))  # students left out of the table are still known


def test_marks_are_kept_if_a_roster_reorders_names(four, marked):
    (four / "class" / "a.ipynb").rename(four / "class" / "adlercarla_17_5_work.ipynb")
    (four / "class" / "b.ipynb").rename(four / "class" / "berg_18_6_work.ipynb")
    rosters = [
        [Person("Adler, Carla", "17", sortable="Adler, Carla"), Person("Berg", "18")],
        [Person("Carla Adler", "17", sortable="Adler, Carla"), Person("Li Berg", "18", login="berg")],
        [],
    ]
    by_hands(four, "'Adler, Carla',double,1,".replace("'", '"'), "18,double,0.5,")
    for people in rosters:
        rows = grade(four, how=Table(roster=Roster(people)))
        assert sorted(row.total for row in rows) == [0.5, 1, 2, 2]
        assert {row.submission for row in rows} >= {person.name for person in people}


def test_mark_for_an_earlier_notebook_counts_with_a_remark(four, marked):
    grade(four)
    digests = journal_file.last_written(four / "grades.journal.jsonl").notebooks
    assert len({*digests.values()}) == 4
    hands = [by_hand.Hand(name, "double", 0.5, notebook=digests[name]) for name in "ab"]
    (four / "grades_marks.csv").write_text(by_hand.write([*hands, by_hand.Hand("c", "double", 0.5)]))
    write_source(four, number=5)  # graded again, with the same notebooks
    submit(four, b="'new'", c="'new'")
    rows = {row.submission: row for row in grade(four, report=True)}
    assert {name: row.total for name, row in rows.items()} == {"a": 0.5, "b": 0.5, "c": 0.5, "d": 2}
    assert [name for name, row in rows.items() if row.settled.by_hand and row.settled.by_hand[0].outlived] == ["b"]
    assert table(four)["a"]["remarks"] == table(four)["c"]["remarks"] == "double by hand"
    assert table(four)["b"]["remarks"] == "double by hand, given for an earlier notebook: look again"
    assert "look again" not in page(four, "b")
    report = (four / "grades_report.html").read_text("utf-8")
    assert "Points given by hand for an earlier notebook; check these again" in report
    submit(four, b="'b'")
    assert table(four)["b"]["remarks"]
    grade(four, report=True)
    assert table(four)["b"]["remarks"] == "double by hand"
    assert "look again" not in (four / "grades_report.html").read_text("utf-8")


def test_mark_for_an_absent_student_gets_a_remark_after_a_submission(four, marked):
    how = Table(roster=Roster([Person("zoe")]))
    grade(four, how=how)
    nothing = journal_file.last_written(four / "grades.journal.jsonl").notebooks["zoe"]
    (four / "grades_marks.csv").write_text(by_hand.write([by_hand.Hand("zoe", "double", 0.5, notebook=nothing)]))
    assert "look again" not in grade(four, how=how)[0].remarks
    submit(four, zoe="'zoe'")
    assert grade(four, how=how)[0].remarks.endswith("look again")


# Roster, lateness, several --------------------------------------------------------------------------------------------


def test_run_with_a_roster_has_a_row_for_everybody(four, marked):
    people = Roster([Person("d", "4"), Person("nobody", "5"), Person("a", "1", late_hours=30)])
    late = Policy(late=Late(per_day=20))
    rows = grade(four, how=Table(late, people))
    assert [row.submission for row in rows] == [*table(four)] == ["d", "nobody", "a", "b", "c"]
    found = table(four)
    assert (found["nobody"]["status"], found["nobody"]["total"]) == ("nothing handed in", "0")
    assert (found["a"]["total"], found["a"]["late"], found["a"]["deduction"]) == ("1.2", "30", "0.8")
    for text in ("Handed in 30 hours late: 40 % of 2 points.", "0.8"):
        assert text in page(four, "a")
    assert "nothing handed in" in page(four, "nobody")


def test_stopped_run_does_not_report_students_as_absent(four, marked):
    people = Roster([Person("a"), Person("d"), Person("zoe")])

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(four, how=Table(roster=people), each=stop)
    found = table(four)
    assert found["a"]["total"] == "2"
    for name in ("d", "zoe"):
        assert found[name]["status"] == "not graded, and tried again next time: the run was stopped"
        assert found[name]["total"] == ""
    assert [row.status for row in grade(four, how=Table(roster=people))][:3] == [
        "graded",
        "graded",
        "nothing handed in",
    ]


def test_one_of_several_files_counts_and_the_others_are_kept(four, marked):
    (four / "class" / "b").mkdir()
    for place, name in enumerate(["first", "second"]):
        shutil.move(four / "class" / f"{'cd'[place]}.ipynb", four / "class" / "b" / f"{name}.ipynb")
    (four / "class" / "b.ipynb").unlink()
    rows = {row.submission: row for row in grade(four)}
    assert [*rows] == ["a", "b"]
    assert rows["b"].settled.others
    assert len(journal(four)) == 3
    for text in (page(four, "b"), table(four)["b"]["remarks"]):
        assert rows["b"].settled.others[0] in text
    says = page(four, "b")
    assert "You handed in 2 files; the latest that could be graded counts" in says
    assert f"It is {rows['b'].file}. These do not count: {rows['b'].settled.others[0]}." in says
    grade(four, how=Table(Policy(several="best")))
    assert "You handed in 2 files; the one with the most points counts. It is b/" in page(four, "b")


def test_exercise_named_like_a_column_is_refused(four, marked):
    source = Assignment.read(four / "sources" / "doubling.ipynb")
    notebook = source.instructor()
    notebook.cells[1].metadata["nbgrader"]["grade_id"] = "late"
    clashing = replace(source, notebook=notebook)
    with pytest.raises(AssignmentError, match="late is a column of the grades: rename the exercise"):
        run.grade(clashing, [four / "class"], four / "grades.csv", executor=lambda: None, window=1)
    assert by_hand.LATE == "late"
