"""The critic of a checkpoint: what it says a state is worth, if it is an MLP."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rsl_edu.modules import MLP, EmpiricalNormalization

_MLP = re.compile(r"mlp\.(\d{1,6})\.weight")


@dataclasses.dataclass(frozen=True)
class Critic:
    """The critic of a checkpoint.

    Attributes:
        weights: Its parameters and statistics, in the names of rsl_rl 5.
        network: Its normaliser and its MLP, in evaluation mode, with the activation of the actor; None if it has a
            memory or a CNN, which are not rebuilt, or does not fit together.
    """

    weights: Mapping[str, torch.Tensor]
    network: nn.Sequential | None

    @property
    def features(self) -> int | None:
        """Features of its observations, or None if it was not rebuilt."""
        return None if self.network is None else self.network[1][0].in_features  # type: ignore[index]

    @property
    def last(self) -> torch.Tensor | None:
        """Weights of its last layer, ``[1, units]``, or None if it has no linear layer."""
        layers = _layers(self.weights)
        return layers[-1] if layers else None


def rebuild_critic(weights: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> Critic | None:
    """Rebuild a critic, without a copy of its weights; None if there is none.

    Args:
        weights: By the names of rsl_rl 5.
        config: The actor's configuration, for its ``activation``.
    """
    if not weights:
        return None
    layers, mean = _layers(weights), weights.get("obs_normalizer._mean")
    if not layers or not all(name.startswith(("mlp.", "obs_normalizer.")) for name in weights):
        return Critic(weights, None)
    sizes = [layers[0].shape[1], *(len(layer) for layer in layers)]
    fit = all(layer.shape[1] == size for layer, size in zip(layers, sizes, strict=False))
    if not fit or (mean is not None and mean.shape != (1, sizes[0])):
        return Critic(weights, None)
    try:
        with torch.device("meta"):  # it gets the weights themselves
            mlp = MLP(sizes[0], sizes[-1], sizes[1:-1], config.get("activation", "elu"))
            normalizer = nn.Identity() if mean is None else EmpiricalNormalization(mean.shape[1:])
        for module, prefix in ((normalizer, "obs_normalizer."), (mlp, "mlp.")):
            state = {name.removeprefix(prefix): x for name, x in weights.items() if name.startswith(prefix)}
            state = {name: x if name == "count" else x.float() for name, x in state.items()}
            module.load_state_dict(state, assign=True)
    except (TypeError, ValueError, AttributeError, RuntimeError):
        return Critic(weights, None)
    return Critic(weights, nn.Sequential(normalizer, mlp).eval().requires_grad_(False))


def _layers(weights: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """Return the weights of the linear layers, in their order."""
    found = {int(match[1]): x for name, x in weights.items() if (match := _MLP.fullmatch(name)) and x.dim() == 2}
    return [found[place] for place in sorted(found)]
