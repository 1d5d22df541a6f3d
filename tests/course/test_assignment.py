"""The three versions of a source: the student version has no answers and runs completely; the solution passes."""

import ast
import linecache
import re
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from tiers import tiers

from rsl_edu.course import assignment, check, regions
from rsl_edu.course.assignment import Assignment, AssignmentError

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "notebooks" / "assignments").glob("*.ipynb"))
TASKS = {
    "1_mlp": {"orthogonal_", "mlp_forward", "count_parameters", "dead_fraction"},
    "2_cnn": {"conv2d", "output_size", "receptive_field"},
    "3_rnn": {"gru_step", "reset_done", "split_and_pad", "unpad"},
    "4_normalization": {"merge_moments", "running_norm", "discounted_return_scale"},
    "5_distributions": {"gaussian_log_prob", "gaussian_entropy", "gaussian_kl", "adaptive_learning_rate"},
    "6_policy": {"orthogonal_", "conv2d", "reset_done", "merge_moments", "gaussian_log_prob"},
}
# Exercises that call another answer, and therefore fail without it. Their text says that they call it.
NEEDS = {"merge_moments": {"running_norm"}}

sources = pytest.mark.parametrize("source", [assignment.find(name) for name in NAMES], ids=NAMES)


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def is_demo(cell):
    return "demo" in cell.metadata.get("tags", [])


def graded(cell):
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def verdicts(notebook):
    """Run all cells except the demonstrations, and return the verdict of each check."""
    names, seen = {}, {}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and not is_demo(cell):
            file = f"<cell {place}>"
            linecache.cache[file] = (
                0,
                None,
                cell.source.splitlines(keepends=True),
                file,
            )  # a check recognizes a stub by its source line
            if graded(cell):
                *before, last = ast.parse(cell.source).body
                exec(compile(ast.Module(before, []), file, "exec"), names)
                seen[cell.metadata.nbgrader.grade_id] = eval(ast.unparse(last), names)
            else:
                exec(compile(cell.source, file, "exec"), names)
    return seen


def answered(source, wanted):
    """Return the student version with the answers to some of the exercises."""
    student, solution = source.student(), source.solution()
    for mine, right in zip(student.cells, solution.cells, strict=True):
        ids = [f"{name}-answer" for name in wanted]
        if mine.cell_type == "code" and mine.metadata.get("nbgrader", {}).get("grade_id") in ids:
            mine.source = right.source
    return student


def test_there_is_an_assignment_for_each_lesson():
    assert {name: {task.name for task in assignment.find(name).tasks} for name in NAMES} == TASKS


@sources
def test_notebook_states_its_points(source):
    text = text_of(source.notebook)
    assert source.maximum == 20
    assert "**Points:** 20" in text
    assert sorted(map(int, re.findall(r"^## \d · .*\((\d+) points\)$", text, re.MULTILINE))) == sorted(
        task.points for task in source.tasks
    )
    assert len(source.notebook.cells) <= 40
    assert all(cell.source.count("\n") < 40 for cell in source.notebook.cells if cell.cell_type == "code")


