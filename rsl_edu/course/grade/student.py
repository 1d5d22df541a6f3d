"""A student's notebook that runs elsewhere: its functions and classes can be called as if they were here."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from rsl_edu.course.check.failure import Failure, PassThroughError
from rsl_edu.printable import printable

from . import sandbox, usage, wire

_LOOKS = 0.1  # seconds from one look at what the process uses to the next


class StoppedError(PassThroughError):
    """The student's process was stopped, or has ended: the fault is the student's.

    Not an ``Exception``: no check may take it for an error of the answer.

    Attributes:
        cell: Place of the cell that ran, if it was stopped before all had run.
    """

    def __init__(self, why: str, cell: int | None = None) -> None:
        super().__init__(why)
        self.cell = cell


class StalledError(PassThroughError):
    """The wall clock's limit was reached before any limit of CPU time: whose fault it is, nobody can tell.

    The code may wait for something that never happens; or the machine is busy, or the sandbox hangs.
    """


class Student:
    """A process that has run a notebook and answers calls.

    Args:
        cells: The code of the notebook.
        box: Which sandbox, as for :func:`.sandbox.start`.
        budget: What it may use.
        forbidden: Full names of torch's functions and classes that the exercise forbids.
        skipped: Places of cells not to run.

    Attributes:
        failed: What the cells that failed have raised, by their places.

    Raises:
        StoppedError: If it ends, or uses too much CPU time or memory, before all cells have run.
        StalledError: If the wall clock's limit was reached.
        SandboxError: If nothing can run in the sandbox.
        RuntimeError: If it did not start, though it can.
    """

    def __init__(
        self,
        cells: Sequence[str],
        box: str,
        budget: usage.Budget,
        forbidden: Iterable[str] = (),
        skipped: Iterable[int] = (),
    ) -> None:
        self._budget, self._limits, self._seen = budget, budget.limits, usage.known(box)
        self._number, self._looked = 0, float("-inf")
        self._used = 0.0  # seconds of CPU time
        self._before: float | None = None  # those that it took to start
        self._cell: int | None = None
        self._left = torch.empty(0)
        if budget.cpu > budget.limits.total:
            raise StoppedError(self._too_much_in_total)
        self._process = sandbox.start(box, self._limits)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        task = {"cells": [*cells], "forbidden": [*forbidden], "skipped": [*skipped], "limits": self._limits.cpu}
        try:
            failed = self._load(task)
        except StoppedError as stopped:
            if self._cell is None:  # no code of the student's has run
                sandbox.probe(box, self._limits)
                raise RuntimeError(f"the sandbox {stopped}") from None
            raise StoppedError(str(stopped), self._cell) from None
        self.failed = {int(place): short_line(text) for place, text in failed.items() if str(place).isdecimal()}

    def _load(self, task: dict[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + self._limits.start

        def wait() -> None:
            if time.monotonic() > end:
                self._stop("took too long to start")

        self._send(task, wait)
        while "ready" not in (news := self._receive(dict, wait)):
            if self._cell is None:
                wait = self._patience(self._limits.load, "all cells", lambda: f"code cell {(self._cell or 0) + 1}")
            self._cell = self._typed(news.get("cell"), int)
        failed: dict[str, Any] = self._typed(news["ready"], dict)
        return failed

    def close(self) -> None:
        """End the process, and all that it has started."""
        if self._process.returncode is not None:
            return
        self._look()
        self._budget.cpu += self._used
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
        state = torch.get_rng_state()
        question["random"] = self._random_state() if kind == "call" else None
        what = f"a call of {name}" if kind == "call" and name else "a call"
        wait = self._patience(self._limits.call, "one call", lambda: what)
        tracked: list[torch.Tensor] = []

        def track(tensor: torch.Tensor) -> str:
            tracked.append(tensor)
            return "parameter" if isinstance(tensor, torch.nn.Parameter) else "leaf" if tensor.is_leaf else "inner"

        def depends(result: torch.Tensor, place: Any) -> torch.Tensor:
            if type(place) is not int or not (result.is_floating_point() or result.is_complex()):
                raise wire.MalformedError("a result that can have no gradient")
            gradients = functools.partial(self._gradients, place, tracked)
            dependent: torch.Tensor = _Result.apply((result,), gradients, *tracked)  # type: ignore[no-untyped-call]
            return dependent

        self._send({**question, "arguments": [*arguments], "options": options or {}}, wait, track)
        reply = self._receive(dict, wait, depends if tracked else None)
        if reply.get("number") != self._number:
            self._stop("sent a reply to another question")
        if "error" in reply:
            raise self._failure(self._typed(reply["error"], dict))
        if kind == "call":
            self._set_random_state(reply.get("random"), state)
        for change in self._typed(reply.get("changed", []), list):
            place, value = self._typed(change, tuple)
            _overwrite(given[self._typed(place, int) % max(len(given), 1)], value)
        return reply.get("value")

    def _gradients(self, place: int, inputs: list[torch.Tensor], grad: torch.Tensor) -> list[torch.Tensor | None]:
        """Gradients with respect to arguments, from the one with respect to a result; the process computes them."""
        values = self._typed(self._ask("gradient", None, place, [grad.clone()]), list)  # it can be changed
        if len(values) != len(inputs):
            self._stop("sent a malformed gradient")
        for value, like in zip(values, inputs, strict=True):
            fits = isinstance(value, torch.Tensor) and (value.shape, value.dtype) == (like.shape, like.dtype)
            if value is not None and not fits:
                self._stop("sent a malformed gradient")
        return [*values]

    def _random_state(self) -> torch.Tensor | None:
        """State of torch's generator for the other process, if a check has seeded it since the last call.

        So the random numbers there are those that the same code would draw here.
        """
        state = torch.get_rng_state()
        seeded = not torch.equal(state, self._left)
        torch.rand(())  # a mark: should a check seed it in the same way again, it shows
        self._left = torch.get_rng_state()
        return state if seeded else None

    def _set_random_state(self, drawn: Any, before: torch.Tensor) -> None:
        """Go on with the random numbers as the other process does: from its state, if it has drawn any."""
        try:
            torch.set_rng_state(before if drawn is None else self._typed(drawn, torch.Tensor))
        except (RuntimeError, TypeError):
            self._stop("sent a malformed reply: the process was tampered with or broke")
        self._left = torch.get_rng_state()

    def _failure(self, account: dict[str, Any]) -> Failure:
        kinds = ("not-answered", "library-answer", "stopped")
        kind = account.get("kind") if account.get("kind") in kinds else "exception"
        says, line, function = (short_line(account.get(part, "")) for part in ("says", "line", "function"))
        number = account.get("number")
        return Failure(str(kind), says, line, number if isinstance(number, int) else 0, function)

    # The process

    def _patience(self, seconds: float, what: str, where: Callable[[], str]) -> Callable[[], None]:
        """Return what ends the process when it uses too much CPU time or memory, or waits for too long.

        Args:
            seconds: Of CPU time, from now on.
            what: What these are for.
            where: Says what the process is doing.
        """
        begin: float | None = None

        def wait() -> None:
            nonlocal begin
            now = time.monotonic()
            if now < self._looked + _LOOKS:
                return
            self._looked = now
            memory = self._look()
            begin = self._used if begin is None else begin
            if memory > self._limits.memory:
                self._stop(f"used more than {self._limits.memory >> 20:,} MB of memory")
            if self._used - begin > seconds:
                self._stop(f"used more than {seconds:g} s of CPU time for {what}")
            if self._budget.cpu + self._used > self._limits.total:
                self._stop(self._too_much_in_total)
            if now > self._budget.end:
                self.close()
                used = f"{self._budget.cpu:.1f} s" if self._seen else "an unknown amount"
                after = f"after {self._limits.wall:,g} s it was still in {where()}"
                raise StalledError(f"{after}, with {used} of CPU time used")

        return wait

    @property
    def _too_much_in_total(self) -> str:
        return f"used more than {self._limits.total:g} s of CPU time in total"

    def _look(self) -> int:
        """See how much CPU time the process has used since its first cell began; returns its memory in bytes."""
        cpu, memory = usage.of_tree(self._process.pid) if self._seen else (0.0, 0)
        self._before = cpu if self._before is None else self._before
        self._used = max(self._used, cpu - self._before)
        return memory

    def _send(self, value: Any, wait: Callable[[], None], track: Callable[[torch.Tensor], str] | None = None) -> None:
        try:
            wire.send(self._to, value, None, wait, track)
        except BrokenPipeError:
            self._ended(wait)

    def _receive(
        self,
        kind: type,
        wait: Callable[[], None],
        tracked: Callable[[torch.Tensor, Any], torch.Tensor] | None = None,
    ) -> Any:
        try:
            return self._typed(wire.receive(self._from, self._remote, wait, tracked=tracked), kind)
        except EOFError:
            self._ended(wait)
        except wire.MalformedError as error:
            self._stop(f"sent {error}")

    def _typed(self, value: Any, kind: type) -> Any:
        if type(value) is not kind:
            self._stop("sent a malformed reply: the process was tampered with or broke")
        return value

    def _remote(self, reference: Any) -> Any:
        place, name, can_be_called = reference
        kind = _Callable if can_be_called is True else _Remote
        made: Any = object.__new__(type(re.sub(r"\W", "", str(name))[:40] or "object", (kind,), {}))
        made._ask_ = lambda what, *question: self._ask(what, int(place), *question)
        return made

    def _ended(self, wait: Callable[[], None]) -> None:
        self._looked = float("-inf")
        wait()  # the system may have ended it, for the CPU time that it used
        self._stop("ended its process")

    def _stop(self, why: str) -> None:
        self.close()
        raise StoppedError(why)


class _Result(torch.autograd.Function):
    """A result of a call that depends on its arguments: their gradients come from the student's process."""

    @staticmethod
    def forward(
        ctx: Any,
        result: tuple[torch.Tensor],
        gradients: Callable[[torch.Tensor], list[torch.Tensor | None]],
        *_: torch.Tensor,
    ) -> torch.Tensor:
        ctx.gradients = gradients
        return result[0]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return (None, None, *ctx.gradients(grad))


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


def short_line(text: Any) -> str:
    """A text of a student's process on one line, without control characters."""
    return printable(str(text)[:200], " ")


def _overwrite(old: Any, new: Any) -> None:
    """Do to an argument what was done to its copy elsewhere."""
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        with contextlib.suppress(RuntimeError), torch.no_grad():
            old.set_(new.to(old.dtype))  # type: ignore[call-overload]
    elif isinstance(old, list) and isinstance(new, list):
        old[:] = new
