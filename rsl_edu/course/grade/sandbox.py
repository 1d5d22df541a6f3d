"""Where a student's code runs: a process that sees the system and the Python environment, and can harm nothing.

One function, :func:`start`, for all ways: bubblewrap, a command of your own that starts a container, or no sandbox,
with ``--unsafe``.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsl_edu.sandbox import BOX, SandboxError, bubblewrap

from . import wire

__all__ = ["Limits", "SandboxError", "probe", "start"]

_HERE = Path(__file__).resolve().parent
_CHECK = _HERE.parent / "check"
_INSIDE = (*sorted((_HERE / "inside").glob("*.py")), _HERE / "wire.py", _CHECK / "failure.py", _CHECK / "limit.py")
_FILES = {path.name: path for path in _INSIDE}


_NOTHING: dict[str, object] = {"cells": [], "answers": [], "forbidden": [], "modes": {}}


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
    passed: tuple[int, ...] = ()
    with contextlib.ExitStack() as stack:
        if sandbox == "bwrap":
            box = bubblewrap(_FILES, limits.memory, limits.processes, limits.disk)
            begin, passed = stack.enter_context(box)
            command = [*begin, sys.executable, "-I", f"{BOX}/worker.py"]  # it limits its CPU time, with torch imported
        elif sandbox == "unsafe":
            command = [sys.executable, "-I", f"{_box()}/worker.py"]
        else:  # what is killed here is only the client of the container: the container must end by itself
            begin = [part.replace("{box}", _box()) for part in begin]
            command = [*begin, "timeout", "-s", "KILL", f"{limits.wall:.0f}", "python3", "-I", f"{BOX}/worker.py"]
        environment = {"PATH": os.environ.get("PATH", os.defpath)}  # all of it: /proc shows it to the student
        environment["OMP_NUM_THREADS"] = "1"
        options: dict[str, Any] = {"stderr": errors, "cwd": "/", "env": environment, "start_new_session": True}
        try:
            if sandbox == "bwrap":
                return _with_own_pipes(command, passed, options)
            return subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        except OSError as error:
            raise SandboxError(f"cannot run {command[0]!r}: {error.strerror}.\n{_ADVICE}") from None


def _with_own_pipes(command: list[str], passed: tuple[int, ...], options: Any) -> subprocess.Popen[bytes]:
    """Start bubblewrap so that only the worker has its ends of the pipes: when it closes them, the grader sees it.

    The processes of bubblewrap itself keep standard input and output open, and no other files.
    """
    given, to = os.pipe()
    got, out = os.pipe()
    try:
        process = subprocess.Popen(
            [*command, f"{given}", f"{out}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(*passed, given, out),
            **options,
        )
    except OSError:
        os.close(to)
        os.close(got)
        raise
    finally:
        os.close(given)
        os.close(out)
    process.stdin, process.stdout = os.fdopen(to, "wb", 0), os.fdopen(got, "rb", 0)
    return process


def probe(sandbox: str, limits: Limits) -> None:
    """Run an empty notebook, to learn why no worker starts.

    Raises:
        SandboxError: If this one does not start either; the text says why, and what to do.
    """
    process = start(sandbox, limits, subprocess.PIPE)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        wire.send(process.stdin.fileno(), _NOTHING | {"limits": limits.cpu})
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
