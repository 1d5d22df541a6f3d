"""The process for a student's code. It can read the system and the Python environment, but it cannot do any harm.

One function, :func:`start`, handles all cases: bubblewrap, a command of your own that starts a container, or no sandbox
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
    """Limits of a submission.

    Time limits are in seconds of CPU time, so a right answer gets its points even on a busy machine. The two limits on
    the wall clock only stop code that would wait forever; no points depend on them.

    Args:
        cell: CPU time for a cell of the notebook, in seconds.
        load: CPU time for all cells, including processes that they start.
        call: CPU time for one call of a function, including processes that it starts.
        total: CPU time for the entire submission.
        start: Wall-clock time for the process to start, before any student code runs.
        wall: Wall-clock time for the submission; after this time, the submission is not graded, and the next run tries
            again.
        memory: Memory of all its processes together, in bytes.
        processes: Number of processes and threads.
        disk: Size of all files, which are kept in memory, in bytes.
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
        """Limits of CPU time. The worker also sets them for itself, in case the grader cannot see its process."""
        return {"cell": self.cell, "load": self.load, "call": self.call, "total": self.total}


def start(sandbox: str, limits: Limits, errors: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start the worker.

    Args:
        sandbox: ``bwrap`` for bubblewrap, ``unsafe`` for no sandbox, or the beginning of a command that runs the rest
            of its arguments in a container; ``{box}`` in it is replaced by the folder to mount as ``/box``.
        limits: Limits of the worker.
        errors: Destination of the worker's standard error; for submissions, this output is discarded.

    Raises:
        SandboxError: If the command cannot be run.
    """
    try:
        begin = shlex.split(sandbox)
    except ValueError as error:
        raise SandboxError(f"the command {sandbox!r} is malformed: {error}.\n{_ADVICE}") from None
    passed: tuple[int, ...] = ()
    with contextlib.ExitStack() as stack:
        if sandbox == "bwrap":
            box = bubblewrap(_FILES, limits.memory, limits.processes, limits.disk)
            begin, passed = stack.enter_context(box)
            command = [
                *begin,
                sys.executable,
                "-I",
                f"{BOX}/worker.py",
            ]  # the worker limits its CPU time after importing torch
        elif sandbox == "unsafe":
            command = [sys.executable, "-I", f"{_box()}/worker.py"]
        else:  # only the client of the container can be killed here, so the container must end by itself
            begin = [part.replace("{box}", _box()) for part in begin]
            command = [*begin, "timeout", "-s", "KILL", f"{limits.wall:.0f}", "python3", "-I", f"{BOX}/worker.py"]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath)
        }  # nothing else, because /proc shows the environment to the student
        environment["OMP_NUM_THREADS"] = "1"
        options: dict[str, Any] = {"stderr": errors, "cwd": "/", "env": environment, "start_new_session": True}
        try:
            if sandbox == "bwrap":
                return _with_own_pipes(command, passed, options)
            return subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        except OSError as error:
            raise SandboxError(f"cannot run {command[0]!r}: {error.strerror}.\n{_ADVICE}") from None


def _with_own_pipes(command: list[str], passed: tuple[int, ...], options: Any) -> subprocess.Popen[bytes]:
    """Start bubblewrap so that only the worker has its ends of the pipes; if it closes them, the grader notices.

    The processes of bubblewrap itself keep only standard input and output open.
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
    """Run an empty notebook, to find out why no worker starts.

    Raises:
        SandboxError: If this worker does not start either; the text says why, and what to do.
    """
    process = start(sandbox, limits, subprocess.PIPE)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        wire.send(process.stdin.fileno(), _NOTHING | {"limits": limits.cpu})
    try:
        out, errors = process.communicate(timeout=limits.start)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, errors = process.communicate()[0], b"the process took too long to start"
    if process.returncode or b'"ready"' not in out:
        lines = (errors or out).decode(errors="replace").strip().splitlines() or ["the process ended without output"]
        refused = f"{_REFUSED}\n" if lines[-1].startswith("bwrap: ") else ""
        says = "\n".join(lines[-5:])[-500:]
        raise SandboxError(f"nothing runs in the sandbox ({sandbox}):\n{says}\n{refused}{_ADVICE}")


_ADVICE = """Use one of these to grade:
  apt-get install bubblewrap  on Linux (the package has the same name in dnf, pacman and zypper);
  --sandbox "docker run ..."  a container: the book's page for instructors has the complete command;
  --unsafe                    only for code that you trust: it runs with your rights, and every report says so."""
_REFUSED = """Docker and Kubernetes do not allow bubblewrap in their containers by default: grade outside of them.
Ubuntu 24.04 needs a profile for bubblewrap in /etc/apparmor.d/bwrap, and then `systemctl reload apparmor`:
  abi <abi/4.0>,
  include <tunables/global>
  profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }"""


@functools.cache
def _box() -> str:
    """Return a folder with only the worker's files, which everybody can read."""
    folder = tempfile.mkdtemp(prefix="rsl_edu_box_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Path(folder).chmod(0o755)
    for name, source in _FILES.items():
        shutil.copyfile(source, Path(folder) / name)
    return folder
