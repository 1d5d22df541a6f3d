"""The error for a sandbox that is not available."""

from __future__ import annotations


class SandboxError(RuntimeError):
    """There is no sandbox; the message says why.

    Args:
        says: The reason.
        refused: Whether bubblewrap is installed but does not start here.
    """

    def __init__(self, says: str, refused: bool = False) -> None:
        super().__init__(says)
        self.refused = refused