@sources
def test_student_version_has_no_answers_and_no_hidden_tests(source):
    student = source.student()
    text, code = text_of(student), "\n".join(cell.source for cell in student.cells if cell.cell_type == "code")
    for found, shown in ((regions.SOLUTION, code), (regions.HIDDEN, text)):  # a hint may contain a line
        kept = "\n".join(regions.inside(cell.source, found) for cell in source.notebook.cells)
        given = regions.without(text_of(source.notebook), found)
        lines = {line.strip() for line in kept.split("\n") if len(line.strip()) > 12}
        assert not [line for line in lines if line in shown and line not in given]
    assert not [word for word in (*regions.SOLUTION, *regions.HIDDEN, "sample(None") if word in text]
    assert text.count("# YOUR CODE HERE\n") == text_of(source.notebook).count(regions.SOLUTION[0])
    assert text.count("is not answered yet") == text.count("# YOUR CODE HERE\n")
    assert not [cell for cell in student.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    assert "rsl_edu" not in student.metadata, "only the grader needs the forbidden names"
    nbformat.validate(student)


@sources
def test_solution_version_passes_and_has_no_hidden_tests(source):
    solution = source.solution()
    assert all(verdict.passed for verdict in verdicts(solution).values())
    assert not [word for word in (*regions.SOLUTION, *regions.HIDDEN) if word in text_of(solution)]
    assert source.instructor() == source.notebook


@sources
def test_a_missing_answer_fails_its_own_check_only(source):
    names = [task.name for task in source.tasks]
    assert {verdict.mistake for verdict in verdicts(source.student()).values()} == {"not-answered"}
    for missing in names:
        seen = verdicts(answered(source, [name for name in names if name != missing]))
        assert {name for name in seen if not seen[name].passed} == {missing} | (NEEDS.get(missing, set()) & {*names})
        assert seen[missing].mistake == "not-answered"


@pytest.mark.slow
@pytest.mark.parametrize("names", tiers([NAMES[2:3], NAMES], [NAMES[2:3]]), ids=["one", "all"])
def test_student_versions_run_from_top_to_bottom(names):
    """Run all of them in one kernel, which is reset in between. An error stops the run."""
    together = nbformat.v4.new_notebook()
    for name in names:
        together.cells += [nbformat.v4.new_code_cell("%reset -f"), *assignment.find(name).student().cells]
    for place, cell in enumerate(together.cells):
        cell.id = f"cell-{place}"
    NotebookClient(
        together, kernel_name="python3", resources={"metadata": {"path": "/"}}, timeout=1200, startup_timeout=600
    ).execute()
    for cell in together.cells:
        if cell.cell_type == "code":
            assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.source
            if graded(cell):
                assert "○" in cell.outputs[0].data["text/plain"]


def source_of(*cells):
    made = []
    for code, metadata in cells:
        made.append(nbformat.v4.new_code_cell(code, metadata={"nbgrader": metadata}))
    return Assignment("made", nbformat.v4.new_notebook(cells=made))


ANSWER = {"grade_id": "f-answer", "solution": True}
GRADE = {"grade_id": "f", "grade": True, "points": 2, "schema_version": 3}
HIDING = "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"
CODE = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


def test_a_stub_replaces_each_solution_region():
    code = (
        'class A:\n    """Doc."""\n\n    def f(self):\n        a = 1\n        ### BEGIN SOLUTION\n        return a\n\n'
    )
    code += "        ### END SOLUTION\n\n    def g(self):\n        ### BEGIN SOLUTION\n        return 2\n"
    code += "        ### END SOLUTION"
    made = source_of((code, ANSWER), ("f\n### BEGIN HIDDEN TESTS\nassert f\n### END HIDDEN TESTS\n", GRADE))
    assert made.answers == ("A",)
    assert made.student().cells[0].source == (
        'class A:\n    """Doc."""\n\n    def f(self):\n        a = 1\n        # YOUR CODE HERE\n'
        '        raise NotImplementedError("f is not answered yet")\n\n    def g(self):\n        # YOUR CODE HERE\n'
        '        raise NotImplementedError("g is not answered yet")'
    )
    assert [cell.source for cell in made.student().cells[1:]] == ["f"]
    (task,) = made.tasks
    assert (task.name, task.points, task.shown, task.hidden) == ("f", 2, "f", "\n\nassert f")
    assert [cell.kind for cell in made.handed] == ["answer", "check"]
    assert [cell.source for cell in made.handed] == [cell.source for cell in made.student().cells]
    assert "return a" in made.solution().cells[0].source
    assert "### " not in text_of(made.solution())


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([(CODE, ANSWER)], "no cell gives points"),
        ([(CODE, ANSWER), ("f", GRADE | {"points": 0})], "no cell gives points"),
        ([(CODE.replace("END", "BEGIN"), ANSWER), ("f", GRADE)], "cell 1, line 4: .* must alternate"),
        ([(CODE.replace("BEGIN", "END"), ANSWER), ("f", GRADE)], "cell 1, line 2: .* must alternate"),
        ([(CODE, ANSWER), ("f\n### BEGIN HIDDEN TESTS", GRADE)], "cell 2, line 2: .* without '### END HIDDEN TESTS'"),
        ([(CODE, {}), ("f", GRADE)], "cell 1, line 2: '### BEGIN SOLUTION' in a cell that is not a solution cell"),
        ([(CODE + "\n" + HIDING, ANSWER), ("f", GRADE)], "cell 1, line 5: .* in a cell that is not a cell that gives"),
        ([(CODE, ANSWER), ("f", GRADE | {"points": -1})], "cell 2: points: expected a number from 0 up, got -1"),
        ([(CODE, ANSWER), ("f", GRADE | {"points": True})], "cell 2: points: .* got True"),
        ([(CODE, ANSWER), ("f", {"grade_id": "f", "grade": True, "schema_version": 3})], "cell 2: points: .* got None"),
        ([(CODE, ANSWER), ("f", GRADE | {"grade_id": "a b"})], "cell 2: grade_id: expected letters, .* got 'a b'"),
        ([(CODE, ANSWER), ("f", GRADE | {"grade_id": "=f"})], "cell 2: grade_id: expected letters, .* got '=f'"),
        ([(CODE, ANSWER), ("f", GRADE | {"grade_id": "f-answer"})], "cell 2: grade_id: .* 'f-answer' is used twice"),
        ([(CODE, ANSWER), ("f", GRADE | {"schema_version": 4})], "cell 2: nbgrader's schema_version: .* got 4"),
        ([(CODE, ANSWER), ("f", GRADE | {"task": True})], "cell 2: a task must be a text cell"),
        ([(CODE, ANSWER), ("f(\n  1", GRADE)], "cell 2, line 1: not valid Python: "),
        ([(CODE, ANSWER), ("f\n### AUTOTEST f(1)", GRADE)], "cell 2, line 2: AUTOTEST works only in nbgrader"),
        (
            [("x = (\n### BEGIN SOLUTION\n1\n### END SOLUTION\n)", ANSWER), ("x", GRADE)],
            "cell 1: not valid Python once a stub replaces the solution",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_error_for_a_source_in_another_format_names_the_cell(cells, says):
    with pytest.raises(AssignmentError, match=f"made(, |: ){says}"):
        source_of(*cells)


def test_a_forbidden_name_that_torch_does_not_have_is_refused():
    notebook = source_of((CODE, ANSWER), ("f", GRADE)).notebook
    notebook.metadata["rsl_edu"] = {"forbidden": ["torch.nn.Conv2d", "torch.nn.functional.conv2"]}
    with pytest.raises(AssignmentError, match=r"made: forbidden: torch has no 'torch\.nn\.functional\.conv2'"):
        Assignment("made", notebook)


def test_sources_are_found_by_name(tmp_path):
    assert assignment.find("4_normalization.ipynb").name == "4_normalization"
    with pytest.raises(AssignmentError, match=r"NAME: expected one of 1_mlp, .*; got 'nix'"):
        assignment.find("nix")
    with pytest.raises(AssignmentError, match="NAME: there are no notebooks in"):
        assignment.find("4_normalization", tmp_path)
    (tmp_path / "mine.ipynb").write_text("{}")
    with pytest.raises(AssignmentError, match=r"mine\.ipynb: not a notebook"):
        assignment.find("mine", tmp_path)


def test_digest_changes_with_everything_that_determines_points():
    notebook = assignment.find("4_normalization").notebook
    text = nbformat.writes(notebook)

    def digest(old="", new=""):
        assert old in text
        return Assignment("4_normalization", nbformat.reads(text.replace(old, new, 1), 4)).digest

    assert digest() == assignment.find("4_normalization").digest
    assert digest("a stream of single samples", "a stream") != digest()
    assert digest('"points": 6', '"points": 7') != digest()
    assert digest("# Assignment 4", "# Homework 4") == digest()


def test_working_returns_the_answer_if_it_is_right():
    right, wrong = check.reset_done.reference, torch.zeros_like
    assert check.reset_done.working(right) is right
    assert check.reset_done.working(wrong) is right
    assert check.reset_done.working(wrong, otherwise=wrong) is wrong
