"""Recognizes possible checkpoints by their names and first bytes, and sorts them by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .archives import LEGACY_TORCH, archive_kind, is_recording

NUMBERED = re.compile(r"model_(\d+)\.pt")
"""Name of a checkpoint, with the iteration at which it was saved."""
ENDS = (".pt", ".pth", ".ckpt")
"""File extensions of checkpoints."""
_IN_ORDER = re.compile(r"(.*?)(\d+)(k?)\.\w+")
"""``model_8k.pt``, ``ac_weights_000400.pt``: the text before the number, the number, and ``k`` if it is thousands."""


def may_be_checkpoint(file: Path) -> bool:
    """Return whether a file has the extension and the format of a ``torch.save`` file and is not a recording."""
    if file.suffix not in ENDS:
        return False
    try:
        kind = archive_kind(file)
        if kind is not None:
            return kind == "damaged" or (kind == "torch.save" and not is_recording(file))
        with file.open("rb") as opened:
            return opened.read(len(LEGACY_TORCH)) == LEGACY_TORCH
    except OSError:  # the error is raised later, when the file is read
        return True


def iteration_in_name(file: Path) -> int | None:
    """Return the number in the name of a file, such as 8000 in ``model_8k.pt``, or None if there is none."""
    match = _IN_ORDER.fullmatch(file.name)
    return int(match[2]) * (1000 if match[3] else 1) if match else None


def in_order(files: Sequence[Path]) -> list[Path]:
    """Return the files whose names differ only in a number, ordered by it; an empty list if the order is ambiguous."""
    found = [(match, file) for file in files if (match := _IN_ORDER.fullmatch(file.name))]
    numbered = {iteration_in_name(file) or 0: file for _, file in found}
    several = len(found) > 1 or len(found) == len(files)  # a number in only one of many names gives no order
    if several and len(numbered) == len(found) and len({match[1] for match, _ in found}) == 1:
        return [numbered[number] for number in sorted(numbered)]
    return []
