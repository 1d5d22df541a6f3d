"""The critic of a checkpoint, and its values if it is an MLP."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping

import torch
from torch import nn

from rsl_edu.modules import EmpiricalNormalization
from rsl_edu.modules.mlp import make_activation

_WEIGHT = re.compile(r"mlp\.(\d{1,6})\.weight")


@dataclasses.dataclass(frozen=True)
class Critic:
    """The critic of a checkpoint.

    Attributes:
        weights: Its parameters and statistics, under the names of rsl_rl 5.
        activation: Activation of its hidden layers; the actor's is used, because no file contains the critic's.
    """

    weights: Mapping[str, torch.Tensor]
    activation: str

    @property
    def last(self) -> torch.Tensor | None:
        """Weights of its last layer, ``[1, units]``, or None if it has no linear layer."""
        return self._linear[-1][0] if self._linear else None

    @property
    def features(self) -> int | None:
        """Features of its observations; None if it has an RNN or a CNN, or if its layers do not fit together."""
        if not self._linear or not all(name.startswith(("mlp.", "obs_normalizer.")) for name in self.weights):
            return None
        features: int = self._linear[0][0].shape[1]
        size = features
        for weight, bias in self._linear:
            if bias is None or weight.shape[1] != size or bias.shape != weight.shape[:1]:
                return None
            size = len(weight)
        statistics = (self.weights.get(f"obs_normalizer.{name}") for name in ("_mean", "_std"))
        return features if all(x is None or x.shape == (1, features) for x in statistics) else None

    def values(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the values of states, ``[..., 1]``.

        Args:
            observations: ``[..., features]``, with as many features as the property ``features``.
        """
        x, mean, std = observations, *(self.weights.get(f"obs_normalizer.{name}") for name in ("_mean", "_std"))
        if mean is not None and std is not None:
            x = (x - mean) / (std + EmpiricalNormalization(1).eps)
        activation = make_activation(self.activation)
        for place, (weight, bias) in enumerate(self._linear):
            x = nn.functional.linear(activation(x) if place else x, weight, bias)
        return x

    @functools.cached_property
    def _linear(self) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        """Weights and biases of the linear layers, in order."""
        found = {int(match[1]): x for name, x in self.weights.items() if (match := _WEIGHT.fullmatch(name))}
        biases = {place: self.weights.get(f"mlp.{place}.bias") for place in found}
        return [
            (found[place].float(), None if (bias := biases[place]) is None else bias.float())
            for place in sorted(found)
            if found[place].dim() == 2 and found[place].numel()
        ]
