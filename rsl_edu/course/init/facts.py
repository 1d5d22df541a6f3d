"""Facts about lessons and assignments, read from their notebooks so that they are not written down twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from rsl_edu.course.assignment import Assignment


@dataclass(frozen=True)
class Exercise:
    """An exercise or a choice of a lesson.

    Attributes:
        title: Name of the exercise or the choice.
        minutes: Time that the lesson gives for it.
        further: Whether it is optional.
    """

    title: str
    minutes: int
    further: bool


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        path: Its file.
        notebook: The notebook, with its outputs.
        title: ``1 · MLP: what a layer does to a signal``.
        failure: The failure that it explains, as one sentence.
        objectives: What learners can do after it, in Markdown.
        before: What learners must know before it.
        core: Minutes for the core parts.
        further: Minutes for the optional parts.
        exercises: Its exercises and choices.
    """

    path: Path
    notebook: Any
    title: str
    failure: str
    objectives: tuple[str, ...]
    before: str
    core: int
    further: int
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Graded:
    """An assignment.

    Attributes:
        assignment: Its source.
        title: Its title.
        minutes: Time that the notebook states, or None.
        exercises: The name of the check, the title and the points of each exercise.
    """

    assignment: Assignment
    title: str
    minutes: int | None
    exercises: tuple[tuple[str, str, float], ...]


def lessons(folder: Path) -> list[Lesson]:
    """Read the lessons of a folder, in order.

    Raises:
        ValueError: If a lesson does not state *Before* and *Time*, or the index does not list it.
    """
    index = _text(nbformat.read(folder / "index.ipynb", as_version=4))
    return [_lesson(path, index) for path in sorted(folder.glob("[0-9]*_*.ipynb"))]


def _lesson(path: Path, index: str) -> Lesson:
    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0].source
    time = re.search(r"\*\*Time:\*\* (\d+) minutes \(core\)(?:, (\d+) more)?", first)
    before = re.search(r"\*\*Before:\*\* (.*?)\s*\*\*Time:\*\*", first, re.DOTALL)
    failure = re.search(rf"^\| (.+?) \| \[[^]]+\]\({re.escape(path.name)}\)", index, re.MULTILINE)
    if time is None or before is None or failure is None:
        raise ValueError(f"{path}: its first cell has no **Before:** and **Time:**, or index.ipynb does not list it")
    return Lesson(
        path=path,
        notebook=notebook,
        title=first.split("\n")[0].removeprefix("# "),
        failure=failure[1],
        objectives=tuple(re.findall(r"^- (.*)", first, re.MULTILINE)),
        before=" ".join(before[1].split()),
        core=int(time[1]),
        further=int(time[2] or 0),
        exercises=tuple(_exercises(_text(notebook))),
    )


_EXERCISE = re.compile(
    r"^(?P<marked>\*+Optional[:.]\*? ?)?(?:\*\*)?(?P<title>[^*\n]+)\*\* · (?:[●○]+ · )?(?P<minutes>\d+) minutes"
    r"(?P<rest>.{0,12})",
    re.MULTILINE,
)


def _exercises(text: str) -> list[Exercise]:
    found = []
    for match in _EXERCISE.finditer(text):
        title = re.sub(r"^(?:[Ee]xercise|Choice) \d+ · |^Choose · ", "", match["title"])
        further = match["marked"] is not None or "*optional*" in match["rest"]
        found.append(Exercise(title, int(match["minutes"]), further))
    return found


def graded(source: Path) -> Graded:
    """Read an assignment.

    Raises:
        AssignmentError: If the source is not in the format of an assignment.
    """
    assignment = Assignment.read(source)
    text = _text(assignment.student())
    title = re.search(r"^# (.*)", text, re.MULTILINE)
    time = re.search(r"\*\*Time:\*\* (\d+) minutes", text)
    titles = re.findall(r"^## (?:\d+ · )?(.*) \([\d.]+ points?\)$", text, re.MULTILINE)
    tasks = assignment.tasks
    if len(titles) != len(tasks):  # a source whose headings differ from ours
        titles = [task.title for task in tasks]
    return Graded(
        assignment,
        title[1] if title else assignment.name,
        int(time[1]) if time else None,
        tuple((task.name, name, task.points) for task, name in zip(tasks, titles, strict=True)),
    )


def _text(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
