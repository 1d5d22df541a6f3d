"""Where a student's code runs: a process that sees the system and the Python environment, and can harm nothing.

One function, :func:`start`, for all ways: bubblewrap, a command of your own that starts a container, or no sandbox,
with ``--unsafe``.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import wire

BOX = "/box"
"""The folder of the worker's files, as the worker sees it."""

_HERE = Path(__file__).resolve().parent
_FILES = {path.name: path for path in (_HERE / "worker.py", _HERE / "wire.py", _HERE.parent / "check" / "failure.py")}
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
_NOBODY = 65534
_MAPPED = 16 << 30  # addresses that a CUDA build of torch takes, hardly any of them for memory


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Its limits of time are seconds of CPU time, so a right answer gets its points on a busy machine too. The two limits
    on the wall clock only end what would wait for ever: no points depend on them.

    Args:
        cell: Seconds of CPU time for a cell of the notebook.
        load: Seconds of CPU time for all its cells, and all processes that they start.
        call: Seconds of CPU time for one call of a function, and all processes that it starts.
        total: Seconds of CPU time for the submission.
        start: Seconds on the wall clock until the process is there; no code of the student's has run yet.
        wall: Seconds on the wall clock for the submission: after these it is not graded, and tried again next time.
        memory: Bytes of memory of all its processes together.
        processes: Processes and threads.
        disk: Bytes of files; they are kept in memory.
    """

    cell: float = 10
    load: float = 40
    call: float = 5
    total: float = 120
    start: float = 300
    wall: float = 1200
    memory: int = 2 << 30
    processes: int = 32
    disk: int = 64 << 20

    @property
    def cpu(self) -> dict[str, float]:
        """The limits of CPU time. The worker sets them for itself too, for where the grader cannot see it."""
        return {"cell": self.cell, "load": self.load, "call": self.call, "total": self.total}


class SandboxError(RuntimeError):
    """There is no sandbox; the text says what to do."""


def start(sandbox: str, limits: Limits, errors: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start the worker.

    Args:
        sandbox: ``bwrap`` for bubblewrap, ``unsafe`` for no sandbox, or else the beginning of a command that runs what
            follows it in a container; ``{box}`` in it is the folder that the container must show as ``/box``.
        limits: What the worker may use.
        errors: Where its standard error goes; a student's goes nowhere.

    Raises:
        SandboxError: If the command cannot be run.
    """
    try:
        begin = shlex.split(sandbox)
    except ValueError as error:
        raise SandboxError(f"the command {sandbox!r} cannot be read: {error}.\n{_ADVICE}") from None
    if sandbox == "bwrap":
        command = [*_bubblewrap(limits), sys.executable, "-I", f"{BOX}/worker.py"]
    elif sandbox == "unsafe":
        command = [sys.executable, "-I", f"{_box()}/worker.py"]
    else:  # what is killed here is only the client of the container: the container must end by itself
        begin = [part.replace("{box}", _box()) for part in begin]
        command = [*begin, "timeout", "-s", "KILL", f"{limits.wall:.0f}", "python3", "-I", f"{BOX}/worker.py"]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}  # all of it: /proc shows it to the student
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            cwd="/",
            env=environment | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"cannot run {command[0]!r}: {error.strerror}.\n{_ADVICE}") from None


def probe(sandbox: str, limits: Limits) -> None:
    """Run an empty notebook, to learn why no worker starts.

    Raises:
        SandboxError: If this one does not start either; the text says why, and what to do.
    """
    process = start(sandbox, limits, subprocess.PIPE)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        wire.send(process.stdin.fileno(), {"cells": [], "forbidden": [], "skipped": [], "limits": limits.cpu})
    try:
        out, errors = process.communicate(timeout=limits.start)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, errors = process.communicate()[0], b"it took too long to start"
    if process.returncode or b'"ready"' not in out:
        lines = (errors or out).decode(errors="replace").strip().splitlines() or ["it ended without a word"]
        refused = f"{_REFUSED}\n" if lines[-1].startswith("bwrap: ") else ""
        says = "\n".join(lines[-5:])[-500:]
        raise SandboxError(f"nothing runs in the sandbox ({sandbox}):\n{says}\n{refused}{_ADVICE}")


_ADVICE = """To grade, one of these:
  apt-get install bubblewrap  on Linux (dnf, pacman and zypper call it the same);
  --sandbox "docker run ..."  a container: the book's page for instructors has the whole command;
  --unsafe                    only for code that you trust: it runs as you, and every report says so."""
_REFUSED = """Docker and Kubernetes refuse it by default in their containers: grade outside of them.
Ubuntu 24.04 wants a profile for it, /etc/apparmor.d/bwrap, then `systemctl reload apparmor`:
  abi <abi/4.0>,
  include <tunables/global>
  profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }"""


@functools.cache
def _box() -> str:
    """A folder with the worker's files and no others, which everybody can read."""
    folder = tempfile.mkdtemp(prefix="rsl_edu_box_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Path(folder).chmod(0o755)
    for name, source in _FILES.items():
        shutil.copyfile(source, Path(folder) / name)
    return folder


def _bubblewrap(limits: Limits) -> list[str]:
    places = _places()
    alone = ["--unshare-user", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    command: list[str] = []
    proc = ["--unshare-pid", "--proc", "/proc"]
    if os.geteuid() == 0:
        # No limit on processes holds for root, whatever it calls itself: first become somebody, one for each worker.
        somebody = str(random.randrange(200_000, 1_000_000))
        command += [
            "bwrap",
            "--unshare-pid",
            "--die-with-parent",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
        ]
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", *_view(_places())]
        command += ["setpriv", f"--reuid={somebody}", f"--regid={somebody}", "--clear-groups"]
        proc, places = ["--ro-bind", "/proc", "/proc"], {place: place for place in places}  # seen from within
    command += ["bwrap", *alone, *proc, "--uid", str(_NOBODY), "--gid", str(_NOBODY), "--hostname", "sandbox"]
    command += ["--cap-drop", "ALL", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--dev", "/dev", "--size", str(limits.disk), "--tmpfs", "/tmp", *_view(places)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in {"HOME": "/tmp", "PATH": os.defpath, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}.items():
        command += ["--setenv", name, value]
    command += ["prlimit", f"--as={limits.memory + _MAPPED}", f"--nproc={limits.processes}", f"--fsize={limits.disk}"]
    command += ["--nofile=256", "--core=0"]  # the worker limits its CPU time itself, once torch is imported
    return command


def _places() -> dict[Path, Path]:
    """What is seen, read-only: the system, the Python environment, and the worker; where, and what is there."""
    seen = {Path(part): Path(part) for part in (*_SYSTEM, sys.base_prefix, sys.prefix)}
    return seen | {Path(BOX) / name: source for name, source in _FILES.items()}


def _view(places: dict[Path, Path]) -> list[str]:
    """Options of bubblewrap that show what is seen, without rsl_edu if that is installed in the environment."""
    folders = sorted({parent for place in places for parent in place.parents if parent != Path("/")})
    options = [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]
    for place, source in places.items():
        options += ["--ro-bind-try", str(source), str(place)]
    library = _HERE.parents[1]
    if any(library.is_relative_to(place) for place in places):
        options += ["--tmpfs", str(library)]
    return options
