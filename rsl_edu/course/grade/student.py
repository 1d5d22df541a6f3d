"""A student's notebook in another process, whose functions and classes can be called as if they were local."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from rsl_edu.course.check.failure import Failure, PassThroughError
from rsl_edu.printable import printable

from . import remote, sandbox, usage, wire
from .notebook import KINDS, Cell, Note
from .remote import short_line

_MOST_CELLS = 1 << 20
_KINDS = ("function", "class", "module", "error", "value")  # kinds of names that a notebook defines
_MOST_RECEIVED = 1 << 29  # largest number of bytes in the results of all calls
_HEADER = 16  # bytes of memory needed for each byte of a header
_Wait = Callable[..., None]  # called with the number of bytes of a reply that have arrived; raises to give up
_LOOKS = 0.1  # seconds between measurements of the process's resources
_ASLEEP = 100  # measurements of a process asleep within a reply before it is stopped: the worker writes without pauses


class StoppedError(PassThroughError):
    """Raised if the student's process was stopped or has ended through the student's fault.

    It is not an ``Exception``, so that no check mistakes it for an error of the answer.

    Attributes:
        cell: Index of the running cell, if the process was stopped before all cells had run.
    """

    def __init__(self, why: str, cell: int | None = None) -> None:
        super().__init__(why)
        self.cell = cell


class StalledError(PassThroughError):
    """Raised if the limit on the wall clock was reached before any limit of CPU time, so that the cause is unknown.

    The code may wait for something that never happens, the machine may be busy, or the sandbox may hang.
    """


class Student:
    """A process that has run a notebook and answers calls.

    Args:
        cells: The code of the notebook.
        box: Which sandbox, as for :func:`.sandbox.start`.
        budget: Resource budget.
        answers: Names that the student has to define.
        forbidden: Full names of torch functions and classes that the exercise forbids.
        modes: What to run of some cells, by index: ``names`` for only the definitions, ``skip`` for nothing. Other
            cells run in full.

    Attributes:
        notes: Notes on code that did not run, or that ran differently than in a kernel.
        lacks: Why requested names have no answer, by name: ``lost``, or ``given`` if the code is unchanged since the
            assignment was handed out.

    Raises:
        StoppedError: If the process ends, or uses too much CPU time or memory, before all cells have run.
        StalledError: If the limit on the wall clock was reached.
        SandboxError: If nothing can run in the sandbox.
        RuntimeError: If the process did not start although the sandbox works.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        box: str,
        budget: usage.Budget,
        answers: Iterable[str] = (),
        forbidden: Iterable[str] = (),
        modes: Mapping[int, str] | None = None,
    ) -> None:
        self._budget, self._limits, self._seen = budget, budget.limits, usage.known(box)
        self._number, self._looked = 0, float("-inf")
        self._used = 0.0  # seconds of CPU time
        self._before: float | None = None  # seconds of CPU time for the start
        self._cell: int | None = None
        self._numbers = [cell.number for cell in cells]
        self._left = torch.empty(0)
        self._received = 0
        self._callbacks: list[Callable[..., Any]] = []  # functions of the check that the process may call
        self._errors: dict[str, type[Failure]] = {}  # proxies for the student's own classes of errors
        self.lacks: dict[str, str] = {}
        if budget.cpu > budget.limits.total:
            raise StoppedError(self._too_much_in_total)
        self._process = sandbox.start(box, self._limits)
        self._tree = usage.Tree(self._process.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        code = [[cell.number, cell.source, cell.handed, cell.only_names, cell.check] for cell in cells]
        task = {"cells": code, "answers": [*answers], "forbidden": [*forbidden], "modes": {**(modes or {})}}
        try:
            notes = self._load({**task, "limits": self._limits.cpu})
        except StoppedError as stopped:
            if self._cell is None:  # no student code has run yet
                sandbox.probe(box, self._limits)
                raise RuntimeError(f"the sandbox {stopped}") from None
            raise StoppedError(str(stopped), self._cell) from None
        self.notes = tuple(note for each in notes if (note := _note(each)) is not None)

    def _load(self, task: dict[str, Any]) -> list[Any]:
        end = time.monotonic() + self._limits.start

        def wait(_: int = 0) -> None:
            if time.monotonic() > end:
                self._stop("took too long to start")

        self._send(task, wait)
        while "ready" not in (news := self._receive(dict, wait)):
            if self._cell is None:
                wait = self._patience(self._limits.load, "all cells", self._where)
            self._cell = self._typed(news.get("cell"), int)
        notes: list[Any] = self._typed(news["ready"], list)
        return notes

    def _where(self) -> str:
        """Return which cell is running."""
        place = self._cell or 0
        return f"code cell {self._numbers[place] if place < len(self._numbers) else place + 1}"

    def close(self) -> None:
        """End the process and all processes that it has started."""
        if self._process.returncode is not None:
            return
        self._look()
        self._budget.cpu += self._used
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:  # waits, and closes the pipes
            pass

    def names(self, wanted: Iterable[str]) -> dict[str, Any]:
        """Return what the notebook defines under some names; missing names are left out.

        Returns:
            Functions, classes, plain values and proxies for other objects, without names in :attr:`lacks`.
        """
        wanted = [*wanted]
        found = self._typed(self._ask("names", None, wanted), dict)
        kinds = {name: str(found.get(name)) for name in wanted}
        self.lacks = {name: kind for name, kind in kinds.items() if kind in ("lost", "given")}
        kinds = {name: kind for name, kind in kinds.items() if kind.partition(" ")[0] in _KINDS}
        return {name: self._stand_in(name, kind) for name, kind in kinds.items()}

    def at(self, check: str, keep: Iterable[str] = ()) -> bool:
        """Set the names of the notebook to their values at the check of an exercise, or at the end.

        Args:
            check: Name of the exercise; empty for the end of the notebook.
            keep: Names that refer to the right answers, which are in the last cells.

        Returns:
            Whether the notebook contains the check and any name had a different value there than at the end.
        """
        return self._ask("at", None, check, [*keep]) is True

    def put(self, name: str, value: Any) -> None:
        """Set a name of the notebook, for a check that replaces an answer."""
        self._ask("put", None, name, (value,))

    def delete(self, name: str) -> None:
        """Delete a name of the notebook."""
        self._ask("delete", None, name)

    def _stand_in(self, name: str, kind: str) -> Any:
        ask = functools.partial(self._ask_of, name)
        if kind == "value":
            return ask("get", "")
        if kind.startswith("error "):
            self._errors[name] = remote.an_error(name, kind.partition(" ")[2])
            return self._errors[name]
        if kind in ("class", "module"):
            return remote.a_class(name, kind == "module", ask)
        return remote.a_function(name, ask)

    def _ask_of(self, target: int | str, kind: str, *question: Any) -> Any:
        return self._ask(kind, target, *question)

    def _ask(
        self,
        kind: str,
        target: int | str | None,
        name: Any,
        arguments: Sequence[Any] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        self._number += 1
        number = self._number
        question = {"number": number, "kind": kind, "target": target, "name": name}
        given = [*arguments, *(options or {}).values()]
        state = torch.get_rng_state()
        question["random"] = self._random_state() if kind == "call" else None
        what = f"a call of {target}" if isinstance(target, str) else "a call"
        wait = self._patience(self._limits.call, "one call", lambda: what)
        tracked: list[torch.Tensor] = []

        def track(tensor: torch.Tensor) -> str:
            tracked.append(tensor)
            return "parameter" if isinstance(tensor, torch.nn.Parameter) else "leaf" if tensor.is_leaf else "inner"

        def depends(result: torch.Tensor, place: Any) -> torch.Tensor:
            if type(place) is not int or not (result.is_floating_point() or result.is_complex()):
                raise wire.MalformedError("a result that cannot have a gradient")
            gradients = functools.partial(self._gradients, place, tracked)
            dependent: torch.Tensor = remote.Result.apply((result,), gradients, *tracked)  # type: ignore[no-untyped-call]
            return dependent

        self._send({**question, "arguments": [*arguments], "options": options or {}}, wait, track)
        reply = self._reply(wait, depends if tracked else None)
        if reply.get("number") != number:
            self._stop("sent a reply to a different question")
        if "error" in reply:
            raise remote.failure(self._typed(reply["error"], dict), self._errors)
        if kind == "call":
            self._go_on(state, reply.get("drew") is True)
            if printed := reply.get("printed"):
                print(printable(str(printed), "\ufffd", keep="\n\t"), end="")
        for change in self._typed(reply.get("changed", []), list):
            place, value = self._typed(change, tuple)
            remote.overwrite(given[self._typed(place, int) % max(len(given), 1)], value)
        return reply.get("value")

    def _reply(self, wait: _Wait, tracked: Any) -> dict[str, Any]:
        """Wait for a reply; in the meantime the process may call functions that it was given."""
        raised: BaseException | None = None
        while "callback" in (reply := self._receive(dict, wait, tracked)):
            place = self._typed(reply["callback"], int)
            arguments, options = reply.get("arguments"), self._typed(reply.get("options"), dict)
            if not 0 <= place < len(self._callbacks) or not isinstance(arguments, (list, tuple)):
                self._stop("called a function that it was not given")
            try:
                value = self._callbacks[place](*arguments, **options)
            except (
                Exception
            ) as error:  # an error of the check's own function passes through the student's code to the check
                raised, value = error, None
            self._send({"kind": "returned", "name": raised is not None, "arguments": [value]}, wait, None)
        if raised is not None and "error" in reply:
            raise raised
        known: dict[str, Any] = reply
        return known

    def _gradients(self, place: int, inputs: list[torch.Tensor], grad: torch.Tensor) -> list[torch.Tensor | None]:
        """Let the process compute the gradients of arguments from the gradient of a result."""
        values = self._typed(self._ask("gradient", None, place, [grad.clone()]), list)  # the process may change it
        if len(values) != len(inputs):
            self._stop("sent a malformed gradient")
        for value, like in zip(values, inputs, strict=True):
            fits = isinstance(value, torch.Tensor) and (value.shape, value.dtype) == (like.shape, like.dtype)
            if value is not None and not fits:
                self._stop("sent a malformed gradient")
        return [*values]

    def _random_state(self) -> torch.Tensor | None:
        """If a check has seeded torch's generator since the last call, return its state for the student's process.

        With this state, code draws the same random numbers in the student's process as it would draw here.
        """
        state = torch.get_rng_state()
        seeded = not torch.equal(state, self._left)
        torch.rand(())  # changes the state, so that seeding it in the same way again can be detected
        self._left = torch.get_rng_state()
        return state if seeded else None

    def _go_on(self, before: torch.Tensor, drew: bool) -> None:
        """Restore this process's state of torch's generator; change it once if the student's process drew numbers."""
        torch.set_rng_state(before)
        if drew:
            torch.rand(())
        self._left = torch.get_rng_state()

    # The process

    def _patience(self, seconds: float, what: str, where: Callable[[], str]) -> _Wait:
        """Return a function that ends the process if it uses too much CPU time or memory, or waits too long.

        The function is called while a reply is incomplete, with the number of bytes that have arrived.

        Args:
            seconds: Limit of CPU time from now on, in seconds.
            what: What the CPU time is for, in words.
            where: Function that describes what the process is doing.
        """
        begin: float | None = None
        asleep, last = 0, (0, 0.0)  # measurements in which the process slept; bytes sent and CPU time at the last one

        def wait(sent: int = 0) -> None:
            nonlocal begin, asleep, last
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
            same = sent > 0 and self._seen and last == (sent, self._used) and self._tree.asleep()
            asleep, last = asleep + 1 if same else 0, (sent, self._used)
            if asleep >= _ASLEEP:
                self._stop("stopped in the middle of a reply")
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
        """Measure the CPU time since the first cell began; return the memory in bytes."""
        cpu, memory = self._tree.look(self._limits.memory) if self._seen else (0.0, 0)
        self._before = cpu if self._before is None else self._before
        self._used = max(self._used, cpu - self._before)
        return memory

    def _send(self, value: Any, wait: _Wait, track: Callable[[torch.Tensor], str] | None = None) -> None:
        try:
            wire.send(self._to, value, lambda other: remote.reference(other, self._callbacks), wait, track)
        except BrokenPipeError:
            self._ended(wait)

    def _receive(
        self,
        kind: type,
        wait: _Wait,
        tracked: Callable[[torch.Tensor, Any], torch.Tensor] | None = None,
    ) -> Any:
        try:
            frame = wire.receive(self._from, self._remote, wait, tracked=tracked, size=self._count)
            return self._typed(frame, kind)
        except EOFError:
            self._ended(wait)
        except wire.MalformedError as error:
            self._stop(f"sent {error}")

    def _count(self, header: int, body: int) -> None:
        """Refuse results that would take too much memory here, because a check may keep all of them."""
        self._received += _HEADER * header + body
        if self._received > _MOST_RECEIVED:
            raise wire.MalformedError(f"more than {_MOST_RECEIVED >> 20} MB of results")

    def _typed(self, value: Any, kind: type) -> Any:
        if type(value) is not kind:
            self._stop("sent a malformed reply: the process was tampered with or broke")
        return value

    def _remote(self, reference: Any) -> Any:
        place, name, can_be_called, is_module = reference
        ask = functools.partial(self._ask_of, int(place))
        return remote.an_object(int(place), short_line(name), can_be_called is True, is_module is True, ask)

    def _ended(self, wait: _Wait) -> None:
        self._looked = float("-inf")
        wait()  # the system may have ended it because of its CPU time
        self._stop("ended its process")

    def _stop(self, why: str) -> None:
        self.close()
        raise StoppedError(why)


def _note(fields: Any) -> Note | None:
    """Return a note sent by a process; None if it is malformed."""
    if type(fields) is not list or len(fields) != 4 or type(fields[0]) is not int or not 0 < fields[0] <= _MOST_CELLS:
        return None
    kind, text, line = (short_line(part, 300) for part in fields[1:])
    return Note(fields[0], kind if kind in KINDS else "raised", text, line)
