"""Capture a rollout step in a CUDA graph, so that it needs one launch instead of dozens."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import nn

from .modules.validate import exact_shape

__all__ = ["capture_step"]

R = TypeVar("R")

WARM_UP = 3  # runs before the capture: CUDA's libraries allocate memory and choose kernels in their first calls


def capture_step(step: Callable[..., R], *examples: torch.Tensor, modules: Iterable[nn.Module]) -> Callable[..., R]:
    """Capture a step in a CUDA graph and return a function that replays it.

    A small step takes as long as the CPU needs to launch its kernels. A replay launches all of them together. For a
    policy with a normalizer, on a GPU::

        def act(observations):
            normalizer.update(observations)
            policy.update(mlp(normalizer(observations)))
            actions = policy.sample()
            return actions, policy.log_prob(actions)

        fast_act = capture_step(act, observations, modules=[normalizer, mlp, policy])
        actions, log_prob = fast_act(observations)

    The step runs three times before the capture. Afterwards the buffers of ``modules`` and the random numbers are
    restored, so the first replay is the first step. Replays change the buffers and advance torch's default CUDA
    generator just as the step itself does, and use the current parameters.

    A replay runs no Python, so all decisions made in Python are those made at the capture. After ``module.train()``,
    ``module.eval()`` or ``module.to(...)``, the next call raises an error: capture the step again. ``load_state_dict``
    and optimizers write in place, so they need no new capture.

    State that a module replaces with a new tensor cannot be in a graph, because each replay would begin with the tensor
    from the capture. This applies to ``RNN.hidden_state`` and to ``EmpiricalDiscountedVariationNormalization``. For a
    recurrent network, make the hidden state an argument and a result; the page *On a GPU* shows how.

    Args:
        step: A function that takes tensors as positional arguments and returns tensors, in any structure. It runs
            without gradients. It must not wait for the GPU, as ``.item()``, ``if tensor:`` and boolean indices do.
        examples: An example for each argument, on one CUDA device. Later calls need the same shapes and dtypes.
        modules: All modules whose state ``step`` changes. It is restored only in these modules after the three runs.

    Returns:
        A function with the same arguments, by position. It returns the tensors that ``step`` returned at the capture,
        with new contents. **The next call overwrites these tensors**: clone those that you keep.

    Raises:
        RuntimeError: If torch finds no CUDA device, if the step cannot be captured, or if ``modules`` have changed mode
            or their tensors have moved since the capture.
        TypeError, ValueError: If an argument is not allowed, or the step replaces state of ``modules``.
    """
    _require_cuda()
    names = argument_names(step, len(examples))
    check_examples(names, examples)
    saved = SavedState(modules)
    static, graph, outputs = _warm_up_and_capture(step, examples, saved)
    placed = PlacedModules(saved.modules)

    @torch.no_grad()
    def replay(*inputs: torch.Tensor) -> R:
        check_inputs(names, static, inputs)
        placed.check()
        for place, input in zip(static, inputs, strict=True):
            place.copy_(input)
        graph.replay()
        return outputs

    functools.update_wrapper(replay, step, assigned=(), updated=())  # keeps alive everything that the step reads
    return replay


def _require_cuda() -> None:
    if not torch.cuda.is_available():
        raise RuntimeError(
            "capture_step: needs a CUDA device and a CUDA build of torch (torch.cuda.is_available() is False here); "
            "on a CPU, call the step directly"
        )


def warm_up(step: Callable[..., Any], inputs: Sequence[torch.Tensor], saved: SavedState) -> None:
    """Run the step a few times, then restore the saved state and the random numbers.

    Raises:
        RuntimeError: If the step waits for the GPU.
        ValueError: If the step replaces state that a replay would have to carry.
    """
    devices = [inputs[0].device] if inputs[0].is_cuda else []
    with torch.random.fork_rng(devices):
        try:
            for _ in range(WARM_UP - 1):
                step(*inputs)
            with _waiting_is_an_error():
                step(*inputs)
            if replaced := saved.replaced():
                raise ValueError(
                    f"step: replaces {', '.join(replaced)} with a new tensor, so each replay would begin with the "
                    "tensor from the capture; make this state an argument and a result of the step, or leave it out"
                )
        finally:
            saved.restore()
            torch.clear_autocast_cache()  # a capture must record its own casts


class SavedState:
    """The state of modules, without their parameters, saved so that it can be restored after some runs.

    Args:
        modules: Modules; their submodules are saved too.

    Attributes:
        modules: The modules and all their submodules.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        every = [modules] if isinstance(modules, nn.Module) else list(modules)
        for module in every:
            if not isinstance(module, nn.Module):
                raise TypeError(f"modules: expected torch modules, got {type(module).__name__}")
        self.modules = list(dict.fromkeys(part for module in every for part in module.modules()))
        self._attributes = [dict(vars(module)) for module in self.modules]
        self._buffers = [dict(module._buffers) for module in self.modules]
        self._values = [
            {name: buffer.clone() for name, buffer in buffers.items() if buffer is not None}
            for buffers in self._buffers
        ]

    def replaced(self) -> list[str]:
        """Return the names of buffers and public attributes whose tensors were replaced after they were saved."""
        found = []
        for module, attributes, buffers in zip(self.modules, self._attributes, self._buffers, strict=True):
            before = attributes | buffers
            for name, now in (vars(module) | module._buffers).items():
                public = not name.startswith("_") or name in module._buffers
                if public and _holds_tensors(now) and now is not before.get(name):
                    found.append(f"{type(module).__name__}.{name}")
        return found

    def restore(self) -> None:
        """Restore everything: the contents of buffers in place, and attributes by reference."""
        for module, attributes, buffers, values in zip(
            self.modules, self._attributes, self._buffers, self._values, strict=True
        ):
            for name in vars(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)
            module._buffers.clear()
            module._buffers.update(buffers)
            for name, value in values.items():
                buffer = buffers[name]
                assert buffer is not None
                buffer.copy_(value)


