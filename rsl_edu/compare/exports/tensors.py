"""Exact comparison of an export's tensors with a checkpoint's, without running anything."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import torch

from rsl_edu.checkpoint import Checkpoint, Policy
from rsl_edu.checkpoint.untrusted import load
from rsl_edu.number_format import counted, short

from .evidence import Evidence
from .rebuilt import network

_ROUNDING = 1e-6
"""Largest relative difference of weights that another program only copied."""


def differing(weights: Mapping[str, torch.Tensor], policy: Policy) -> dict[str, float]:
    """Return the names of weights that differ from a policy's, each with its relative difference.

    The difference is infinite for weights that the export lacks or has in a different shape.
    """
    found = {}
    for name, ours in network(policy).items():
        theirs = weights.get(name)
        if theirs is None or theirs.shape != ours.shape:
            found[name] = float("inf")
            continue
        size = ours.double().norm().item() or 1.0
        rounded = ours.to(theirs.dtype) if theirs.dtype in (torch.float16, torch.bfloat16) else ours
        off = (theirs.double() - rounded.double()).norm().item() / size
        if not off <= _ROUNDING:
            found[name] = off
    return found


def same_network(evidence: Evidence, checkpoint: Checkpoint) -> bool:
    """Return whether all weights of the export's network equal a checkpoint's."""
    return not differing(evidence.named, checkpoint.policy)


def source_of(evidence: Evidence) -> Checkpoint | None:
    """Return the checkpoint that has the export's network; None if none has it, or if the tensors have no names."""
    if not readable(evidence):
        return None
    if same_network(evidence, evidence.checkpoint):
        return evidence.checkpoint
    return next((other for other in evidence.others if same_network(evidence, other)), None)


def readable(evidence: Evidence) -> bool:
    """Return whether the export's tensors have names that identify their layers."""
    return "mlp.0.weight" in evidence.named


def means_of(evidence: Evidence) -> dict[str, torch.Tensor]:
    """Return tensors that may be the mean of the export's normalizer, by name: the known mean, or all of that size."""
    if evidence.export.normalizer is not None:
        return {"": evidence.export.normalizer[0]}
    features = evidence.checkpoint.policy.features
    known = [x.double().flatten() for x in evidence.export.weights.values() if x.numel() == features]
    flat = {name: x.double().flatten() for name, x in evidence.export.tensors.items() if x.numel() == features}
    return {name: x for name, x in flat.items() if not any(torch.equal(x, weight) for weight in known)}


def same_normalizer(evidence: Evidence, policy: Policy) -> bool:
    """Return whether the export contains the mean of a policy's normalizer."""
    if policy.normalizer is None:
        return False
    mean = policy.normalizer.mean.double().flatten()
    size = max(mean.norm().item(), 1e-12)
    half = (torch.float16, torch.bfloat16) if evidence.export.half else ()
    found = [theirs for theirs in means_of(evidence).values() if theirs.shape == mean.shape]
    off = [(theirs - mean.to(kind).double()).norm().item() for theirs in found for kind in (torch.float64, *half)]
    return bool(min(off, default=float("inf")) / size <= _ROUNDING)


def wanted(evidence: Evidence) -> list[Callable[[Policy], bool]]:
    """Return tests of whether a policy has the export's network or normalizer; none if the tensors have no names."""
    if not readable(evidence):
        return []
    network: Callable[[Policy], bool] = lambda policy: not differing(evidence.named, policy)  # noqa: E731
    return [network, *([functools.partial(same_normalizer, evidence)] if means_of(evidence) else [])]


def in_8_bits(evidence: Evidence, policy: Policy) -> bool:
    """Return whether the export's weights are a policy's, rounded to 255 levels in each row or matrix."""
    found = False
    for name, ours in network(policy).items():
        theirs = evidence.named.get(name)
        if theirs is None or theirs.shape != ours.shape:
            return False
        if ours.dim() != 2 or torch.equal(theirs, ours):
            continue
        x, w = theirs.double(), ours.double()
        steps = [w.abs().amax(1, keepdim=True) / 127, w.abs().amax() / 127]
        if not any(
            ((x / step - (x / step).round()).abs() < 1e-3).all() and ((x - w).abs() < 0.51 * step).all()
            for step in steps
        ):
            return False
        found = True
    return found


