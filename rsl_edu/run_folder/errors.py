"""What is said of a file that is no checkpoint."""

from __future__ import annotations

import re

from rsl_edu.printable import printable


class CheckpointError(ValueError):
    """A file that is no checkpoint of rsl_rl, or one that no policy can be rebuilt from; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message[:1000]))  # it quotes what anyone wrote


def reason(error: Exception) -> str:
    """Return in a line what ``torch.load`` or another reader found wrong."""
    found = re.search(r"WeightsUnpickler error:\s*(.+)", str(error))  # torch's advice stands before it
    return found[1] if found else f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:120]
