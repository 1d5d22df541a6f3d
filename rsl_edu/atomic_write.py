"""Write files so that an error or an interrupt leaves either the complete old file or the complete new one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder.

    This file replaces ``path`` at the end. After an error, it is removed.

    Args:
        path: The file to write. An existing file keeps its permissions.

    Raises:
        OSError: If the folder is not writable.
    """
    path = path.resolve()  # so that a link is not replaced
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
