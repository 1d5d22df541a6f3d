"""A student's notebook that runs elsewhere: its functions and classes can be called as if they were here."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from rsl_edu.course.check.failure import Failure

from . import sandbox, wire

_PAGE = os.sysconf("SC_PAGE_SIZE")


class StoppedError(BaseException):
    """The student's process was stopped, or has ended.

    Not an ``Exception``: no check may take it for an error of the answer.

    Attributes:
        cell: Place of the cell that ran, if it was stopped before all had run.
    """

    def __init__(self, why: str, cell: int | None = None) -> None:
        super().__init__(why)
        self.cell = cell


class Student:
    """A process that has run a notebook and answers calls.

    Args:
        cells: The code of the notebook.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: What it may use.
        forbidden: Full names of torch's functions and classes that are not to be had.
        skipped: Places of cells not to run.
        until: Time of the monotonic clock when it ends at the latest.

    Attributes:
        failed: What the cells that failed have raised, by their places.

    Raises:
        StoppedError: If it ends, or takes too long, before all cells have run.
        SandboxError: If nothing can run in the sandbox.
        RuntimeError: If it did not start, though it can.
    """

    def __init__(
        self,
        cells: Sequence[str],
        box: str,
        limits: sandbox.Limits,
        forbidden: Iterable[str] = (),
        skipped: Iterable[int] = (),
        until: float = float("inf"),
    ) -> None:
        self._limits, self._until, self._number, self._looked = limits, until, 0, 0.0
        self._left = torch.empty(0)
        self._process = sandbox.start(box, limits)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        task = {"cells": [*cells], "forbidden": [*forbidden], "skipped": [*skipped], "seconds": limits.cell}
        cell: int | None = None
        try:
            wait = self._patience(limits.start, "took too long to start")
            self._send(task, wait)
            while "ready" not in (news := self._receive(dict, wait)):
                if cell is None:
                    wait = self._patience(limits.load, f"took longer than {limits.load} s for all cells")
                cell = self._typed(news.get("cell"), int)
            failed = self._typed(news["ready"], dict)
        except StoppedError as stopped:
            if cell is None and time.monotonic() < until:  # no code of the student's has run
                sandbox.probe(box, limits)
                raise RuntimeError(f"the sandbox {stopped}") from None
            raise StoppedError(str(stopped), cell) from None
        self.failed = {int(place): words(text) for place, text in failed.items() if str(place).isdecimal()}

    def close(self) -> None:
        """End the process, and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:  # waits, and closes the pipes
            pass

    def names(self, wanted: Iterable[str]) -> dict[str, Any]:
        """Get functions and classes that the notebook defines, by their names; what it lacks is left out."""
        wanted = [*wanted]
        found = self._typed(self._ask("names", None, wanted), dict)
        return {name: self._stand_in(name, bool(found[name])) for name in wanted if name in found}

    def _stand_in(self, name: str, is_class: bool) -> Any:
        if is_class:
            return _RemoteClass(name, (_Remote,), {"_make": lambda *a, **k: self._ask("call", None, name, a, k)})

        def call(*arguments: Any, **options: Any) -> Any:
            return self._ask("call", None, name, arguments, options)

        call.__name__ = name
        return call

    def _ask(
        self,
        kind: str,
        target: int | None,
        name: Any,
        arguments: Sequence[Any] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        self._number += 1
        question = {"number": self._number, "kind": kind, "target": target, "name": name}
        given = [*arguments, *(options or {}).values()]
        question["random"] = self._random_state()
        wait = self._patience(self._limits.call, f"took longer than {self._limits.call} s for one call")
        self._send({**question, "arguments": [*arguments], "options": options or {}}, wait)
        reply = self._receive(dict, wait)
        if reply.get("number") != self._number:
            self._stop("sent a reply to another question")
        if "error" in reply:
            raise self._failure(self._typed(reply["error"], dict))
        for change in self._typed(reply.get("changed", []), list):
            place, value = self._typed(change, tuple)
            _overwrite(given[self._typed(place, int) % max(len(given), 1)], value)
        return reply.get("value")

    def _random_state(self) -> torch.Tensor | None:
        """State of torch's generator for the other process, if a check has seeded it since the last call.

        So the random numbers there are those that the same code would draw here.
        """
        state = torch.get_rng_state()
        seeded = not torch.equal(state, self._left)
        torch.rand(())  # a mark: should a check seed it in the same way again, it shows
        self._left = torch.get_rng_state()
        return state if seeded else None

    def _failure(self, account: dict[str, Any]) -> Failure:
        kind = account.get("kind") if account.get("kind") in ("not-answered", "library-answer") else "exception"
        says, line, function = (words(account.get(part, "")) for part in ("says", "line", "function"))
        number = account.get("number")
        return Failure(str(kind), says, line, number if isinstance(number, int) else 0, function)

    # The process

    def _patience(self, seconds: float, late: str) -> Callable[[], None]:
        """Return what ends the process when it takes too long, or too much memory."""
        end = min(time.monotonic() + seconds, self._until)

        def wait() -> None:
            now = time.monotonic()
            if now > end:
                self._stop("took too much time in total" if end == self._until else late)
            if now > self._looked + 0.1:
                self._looked = now
                if _memory(self._process.pid) > self._limits.memory:
                    self._stop(f"took more than {self._limits.memory >> 20:,} MB of memory")

        return wait

    def _send(self, value: Any, wait: Callable[[], None]) -> None:
        try:
            wire.send(self._to, value, None, wait)
        except BrokenPipeError:
            self._stop("ended its process")

    def _receive(self, kind: type, wait: Callable[[], None]) -> Any:
        try:
            return self._typed(wire.receive(self._from, self._remote, wait), kind)
        except EOFError:
            self._stop("ended its process")
        except wire.MalformedError as error:
            self._stop(f"sent {error}")

    def _typed(self, value: Any, kind: type) -> Any:
        if type(value) is not kind:
            self._stop("sent a reply that no honest code sends")
        return value

    def _remote(self, reference: Any) -> Any:
        place, name, can_be_called = reference
        kind = _Callable if can_be_called is True else _Remote
        made: Any = object.__new__(type(re.sub(r"\W", "", str(name))[:40] or "object", (kind,), {}))
        made._ask_ = lambda what, *question: self._ask(what, int(place), *question)
        return made

    def _stop(self, why: str) -> None:
        self.close()
        raise StoppedError(why)


class _Remote:
    """Stands for an object of the student's process."""

    _ask_: Callable[..., Any]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask_("get", name)


class _Callable(_Remote):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._ask_("call", "", arguments, options)


class _RemoteClass(type):
    """A class of the student's process: it is a class here too, and makes objects there."""

    _make: Callable[..., Any]

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return cls.__dict__["_make"](*arguments, **options)


def words(text: Any) -> str:
    """A text of a student's process on one line, without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text)[:200])


def _overwrite(old: Any, new: Any) -> None:
    """Do to an argument what was done to its copy elsewhere."""
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        with contextlib.suppress(RuntimeError), torch.no_grad():
            old.set_(new.to(old.dtype))  # type: ignore[call-overload]
    elif isinstance(old, list) and isinstance(new, list):
        old[:] = new


def _memory(process: int) -> int:
    """Bytes of memory of a process and all that it has started; 0 where the system does not say."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
    return own + sum(_memory(int(child)) for child in children)
