"""``rsl-edu course init``: make a folder with everything that an instructor needs for a class."""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import nbformat

from rsl_edu import __version__
from rsl_edu.course.slides import page
from rsl_edu.lessons import copy_lessons, source
from rsl_edu.number_format import counted

from .facts import Exercise, Graded, Lesson, graded, lessons

__all__ = ["Made", "make"]


@dataclass(frozen=True)
class Made:
    """What a new folder contains.

    Attributes:
        lessons: Number of lessons, which is also the number of slide pages.
        assignments: Number of assignments.
    """

    lessons: int
    assignments: int


@dataclass(frozen=True)
class _Week:
    lesson: Lesson
    graded: Graded | None


def make(folder: Path, sources: Path) -> Made:
    """Make the complete folder of a class. After an error, no part of it is left behind.

    Args:
        folder: The folder to make; it may exist if it is empty.
        sources: The folder with the sources of the assignments.

    Raises:
        FileExistsError: If ``folder`` is not empty.
        AssignmentError: If a source is not in the format of an assignment.
        OSError: If ``folder`` cannot be written.
    """
    if folder.exists() and next(folder.iterdir(), None) is not None:
        raise FileExistsError(f"{folder} is not empty")
    there = folder
    while not there.exists():
        there = there.parent
    with tempfile.TemporaryDirectory(dir=there, prefix=".rsl_edu-") as place:
        made = _build(Path(place), sources)
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        moved: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for part in sorted(Path(place).iterdir()):
                moved.append(part.rename(folder / part.name))
        except BaseException:
            _remove(moved, new)
            raise
    return made


def _remove(moved: Sequence[Path], folders: Sequence[Path]) -> None:
    for part in moved:
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    for folder in folders:
        if folder.exists():
            folder.rmdir()


def _build(place: Path, sources: Path) -> Made:
    handouts = place / "handouts"
    copy_lessons(handouts)
    found = lessons(source())
    assignments = [graded(path) for path in sorted(sources.glob("*.ipynb"))]
    _slides(place / "slides", found)
    _assignments(handouts / "assignments", assignments)
    _grading(place / "grading", sources, assignments)
    (place / "syllabus.md").write_text(_syllabus(found, assignments), "utf-8")
    (place / "README.md").write_text(_text("readme.md"), "utf-8")
    return Made(len(found), len(assignments))


def _slides(folder: Path, found: Iterable[Lesson]) -> None:
    folder.mkdir()
    for lesson in found:
        made = page(lesson.notebook, lesson.path.parent, lesson.title, __version__, links="../handouts/")
        (folder / f"{lesson.path.stem}.html").write_text(made, "utf-8")


def _assignments(folder: Path, assignments: Iterable[Graded]) -> None:
    folder.mkdir(exist_ok=True)
    for each in assignments:
        text = nbformat.writes(each.assignment.student())
        (folder / f"{each.assignment.name}.ipynb").write_text(text + "\n", "utf-8")


def _grading(folder: Path, sources: Path, assignments: Sequence[Graded]) -> None:
    (folder / "sources").mkdir(parents=True)
    (folder / "gradebook").mkdir()
    for each in assignments:
        name = each.assignment.name
        shutil.copyfile(sources / f"{name}.ipynb", folder / "sources" / f"{name}.ipynb")
        (folder / "submissions" / name).mkdir(parents=True)
    first = assignments[0]
    readme = _text("grading.md", graded=assignments, first=first.assignment.name, exercise=first.exercises[0][0])
    (folder / "README.md").write_text(readme, "utf-8")
    (folder / "gradebook" / "course.yml").write_text(_text("course.yml", graded=assignments), "utf-8")


def _syllabus(found: Sequence[Lesson], assignments: Sequence[Graded]) -> str:
    of = {each.assignment.name: each for each in assignments}
    weeks = [_Week(lesson, of.pop(lesson.path.stem, None)) for lesson in found]
    about = importlib.metadata.metadata("rsl_edu")
    return _text(
        "syllabus.md",
        title="the building blocks of robot learning",
        summary=about["Summary"],
        python=about["Requires-Python"].replace(">=", "") + " or newer",
        weeks=weeks,
        others=list(of.values()),
        core=sum(lesson.core for lesson in found),
        further=sum(lesson.further for lesson in found),
        homework=sum(each.minutes or 0 for each in assignments),
        points=f"{sum(each.assignment.maximum for each in assignments):g}",
    )


def _text(name: str, **values: Any) -> str:
    return _TEXTS.get_template(name).render(version=__version__, **values).strip() + "\n"


def _name(title: str) -> str:
    """Return the title of a lesson without its number."""
    return title.partition(" · ")[2] or title


def _points(number: float) -> str:
    return counted(number, "point")


def _costs(each: Graded | None) -> str:
    """Return the minutes and points of an assignment, for the table."""
    return "" if each is None else f"{each.minutes or '?'}, {each.assignment.maximum:g}"


def _listed(exercises: Iterable[Exercise]) -> str:
    return "; ".join(
        f"{each.title} ({counted(each.minutes, 'minute')}{', optional' if each.further else ''})" for each in exercises
    )


def _assignment(each: Graded) -> str:
    name = each.assignment.name
    minutes = f", {counted(each.minutes, 'minute')}" if each.minutes else ""
    points = _points(each.assignment.maximum)
    lines = [f"**{each.title}:** [{name}](handouts/assignments/{name}.ipynb){minutes}, {points}.", ""]
    lines += ["| exercise | its check | points |", "|---|---|---|"]
    lines += [f"| {title} | `{check}` | {points:g} |" for check, title, points in each.exercises]
    return "\n".join(lines)


_TEXTS = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "texts"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # Markdown
)
_TEXTS.filters |= {"name": _name, "points": _points, "costs": _costs, "listed": _listed, "assignment": _assignment}
