"""Sources for nbgrader: every form is read, and the student version is the same as nbgrader's."""

import re
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbgrader import preprocessors
from nbgrader.nbgraderformat import MetadataValidator

from rsl_edu.course.assignment import Assignment, AssignmentError

ALL = Path(nbgrader.__file__).parent
PS1 = ALL / "docs" / "source" / "user_guide" / "source" / "ps1"
CODE = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


def cell(source, kind="code", tags=(), **metadata):
    """Return a cell with nbgrader's metadata."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind]
    full = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, **metadata}
    return make(source, metadata={"tags": [*tags]} | ({"nbgrader": full} if metadata else {}))


def answer(source, name="other-answer", **metadata):
    return cell(source, grade_id=name, solution=True, **metadata)


def graded(source, name="f", points=2, **metadata):
    return cell(source, grade_id=name, grade=True, locked=True, points=points, **metadata)


def made(*cells, **metadata):
    return Assignment("made", nbformat.v4.new_notebook(cells=[*cells], metadata=metadata))


def released(notebook):
    """Return the notebook that nbgrader hands out."""
    notebook = MetadataValidator().upgrade_notebook_metadata(nbformat.reads(nbformat.writes(notebook), as_version=4))
    for step in ("CheckCellMetadata", "ClearSolutions", "ClearOutput", "ClearHiddenTests", "ClearMarkScheme"):
        notebook, _ = getattr(preprocessors, step)().preprocess(notebook, {})
    return notebook


def texts(notebook):
    """Return the lines of the cells, without the message in a stub, which nbgrader does not have."""
    lines = [cell.source.rstrip("\n").split("\n") for cell in notebook.cells]
    stub = "raise NotImplementedError("
    return [[line.partition(stub)[0] + stub if stub in line else line for line in cell] for cell in lines]


@pytest.mark.parametrize("name", ["problem1", "problem2"])
def test_student_version_of_nbgraders_quickstart_equals_nbgraders(name):
    source = Assignment.read(PS1 / f"{name}.ipynb")
    assert texts(source.student()) == texts(released(source.notebook))
    wanted = {
        "problem1": [
            ("correct_squares", 1, False, ("squares",)),
            ("squares_invalid_input", 1, False, ("squares",)),
            ("correct_sum_of_squares", 0.5, False, ("sum_of_squares",)),
            ("sum_of_squares_uses_squares", 0.5, False, ("squares", "sum_of_squares")),
            ("sum_of_squares_equation", 1, True, ()),
            ("sum_of_squares_application", 2, True, ()),
            ("cell-938593c4a215c6cc", 4, True, ()),
        ],
        "problem2": [("part-a", 1, True, ()), ("part-b", 2, True, ())],
    }[name]
    assert [(task.name, task.points, task.manual, task.answers) for task in source.tasks] == wanted
    if name == "problem1":
        assert [cell.kind for cell in source.handed] == [
            *("answer", "demo", "check", "check", "answer", "demo", "check", "check", "answer")
        ]
        assert source.setup == ()
        assert source.depends("sum_of_squares") == ("squares",)
        assert source.answers == ("squares", "sum_of_squares", "pyramidal_number")


def test_student_versions_of_nbgraders_own_notebooks_equal_nbgraders():
    """Read the notebooks of its documentation and tests. A notebook without points or with AUTOTEST is refused."""
    same = 0
    for path in sorted(ALL.rglob("*.ipynb")):
        try:
            theirs = texts(released(nbformat.read(path, 4)))
        except Exception:  # nbgrader raises many kinds
            theirs = None
        ours, refused = None, ""
        try:
            ours = texts(Assignment.read(path).student())
        except AssignmentError as error:
            refused = str(error)
        if refused:
            assert theirs is None or re.search("no cell gives points|AUTOTEST", refused), path
            assert "not a notebook" not in refused, path
        else:
            assert ours == theirs, path
            same += 1
    assert same > 40


FORMS = {
    "no markers": answer("x = 5\ny = 2 * x"),
    "a region at column 0": answer("a = 1\n### BEGIN SOLUTION\nx = a\n### END SOLUTION\nprint(a)"),
    "two regions": answer("### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION"),
    "other markers": answer("def f(x):\n  #BEGIN SOLUTION\n  return x\n  # -- END SOLUTION --"),
    "tabs": answer("def f(x):\n\t### BEGIN SOLUTION\n\treturn x\n\t### END SOLUTION"),
    "in a loop": answer("for i in range(3):\n    ### BEGIN SOLUTION\n    x = i\n    ### END SOLUTION"),
    "by hand": answer("x = 1", grade=True, points=3),
    "by hand, in part": answer("a = 1\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade=True, points=3),
    "text": cell("Because.", "markdown", grade_id="why", grade=True, solution=True, points=1),
    "text, in part": cell(
        "Why?\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", "markdown", grade_id="why", grade=True, solution=True,
        points=1,
    ),
    "task": cell(
        "Do it.\n### BEGIN MARK SCHEME\n1 point.\n### END MARK SCHEME\nWell.", "markdown", grade_id="do", task=True,
        locked=True, points=2,
    ),
    "hidden in a function": graded(
        "def g():\n    assert f(1)\n    ### BEGIN HIDDEN TESTS\n    assert f(2)\n    ### END HIDDEN TESTS\n\n\ng()", "g"
    ),
    "two hidden": graded(
        "### BEGIN HIDDEN TESTS\na = 1\n### END HIDDEN TESTS\nf(1)\n  ### BEGIN HIDDEN TESTS\nf(a)\n #END HIDDEN TESTS",
        "g",
    ),
    "read only": cell("size = 3", grade_id="cell-1", locked=True),
    "not nbgrader's": cell("size = 3"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_student_version_of_each_form_equals_nbgraders(form):
    source = made(answer(CODE, "f-answer"), FORMS[form], graded("assert f(1)"))
    assert texts(source.student()) == texts(released(source.notebook))
    assert [cell.source for cell in source.handed] == [
        cell.source for cell in source.student().cells if cell.cell_type == "code"
    ]
    assert not [line for cell in texts(source.solution()) for line in cell if "BEGIN " in line or "MARK SCHEME" in line]


def test_cells_marked_by_hand_become_tasks():
    source = made(answer(CODE, "f-answer"), *(FORMS[form] for form in ("by hand", "text", "task")), graded("f(1)"))
    *manual, checked = source.tasks
    assert [(task.name, task.points, task.manual) for task in manual] == [
        ("other-answer", 3, True),
        ("why", 1, True),
        ("do", 2, True),
    ]
    assert not checked.manual
    assert source.maximum == 8


def test_older_metadata_is_read_like_in_nbgrader():
    old = [
        nbformat.v4.new_code_cell(CODE, metadata={"nbgrader": {"grade_id": "a", "solution": True}}),
        nbformat.v4.new_code_cell("f(1)", metadata={"nbgrader": {"grade_id": "b", "grade": True, "points": "2.5"}}),
        nbformat.v4.new_code_cell("f(2)", metadata={"nbgrader": {"grade_id": "c", "grade": True, "points": ""}}),
        nbformat.v4.new_code_cell("1", metadata={"nbgrader": {"grade": False}}),
    ]
    source = made(*old)
    assert [(task.name, task.points) for task in source.tasks] == [("b", 2.5)]
    upgraded = [cell.metadata.get("nbgrader", {}).get("points") for cell in released(source.notebook).cells]
    assert upgraded == [None, 2.5, 0, None]
    for version in (1, 2, 3):
        of_version = made(answer(CODE, schema_version=version), graded("f(1)", schema_version=version))
        assert [(task.name, task.points) for task in of_version.tasks] == [("f", 2)]


def test_a_generated_id_gets_the_names_of_its_answers_as_title():
    source = made(answer(CODE, "cell-5a1b"), graded("f(1)", "cell-0123456789abcdef"), graded("f(1)", "easy-one"))
    assert [(task.name, task.title) for task in source.tasks] == [("cell-0123456789abcdef", "f"), ("easy-one",) * 2]


@pytest.mark.parametrize(
    ("check", "hidden", "whole"),
    [
        ("f(1)", "", False),
        ("n = 1\nf(n)\n### BEGIN HIDDEN TESTS\nf(n + 1)\n### END HIDDEN TESTS\n", "\n\n\nf(n + 1)", False),
        ("### BEGIN HIDDEN TESTS\nf(2)\n### END HIDDEN TESTS", "\nf(2)", False),
        (
            "f(1)\n### BEGIN HIDDEN TESTS\nf(2)\n### END HIDDEN TESTS\n# more\n### BEGIN HIDDEN TESTS\nf(3)\n"
            "### END HIDDEN TESTS",
            "\n\nf(2)\n\n# more\n\nf(3)",
            False,
        ),
        ("a = 0\n### BEGIN HIDDEN TESTS\na = f(1)\n### END HIDDEN TESTS\na", "a = 0\n\na = f(1)\n\na", True),
        (
            "for i in 1, 2:\n    f(i)\n    ### BEGIN HIDDEN TESTS\n    f(-i)\n    ### END HIDDEN TESTS",
            "for i in 1, 2:\n    f(i)\n\n    f(-i)",
            True,
        ),
        ("if f:\n    f(1)\n### BEGIN HIDDEN TESTS\nelse:\n    f(2)\n### END HIDDEN TESTS", None, True),
    ],
)
def test_hidden_lines_continue_the_visible_ones_or_are_the_complete_check(check, hidden, whole):
    (task,) = made(answer(CODE, "f-answer"), graded(check)).tasks
    assert task.whole == whole
    if hidden is not None:
        assert task.hidden == hidden
    compile(task.hidden, "check", "exec")
    assert "HIDDEN" not in task.hidden + task.shown


def test_variables_can_be_answers():
    code = "import math\n### BEGIN SOLUTION\na = 1\nb, (c, *d) = 1, (2, 3)\ne: int = 2\nif a:\n    g = math.pi\n"
    code += "for i in range(3):\n    h = i\na += 1\n### END SOLUTION"
    source = made(answer(code), graded("a, g"))
    assert source.answers == ("a", "b", "c", "d", "e", "g", "h")
    assert source.tasks[0].answers == ("a", "g")
    assert 'raise NotImplementedError("a, b, c, d, e, g, h are not answered yet")' in source.handed[0].source


def test_answers_that_a_check_calls_through_the_set_up_count():
    source = made(
        cell("def twice(x):\n    return 2 * f(x)\n\n\nclass Runner:\n    run = staticmethod(twice)"),
        answer(CODE, "f-answer"),
        graded("g = [Runner().run(i) for i in range(3)]\nassert g"),
        graded("assert 1", "nothing"),
    )
    assert [task.answers for task in source.tasks] == [("f",), ()]
    assert len(source.setup) == 1


def test_dependencies_between_answers_are_found():
    source = made(
        cell("def helper(x):\n    return g(x)"),
        answer("def g(x):\n    return x", "g-answer"),
        answer("def f(x):\n    g = 2\n    ### BEGIN SOLUTION\n    return g * x\n    ### END SOLUTION"),
        answer("class H:\n    def run(self, x):\n        return helper(x)", "h-answer"),
        answer("y = H().run(3)", "y-answer"),
        graded("f(1) + y"),
    )
    assert source.answers == ("g", "f", "H", "y")
    assert [source.depends(name) for name in source.answers] == [(), (), ("g",), ("g", "H")]
    assert source.reference("f") == "def f(x):\n    g = 2\n    return g * x"
    for ask in (source.reference, source.depends):
        with pytest.raises(ValueError, match="name: expected one of g, f, H, y; got 'helper'"):
            ask("helper")


def test_a_cell_that_cannot_run_without_an_answer_is_a_demonstration():
    source = made(
        cell("size = 3\ndef f(x): pass"),
        cell("f(1)\ndef later():\n    return f(size)"),
        answer(CODE, "f-answer"),
        cell("shown = f(2)"),
        cell("more = [shown for _ in range(2)]"),
        cell("import math\nshown = 1"),
        cell("shown"),
        graded("mine = f(3)"),
        cell("print(mine)"),
        cell("x = 3", tags=["demo"]),
        cell("x"),
    )
    kinds = [cell.kind for cell in source.handed]
    assert kinds == ["setup", "setup", "answer", "demo", "demo", "setup", "setup", "check", "demo", "demo", "demo"]
    assert len(source.setup) == 4


def test_imports_of_checks_belong_to_the_set_up():
    checks = ["import math\nf(math.pi)", "import math\nfrom os import path\nf(path)"]
    source = made(answer(CODE, "f-answer"), *(graded(check, f"f{place}") for place, check in enumerate(checks)))
    assert source.setup == ("import math\nfrom os import path",)


def test_ipython_lines_are_read():
    source = made(
        cell("%matplotlib inline\nimport math\n!ls\nfiles = !ls"), answer("%time x = 1\nx = 1"), graded("x?\nassert x")
    )
    assert source.answers == ("x",)
    assert source.tasks[0].answers == ("x",)


def test_stubs_can_be_replaced_by_own_texts():
    options = {"stub": "# HIER\npass", "text_stub": "Antwort"}
    source = made(answer(CODE, "f-answer"), FORMS["text"], graded("f(1)"), rsl_edu=options)
    assert source.student().cells[0].source == "def f(x):\n    # HIER\n    pass"
    assert source.student().cells[1].source == "Antwort"
    assert "rsl_edu" not in source.student().metadata


def test_a_notebook_in_another_language_is_refused():
    with pytest.raises(AssignmentError, match="made: expected a Python notebook, got a notebook in R"):
        made(answer(CODE, "f-answer"), graded("f(1)"), kernelspec={"name": "ir", "display_name": "R", "language": "R"})


@pytest.mark.parametrize("change", ["return x", "return 2 * x"])
def test_digest_depends_on_the_right_answer(change):
    """The digest includes it, because it replaces a wrong answer that another exercise needs."""
    first = made(answer(CODE, "f-answer"), graded("f(1)")).digest
    assert (made(answer(CODE.replace("return x", change)), graded("f(1)")).digest == first) == (change == "return x")
