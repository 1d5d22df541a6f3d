"""The program inside the sandbox: it runs the cells of a notebook, and then the calls that the grader requests.

The only files of rsl_edu in the sandbox are this folder's files, ``wire.py``, ``failure.py`` and ``limit.py``. ``import
rsl_edu`` gives a stand-in, so that the cells of an assignment run while the library's answers are out of reach. The
student may see everything that arrives here, and the grader must not trust anything that leaves here.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
import wire  # type: ignore[import-not-found,unused-ignore]
from cells import Notebook, account_of  # type: ignore[import-not-found,unused-ignore]
from children import adopt, children, end_children  # type: ignore[import-not-found,unused-ignore]
from files import import_from_current_folder  # type: ignore[import-not-found,unused-ignore]
from library import CourseAnswer, Shells, forbid, refusal  # type: ignore[import-not-found,unused-ignore]
from limit import limited  # type: ignore[import-not-found,unused-ignore]

_EARLIER = 0.9  # share of the grader's CPU limit for a call; an answer that loops is stopped here, which shows the line


def _limit_cpu(seconds: float, for_good: bool = False) -> None:
    """Let the system end this process after some more seconds of CPU time, rounded up.

    The grader ends the process slightly earlier, unless the process is in a container or on macOS, where the grader
    cannot see it.

    Args:
        seconds: CPU time from now on.
        for_good: Whether this process cannot raise the limit again.
    """
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    end = math.ceil(time.process_time() + seconds) + 1
    if most != resource.RLIM_INFINITY:
        end = min(end, most)
    resource.setrlimit(resource.RLIMIT_CPU, (end, end if for_good else most))


class _Printed(io.StringIO):
    """Keeps the beginning of printed output."""

    def write(self, text: str) -> int:
        super().write(text[: max(wire.TEXT - self.tell(), 0)])
        return len(text)


class _Server:
    """Answers the grader's requests, one after the other.

    Args:
        notebook: The notebook, which has run.
        source: File descriptor for requests.
        out: File descriptor for replies.
        seconds: CPU time for a call, in seconds.
    """

    def __init__(self, notebook: Notebook, source: int, out: int, seconds: float) -> None:
        self.notebook, self.source, self.out, self.seconds = notebook, source, out, seconds
        self.answers: dict[str, Any] = {}  # their values when the grader requested them
        self.objects: list[Any] = []
        self.tracked: list[torch.Tensor] = []  # arguments of the last call that require a gradient
        self.results: list[
            tuple[torch.Tensor, list[torch.Tensor]]
        ] = []  # results that depend on such arguments, and these arguments

    def serve(self) -> Any:
        """Answer requests until the result of a callback to the grader arrives, and return this result."""
        while True:
            question = self.receive()
            if question["kind"] == "returned":
                if question["name"]:
                    raise RuntimeError("the callback raised an error")
                return question["arguments"][0]
            number, before = question["number"], children()
            try:
                _limit_cpu(self.seconds / _EARLIER)
                reply = self.answer(question)
            except BaseException as error:
                reply = {"error": account_of(error)}
            _be_alone()
            if "error" in reply:
                end_children(before)
            try:
                self.send({"number": number, **reply})
            except (
                Exception
            ) as error:  # the reply cannot be sent, because it is nested too deeply or has an unknown type of tensor
                wire.send(self.out, {"number": number, "error": account_of(error)})

    def receive(self) -> dict[str, Any]:
        """Return the next request; tensors that require a gradient do so here, too.

        Each of them is a parameter, a leaf or an inner node of the graph, as in the grader's process.
        """
        tracked: list[torch.Tensor] = []

        def again(tensor: torch.Tensor, kind: str) -> torch.Tensor:
            leaf = torch.nn.Parameter(tensor) if kind == "parameter" else tensor.requires_grad_()
            tracked.append(leaf * 1 if kind == "inner" else leaf)
            return tracked[-1]

        try:
            question: dict[str, Any] = wire.receive(self.source, self.given, trusted=True, tracked=again)
        except EOFError:
            os._exit(0)
        self.tracked = tracked
        return question

    def given(self, reference: list[Any]) -> Any:
        """Return the value for a reference: an object of this process, or a function or iterator of the grader."""
        kind, place, *name = reference
        if kind == "own":
            return self.objects[place]
        if kind == "torch":
            return getattr(torch, place)
        if kind == "name":
            return self.answers[place]

        def callback(*arguments: Any, **options: Any) -> Any:
            self.send({"callback": place, "arguments": arguments, "options": options})
            return self.serve()

        def items() -> Iterator[Any]:
            while found := callback():  # a list of one item, or an empty list
                yield found[0]

        if kind == "iterator":
            return items()
        callback.__name__ = callback.__qualname__ = name[0]
        return callback

    def send(self, reply: dict[str, Any]) -> None:
        """Send a reply; a result may require a gradient only if an argument required one."""
        wire.send(self.out, reply, self.refer, track=self.track if self.tracked else None)

    def track(self, result: torch.Tensor) -> int:
        """Store a result whose gradient may be requested."""
        self.results.append((result, self.tracked))
        return len(self.results) - 1

    def refer(self, value: Any) -> list[Any]:
        """Store an object, and return a reference with its type."""
        self.objects.append(value)
        is_module = isinstance(value, torch.nn.Module)
        return [len(self.objects) - 1, str(type(value).__name__)[:80], callable(value), is_module]

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer a request, or raise the error of the student's code."""
        kind, target, name = question["kind"], question["target"], question["name"]
        if kind == "names":
            found = {wanted: self.notebook.answer(wanted) for wanted in name}
            self.answers |= {wanted: value for wanted, (_, value) in found.items()}
            return {"value": {wanted: kind for wanted, (kind, _) in found.items()}}
        if kind == "at":
            return {"value": self.notebook.at(name, question["arguments"])}
        if kind == "put":
            self.notebook.names[name] = question["arguments"][0]
            return {}
        if kind == "delete":
            del self.notebook.names[name]
            return {}
        arguments = question["arguments"]
        if kind == "gradient":
            result, inputs = self.results[name]
            return {"value": self.limited(lambda: _gradients(result, inputs, arguments))}
        value = self.objects[target] if isinstance(target, int) else self.answers[target]
        if kind == "set":
            setattr(value, name, *arguments)
            return {}
        if kind == "operate":
            return {"value": self.limited(lambda: wire.OPERATIONS[name](value, *arguments))}
        if kind == "next":
            return {"value": self.limited(lambda: [*itertools.islice(value, 1)])}
        if name:
            value = self.limited(lambda: getattr(value, name))  # the attribute may be a property
        return {"value": value} if kind == "get" else self.call(value, question)

    def limited(self, call: Callable[[], Any]) -> Any:
        """Call a function with a limit on CPU time only, so that points do not depend on how busy the machine is."""
        return limited(self.seconds, call, asleep=math.inf)

    def call(self, value: Any, question: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the student."""
        arguments, options = question["arguments"], question["options"]
        given = [*arguments, *options.values()]
        if question["random"] is not None:
            torch.set_rng_state(question["random"])
        before, state, printed = [_frozen(argument) for argument in given], torch.get_rng_state(), _Printed()
        with contextlib.redirect_stdout(printed):
            result = self.limited(lambda: value(*arguments, **options))
        if isinstance(result, CourseAnswer):
            raise refusal()
        changed = [(place, _detached(now)) for place, now in enumerate(given) if _frozen(now) != before[place]]
        drew = not torch.equal(state, torch.get_rng_state())
        return {"value": result, "changed": changed, "drew": drew, "printed": printed.getvalue()}


def _gradients(result: torch.Tensor, inputs: list[torch.Tensor], grad: list[torch.Tensor]) -> list[Any]:
    """Return the gradients of inputs, given the gradient of a result; None for inputs that the result does not use."""
    return [*torch.autograd.grad(result, inputs, grad, retain_graph=True, allow_unused=True)]


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _frozen(value: Any) -> Any:
    """Return a copy or an id of a value, to compare later; it differs if the value was changed in place."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.detach().numpy().tobytes()
    if isinstance(value, np.ndarray):
        return _frozen(torch.from_numpy(value)) if value.dtype.kind in "biufc" else id(value)
    if isinstance(value, (list, tuple)):
        return [_frozen(item) for item in value]
    if isinstance(value, dict):
        return [_frozen(item) for item in value.items()]
    if isinstance(value, set):
        return {*value}
    return value if isinstance(value, (int, float, str, type(None))) else id(value)


_ALONE = os.getpid()


def _be_alone() -> None:
    """End a process that the student's code has forked, because only one process may send replies."""
    if os.getpid() != _ALONE:
        os._exit(0)


def _as_at_first() -> None:
    """Undo settings of the notebook that would change the results of calls from a check."""
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    warnings.simplefilter("ignore")  # as for a check in a notebook, warnings as errors must not stop an answer
    CourseAnswer.refuses = True


def _hide(folder: str) -> None:
    """Remove the modules of a folder from ``sys.modules``, because a student's modules may have the same names."""
    for name, module in [*sys.modules.items()]:
        if name != "__main__" and (getattr(module, "__file__", None) or "").startswith(folder):
            del sys.modules[name]


def main() -> None:
    """Communicate with the grader, over the file descriptors in the arguments or over standard input and output."""
    given = [*map(int, sys.argv[1:])] or [0, 1]
    del sys.argv[1:]
    source, out = map(os.dup, given)  # programs started by the notebook do not inherit these
    null = os.open(os.devnull, os.O_RDWR)
    for file in given:
        os.close(file)
    for file in (0, 1, 2):
        os.dup2(null, file)
    os.register_at_fork(
        after_in_child=lambda: [os.dup2(null, file) for file in (source, out)]
    )  # only one process may send replies
    adopt()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sys.meta_path.insert(0, Shells())
    _hide(sys.path.pop(0))
    import_from_current_folder()
    task = wire.receive(source, lambda _: None, trusted=True)
    for name in task["forbidden"]:
        forbid(name)
    limits = task["limits"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_cpu(limits["total"], for_good=True)
    _limit_cpu(limits["load"])
    notebook = Notebook(task["answers"], limits, lambda place: wire.send(out, {"cell": place}), _be_alone)
    sys.modules["__main__"] = notebook.module
    notebook.run(task["cells"], task["modes"])
    _as_at_first()
    wire.send(out, {"ready": notebook.notes})
    _Server(notebook, source, out, _EARLIER * limits["call"]).serve()


if __name__ == "__main__":
    main()
