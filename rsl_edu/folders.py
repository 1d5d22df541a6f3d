"""Where the package may write: its cache, and what stands in for a home folder that is missing or cannot be written."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path


def caches(write: bool = False) -> Iterator[Path]:
    """Yield the folders for the cache, in the order in which they are tried; none of them needs to exist.

    They are the folder that ``RSL_EDU_CACHE`` names, the user's cache folder, and one in :func:`private`. Read from the
    first that has what you look for, write to the first that lets you.

    Args:
        write: Whether it is for writing; then the last one is made.
    """
    import platformdirs

    if named := os.environ.get("RSL_EDU_CACHE"):
        yield Path(named)
    with contextlib.suppress(RuntimeError, OSError):  # there is no home folder
        user = Path(platformdirs.user_cache_dir("rsl_edu"))
        if user.is_absolute():  # platformdirs 4.0 returns ~/.cache then, which would become a folder named ~
            yield user
    own = private(make=write)
    if own is not None:
        yield own / "cache"


def private(make: bool = True) -> Path | None:
    """Return this user's own folder below the system's temporary folder; None if there is none.

    Everyone may write to the temporary folder, so another user may have made a folder of this name first, to read or
    to change what we store. We only take one that belongs to this user and that nobody else can enter.

    Args:
        make: Whether it is made if it is missing.
    """
    import tempfile

    user = os.getuid() if os.name == "posix" else 0  # elsewhere the temporary folder is the user's own
    try:
        folder = Path(tempfile.gettempdir(), f"rsl_edu-{user}")
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()  # not stat: a link may lead anywhere
    except OSError:
        return None
    closed = os.name != "posix" or not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == user and closed else None


def ensure_matplotlib_folder() -> None:
    """Name a folder for Matplotlib's settings and font list where it could not write to its own.

    Without one it warns on stderr, and looks for the system's fonts again in every process. Only works before
    Matplotlib is imported, so ``import rsl_edu`` calls it. Makes nothing where Matplotlib can write.
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
    """Give this process, and those that it starts, a home folder that can be written, if theirs cannot.

    Jupyter and IPython keep files there; without it they warn, or do not start.
    """
    with contextlib.suppress(RuntimeError):
        if os.name != "posix" or _writable(Path.home()):
            return
    _point("HOME", "home")


def _writable(*folders: Path) -> bool:
    """Tell whether the first of these folders that exists can be written; False if none exists."""
    for folder in folders:
        if os.access(folder, os.F_OK):  # False, too, below a folder that we may not enter; Path.exists() raises there
            return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return False


def _point(variable: str, name: str) -> None:
    """Let an environment variable name a folder below :func:`private`."""
    own = private()
    if own is None:
        return
    with contextlib.suppress(OSError):
        (own / name).mkdir(mode=0o700, exist_ok=True)
        os.environ[variable] = str(own / name)
