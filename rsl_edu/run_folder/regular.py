"""Opens files only: a pipe would make a reader wait for ever, and a device never ends."""

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
    """Return a path that may be opened; also that of a folder, of which the system says what it is.

    Raises:
        OSError: It is a pipe, a socket or a device, also through links; or it does not exist.
    """
    what = _OTHERS.get(stat.S_IFMT(path.stat().st_mode))
    if what is not None:
        raise OSError(errno.EINVAL, f"{what}, not a file", str(path))
    return path
