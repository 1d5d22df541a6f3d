"""Runs inside the sandbox: the cells of a notebook, then the calls that the grader asks for.

Of rsl_edu, only this file, ``wire.py``, ``failure.py`` and ``limit.py`` are there: ``import rsl_edu`` gives an empty
shell, so that the cells of an assignment run, and the library's answers are out of reach. What arrives here is for the
student to see; what leaves here is not to be trusted.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import math
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
import wire  # type: ignore[import-not-found,unused-ignore]
from failure import Failure, failure  # type: ignore[import-not-found,unused-ignore]
from limit import limited  # type: ignore[import-not-found,unused-ignore]

_EARLIER = 0.9  # of the grader's limit of CPU time for a call: an honest answer that loops is told the line
_LIBRARIES = ("rsl_edu", "rsl_rl")


class _LibraryAnswer:
    """Stands for everything of rsl_edu: while the cells run it takes anything, and is nothing.

    Attributes:
        refuses: Whether calling it is an error: from the time on when the grader asks.
    """

    refuses = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _LibraryAnswer()

    def __call__(self, *_: Any, **__: Any) -> Any:
        if _LibraryAnswer.refuses:
            raise _refusal()
        return _LibraryAnswer()

    def __mro_entries__(self, _: Any) -> tuple[type]:
        return (_LibraryClass,)  # of a class that inherits from it

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __getitem__(self, key: Any) -> Any:
        return _LibraryAnswer()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __repr__(self) -> str:
        return "nothing: rsl_edu is not there while grading"


class _LibraryClass:
    def __new__(cls, *_: Any, **__: Any) -> Any:
        raise _refusal()


def _refusal() -> Failure:
    return Failure("library-answer", "the library's own code")


class _Shell(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _LibraryAnswer()


class _Shells(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in _LIBRARIES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Shell(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        return None


def _forbid(name: str) -> None:
    """Take a function or a class of torch away, under all its names; ``torch.nn.functional.conv2d`` is one."""
    *path, last = name.split(".")
    taken: Any = sys.modules[path[0]]
    for part in [*path[1:], last]:
        taken = getattr(taken, part)

    def refuse(*_: Any, **__: Any) -> Any:
        raise Failure("library-answer", name)

    if isinstance(taken, type):
        taken.__init__ = refuse  # type: ignore[misc]
        return
    for module in [module for key, module in sys.modules.items() if key.partition(".")[0] == path[0]]:
        for known, value in [*vars(module).items()]:
            if value is taken:
                setattr(module, known, refuse)


def _limit_cpu(seconds: float, for_good: bool = False) -> None:
    """Let the system end this process when it has used so many more seconds of CPU time, rounded up.

    The grader ends it a little earlier if it can see it: it cannot in a container, nor on macOS.

    Args:
        seconds: From now on.
        for_good: Whether code in here cannot raise the limit again.
    """
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    end = math.ceil(time.process_time() + seconds) + 1
    if most != resource.RLIM_INFINITY:
        end = min(end, most)
    resource.setrlimit(resource.RLIMIT_CPU, (end, end if for_good else most))


def _run(
    cells: Sequence[str], skipped: Sequence[int], seconds: float, out: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Run the cells as a notebook does; a cell that fails does not stop the others."""
    failed: dict[str, str] = {}
    notebook = types.ModuleType("__main__")
    sys.modules["__main__"] = notebook
    names = notebook.__dict__
    for name in ("display", "get_ipython"):  # what a notebook has without an import
        names[name] = _LibraryAnswer()

    def late(*_: Any) -> None:
        raise TimeoutError(f"the cell used more than {seconds:g} s of CPU time")

    signal.signal(signal.SIGPROF, late)
    for place, source in enumerate(cells):
        if place in skipped:
            continue
        wire.send(out, {"cell": place})
        file = f"<cell {place}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)  # counts CPU time: a cell may sleep
            exec(_compiled(source, file), names)
        except BaseException as error:
            failed[str(place)] = _account(error)["says"]
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            _be_alone()
    return names, failed


def _compiled(source: str, file: str) -> types.CodeType:
    try:
        return compile(source, file, "exec")
    except SyntaxError:  # lines for IPython, such as %matplotlib inline
        lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.split("\n")]
        return compile("\n".join(lines), file, "exec")


def _account(error: BaseException) -> dict[str, Any]:
    """What the grader says of an error; the texts may be anything, or fail."""
    try:
        account = failure(error, lambda file: file.startswith("<cell "))
        return {**vars(account), "says": str(account.says)[:200], "line": str(account.line)[:200]}
    except BaseException:
        return {**vars(Failure("exception", "an error that cannot be shown"))}