def part_of(evidence: Evidence) -> str:
    """Name the network that was exported instead of the actor, such as ``the teacher of model_9.pt``; "" if unknown."""
    weights = [x for name, x in evidence.named.items() if name.startswith("mlp.")]
    if not readable(evidence) or same_network(evidence, evidence.checkpoint):
        return ""
    path = evidence.checkpoint.path
    tables = {key: table for key, table in load(path).items() if isinstance(table, dict)}
    parts: set[str] | None = None
    for x in weights:
        here = {
            f"{key.removesuffix('_state_dict')} {name}".removeprefix("model ").partition(".")[0]
            for key, table in tables.items()
            for name, y in table.items()
            if isinstance(y, torch.Tensor) and y.shape == x.shape and torch.equal(y, x)
        }
        parts = here if parts is None else parts & here
    return f"the {min(parts).removesuffix(' mlp')} of {path.name}" if parts else ""


def account(evidence: Evidence) -> str:
    """Describe which checkpoint the export's weights and normalizer come from."""
    return "; ".join(part for part in (_network(evidence), _normalizer(evidence)) if part)


def _network(evidence: Evidence) -> str:
    if not readable(evidence):
        return "the export's weights have no names that identify their layers"
    weights, ours = evidence.named, network(evidence.checkpoint.policy)
    source = source_of(evidence)
    if source is not None:
        return f"all {counted(len(ours), 'tensor')} of the export's network match {source.path.name}"
    if part := part_of(evidence):
        return f"the export's network is {part}"
    candidates = [evidence.checkpoint, *evidence.others]
    nearest = min(candidates, key=lambda other: sum(differing(weights, other.policy).values()))
    off = differing(weights, nearest.policy)
    lost = next((name for name, by in off.items() if by == float("inf")), None)
    if lost is not None:
        theirs = list(weights[lost].shape) if lost in weights else "missing"
        return f"the export's {lost} is {theirs}, but {list(ours[lost].shape)} in {evidence.checkpoint.path.name}"
    which = ", ".join(f"{tensor} by {short(100 * by)} %" for tensor, by in list(off.items())[:4])
    more = f" and {len(off) - 4} more" if len(off) > 4 else ""
    among = f", the nearest of {counted(len(candidates), 'checkpoint')}" if len(candidates) > 1 else ""
    count = f"{len(off)} of {len(ours)} tensors of the export's network"
    return f"{count} differ from {nearest.path.name}{among}: {which}{more}"


def _normalizer(evidence: Evidence) -> str:
    ours, theirs = evidence.checkpoint.policy.normalizer, evidence.export.normalizer
    found = means_of(evidence)
    source = next((it for it in (evidence.checkpoint, *evidence.others) if same_normalizer(evidence, it.policy)), None)
    if source is not None:
        return f"the means of the export's normalizer match {source.path.name}"
    if theirs is not None:
        unlike = f"the means of the export's normalizer differ from {evidence.checkpoint.path.name}"
        return "the export contains a normalizer, the checkpoint does not" if ours is None else unlike
    if ours is None or not readable(evidence):
        return ""
    return "the export contains no normalizer" + (f", unless that is {', '.join(list(found)[:4])}" if found else "")


def moved_features(evidence: Evidence, policy: Policy) -> torch.Tensor | None:
    """Match the export's input features to the policy's, by the columns of the first layer.

    Returns:
        For each feature of the policy, its index in the export, ``[features]``; -1 for a feature that the export does
        not have. None if the columns do not match well enough.
    """
    name = "mlp.0.weight" if policy.rnn is None else "rnn.rnn.weight_ih_l0"
    theirs = evidence.named.get(name)
    ours = policy.state_dict()[name]
    if theirs is None or policy.cnns or theirs.dim() != 2 or len(theirs) != len(ours):
        return None
    apart = torch.cdist(ours.T.double(), theirs.T.double())
    nearest = apart.argmin(1)
    near = apart.min(1).values <= 1e-5 * ours.double().norm(dim=0).clamp_min(1e-12)
    taken = nearest[near]
    if near.sum() < max(1, len(nearest) // 2) or len(taken.unique()) != len(taken):
        return None
    return torch.where(near, nearest, -1)


def moves(evidence: Evidence, order: torch.Tensor) -> str:
    """Describe moved features: which feature the export uses in place of which."""
    moved = [(place, int(taken)) for place, taken in enumerate(order.tolist()) if taken not in (place, -1)]
    named = [f"{evidence.sample.name(taken)} as {evidence.sample.name(place)}" for place, taken in moved]
    return f"{', '.join(named[:4])}{f' and {len(named) - 4} more' if len(named) > 4 else ''}"
