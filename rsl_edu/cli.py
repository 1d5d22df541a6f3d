"""The command ``rsl-edu``: the lessons without a clone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rsl_edu import __version__
from rsl_edu.lessons import copy_lessons

_WORDS = {
    "new": "copied",
    "updated": "updated to this version",
    "beside": "this version, beside the one you changed",
    "kept": "yours, left as it is",
    "same": "up to date",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    words, jupyter = words[:cut], words[cut + 1 :]

    parser = argparse.ArgumentParser(prog="rsl-edu", description="Learn the building blocks of a robot's policy.")
    parser.add_argument("--version", action="version", version=f"rsl_edu {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    lab = commands.add_parser(
        "lab",
        help="copy the lessons into a folder and open JupyterLab there",
        description="Copy the lessons into DIR, never over one that you changed, and open JupyterLab there.",
        usage="rsl-edu lab [-h] [--copy-only] [DIR] [-- JUPYTER ARGUMENT ...]",
    )
    lab.add_argument("folder", nargs="?", type=Path, default=Path("rsl_edu_lessons"), metavar="DIR")
    lab.add_argument("--copy-only", "--no-open", action="store_true", help="copy the lessons, do not open JupyterLab")
    options = parser.parse_args(words)

    try:
        copies = copy_lessons(options.folder)
    except FileExistsError:
        parser.error(f"DIR must be a folder, but {options.folder} is a file")
    except OSError as error:
        parser.error(f"cannot copy the lessons into {options.folder}: {error.strerror or error}")
    print(f"Lessons in {options.folder.resolve()}:")
    for copy in copies:
        print(f"  {copy.path}: {_WORDS[copy.action]}")
    if not options.copy_only:
        open_lab(options.folder, jupyter)
    return 0


def open_lab(folder: Path, arguments: Sequence[str] = ()) -> None:
    """Open JupyterLab in a folder, on the list of the lessons.

    Args:
        folder: The folder that JupyterLab shows.
        arguments: Further arguments to ``jupyter lab``.
    """
    from jupyterlab.labapp import main as jupyter_lab

    jupyter_lab([f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.default_url=/lab/tree/index.ipynb", *arguments])
