"""``rsl-edu course``: what an instructor needs for a class."""

from __future__ import annotations

import argparse
import importlib.metadata
from pathlib import Path
from typing import Any

from rsl_edu.number_format import counted

from .arguments import add_sources, path_argument, system_error, try_folder


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "course",
        help="make the folder of a class: handouts, syllabus, slides, grading",
        description="What an instructor needs for a class.",
    )
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    init = parts.add_parser(
        "init",
        help="make the folder of a class",
        description="Make the folder DIR for a class: the lessons and the assignments to hand out, a syllabus, slides "
        "of each lesson, and the commands that grade. DIR must be new or empty; the README.md in it says what comes "
        "next. The sources of the assignments are in a clone of rsl_edu only.",
    )
    init.add_argument("folder", type=path_argument, metavar="DIR")
    add_sources(init)
    init.set_defaults(command=_init)


def _sources(named: Path | None) -> Path:
    """Return the folder of the sources.

    Raises:
        AssignmentError: If none is named and this is no clone; it says where to get one.
    """
    from rsl_edu.course.assignment import AssignmentError
    from rsl_edu.course.assignment import folder as clone

    try:
        return named or clone()
    except AssignmentError as error:
        urls = importlib.metadata.metadata("rsl_edu").get_all("Project-URL") or []
        where = [url.partition(", ")[2] for url in urls if url.startswith("Repository, ")]
        get = f" (git clone {where[0]})" if where else ""
        raise AssignmentError(f"{error} rsl_edu/notebooks/assignments{get}") from None


def _init(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from rsl_edu.course.assignment import AssignmentError

    folder: Path = options.folder
    try:
        if folder.exists() and not folder.is_dir():
            parser.error(f"DIR must be a folder, but {folder} is a file")
        if folder.exists() and (there := next(folder.iterdir(), None)) is not None:
            parser.error(f"DIR must be new or empty, but {there.name} is in {folder}")
        clone = Path(__file__).resolve().parents[2]
        if (clone / "pyproject.toml").is_file() and clone in folder.resolve().parents:
            parser.error(f"DIR must be outside {clone}, the clone of rsl_edu: its releases would take the class along")
        sources = _sources(options.sources)
        if not any(sources.glob("*.ipynb")):
            parser.error(f"--sources: expected a folder with notebooks, got {sources}")
        try_folder(folder)

        from rsl_edu.course.init import make

        made = make(folder, sources)  # imports torch, Matplotlib and nbconvert
    except AssignmentError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot make {folder}: {system_error(error)}")
    print(f"{folder}: {counted(made.lessons, 'lesson')} with slides, {counted(made.assignments, 'assignment')}")
    print(f"Begin with {folder / 'README.md'}. Keep {folder / 'grading'} to yourself: it holds solutions.")
    return 0