class PlacedModules:
    """Modules whose tensors must stay where a graph reads them.

    Args:
        modules: Modules; their submodules are not included automatically.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._modes = [(module, module.training) for module in modules]
        self._places = [
            (f"{type(module).__name__}.{name}", tensors, name, tensor, tensor.data_ptr())
            for module in modules
            for tensors in (module._parameters, module._buffers)
            for name, tensor in tensors.items()
            if tensor is not None
        ]

    def check(self) -> None:
        """Raise a RuntimeError if a mode or the location of a tensor has changed since the capture."""
        for module, training in self._modes:
            if module.training is not training:
                mode = "training" if training else "evaluation"
                raise RuntimeError(f"{type(module).__name__}: no longer in {mode} mode; capture the step again")
        for label, tensors, name, tensor, place in self._places:
            if tensors.get(name) is not tensor or tensor.data_ptr() != place:
                raise RuntimeError(f"{label}: no longer where the graph reads it; capture the step again")


def argument_names(step: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first arguments of a step; arguments without a name are numbered."""
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    function = step.forward if isinstance(step, nn.Module) else step
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have no signature
        parameters = ()  # type: ignore[assignment]
    known = [parameter.name for parameter in parameters if parameter.kind in kinds]
    return (known + [f"argument {place + 1}" for place in range(len(known), count)])[:count]


def check_examples(names: Sequence[str], examples: Sequence[torch.Tensor]) -> None:
    """Raise an error unless there is at least one example and all are tensors on one CUDA device."""
    if not examples:
        raise ValueError("examples: expected a tensor for each argument of the step, got none")
    for name, example in zip(names, examples, strict=True):
        if not isinstance(example, torch.Tensor):
            raise TypeError(f"{name}: expected a tensor, got {type(example).__name__}")
        if not example.is_cuda:
            raise ValueError(f"{name}: expected a tensor on a CUDA device, got a tensor on {example.device}")
        _check_device(name, examples[0], example)


