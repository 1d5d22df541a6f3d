"""The notebooks contain exactly the hints and solutions of the exercises."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
import math
import re
from pathlib import Path

import nbformat
import pytest

from rsl_edu.course import check
from rsl_edu.course.assignment import with_solutions
from rsl_edu.course.check.source import bodies, notebook_source
from rsl_edu.course.execute import canonical
from rsl_edu.course.fold import OWN_HINTS, folded, main

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[1-9]_*.ipynb"))
ASSIGNMENTS = sorted((NOTEBOOKS / "assignments").glob("*.ipynb"))


def cells(path):
    return nbformat.read(path, as_version=4).cells


def text_of(path):
    return "\n".join(cell.source for cell in cells(path))


@pytest.mark.parametrize("path", LESSONS + ASSIGNMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_has_the_hints_and_solutions_of_its_exercises(path):
    stored = canonical(path.read_text("utf-8"))  # JupyterLab adds metadata about the kernel
    assert folded(stored) == stored, "run `make notebooks`"


@pytest.mark.parametrize("path", LESSONS + ASSIGNMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_folded_text_is_rendered_as_markdown_everywhere(path):
    """Without a blank line before Markdown inside HTML, VS Code shows stars and dollar signs."""
    for cell in cells(path):
        assert "<details" not in cell.source or cell.cell_type == "markdown"
        for opened in re.findall(r"<details>(.*?)</details>", cell.source, re.DOTALL):
            first, blank, *text = opened.split("\n")
            assert re.fullmatch(r"<summary>.*</summary>", first), cell.id
            assert blank == "", f"{cell.id}: {first}: no blank line after it"
            assert "<" not in "".join(line[:1] for line in text), f"{cell.id}: {first}: HTML begins a line"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson_shows_every_hint_and_the_solution_of_each_of_its_exercises(lesson):
    text = text_of(lesson)
    shown = [exercise for exercise in check.EXERCISES.values() if f"\ncheck.{exercise.name}(" in text]
    assert shown
    for exercise in shown:
        for stage, hint in enumerate(exercise.hints, 1):
            assert f"<summary>Hint {stage}</summary>\n\n{hint}\n\n</details>" in text
        for body in bodies(exercise.reference).values():
            assert body.splitlines()[-1] in text


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_assignment_shows_two_hints_and_how_to_get_the_third(path):
    own = [cell for cell in cells(path) if OWN_HINTS in cell.metadata.get("tags", ())]
    assert len(own) == (5 if path.stem == "6_policy" else 0), "only the faults to repair have their own hints"
    text = text_of(path)
    for exercise in check.EXERCISES.values():
        if f"\ncheck.{exercise.name}(" in text and not own:
            assert all(f"\n\n{hint}\n\n" in text for hint in exercise.hints[:2])
            assert f'`check.hint("{exercise.name}", 3)`' in text
            assert exercise.hints[2] not in text


@pytest.mark.parametrize(
    ("path", "old"),
    [
        (LESSONS[0], "Which factor of a QR decomposition"),
        (LESSONS[0], "tall, so columns can be"),
        (ASSIGNMENTS[0], "Write down the shape"),
        (ASSIGNMENTS[5], "share of the samples"),
    ],
    ids=["hint-of-lesson", "solution-of-lesson", "hint-of-assignment", "solution-of-assignment"],
)
def test_changed_notebook_is_detected_and_restored_exactly(tmp_path, capsys, path, old):
    copy = tmp_path / path.name
    stored = canonical(path.read_text("utf-8"))
    copy.write_text(stored, "utf-8")
    assert main(["--check", str(copy)]) == 0
    copy.write_text(stored.replace(old, "something else"), "utf-8")
    assert main(["--check", str(tmp_path)]) == 1
    assert "run `make notebooks`" in capsys.readouterr().err
    assert copy.read_text("utf-8") != stored
    assert main([str(tmp_path)]) == 0
    assert copy.read_text("utf-8") == stored
    assert {file.name for file in tmp_path.iterdir()} == {path.name}


def test_changed_hint_of_an_exercise_appears_in_lesson_and_assignment(monkeypatch):
    new = dataclasses.replace(check.conv2d, hints=("one", "two", "three"))
    monkeypatch.setitem(check.EXERCISES, "conv2d", new)
    lesson, assignment = (folded(path.read_text("utf-8")) for path in (LESSONS[1], ASSIGNMENTS[1]))
    for text, count in ((lesson, 3), (assignment, 2)):
        source = "\n".join(cell["source"] for cell in nbformat.reads(text, as_version=4).cells)
        shown = [f"</summary>\n\n{hint}\n\n" in source for hint in new.hints]
        assert shown == [True] * count + [False] * (3 - count)


def cell(kind, source, **metadata):
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": source[:5].strip("<"), "metadata": metadata, "source": source, **outputs}


HINT = "<details><summary>Hint 1</summary>\n\nold\n\n</details>"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ([cell("markdown", HINT)], "cell deta has hints, but no exercise comes before or after it"),
        ([cell("code", "check.nothing(nothing)"), cell("markdown", HINT)], "there is no exercise 'nothing'"),
        ([cell("code", "f", nbgrader={"grade_id": "f-answer"})], "there is no exercise 'f'"),
        (None, "not a notebook"),
    ],
    ids=["no exercise", "unknown check", "unknown answer", "no notebook"],
)
def test_error_for_hints_without_an_exercise_names_the_cell(tmp_path, capsys, made, says):
    path = tmp_path / "made.ipynb"
    path.write_text("{}" if made is None else json.dumps({"cells": made, "metadata": {}, "nbformat": 4}))
    assert main([str(path)]) == 1
    assert f"{path}: {says}" in capsys.readouterr().err


def test_solution_cell_that_asks_for_another_function_is_refused():
    with pytest.raises(ValueError, match="is for g, but the exercise has f"):
        with_solutions("def g():\n    ### BEGIN SOLUTION\n    ### END SOLUTION", {"f": "return 1"})


# The source code that a notebook shows


class Scale:
    """Scale by a number.

    Args:
        by: The number.
    """

    def __init__(self, by: float = 1e-2, *_: int, more: bool = False) -> None:
        self.by = by

    def __call__(
        self,
        x: list[float],
        first: float = 0.0,  # a comment of the signature goes with it
    ) -> list[float]:
        """Multiply."""
        # first things first

        def one(
            value: float,
        ) -> float:
            """Scale one value."""
            return value * self.by * math.pi  # scaled

        return [one(value) for value in itertools.chain([first], x)]

    def after(self, by: float) -> None:
        """Come after a function within a method."""
        self.by = by


SHOWN = """import itertools
import math


class Scale:
    def __init__(self, by=1e-2, *_, more=False):
        self.by = by

    def __call__(self, x, first=0.0):
        # first things first

        def one(value):
            return value * self.by * math.pi  # scaled

        return [one(value) for value in itertools.chain([first], x)]

    def after(self, by):
        self.by = by"""


def test_shown_source_has_comments_and_imports_but_no_annotations_or_docstrings():
    assert notebook_source(Scale) == SHOWN
    assert bodies(Scale)["__init__"] == "self.by = by"
    assert bodies(Scale)["__call__"].startswith("# first things first\n\ndef one(value):\n    return")


@pytest.mark.parametrize("exercise", check.EXERCISES.values(), ids=check.EXERCISES)
def test_shown_source_of_every_exercise_has_no_annotations_or_docstrings(exercise):
    shown = notebook_source(exercise.reference)
    assert '"""' not in shown
    for node in ast.walk(ast.parse(shown)):
        assert not isinstance(node, ast.AnnAssign)
        assert getattr(node, "annotation", None) is None
        assert getattr(node, "returns", None) is None
