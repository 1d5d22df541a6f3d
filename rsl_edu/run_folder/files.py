"""Which checkpoints a folder has."""

from __future__ import annotations

import re
from pathlib import Path

from .errors import CheckpointError

NUMBERED = re.compile(r"model_(\d+)\.pt")
"""Name of a checkpoint, with the iteration at which it was saved."""


def checkpoint_files(path: Path) -> list[Path]:
    """Return the checkpoints in a run folder, in the order of their iterations; or the one file that is given.

    Raises:
        CheckpointError: There is none in the folder; the message says which of its folders have some.
        OSError: The folder cannot be read, or does not exist.
    """
    if not path.exists():
        raise FileNotFoundError(2, "no such file or folder", str(path))
    if path.is_file():
        return [path]
    numbered = {int(found[1]): file for file in path.iterdir() if (found := NUMBERED.fullmatch(file.name))}
    if any(file.is_file() for file in numbered.values()):  # what else has such a name is left out later, with a reason
        return [numbered[number] for number in sorted(numbered)]
    below = [file for file in path.glob("*/model_*.pt") if NUMBERED.fullmatch(file.name) and file.is_file()]
    runs = sorted({file.parent.name for file in below})
    held = f"; its folders {', '.join(runs[-5:])} have some" if runs else ", nor in its folders"
    raise CheckpointError(f"{path}: no checkpoint (model_0.pt, model_50.pt, …) in this folder{held}")
