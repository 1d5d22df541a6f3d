"""``rsl-edu lab``: copies the lessons and opens JupyterLab on them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsl_edu.folders import ensure_home
from rsl_edu.lessons import copy_lessons

from .arguments import path_argument


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "lab",
        help="copy the lessons into a folder and open JupyterLab there",
        description="Copy the lessons into DIR, never over one that you changed, and open JupyterLab there.",
        usage="rsl-edu lab [-h] [--copy-only] [DIR] [-- JUPYTER ARGUMENT ...]",
    )
    parser.add_argument("folder", nargs="?", type=path_argument, default=Path("rsl_edu_lessons"), metavar="DIR")
    parser.add_argument(
        "--copy-only", "--no-open", action="store_true", help="copy the lessons, do not open JupyterLab"
    )
    parser.set_defaults(command=_lab)


_ACTIONS = {
    "new": "copied",
    "updated": "updated to this version",
    "beside": "this version, beside the one you changed",
    "kept": "yours, left as it is",
    "same": "up to date",
}


def _lab(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        copies = copy_lessons(options.folder)
    except FileExistsError:
        parser.error(f"DIR must be a folder, but {options.folder} is a file")
    except OSError as error:
        parser.error(f"cannot copy the lessons into {options.folder}: {error.strerror or error}")
    print(f"Lessons in {options.folder.resolve()}{':' if copies else ''}")
    for copy in copies:
        print(f"  {copy.path}: {_ACTIONS[copy.action]}")
    if not options.copy_only:
        open_lab(options.folder, options.jupyter)
    return 0


def open_lab(folder: Path, arguments: Sequence[str] = ()) -> None:
    """Open JupyterLab in a folder, on the list of the lessons.

    Args:
        folder: The folder that JupyterLab shows.
        arguments: Further arguments to ``jupyter lab``.
    """
    ensure_home()  # JupyterLab looks for it while it is imported

    from jupyterlab.labapp import main as jupyter_lab

    options = [f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.default_url=/lab/tree/index.ipynb", *arguments]
    said = any(option.lstrip("-").startswith(("allow-root", "ServerApp.allow_root")) for option in options)
    if os.name == "posix" and os.geteuid() == 0 and not said:
        print("You are root, as in a container, so JupyterLab starts with --allow-root.", flush=True)
        options.append("--allow-root")
    jupyter_lab(options)
