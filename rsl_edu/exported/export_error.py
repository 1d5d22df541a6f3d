"""What is said of a file that is no export."""

from __future__ import annotations

from rsl_edu.printable import printable


class ExportError(ValueError):
    """A file that is no exported policy, is damaged or cannot be run; the message names it and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message[:1000]))  # it quotes what anyone wrote
