"""The command that starts a process in bubblewrap."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path

BOX = "/box"
"""The folder of the files that the process is given, as it sees them."""
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
"""What it sees of the system, next to the Python environment."""

_LIBRARY = Path(__file__).resolve().parents[1]
_NOBODY = 65534
_MAPPED = 16 << 30  # addresses that a CUDA build of torch takes, hardly any of them for memory


class SandboxError(RuntimeError):
    """There is no sandbox; the text says why.

    Args:
        says: Why.
        refused: Whether bubblewrap is installed and does not start here.
    """

    def __init__(self, says: str, refused: bool = False) -> None:
        super().__init__(says)
        self.refused = refused


def bubblewrap(files: Mapping[str, Path], memory: int, processes: int, disk: int) -> list[str]:
    """Return the beginning of a command; what follows it runs in the sandbox.

    The process is nobody, in ``/tmp``, without network, and reads the system, the Python environment without rsl_edu,
    and ``files``. It can write only into ``/tmp``, which is memory.

    Args:
        files: What it can read in :data:`BOX`, by name.
        memory: Bytes of memory for each process; whoever starts them limits all of them together.
        processes: Processes and threads.
        disk: Bytes of files.
    """
    places = _places(files)
    alone = ["--unshare-user", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    command: list[str] = []
    proc = ["--unshare-pid", "--proc", "/proc"]
    if os.geteuid() == 0:
        # No limit on processes holds for root, whatever it calls itself: first become somebody, one for each worker.
        somebody = str(random.randrange(200_000, 1_000_000))
        command += ["bwrap", "--unshare-pid", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
        command += ["--tmpfs", "/tmp", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += [*_view(places), "setpriv", f"--reuid={somebody}", f"--regid={somebody}", "--clear-groups"]
        proc, places = ["--ro-bind", "/proc", "/proc"], {place: place for place in places}  # seen from within
    command += ["bwrap", *alone, *proc, "--uid", str(_NOBODY), "--gid", str(_NOBODY), "--hostname", "sandbox"]
    command += ["--cap-drop", "ALL", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--dev", "/dev", "--size", str(disk), "--tmpfs", "/tmp", *_view(places)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in {"HOME": "/tmp", "PATH": os.defpath, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}.items():
        command += ["--setenv", name, value]
    command += ["prlimit", f"--as={memory + _MAPPED}", f"--nproc={processes}", f"--fsize={disk}"]
    command += ["--nofile=256", "--core=0"]  # CPU time is limited once torch is imported
    return command


def _places(files: Mapping[str, Path]) -> dict[Path, Path]:
    """What is seen, read-only: the system, the Python environment, and the files; where, and what is there."""
    seen = {Path(part): Path(part) for part in (*SYSTEM, sys.base_prefix, sys.prefix)}
    return seen | {Path(BOX) / name: source for name, source in files.items()}


def _view(places: Mapping[Path, Path]) -> list[str]:
    """Options of bubblewrap that show what is seen, without rsl_edu if that is installed in the environment."""
    folders = sorted({parent for place in places for parent in place.parents if parent != Path("/")})
    options = [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]
    for place, source in places.items():
        options += ["--ro-bind-try", str(source), str(place)]
    if any(_LIBRARY.is_relative_to(place) for place in places):
        options += ["--tmpfs", str(_LIBRARY)]
    return options
