"""The command that starts a process in bubblewrap."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import syscalls, view

BOX = "/box"
"""The folder of the files that the process is given, as it sees them."""

_NOBODY = 65534
_MAPPED = 16 << 30  # addresses that a CUDA build of torch takes, hardly any of them for memory
_FILES = 128  # open at a time, in each process: what waits in sockets is memory too
_ENVIRONMENT = {
    "HOME": "/tmp",
    "PATH": os.defpath,
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "TORCHDYNAMO_DISABLE": "1",  # a function with torch.compile runs as it is: there is no compiler
}


@contextlib.contextmanager
def bubblewrap(
    files: Mapping[str, Path], memory: int, processes: int, disk: int
) -> Iterator[tuple[list[str], tuple[int]]]:
    """Make the beginning of a command; what follows it runs in the sandbox.

    The process is nobody, in ``/tmp``, without network, and reads the system, the libraries of the Python environment
    without those that hold answers, and ``files``. It can write only into ``/tmp``, which is memory. What it may ask
    of the kernel is filtered: see :mod:`.syscalls`.

    Args:
        files: What it can read in :data:`BOX`, by name.
        memory: Bytes of memory for each process; whoever starts them limits all of them together.
        processes: Processes and threads.
        disk: Bytes of files.

    Yields:
        The beginning of the command, and what :class:`subprocess.Popen` needs for one start as its ``pass_fds``.

    Raises:
        SandboxError: There is no libseccomp.
    """
    places = {**view.environment(), **{Path(BOX) / name: source for name, source in files.items()}}
    begin, shown = [], view.options(places)
    private = ["--ro-bind", "/dev/null", "/proc/keys"] if Path("/proc/keys").exists() else []  # names of a login's keys
    alone = ["--unshare-user", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    command: list[str] = []
    if os.geteuid() == 0:
        # No limit on processes holds for root, whatever it calls itself: first become somebody, one for each worker.
        somebody = str(random.randrange(200_000, 1_000_000))
        command += ["bwrap", "--unshare-pid", "--die-with-parent", "--proc", "/proc", *private, "--dev", "/dev"]
        command += ["--tmpfs", "/tmp", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += [*shown, "setpriv", f"--reuid={somebody}", f"--regid={somebody}", "--clear-groups"]
        inside = {place: place for place, source in places.items() if source and place.is_relative_to("/tmp")}
        begin, shown = ["--ro-bind", "/", "/"], view.options(inside)  # as seen from within
    else:
        alone += ["--unshare-pid", "--proc", "/proc", *private]
    with syscalls.open_filter() as rules:
        command += ["bwrap", *begin, *alone, "--uid", str(_NOBODY), "--gid", str(_NOBODY), "--hostname", "sandbox"]
        command += ["--cap-drop", "ALL", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
        command += ["--dev", "/dev", "--ro-bind", "/dev/null", "/dev/zero"]  # mapped, it is memory that is shared
        command += ["--size", str(disk), "--tmpfs", "/tmp", *shown]
        command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--seccomp", str(rules)]
        for name, value in _ENVIRONMENT.items():
            command += ["--setenv", name, value]
        command += ["prlimit", f"--as={memory + _MAPPED}", f"--nproc={processes}", f"--fsize={disk}"]
        command += [f"--nofile={_FILES}", "--core=0"]  # CPU time is limited once torch is imported
        yield command, (rules,)
