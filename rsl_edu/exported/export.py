"""What an exported policy holds, whatever its format."""

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
        made_by: The class of a TorchScript file, or the program that wrote an ONNX file.
        weights: Parameters in the names of rsl_rl 5, as far as they could be told: ``mlp.0.weight``.
        normalizer: Mean, and what its difference to an observation is divided by, each ``[features]``, or None.
        activation: Of the hidden layers, in rsl_rl's name; None if the file does not tell.
        ending: What follows the last layer: classes of modules, or operations of ONNX.
        memory: What the memory of a recurrent policy starts with, by name, as far as it is in the file.
        tensors: All its tensors, under its own names.
        training: Whether a TorchScript file was saved in training mode.
        has_reset: Whether a TorchScript file has a method that resets its memory.
        clamps: What in its code or graph cuts numbers off: ``clamp(-5, 5)``.
        inputs: Of an ONNX file, by name: the sizes, None where any fits.
        outputs: Of an ONNX file.
        state: Of an ONNX file: the input for the memory and the output that it is fed from.
        metadata: Of an ONNX file: texts by name.
        program: The whole file, for whoever runs it; an ONNX file has all its weights in it.
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
        """Features of an observation, without images; None if the file does not tell."""
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
        """Whether it computes in half precision."""
        return any(weight.dtype in (torch.float16, torch.bfloat16) for weight in self.weights.values())
