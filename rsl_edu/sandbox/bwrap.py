"""Build the command that starts a process in bubblewrap."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import syscalls, view

BOX = "/box"
"""The folder in which the process sees the files that the caller gives to it."""

_NOBODY = 65534
_MAPPED = 16 << 30  # address space that a CUDA build of torch reserves, hardly any of it memory
_FILES = 128  # open files in each process; limited because data waiting in sockets uses memory
_ENVIRONMENT = {
    "HOME": "/tmp",
    "PATH": os.defpath,
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "TORCHDYNAMO_DISABLE": "1",  # there is no compiler, so functions with torch.compile run uncompiled
}


@contextlib.contextmanager
def bubblewrap(
    files: Mapping[str, Path], memory: int, processes: int, disk: int
) -> Iterator[tuple[list[str], tuple[int]]]:
    """Make the beginning of a command. A program that is appended to this command runs in the sandbox.

    The process runs as user nobody in ``/tmp``, without network. It can read the system, ``files``, and the libraries
    of the Python environment except those that contain answers. It can write only into ``/tmp``, which is in memory.
    Its system calls are filtered: see :mod:`.syscalls`.

    Args:
        files: Files that the process can read in :data:`BOX`, by name.
        memory: Bytes of memory for each process; the caller must limit all processes together.
        processes: Number of processes and threads.
        disk: Bytes of files.

    Yields:
        The beginning of the command, and the ``pass_fds`` that :class:`subprocess.Popen` needs to start it once.

    Raises:
        SandboxError: If there is no libseccomp.
    """
    places = {**view.environment(), **{Path(BOX) / name: source for name, source in files.items()}}
    begin, shown = [], view.options(places)
    private = ["--ro-bind", "/dev/null", "/proc/keys"] if Path("/proc/keys").exists() else []  # hides the login's keys
    alone = ["--unshare-user", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    command: list[str] = []
    if os.geteuid() == 0:
        # Limits on processes do not apply to root, even under another name: first switch to a new user for each worker.
        somebody = str(random.randrange(200_000, 1_000_000))
        command += ["bwrap", "--unshare-pid", "--die-with-parent", "--proc", "/proc", *private, "--dev", "/dev"]
        command += ["--tmpfs", "/tmp", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += [*shown, "setpriv", f"--reuid={somebody}", f"--regid={somebody}", "--clear-groups"]
        inside = {place: place for place, source in places.items() if source and place.is_relative_to("/tmp")}
        begin, shown = ["--ro-bind", "/", "/"], view.options(inside)  # paths as seen from inside
    else:
        alone += ["--unshare-pid", "--proc", "/proc", *private]
    with syscalls.open_filter() as rules:
        command += ["bwrap", *begin, *alone, "--uid", str(_NOBODY), "--gid", str(_NOBODY), "--hostname", "sandbox"]
        command += ["--cap-drop", "ALL", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
        command += [
            "--dev",
            "/dev",
            "--ro-bind",
            "/dev/null",
            "/dev/zero",
        ]  # mapping /dev/zero would give shared memory
        command += ["--size", str(disk), "--tmpfs", "/tmp", *shown]
        command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--seccomp", str(rules)]
        for name, value in _ENVIRONMENT.items():
            command += ["--setenv", name, value]
        command += ["prlimit", f"--as={memory + _MAPPED}", f"--nproc={processes}", f"--fsize={disk}"]
        command += [f"--nofile={_FILES}", "--core=0"]  # CPU time is limited later, once torch is imported
        yield command, (rules,)
