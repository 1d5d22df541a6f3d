"""``rsl-edu course``: prepare a class."""

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
        help="make a folder for a class: handouts, syllabus, slides, grading",
        description="Prepare a class.",
    )
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    init = parts.add_parser(
        "init",
        help="make a folder for a class",
        description="Make the folder DIR for a class: the lessons and assignments to hand out, a syllabus, slides "
        "for each lesson, and the grading commands. DIR must be new or empty; its README.md explains the next "
        "steps. The command needs the sources of the assignments, which only a clone of rsl_edu contains.",
    )
    init.add_argument("folder", type=path_argument, metavar="DIR", help="folder to make")
    add_sources(init)
    init.set_defaults(command=_init)


def _sources(named: Path | None) -> Path:
    """Return the folder that contains the sources of the assignments.

    Raises:
        AssignmentError: If no folder is given and rsl_edu does not run from a clone. The message says how to get a
            clone.
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
            parser.error(
                f"DIR must be outside {clone}, the clone of rsl_edu: otherwise a release from this clone would include "
                "the class"
            )
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
    print(f"Start with {folder / 'README.md'}. Keep {folder / 'grading'} private: it contains the solutions.")
    return 0
