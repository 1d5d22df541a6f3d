"""Trying an answer on one set of inputs: calling it, and reading what it returned."""

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

Values = tuple[torch.Tensor, ...]  # what an answer returned: a float64 tensor for each output


@dataclass(frozen=True)
class Case:
    """One set of inputs to try an answer on.

    Args:
        about: What is special about it, to be read after "in this case:": "an empty first group".
        inputs: The arguments; None for one that has a default leaves it out.
        rtol: Relative error that is still right.
        atol: Absolute error that is still right.
        tracked: Names of arguments, all tensors, that are part of a graph: their gradients must be right too.
    """

    about: str
    inputs: tuple[Any, ...]
    rtol: float = 1e-4
    atol: float = 1e-5
    tracked: tuple[str, ...] = ()

    @classmethod
    def of(cls, about: str, *inputs: Any, **settings: Any) -> Case:
        """A case from its inputs one by one, with the tensors among them as lists of numbers."""
        tensors = tuple(torch.tensor(value) if isinstance(value, list) else value for value in inputs)
        return cls(about, tensors, **settings)

    def close(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Whether two outputs are equal, up to the errors that are still right; whole numbers count, and have none."""
        if a.dim() == b.dim() == 0 and a == a.round() and b == b.round():
            return bool(a == b)
        return a.shape == b.shape and torch.allclose(a, b, rtol=self.rtol, atol=self.atol, equal_nan=True)


@dataclass(frozen=True)
class Trial:
    """What came of an answer on a case.

    Attributes:
        given: The inputs, as they were after the call.
        results: What it returned, one for each output; what it returned alone, if it is not that many values.
        gradients: The gradient of each tracked input; none if the outputs have no gradient.
        printed: What it printed, if it was kept from the screen.
        drawn: State of torch's random numbers after the call; None if it drew none.
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
    """How an exercise uses an answer.

    Args:
        reference: The right answer.
        outputs: Names of what an answer returns.
        use: Gets the outputs from an answer and the inputs of a case; None calls the answer with the inputs.
        show: Writes that use as text; None writes the call.
    """

    reference: Answer
    outputs: tuple[str, ...]
    use: Callable[..., Any] | None
    show: Callable[..., str] | None

    def run(self, answer: Answer, case: Case, seed: int = 0, quiet: bool = True) -> Trial:
        """Try a learner's answer; what it raises, this raises.

        Args:
            answer: A function or class.
            case: The inputs; they stay as they are.
            seed: Of torch's random numbers.
            quiet: Whether what it prints is kept from the screen.
        """
        printed = io.StringIO()
        silence = contextlib.redirect_stdout(printed) if quiet else contextlib.nullcontext()
        with _seeded(seed), silence:
            begin = torch.get_rng_state()
            trial = self.run_own(answer, case)
            end = torch.get_rng_state()
        return dataclasses.replace(trial, printed=printed.getvalue(), drawn=None if torch.equal(begin, end) else end)

    def run_own(self, answer: Answer, case: Case) -> Trial:
        """Try an answer of ours, which prints nothing and draws no random numbers; see :meth:`run`."""
        inputs = copy.deepcopy(case.inputs)
        leaves = {
            argument.name: value.requires_grad_()
            for argument, value in self.named(inputs)
            if argument.name in case.tracked
        }
        # Not a leaf, as the memory of a network in the middle of its rollout: writing into it raises nothing.
        given = tuple(value * 1 if argument.name in leaves else value for argument, value in self.named(inputs))
        result = self._call(answer, given)
        number = len(self.outputs)
        many = number > 1 and isinstance(result, (tuple, list)) and len(result) == number
        results = tuple(result) if many else (result,)
        return Trial(given, results, _gradients(results, [*leaves.values()]))

    def named(self, inputs: Iterable[Any]) -> list[tuple[Parameter, Any]]:
        """Inputs of a case with the argument that each is of the use, or else of the reference."""
        return list(zip(self._parameters, inputs, strict=True))

    @cached_property
    def _parameters(self) -> list[Parameter]:
        parameters = list(inspect.signature(self.use or self.reference).parameters.values())
        return parameters[1:] if self.use else parameters

    def tried(self, case: Case) -> str:
        """The call as text."""
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
    """Let torch's random numbers on the CPU begin from a seed; afterwards these and other settings are as before."""
    state, graded, dtype = torch.get_rng_state(), torch.is_grad_enabled(), torch.get_default_dtype()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed looks for all devices, which takes its time
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_grad_enabled(graded)
        torch.set_default_dtype(dtype)


def as_tensor(value: Any) -> torch.Tensor:
    """A value as a plain float64 tensor; torch raises one of many errors for what cannot be one."""
    tensor = torch.as_tensor(value, device="cpu").detach().as_subclass(torch.Tensor)
    tensor = tensor.dequantize() if tensor.is_quantized else tensor
    tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
    return tensor.double().reshape(tuple(tensor.shape))  # a nested tensor has no shape


def _gradients(results: tuple[Any, ...], leaves: list[torch.Tensor]) -> Values:
    """Gradients of a weighted sum of all results, so that each number of them counts in its own way."""
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
