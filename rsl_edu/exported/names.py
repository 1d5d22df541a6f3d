"""Recognizes the parameters of a policy by the names that exporters give to tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch

ACTIVATIONS = {
    "ELU": "elu",
    "SELU": "selu",
    "ReLU": "relu",
    "CELU": "crelu",
    "LeakyReLU": "lrelu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "GELU": "gelu",
    "SiLU": "swish",
    "Mish": "mish",
    "Identity": "identity",
}
"""Class in torch → name of the activation in rsl_rl's configuration."""

_LAYER = re.compile(r"(?P<part>(?:.*\.)?)(?P<place>\d+)\.(?P<kind>weight|bias)")
_RNN = re.compile(r"(?:.*\.)?((?:weight|bias)_(?:ih|hh)_l\d+)")
_ACTORS = ("mlp", "actor", "student", "actor_body", "module", "policy", "net", "")
"""Usual last words in the name of an actor's MLP, the most common first."""


def mlp_part(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """Return the prefix before the numbers of the actor's layers, such as ``actor.``; None if it is ambiguous."""
    parts = {found["part"] for name, x in tensors.items() if x.dim() == 2 and (found := _LAYER.fullmatch(name))}
    ours = {part: part.rstrip(".").rpartition(".")[2] for part in parts}
    likely = [part for word in _ACTORS for part in parts if ours[part] == word]
    if likely:
        return likely[0] if sum(ours[part] == ours[likely[0]] for part in likely) == 1 else None
    return parts.pop() if len(parts) == 1 else None


def named_weights(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the parameters of a policy under the names of rsl_rl 5."""
    weights: dict[str, torch.Tensor] = {}
    part = mlp_part(tensors)
    layers: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if layer := _LAYER.fullmatch(name):
            if layer["part"] == part:
                layers.setdefault(int(layer["place"]), {})[layer["kind"]] = tensor
            elif "cnns." in name:
                weights[name[name.index("cnns.") :]] = tensor
        elif memory := _RNN.fullmatch(name):
            weights[f"rnn.rnn.{memory[1]}"] = tensor
    return weights | numbered(layers[place] for place in sorted(layers) if "weight" in layers[place])


def numbered(layers: Iterable[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the linear layers of an MLP, numbered as in rsl_rl, where every second module is an activation."""
    return {f"mlp.{2 * place}.{kind}": x for place, layer in enumerate(layers) for kind, x in layer.items()}


def only(names: Iterable[str | None]) -> str | None:
    """Return the name if all given names are the same; otherwise None."""
    found = set(names)
    return found.pop() if len(found) == 1 else None