def check_inputs(names: Sequence[str], examples: Sequence[torch.Tensor], inputs: Sequence[torch.Tensor]) -> None:
    """Raise an error unless the inputs of a call have the same shapes, dtypes and device as the examples."""
    if len(inputs) != len(examples):
        raise TypeError(f"expected {len(examples)} arguments ({', '.join(names)}), got {len(inputs)}")
    for name, example, input in zip(names, examples, inputs, strict=True):
        exact_shape(name, input, example.shape)
        if input.dtype != example.dtype:
            raise TypeError(f"{name}: expected dtype {example.dtype} as at the capture, got {input.dtype}")
        _check_device(name, example, input)


def _check_device(name: str, example: torch.Tensor, tensor: torch.Tensor) -> None:
    if tensor.device != example.device:
        raise ValueError(f"{name}: expected a tensor on {example.device}, got a tensor on {tensor.device}")


def _warm_up_and_capture(
    step: Callable[..., R], examples: Sequence[torch.Tensor], saved: SavedState
) -> tuple[list[torch.Tensor], torch.cuda.CUDAGraph, R]:
    """Return the tensors that the graph reads, the graph, and the tensors that it writes."""
    with torch.cuda.device(examples[0].device), torch.inference_mode(False), torch.no_grad():
        static = [example.clone() for example in examples]
        warm_up(step, static, saved)
        return static, *_captured(step, static)


def _captured(step: Callable[..., R], static: Sequence[torch.Tensor]) -> tuple[torch.cuda.CUDAGraph, R]:
    """Capture one run. Nothing is computed, so no state on the GPU changes."""
    graph = torch.cuda.CUDAGraph()
    try:
        with _capturing(graph):
            outputs = step(*static)
    except RuntimeError as error:
        with warnings.catch_warnings(), contextlib.suppress(RuntimeError):
            warnings.simplefilter("ignore")  # torch warns that this graph is empty
            with _capturing(torch.cuda.CUDAGraph()):
                pass  # up to torch 2.12, random numbers do not work after a failed capture until the next capture
        raise RuntimeError(
            "step: cannot be captured in a CUDA graph; look for work on the CPU, copies from it, a generator other "
            "than torch's default one, and tensors on another device"
        ) from error
    finally:
        torch.clear_autocast_cache()  # its tensors belong to the graph, which overwrites them
    return graph, outputs


@contextlib.contextmanager
def _capturing(graph: torch.cuda.CUDAGraph) -> Iterator[None]:
    """Capture on a new stream.

    On a new stream, cuBLAS takes its workspace from the graph's own memory. A stream that is already in use has its
    workspace outside that memory, where the end of another graph, or ``torch.compile`` with its own graphs, could clear
    it while this graph still needs it.
    """
    stream = torch.cuda.Stream()
    # The outer context restores the old stream even if torch.cuda.graph fails to end the capture.
    with torch.cuda.stream(stream), torch.cuda.graph(graph, stream=stream):
        yield


@contextlib.contextmanager
def _waiting_is_an_error() -> Iterator[None]:
    """Make torch raise an error if the CPU waits for the GPU; without CUDA, nothing waits."""
    if not torch.cuda.is_available():
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this mode warns that it does not detect everything
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    except RuntimeError as error:
        if "synchroniz" not in str(error):
            raise
        raise RuntimeError(
            "step: waits for the GPU, which a CUDA graph cannot; look for .item(), .cpu(), `if tensor:`, boolean "
            "indices, and tensors made from Python numbers"
        ) from error
    finally:
        torch.cuda.set_sync_debug_mode(before)


def _holds_tensors(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return bool(parts) and all(isinstance(part, torch.Tensor) for part in parts)
