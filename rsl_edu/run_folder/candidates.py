"""Which files may be checkpoints, by their names and first bytes, and which order their names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .archives import LEGACY_TORCH, archive_kind, is_recording

NUMBERED = re.compile(r"model_(\d+)\.pt")
"""Name of a checkpoint, with the iteration at which it was saved."""
ENDS = (".pt", ".pth", ".ckpt")
"""Ends of the names of checkpoints."""
_IN_ORDER = re.compile(r"(.*?)(\d+)(k?)\.\w+")
"""``model_8k.pt``, ``ac_weights_000400.pt``: what comes before a number, the number, and whether it is of thousands."""


def may_be_checkpoint(file: Path) -> bool:
    """Tell whether a file is what ``torch.save`` writes, no recording, and has the end of such a name."""
    if file.suffix not in ENDS:
        return False
    try:
        kind = archive_kind(file)
        if kind is not None:
            return kind == "damaged" or (kind == "torch.save" and not is_recording(file))
        with file.open("rb") as opened:
            return opened.read(len(LEGACY_TORCH)) == LEGACY_TORCH
    except OSError:  # whoever reads it says why
        return True


def iteration_in_name(file: Path) -> int | None:
    """Return the number in the name of a file, 8000 of ``model_8k.pt``, or None if it has none."""
    match = _IN_ORDER.fullmatch(file.name)
    return int(match[2]) * (1000 if match[3] else 1) if match else None


def in_order(files: Sequence[Path]) -> list[Path]:
    """Return the files whose names differ in a number alone, in its order; none if the names leave it open."""
    found = [(match, file) for file in files if (match := _IN_ORDER.fullmatch(file.name))]
    numbered = {iteration_in_name(file) or 0: file for _, file in found}
    several = len(found) > 1 or len(found) == len(files)  # a number in one name of many orders nothing
    if several and len(numbered) == len(found) and len({match[1] for match, _ in found}) == 1:
        return [numbered[number] for number in sorted(numbered)]
    return []
