"""What several commands share: arguments, and files that are tried before the work begins."""

from __future__ import annotations

import argparse
import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from rsl_edu.printable import printable


def path_argument(text: str) -> Path:
    """Return the path that an argument names."""
    if not text:  # a variable of the shell that is not set; Path would take the present folder
        raise argparse.ArgumentTypeError("expected a name, got an empty one")
    return Path(text)


def refuse(parser: argparse.ArgumentParser, says: str) -> NoReturn:
    """End with an error that is not about how the command was written, so without its usage.

    Raises:
        SystemExit: Always, with the status 2.
    """
    parser.exit(2, printable(f"{parser.prog}: error: {says}\n", keep="\n"))


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the sources of the assignments are."""
    parser.add_argument(
        "--sources", type=path_argument, metavar="DIR", help="folder of the sources (default: the clone's)"
    )


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where code of a notebook runs."""
    box = parser.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="beginning of a command that runs a container")
    box.add_argument("--unsafe", action="store_true", help="without a sandbox: for code that you trust")


def sandbox_argument(options: argparse.Namespace) -> str:
    """Return where code of a notebook runs, as the grader wants to have it."""
    return "unsafe" if options.unsafe else options.sandbox or "bwrap"


def system_error(error: OSError) -> str:
    """Say in a line what the system refused, and for which file."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def try_file(file: Path) -> None:
    """Raise the error that writing a file would raise, and leave no trace."""
    if file.is_file() or file.is_dir():
        file.open("ab").close()
    elif not file.exists():  # what exists and is neither, such as a pipe, is not to be opened twice
        try:
            tempfile.TemporaryFile(dir=file.parent).close()
        except OSError as error:
            error.filename = str(file)
            raise


def try_folder(folder: Path) -> None:
    """Raise the error that making a folder and writing into it would raise, and leave no trace."""
    while not folder.exists():
        folder = folder.parent
    tempfile.TemporaryFile(dir=folder).close()


def try_page(parser: argparse.ArgumentParser, page: Path, *inputs: Path | None) -> None:
    """Report as an error of its option that a page cannot be written, or that it would replace something else.

    Args:
        parser: Of the command.
        page: The file to write. One that exists is replaced if it is a page, or empty.
        inputs: What the command reads; it is never replaced, whatever it is.
    """
    with writing_html(parser, page):
        if page.is_file():
            for given in inputs:
                if given is not None and given.exists() and given.samefile(page):
                    parser.error(f"--html: {page} is the same file as {given}, which is read; give another name")
            with page.open("rb") as file:
                head = file.read(1024)
            if head and not re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b", head, re.IGNORECASE):
                parser.error(f"--html: {page} exists, and is no HTML page; it is not replaced: give another name")
        try_file(page)


@contextlib.contextmanager
def writing_html(parser: argparse.ArgumentParser, page: Path) -> Iterator[None]:
    """Report that a page cannot be written as an error of its option."""
    try:
        yield
    except OSError as error:
        parser.error(f"--html: cannot write {page}: {error.strerror or error}")
