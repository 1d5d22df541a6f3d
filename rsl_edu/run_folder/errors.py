"""The error for files that are not checkpoints."""

from __future__ import annotations

import re

from rsl_edu.printable import printable


class CheckpointError(ValueError):
    """The file is not an rsl_rl checkpoint, or no policy can be rebuilt from this file; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message[:1000]))  # it quotes untrusted files


def reason(error: Exception) -> str:
    """Return in one line what ``torch.load`` or another reader found wrong."""
    found = re.search(r"WeightsUnpickler error:\s*(.+)", str(error))  # torch's advice comes before it
    return found[1] if found else f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:120]
