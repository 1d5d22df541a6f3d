"""``rsl-edu assign``: make the notebook of an assignment, or check its source."""

from __future__ import annotations

import argparse
from typing import Any

from rsl_edu.number_format import counted
from rsl_edu.printable import printable

from .arguments import add_sandbox, add_sources, path_argument, sandbox_argument, try_folder


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "assign",
        help="make an assignment to hand out, or its solution; or check its source",
        description="Write the assignment NAME, such as 4_normalization, into DIR: the student version or, with "
        "--solution or --instructor, a different version. With --check, write nothing: grade the source's own "
        "solutions and the notebook without answers, and report what is wrong with the source.",
    )
    parser.add_argument("name", metavar="NAME", help="name of the assignment, such as 4_normalization")
    parser.add_argument("--out", type=path_argument, metavar="DIR", help="folder to write the notebook into")
    version = parser.add_mutually_exclusive_group()
    version.add_argument(
        "--solution", action="store_true", help="include the solutions; publish this version after the deadline"
    )
    version.add_argument("--instructor", action="store_true", help="include the solutions and the hidden checks")
    version.add_argument("--check", action="store_true", help="check the source and write nothing")
    parser.add_argument(
        "--wrong", type=path_argument, metavar="DIR", help="with --check: also grade these notebooks with wrong answers"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing notebook")
    add_sandbox(parser)
    add_sources(parser)
    parser.set_defaults(command=_assign)


def _assign(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.check:
        return _check(parser, options)
    if options.out is None:
        parser.error("give --out with a folder to write into, or --check")
    for name in ("wrong", "sandbox", "unsafe"):
        if getattr(options, name):
            parser.error(f"--{name} needs --check")
    from rsl_edu.course.assignment import Assignment, AssignmentError, locate

    try:
        source = locate(options.name, options.sources)
        path = options.out / source.name
        if options.out.exists() and not options.out.is_dir():
            parser.error(f"--out: DIR must be a folder, but {options.out} is a file")
        if path.exists() and not options.force:
            parser.error(f"{path} exists already; --force overwrites it")
        try_folder(options.out)

        import nbformat

        assignment = Assignment.read(source)  # imports torch for most sources
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
    print(printable(f"{path}: the {kind} version, {exercises}, {counted(assignment.maximum, 'point')}"))
    return 0


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from rsl_edu.course.assignment import Assignment, AssignmentError, locate

    for name in ("out", "force"):
        if getattr(options, name):
            parser.error(f"--{name} cannot be used with --check, which writes nothing")
    if options.wrong is not None and not options.wrong.is_dir():
        parser.error(f"--wrong: expected a folder with notebooks, got {options.wrong}")
    try:
        source = locate(options.name, options.sources)
    except AssignmentError as error:
        parser.error(str(error))

    from rsl_edu.course.grade.rehearsal import rehearse
    from rsl_edu.course.grade.sandbox import SandboxError

    try:
        assignment = Assignment.read(source)
        wrong = sorted(options.wrong.glob("*.ipynb")) if options.wrong else ()
        box = sandbox_argument(options)
        return 0 if rehearse(assignment, _say, wrong=wrong, box=box, folder=source.parent) else 1
    except AssignmentError as error:
        _say(f"error: {error}")
        return 1
    except SandboxError as error:
        parser.error(str(error))


def _say(line: str) -> None:
    """Print a line that may quote a source or a notebook."""
    print(printable(line, keep="\n"))
