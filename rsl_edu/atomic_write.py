"""Files that are there whole, old or new, even if an error or an interrupt ends the writing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it replaces ``path`` at the end, and after an error it is removed.

    Args:
        path: The file to write; one that exists keeps its permissions.

    Raises:
        OSError: The folder cannot be written.
    """
    path = path.resolve()  # a link stays one
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