class _Server:
    """Answers the grader, one call after the other."""

    def __init__(self, names: dict[str, Any], seconds: float) -> None:
        self.names, self.seconds = names, seconds
        self.objects: list[Any] = []
        self.tracked: list[torch.Tensor] = []  # arguments of the last call that require a gradient
        self.results: list[tuple[torch.Tensor, list[torch.Tensor]]] = []  # what depends on such, and on which

    def receive(self, source: int) -> dict[str, Any]:
        """Get the next question; its tensors that require a gradient are of the kind that they were."""
        self.tracked = []

        def again(tensor: torch.Tensor, kind: str) -> torch.Tensor:
            leaf = torch.nn.Parameter(tensor) if kind == "parameter" else tensor.requires_grad_()
            self.tracked.append(leaf * 1 if kind == "inner" else leaf)
            return self.tracked[-1]

        question: dict[str, Any] = wire.receive(source, _nothing, trusted=True, tracked=again)
        return question

    def send(self, out: int, reply: dict[str, Any]) -> None:
        """Answer it; only where an argument required a gradient, a result may."""
        wire.send(out, reply, self.refer, track=self.track if self.tracked else None)

    def track(self, result: torch.Tensor) -> int:
        self.results.append((result, self.tracked))
        return len(self.results) - 1

    def refer(self, value: Any) -> list[Any]:
        self.objects.append(value)
        return [len(self.objects) - 1, str(type(value).__name__)[:80], callable(value)]

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        kind, target, name = question["kind"], question["target"], question["name"]
        if kind == "names":
            found = [wanted for wanted in name if wanted in self.names]
            return {"value": {wanted: isinstance(self.names[wanted], type) for wanted in found}}
        if kind == "gradient":
            result, inputs = self.results[name]
            return {"value": limited(self.seconds, lambda: _gradients(result, inputs, question["arguments"]), math.inf)}
        value = self.names[name] if target is None else self.objects[target]
        if target is not None and name:
            value = getattr(value, name)
        if kind == "get":
            return {"value": value}
        arguments, options = question["arguments"], question["options"]
        given = [*arguments, *options.values()]
        if question["random"] is not None:
            torch.set_rng_state(question["random"])
        before, state = [_frozen(argument) for argument in given], torch.get_rng_state()
        # not limited on the wall clock: no points depend on it
        result = limited(self.seconds, lambda: value(*arguments, **options), asleep=math.inf)
        if isinstance(result, _LibraryAnswer):
            raise _refusal()
        changed = [(place, _detached(now)) for place, now in enumerate(given) if _frozen(now) != before[place]]
        end = torch.get_rng_state()
        return {"value": result, "changed": changed, "random": None if torch.equal(state, end) else end}


def _gradients(result: torch.Tensor, inputs: list[torch.Tensor], grad: list[torch.Tensor]) -> list[Any]:
    """The product of a gradient with respect to a result and the Jacobian; None for an input it does not depend on."""
    return [*torch.autograd.grad(result, inputs, grad, retain_graph=True, allow_unused=True)]


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _frozen(value: Any) -> Any:
    """Something that differs when a value was changed in place."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.detach().numpy().tobytes()
    if isinstance(value, (list, tuple)):
        return [_frozen(item) for item in value]
    return value if isinstance(value, (int, float, str, type(None))) else id(value)


_ALONE = os.getpid()


def _be_alone() -> None:
    """End a process that the student's code has forked: only one may speak."""
    if os.getpid() != _ALONE:
        os._exit(0)


def main() -> None:
    """Speak with the grader over what were standard input and output."""
    source, out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(null, file)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sys.meta_path.insert(0, _Shells())
    task = wire.receive(source, _nothing, trusted=True)
    for name in task["forbidden"]:
        _forbid(name)
    limits = task["limits"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_cpu(limits["total"], for_good=True)
    _limit_cpu(limits["load"])
    names, failed = _run(task["cells"], task["skipped"], limits["cell"], out)
    _LibraryAnswer.refuses = True
    wire.send(out, {"ready": failed})
    server = _Server(names, _EARLIER * limits["call"])
    while True:
        try:
            question = server.receive(source)
        except EOFError:
            os._exit(0)
        number = question["number"]
        try:
            _limit_cpu(limits["call"])
            reply = server.answer(question)
        except BaseException as error:
            reply = {"error": _account(error)}
        _be_alone()
        try:
            server.send(out, {"number": number, **reply})
        except Exception as error:  # what cannot be sent: nested too deeply, a type of tensor that nobody knows
            wire.send(out, {"number": number, "error": _account(error)})


def _nothing(_: Any) -> None:
    return None


if __name__ == "__main__":
    main()
