"""Folders that the package may write to: its cache, and replacements for a home folder that is missing or read-only."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path


def caches(write: bool = False) -> Iterator[Path]:
    """Yield the folders for the cache, in the order in which to try them. They need not exist.

    These are the folder in ``RSL_EDU_CACHE``, the user's cache folder, and a folder in :func:`private`. Read from the
    first folder that has what you need, and write to the first folder that you can write to.

    Args:
        write: Whether the folders are for writing; if so, the last one is created.
    """
    import platformdirs

    if named := os.environ.get("RSL_EDU_CACHE"):
        yield Path(named)
    with contextlib.suppress(RuntimeError, OSError):  # there is no home folder
        user = Path(platformdirs.user_cache_dir("rsl_edu"))
        if user.is_absolute():  # without a home, platformdirs 4.0 returns ~/.cache, which would make a folder named ~
            yield user
    own = private(make=write)
    if own is not None:
        yield own / "cache"


def private(make: bool = True) -> Path | None:
    """Return this user's own folder below the system's temporary folder, or None.

    Everyone may write to the temporary folder, so another user may have made a folder of this name first, to read or
    to change our files. We only use a folder that belongs to this user and that nobody else can enter.

    Args:
        make: Whether to make the folder if it is missing.
    """
    import tempfile

    user = os.getuid() if os.name == "posix" else 0  # on Windows, each user has a temporary folder
    try:
        folder = Path(tempfile.gettempdir(), f"rsl_edu-{user}")
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()  # not stat, because a link may point anywhere
    except OSError:
        return None
    closed = os.name != "posix" or not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == user and closed else None


def ensure_matplotlib_folder() -> None:
    """Set a folder for Matplotlib's settings and font list if Matplotlib cannot write to its own.

    Without such a folder, Matplotlib warns on stderr and searches for the system's fonts in every process. This
    function must run before Matplotlib is imported, so ``import rsl_edu`` calls it. The function does nothing if
    Matplotlib can write to its folders.
    """
    if os.environ.get("MPLCONFIGDIR"):
        return
    with contextlib.suppress(RuntimeError):  # there is no home folder
        if sys.platform.startswith(("linux", "freebsd")):
            config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
            cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
            folders = [config / "matplotlib", cache / "matplotlib"]
        else:
            folders = [Path.home() / ".matplotlib"]
        if all(_writable(folder, folder.parent, folder.parent.parent) for folder in folders):
            return
    _point("MPLCONFIGDIR", "matplotlib")


def ensure_home() -> None:
    """Set a writable home folder for this process and its children, if their own is not writable.

    Jupyter and IPython keep files there; otherwise they warn, or do not start.
    """
    with contextlib.suppress(RuntimeError):
        if os.name != "posix" or _writable(Path.home()):
            return
    _point("HOME", "home")


def _writable(*folders: Path) -> bool:
    """Return whether the first of these folders that exists is writable; False if none exists."""
    for folder in folders:
        if os.access(folder, os.F_OK):  # also False inside a folder that we may not enter, where Path.exists() raises
            return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return False


def _point(variable: str, name: str) -> None:
    """Set an environment variable to a folder below :func:`private`."""
    own = private()
    if own is None:
        return
    with contextlib.suppress(OSError):
        (own / name).mkdir(mode=0o700, exist_ok=True)
        os.environ[variable] = str(own / name)
