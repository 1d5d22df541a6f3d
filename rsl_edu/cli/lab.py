"""``rsl-edu lab``: copy the lessons and open JupyterLab on them."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsl_edu.folders import ensure_home
from rsl_edu.lessons import copy_lessons
from rsl_edu.printable import printable

from .arguments import path_argument

SETTINGS = Path(__file__).resolve().parent / "jupyter"
"""Jupyter settings that only ``rsl-edu lab`` uses and that come before the user's own. They turn off the prompt about
Jupyter news, and the buttons of nbgrader, Voilà and Notebook, which the tests install in the same environment."""


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "lab",
        help="copy the lessons into a folder and open JupyterLab there",
        description="Copy the lessons into DIR and open JupyterLab there. Lessons that you changed are kept.",
        usage="rsl-edu lab [-h] [--copy-only] [DIR] [-- JUPYTER ARGUMENT ...]",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=path_argument,
        default=Path("rsl_edu_lessons"),
        metavar="DIR",
        help="folder for the lessons (default: rsl_edu_lessons)",
    )
    parser.add_argument(
        "--copy-only", "--no-open", action="store_true", help="copy the lessons without opening JupyterLab"
    )
    parser.set_defaults(command=_lab)


def unknown(words: Sequence[str], rest: Sequence[str]) -> str:
    """Return the error message for unknown arguments; it explains how to pass arguments to JupyterLab.

    Args:
        words: All arguments of ``rsl-edu lab``, without the ``--``.
        rest: The arguments that were not recognized.
    """
    says = f"unrecognized arguments: {shlex.join(rest)}"
    options = [word for word in rest if word.startswith("-")]
    if not options:
        return says
    first = words.index(options[0])
    meant = shlex.join(["rsl-edu", "lab", *words[:first], "--", *words[first:]])
    return f"{says}; to pass arguments to JupyterLab, put them after --: {meant}"


_ACTIONS = {
    "new": "copied",
    "updated": "updated to this version",
    "beside": "this version, next to the one you changed",
    "kept": "kept, because you changed it",
    "same": "up to date",
}


def _lab(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.copy_only and options.jupyter:
        parser.error(f"--copy-only does not open JupyterLab, so leave out -- {shlex.join(options.jupyter)}")
    try:
        copies = copy_lessons(options.folder)
    except FileExistsError:
        parser.error(f"DIR must be a folder, but {options.folder} is a file")
    except OSError as error:
        parser.error(f"cannot copy the lessons into {options.folder}: {error.strerror or error}")
    print(printable(f"Lessons in {options.folder.resolve()}{':' if copies else ''}"))
    for copy in copies:
        print(printable(f"  {copy.path}: {_ACTIONS[copy.action]}"))
    sys.stdout.flush()  # so that it is printed before the server's log
    if not options.copy_only:
        open_lab(options.folder, options.jupyter)
    return 0


def open_lab(folder: Path, arguments: Sequence[str] = ()) -> None:
    """Open JupyterLab in a folder, on the list of lessons.

    Args:
        folder: The folder that JupyterLab shows.
        arguments: Further arguments for ``jupyter lab``.
    """
    ensure_home()  # JupyterLab needs a home folder when it is imported
    paths = (str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH"))
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))

    from jupyterlab.labapp import main as jupyter_lab

    options = [f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.default_url=/lab/tree/index.ipynb", *arguments]
    said = any(option.lstrip("-").startswith(("allow-root", "ServerApp.allow_root")) for option in options)
    if os.name == "posix" and os.geteuid() == 0 and not said:
        print("You are root, so JupyterLab starts with --allow-root.", flush=True)
        options.append("--allow-root")
    jupyter_lab(options)
