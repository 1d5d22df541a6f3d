"""The command ``rsl-edu``: copy the lessons, x-ray and compare policies, and prepare and grade a class."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from rsl_edu import __version__
from rsl_edu.printable import printable

from . import assign, compare, course, grade, lab, mark, xray
from .lab import open_lab

__all__ = ["main", "open_lab"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    jupyter: list[str] = []
    if words[:1] == ["lab"] and "--" in words:
        dashes = words.index("--")
        words, jupyter = words[:dashes], words[dashes + 1 :]

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the terminal's encoding may lack arrows or letters in a name
    parser = _Parser(prog="rsl-edu", description="Learn the building blocks of a robot's policy.")
    parser.add_argument("--version", action="version", version=f"rsl_edu {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (lab, xray, compare, course, assign, grade, mark):
        command.add(commands)
    options, rest = parser.parse_known_args(words, argparse.Namespace(jupyter=jupyter))
    if rest and words[0] == "lab":
        parser.error(lab.unknown([*words[1:], *jupyter], rest))
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        status: int = options.command(parser, options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (
        BrokenPipeError
    ):  # a reader such as `head` has closed the pipe; nothing must be left for Python to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # for example, the output is redirected to a full disk
        if error.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"rsl-edu: error: cannot write the output: {printable(error.strerror or str(error))}", file=sys.stderr)
        return 2
    return status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report what is wrong, without control characters that a file name may contain."""
        super().error(printable(message, keep="\n"))
