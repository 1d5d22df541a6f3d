"""The contents of an exported policy, in TorchScript or ONNX."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch


@dataclasses.dataclass(frozen=True)
class Export:
    """An exported policy, read as data.

    Attributes:
        path: The file.
        format: ``TorchScript`` or ``ONNX``.
        made_by: The class of a TorchScript module, or the program that wrote an ONNX file.
        weights: Parameters under the names of rsl_rl 5, as far as they were recognized, such as ``mlp.0.weight``.
        normalizer: Mean and divisor of the normalizer (std plus eps), each ``[features]``, or None.
        activation: Activation of the hidden layers under rsl_rl's name; None if the file does not show it.
        ending: What follows the last layer: classes of modules, or ONNX operations.
        memory: Initial hidden state of a recurrent policy, by name, as far as the file contains it.
        tensors: All tensors, under the names in the file.
        training: Whether a TorchScript file was saved in training mode.
        has_reset: Whether a TorchScript file has a method that resets its hidden state.
        clamps: Operations in its code or graph that clip numbers, such as ``clamp(-5, 5)``.
        inputs: The inputs of an ONNX file by name, with their sizes; a size is None if any is allowed.
        outputs: The outputs of an ONNX file by name, with their sizes.
        state: For an ONNX file, each input for the hidden state, and the output whose value it gets in the next step.
        metadata: Metadata of an ONNX file.
        program: The bytes of the file, to run the policy; for an ONNX file, they include all weights.
    """

    path: Path
    format: str
    made_by: str
    weights: Mapping[str, torch.Tensor]
    normalizer: tuple[torch.Tensor, torch.Tensor] | None
    activation: str | None
    ending: tuple[str, ...]
    program: bytes = dataclasses.field(repr=False)
    memory: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    tensors: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict, repr=False)
    training: bool = False
    has_reset: bool = False
    clamps: tuple[str, ...] = ()
    inputs: Mapping[str, tuple[int | None, ...]] = dataclasses.field(default_factory=dict)
    outputs: Mapping[str, tuple[int | None, ...]] = dataclasses.field(default_factory=dict)
    state: Mapping[str, str] = dataclasses.field(default_factory=dict)
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def observation(self) -> str | None:
        """Name of the input for the observation."""
        free = [name for name in self.inputs if name not in self.state]
        known = ("obs", "actor_obs", "observations", "observation", "policy", "input")
        return next((name for name in known if name in free), free[0] if free else None)

    @property
    def action(self) -> str | None:
        """Name of the output with the action."""
        free = [name for name in self.outputs if name not in self.state.values()]
        known = ("actions", "action", "continuous_actions", "output")
        return next((name for name in known if name in free), free[0] if free else None)

    @property
    def features(self) -> int | None:
        """Number of features of an observation, without images; None if the file does not show it."""
        sizes = self.inputs.get(self.observation or "", ())
        if sizes and sizes[-1] is not None:
            return sizes[-1]
        if self.normalizer is not None:
            return self.normalizer[0].numel()
        first = self.weights.get("rnn.rnn.weight_ih_l0", self.weights.get("mlp.0.weight"))
        seen = any(name.startswith("cnns.") for name in self.weights)  # then the MLP takes their outputs, too
        return None if first is None or seen else first.shape[1]

    @property
    def half(self) -> bool:
        """Whether the policy computes in half precision."""
        return any(weight.dtype in (torch.float16, torch.bfloat16) for weight in self.weights.values())
