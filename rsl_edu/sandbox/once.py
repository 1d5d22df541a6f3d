"""Run a script once, which reads a request and writes an answer."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rsl_edu.printable import printable

from .bwrap import BOX, bubblewrap
from .error import SandboxError
from .usage import Tree

_LOOKS = 0.02  # seconds between two measurements of the process


@dataclass(frozen=True)
class Limits:
    """Limits for a script.

    Args:
        cpu: Seconds of CPU time, counted from the script's first byte of output, which signals that the script is
            ready.
        wall: Seconds on the wall clock, from start to end.
        memory: Bytes of memory for all processes of the script together.
        answer: Bytes that the script may write.
    """

    cpu: float = 60
    wall: float = 600
    memory: int = 4 << 30
    answer: int = 64 << 20


class StoppedError(RuntimeError):
    """The script was stopped or failed; the message says why."""


def run_once(script: Path, request: bytes, limits: Limits | None = None, sandboxed: bool = True) -> bytes:
    """Run a Python script that reads a request from its standard input and writes an answer to its standard output.

    Args:
        script: The script. It can import the packages of the environment, but nothing from rsl_edu.
        request: The script's input.
        limits: Limits for the script.
        sandboxed: Whether the script runs in bubblewrap. Otherwise it runs in a child process, restricted only by the
            limits.

    Returns:
        The script's output. If the script ran untrusted code, the output may contain anything.

    Raises:
        SandboxError: If there is no bubblewrap, or the system refuses it.
        StoppedError: If the script exceeded a limit, crashed or failed.
    """
    limits = limits or Limits()
    with contextlib.ExitStack() as stack:
        given, out, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        command = [sys.executable, "-I", str(script)]
        passed: tuple[int, ...] = ()
        if sandboxed:
            box = bubblewrap({script.name: script.resolve()}, limits.memory, 32, limits.answer)
            begin, passed = stack.enter_context(box)
            command = [*begin, sys.executable, "-I", f"{BOX}/{script.name}"]
        given.write(request)
        given.seek(0)
        try:
            process = subprocess.Popen(
                command,
                stdin=given,
                stdout=out,
                stderr=errors,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError as error:
            raise SandboxError(f"cannot run {command[0]}: {error.strerror}") from None
        try:
            _wait(process, out, limits)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        answer = _read(out, limits.answer)
        if process.returncode:
            said = _read(errors, 1 << 16).decode(errors="replace").strip().splitlines() or [""]
            if sandboxed and not answer and said[-1].startswith("bwrap: "):
                raise SandboxError(printable(said[-1][:200]), refused=True)
            raise StoppedError(_end(process.returncode, said[-1]))
    return answer


def _wait(process: subprocess.Popen[bytes], out: IO[bytes], limits: Limits) -> None:
    """Wait until the process has ended."""
    end = time.monotonic() + limits.wall
    begin: float | None = None
    tree = Tree(process.pid)
    while process.poll() is None:
        cpu, memory = tree.look(limits.memory)
        written = os.fstat(out.fileno()).st_size
        if begin is None and written:
            begin = cpu
        if begin is not None and cpu - begin > limits.cpu:
            raise StoppedError(f"it used more than {limits.cpu:g} s of CPU time")
        if memory > limits.memory:
            raise StoppedError(f"it used more than {limits.memory >> 20:,} MB of memory")
        if written > limits.answer:
            raise StoppedError(f"it wrote more than {limits.answer >> 20:,} MB")
        if time.monotonic() > end:
            raise StoppedError(f"it had not ended after {limits.wall:g} s")
        time.sleep(_LOOKS)


def _read(file: IO[bytes], most: int) -> bytes:
    file.seek(0)
    return file.read(most)


def _end(code: int, said: str) -> str:
    """Describe how a process ended; bubblewrap adds 128 to the number of a signal."""
    number = -code if code < 0 else code - 128
    try:
        return f"it crashed ({signal.Signals(number).name})"
    except ValueError:
        return f"it ended with status {code}{': ' if said else ''}{printable(said[:200])}"
