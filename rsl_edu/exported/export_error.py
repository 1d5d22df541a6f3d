"""The error for files that are not exported policies."""

from __future__ import annotations

from rsl_edu.printable import printable


class ExportError(ValueError):
    """The file is not an exported policy, is damaged or cannot be run; the message names it, and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message[:1000]))  # it quotes untrusted files
