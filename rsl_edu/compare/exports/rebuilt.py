"""Policy rebuilt from an export's tensors, without running its code."""

from __future__ import annotations

import copy

import torch

from rsl_edu.checkpoint import Policy
from rsl_edu.exported import Export

_PARTS = ("mlp", "rnn", "cnns")


def network(policy: Policy) -> dict[str, torch.Tensor]:
    """Return the weights of a policy's network, without normalizer and distribution."""
    return {name: x for name, x in policy.state_dict().items() if name.partition(".")[0] in _PARTS}


def weights_for(export: Export, policy: Policy) -> dict[str, torch.Tensor]:
    """Return an export's weights under a policy's names. TorchScript numbers the images, in the policy's order."""
    names = list(policy.cnns)
    found = {}
    for name, tensor in export.weights.items():
        head, _, rest = name.partition(".")
        number, _, inside = rest.partition(".")
        if head == "cnns" and number not in names and number.isdecimal() and int(number) < len(names):
            name = f"cnns.{names[int(number)]}.{inside}"
        found[name] = tensor
    return found


def rebuilt(export: Export, policy: Policy) -> Policy | None:
    """Return a policy with an export's weights; None if some weights cannot be identified or do not fit."""
    expected, found = network(policy), weights_for(export, policy)
    if any(name not in found or found[name].shape != weight.shape for name, weight in expected.items()):
        return None
    made = copy.deepcopy(policy)
    made.load_state_dict({name: found[name].to(weight.dtype) for name, weight in expected.items()}, strict=False)
    return made
