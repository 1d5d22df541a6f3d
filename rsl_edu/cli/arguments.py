"""Arguments that several commands share, and checks that their output files can be written."""

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
    """Return the path given as an argument."""
    if not text:  # an unset shell variable; Path would read it as the current folder
        raise argparse.ArgumentTypeError("expected a name, got an empty one")
    return Path(text)


def refuse(parser: argparse.ArgumentParser, says: str) -> NoReturn:
    """Exit with an error, without printing the usage, because the arguments themselves were well formed.

    Raises:
        SystemExit: Always, with the status 2.
    """
    parser.exit(2, printable(f"{parser.prog}: error: {says}\n", keep="\n"))


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder that contains the sources of the assignments."""
    parser.add_argument(
        "--sources",
        type=path_argument,
        metavar="DIR",
        help="folder with the sources of the assignments (default: the one in your clone of rsl_edu)",
    )


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose where the code of a notebook runs."""
    box = parser.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="start of a container command to use instead of bubblewrap")
    box.add_argument("--unsafe", action="store_true", help="run without a sandbox; only for code that you trust")


def sandbox_argument(options: argparse.Namespace) -> str:
    """Return where the code of a notebook runs, in the form that the grader expects."""
    return "unsafe" if options.unsafe else options.sandbox or "bwrap"


def system_error(error: OSError) -> str:
    """Describe an error of the operating system in one line, with the file that caused it."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def try_file(file: Path) -> None:
    """Raise the error that writing a file would raise, without changing anything."""
    if file.is_file() or file.is_dir():
        file.open("ab").close()
    elif not file.exists():  # something else that exists, such as a pipe, must not be opened twice
        try:
            tempfile.TemporaryFile(dir=file.parent).close()
        except OSError as error:
            error.filename = str(file)
            raise


def try_folder(folder: Path) -> None:
    """Raise the error that making a folder and writing into it would raise, without changing anything."""
    while not folder.exists():
        folder = folder.parent
    tempfile.TemporaryFile(dir=folder).close()


def try_page(parser: argparse.ArgumentParser, page: Path, *inputs: Path | None) -> None:
    """Exit with an error about ``--html`` if the page cannot be written, or would replace a file that must be kept.

    Args:
        parser: The parser of the command.
        page: The file to write. An existing file is replaced only if it is an HTML page or empty.
        inputs: The files that the command reads. They are never replaced.
    """
    with writing_html(parser, page):
        if page.is_file():
            for given in inputs:
                if given is not None and given.exists() and given.samefile(page):
                    parser.error(f"--html: {page} is also an input of this command; give a different name")
            with page.open("rb") as file:
                head = file.read(1024)
            if head and not re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b", head, re.IGNORECASE):
                parser.error(
                    f"--html: {page} exists and is not an HTML page, so it is not replaced; give a different name"
                )
        try_file(page)


@contextlib.contextmanager
def writing_html(parser: argparse.ArgumentParser, page: Path) -> Iterator[None]:
    """Exit with an error about ``--html`` if the page cannot be written."""
    try:
        yield
    except OSError as error:
        parser.error(f"--html: cannot write {page}: {error.strerror or error}")
