"""What is raised where there is no sandbox."""

from __future__ import annotations


class SandboxError(RuntimeError):
    """There is no sandbox; the text says why.

    Args:
        says: Why.
        refused: Whether bubblewrap is installed and does not start here.
    """

    def __init__(self, says: str, refused: bool = False) -> None:
        super().__init__(says)
        self.refused = refused
