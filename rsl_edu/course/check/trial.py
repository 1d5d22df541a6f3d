"""Run an answer on one set of inputs, and record what it returns."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from typing import Any

import torch

from .edits import Answer
from .verdict import text

Values = tuple[torch.Tensor, ...]  # the values that an answer returned, as one float64 tensor for each output


@dataclass(frozen=True)
class Case:
    """One set of inputs on which an answer is tried.

    Args:
        about: What is special about the case, as a phrase to follow "in this case:", such as "an empty first group".
        inputs: The arguments; if an argument has a default, None leaves it out.
        rtol: Tolerance of the relative error.
        atol: Tolerance of the absolute error.
        tracked: Names of tensor arguments that are part of a graph, so that their gradients must be right too.
    """

    about: str
    inputs: tuple[Any, ...]
    rtol: float = 1e-4
    atol: float = 1e-5
    tracked: tuple[str, ...] = ()

    @classmethod
    def of(cls, about: str, *inputs: Any, **settings: Any) -> Case:
        """Make a case from inputs that are passed one by one; a list of numbers becomes a tensor."""
        tensors = tuple(torch.tensor(value) if isinstance(value, list) else value for value in inputs)
        return cls(about, tensors, **settings)

    def close(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Whether two outputs are equal within the tolerances; single whole numbers must be exactly equal."""
        if a.dim() == b.dim() == 0 and a == a.round() and b == b.round():
            return bool(a == b)
        return a.shape == b.shape and torch.allclose(a, b, rtol=self.rtol, atol=self.atol, equal_nan=True)


@dataclass(frozen=True)
class Trial:
    """The record of running an answer on a case.

    Attributes:
        given: The inputs after the call.
        results: The returned values, one for each output; if their number is wrong, only the object that was returned.
        gradients: The gradient of each tracked input; empty if the outputs have no gradient.
        printed: What the answer printed, if this was not shown on the screen.
        drawn: State of torch's random number generator after the call; None if the answer drew no random numbers.
    """

    given: tuple[Any, ...]
    results: tuple[Any, ...]
    gradients: Values
    printed: str = ""
    drawn: torch.Tensor | None = None

    @property
    def values(self) -> Values:
        """The results and the gradients, as float64 tensors."""
        return (*map(as_tensor, self.results), *self.gradients)


@dataclass(frozen=True)
class Interface:
    """How an exercise runs an answer.

    Args:
        reference: The right answer.
        outputs: Names of the values that an answer returns.
        use: Computes the outputs from an answer and the inputs of a case; if None, the answer is called with the
            inputs.
        show: Writes this computation as text, from the inputs; if None, the call is written.
    """

    reference: Answer
    outputs: tuple[str, ...]
    use: Callable[..., Any] | None
    show: Callable[..., str] | None

    def run(self, answer: Answer, case: Case, seed: int = 0, quiet: bool = True) -> Trial:
        """Run a learner's answer; errors that it raises are not caught.

        Args:
            answer: A function or class.
            case: The inputs, which are not changed.
            seed: The seed for torch's random numbers.
            quiet: Whether to record what the answer prints instead of showing it.
        """
        printed = io.StringIO()
        silence = contextlib.redirect_stdout(printed) if quiet else contextlib.nullcontext()
        with _seeded(seed), silence:
            begin = torch.get_rng_state()
            trial = self.run_own(answer, case)
            end = torch.get_rng_state()
        return dataclasses.replace(trial, printed=printed.getvalue(), drawn=None if torch.equal(begin, end) else end)

    def run_own(self, answer: Answer, case: Case) -> Trial:
        """Run one of our own answers, which print nothing and draw no random numbers; see :meth:`run`."""
        inputs = copy.deepcopy(case.inputs)
        leaves = {
            argument.name: value.requires_grad_()
            for argument, value in self.named(inputs)
            if argument.name in case.tracked
        }
        # Not a leaf, like a hidden state in the middle of a rollout, so writing into it raises no error.
        given = tuple(value * 1 if argument.name in leaves else value for argument, value in self.named(inputs))
        result = self._call(answer, given)
        number = len(self.outputs)
        many = number > 1 and isinstance(result, (tuple, list)) and len(result) == number
        results = tuple(result) if many else (result,)
        return Trial(given, results, _gradients(results, [*leaves.values()]))

    def named(self, inputs: Iterable[Any]) -> list[tuple[Parameter, Any]]:
        """Pair the inputs of a case with the parameters of ``use``, or of the reference if there is no ``use``."""
        return list(zip(self._parameters, inputs, strict=True))

    @cached_property
    def _parameters(self) -> list[Parameter]:
        parameters = list(inspect.signature(self.use or self.reference).parameters.values())
        return parameters[1:] if self.use else parameters

    def tried(self, case: Case) -> str:
        """Write the call as text."""
        if self.show is not None:
            return self.show(*case.inputs)
        given = [f"{argument.name}={text(value)}" for argument, value in self.named(case.inputs) if value is not None]
        return f"{self.reference.__name__}({', '.join(given)})"

    def _call(self, answer: Answer, inputs: tuple[Any, ...]) -> Any:
        if self.use is not None:
            return self.use(answer, *inputs)
        named = self.named(inputs)
        required = [value for argument, value in named if argument.default is Parameter.empty]
        options = {argument.name: value for argument, value in named[len(required) :] if value is not None}
        return answer(*required, **options)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's random numbers on the CPU, and restore their state and other settings afterwards."""
    state, graded, dtype = torch.get_rng_state(), torch.is_grad_enabled(), torch.get_default_dtype()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed looks for all devices, which is slow
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_grad_enabled(graded)
        torch.set_default_dtype(dtype)


def as_tensor(value: Any) -> torch.Tensor:
    """Convert a value to a plain float64 tensor; if this is impossible, torch raises one of many errors."""
    tensor = torch.as_tensor(value, device="cpu").detach().as_subclass(torch.Tensor)
    tensor = tensor.dequantize() if tensor.is_quantized else tensor
    tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
    return tensor.double().reshape(tuple(tensor.shape))  # a nested tensor has no shape, and raises here


def _gradients(results: tuple[Any, ...], leaves: list[torch.Tensor]) -> Values:
    """Compute gradients of a weighted sum of all results, in which every number has a different weight."""
    sums = [
        (result * torch.arange(1.0, result.numel() + 1).reshape(result.shape)).sum()
        for result in results
        if leaves and isinstance(result, torch.Tensor) and result.requires_grad
    ]
    if not sums:
        return ()
    total = torch.stack([each.double() for each in sums]).sum()
    found = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    return tuple(map(as_tensor, found))
