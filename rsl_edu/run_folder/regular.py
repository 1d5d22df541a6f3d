"""Checks that a path is a regular file before it is opened: a pipe could block forever, and a device never ends."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

_OTHERS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular(path: Path) -> Path:
    """Return the path if it may be opened; for a folder, opening raises the system's own error.

    Raises:
        OSError: The path is a pipe, a socket or a device, or a link to one of these; or it does not exist.
    """
    what = _OTHERS.get(stat.S_IFMT(path.stat().st_mode))
    if what is not None:
        raise OSError(errno.EINVAL, f"{what}, not a file", str(path))
    return path
