"""``rsl-edu assign``: makes the notebook of an assignment."""

from __future__ import annotations

import argparse
from typing import Any

from rsl_edu.number_format import counted

from .arguments import add_sources, path_argument, try_folder


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "assign",
        help="make the notebook of an assignment to hand out, or its solution",
        description="Write a version of the assignment NAME, such as 4_normalization, into DIR.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--out", type=path_argument, required=True, metavar="DIR")
    version = parser.add_mutually_exclusive_group()
    version.add_argument("--solution", action="store_true", help="with the solutions, to publish afterwards")
    version.add_argument("--instructor", action="store_true", help="with the solutions and the hidden tests")
    parser.add_argument("--force", action="store_true", help="write over a notebook that is there")
    add_sources(parser)
    parser.set_defaults(command=_assign)


def _assign(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from rsl_edu.course.assignment import Assignment, AssignmentError, locate

    try:
        source = locate(options.name, options.sources)
        path = options.out / source.name
        if options.out.exists() and not options.out.is_dir():
            parser.error(f"--out: DIR must be a folder, but {options.out} is a file")
        if path.exists() and not options.force:
            parser.error(f"{path} is there already; --force writes over it")
        try_folder(options.out)

        import nbformat

        assignment = Assignment.read(source)  # most sources need torch for this
        if options.solution:
            kind, notebook = "solution", assignment.solution()
        elif options.instructor:
            kind, notebook = "instructor", assignment.instructor()
        else:
            kind, notebook = "student", assignment.student()
        text = nbformat.writes(notebook)
        options.out.mkdir(parents=True, exist_ok=True)
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(text + "\n")
    except AssignmentError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--out: cannot write into {options.out}: {error.strerror or error}")
    exercises = counted(len(assignment.tasks), "exercise")
    print(f"{path}: the {kind} version, {exercises}, {assignment.maximum:g} points")
    return 0
