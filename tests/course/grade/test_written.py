"""Exercises marked by hand: an unchanged cell gets 0 points as in nbgrader, and all other texts are found."""

import nbformat
import pytest
from course.grade.small_class import THREAD, table
from nbgrader.utils import compute_checksum, determine_grade

from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import pages, run
from rsl_edu.course.grade.marking import by_hand
from rsl_edu.course.grade.submissions import all_cells
from rsl_edu.course.grade.written import written

TEXT = {"solution": True, "grade": True}
CODE = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


def cell(kind, source, **metadata):
    make = {"code": nbformat.v4.new_code_cell, "text": nbformat.v4.new_markdown_cell}[kind]
    return make(source, metadata={"nbgrader": {"schema_version": 3, **metadata}} if metadata else {})


@pytest.fixture
def source():
    """Return an assignment with two texts, a task and a drawing in code, all marked by hand, between other cells."""
    return Assignment(
        "own",
        nbformat.v4.new_notebook(
            cells=[
                cell("text", "# Why"),
                cell("text", "Because.", grade_id="why", points=1, **TEXT),
                cell("text", "# How"),
                cell("text", "So.", grade_id="how", points=2, **TEXT),
                cell("code", CODE, grade_id="f", solution=True),
                cell("text", "# Do\nSomething with f.", grade_id="do", points=3, task=True),
                cell("text", "---"),
                cell("code", "plot(f)", grade_id="plot", points=4, **TEXT),
                cell("text", "---"),
            ]
        ),
    )


def handed_in(source, change=lambda cells: None, metadata=True):
    notebook = source.student()
    change(notebook.cells)
    for each in notebook.cells if not metadata else ():
        each.metadata = {}
    return nbformat.writes(notebook).encode()


@pytest.fixture(params=["nbgrader", "Colab"])
def found(request, source):
    """Return a function that finds the texts in a notebook with nbgrader's metadata or, as in Colab, without it."""
    return lambda change: written(source, all_cells(handed_in(source, change, request.param == "nbgrader")))


NOTHING = dict.fromkeys(("why", "how", "do", "plot"), "")


def write(**sources):
    places = {"why": 1, "how": 3, "f": 4, "do": 5, "plot": 7}

    def change(cells):
        for name, text in sources.items():
            cells[places[name]].source = text

    return change


def test_unchanged_notebook_has_no_texts(found):
    assert found(lambda cells: None) == NOTHING
    assert found(write(f="def f(x):\n    return x + 1")) == NOTHING
    assert found(write(why="\n", how="", plot=" ")) == NOTHING


def test_written_texts_are_found(found):
    texts = {"why": "I **think** so.", "how": "    indented\n\nThus.", "plot": "plot(f)  # done", "f": "f = abs"}
    assert found(write(**texts)) == {name: texts.get(name, "") for name in NOTHING}
    one = {"how": "Thus.", "f": "f = abs"}
    assert found(write(**one)) == {**NOTHING, "how": "Thus."}


def test_cells_added_after_a_cell_belong_to_it(found):
    def add(*at):
        def change(cells):
            for place, kind, text in at:
                cells.insert(place, cell(kind, text))

        return change

    assert found(add((6, "code", "1 + 1"), (6, "text", "A sum:"))) == {**NOTHING, "do": "A sum:\n\n1 + 1"}
    assert found(add((2, "text", "My answer."), (10, "code", ""))) == {**NOTHING, "why": "My answer."}


def test_missing_cell_is_not_found(found):
    def remove(cells):
        del cells[1]

    assert found(remove) == {**NOTHING, "why": None}


def test_cell_without_metadata_is_not_guessed(source):
    def change(cells):
        cells[3].source, cells[4].source = "Thus.", "f = abs"
        cells[4:5] = [cell("text", "An idea."), cells[4], cell("code", "1 + 1")]

    def more(cells):
        change(cells)
        cells[2].source = "# Why not"

    assert written(source, all_cells(handed_in(source, change, metadata=False)))["how"] == "Thus.\n\nAn idea."
    assert written(source, all_cells(handed_in(source, more, metadata=False))) == {
        **NOTHING,
        "why": None,  # its stub equals the other one
        "how": None,
    }
    assert written(source, all_cells(handed_in(source, more)))["how"] == "Thus.\n\nAn idea."


def test_all_copies_of_a_cell_are_read(source):
    def change(cells):
        cells.insert(2, cell("text", "I **think** so.", grade_id="why"))

    assert written(source, all_cells(handed_in(source, change)))["why"] == "I **think** so."


def test_nbgrader_gives_no_points_to_the_same_cells(source):
    student = source.student()
    tasks = {task.name: task for task in source.tasks}
    for name, place in (("why", 1), ("plot", 7)):
        mine = student.cells[place]
        mine.metadata.nbgrader.checksum = compute_checksum(mine)
        for text, nothing in ((mine.source, True), ("I think so.", False)):
            mine.source = text
            mark = by_hand(tasks[name], written(source, all_cells(nbformat.writes(student).encode())))
            assert determine_grade(mine) == (mark.points, tasks[name].points)
            assert (mark.points == 0, mark.answer) == (nothing, "" if nothing else text)


def test_long_text_is_cut_with_a_note(source):
    mark = by_hand(source.tasks[0], {"why": "x" * 30_000})
    assert mark.answer == "x" * 20_000 + "\n\n[cut off here: the text has 30,000 characters]"


def test_class_is_marked_by_hand(source, tmp_path):
    def lose(cells):
        del cells[1:4]

    files = {"Ada": write(why="<b>Since</b> then."), "Bo": write(), "Cy": lose}
    (tmp_path / "class").mkdir()
    for name, change in files.items():
        (tmp_path / "class" / f"{name}.ipynb").write_bytes(handed_in(source, change))

    def graded():
        out = tmp_path / "grades.csv"
        run.grade(source, [tmp_path / "class"], out, executor=THREAD, window=1, report=True)
        return table(tmp_path)

    def page(name):
        return (tmp_path / "grades_feedback" / pages.file_name(name)).read_text("utf-8")

    rows = graded()
    assert [rows["Ada"][name] for name in NOTHING] == ["", "0", "0", "0"]
    assert [rows["Bo"][name] for name in (*NOTHING, "total", "to_mark")] == ["0", "0", "0", "0", "0", ""]
    assert [rows["Cy"][name] for name in (*NOTHING, "to_mark")] == ["", "", "0", "0", "2"]
    assert "<pre>&lt;b&gt;Since&lt;/b&gt; then.</pre>" in page("Ada")
    assert page("Bo").count("You wrote nothing here.") == 4
    assert page("Cy").count("The cell for this exercise was not found in your notebook.") == 2
    (tmp_path / "grades_marks.csv").write_text("student,exercise,points,comment\nBo,how,1.5,on paper\nAda,why,1,\n")
    rows = graded()
    assert (rows["Bo"]["how"], rows["Bo"]["total"], rows["Ada"]["why"]) == ("1.5", "1.5", "1")
    assert "Changed by hand from 0 to 1.5 points." in page("Bo")
    assert "&lt;b&gt;Since&lt;/b&gt; then." in page("Ada")
