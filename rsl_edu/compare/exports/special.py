"""What is plain to see before any cause is tried: sizes, broken numbers, noise, the training mode."""

from __future__ import annotations

import torch

from rsl_edu.checkpoint import Checkpoint
from rsl_edu.number_format import counted, short

from .comparison import Reason
from .evidence import Evidence
from .tensors import account, moved_features, readable


def kind_of_network(evidence: Evidence) -> Reason | None:
    """Tell that one of them has a memory, the other none."""
    export = evidence.export
    theirs = bool(export.state or export.memory) or any(name.startswith("rnn.") for name in evidence.named)
    ours = evidence.checkpoint.policy.rnn is not None
    if ours == theirs or not (readable(evidence) or theirs):
        return None
    with_memory, without = ("the export", "the checkpoint") if theirs else ("the checkpoint", "the export")
    found = f"{with_memory} has a memory, {without} has none"
    return Reason("another kind of network", found, "it is the export of another run", 3)


def size_of_observations(evidence: Evidence) -> Reason | None:
    """Tell what an export that takes another number of features has more or less."""
    ours, theirs = evidence.checkpoint.policy.features, evidence.export.features
    if theirs is None or theirs == ours:
        return None
    name = evidence.sample.name
    found = f"the export takes {counted(theirs, 'feature')}, the checkpoint {ours}"
    order = moved_features(evidence, evidence.checkpoint.policy)
    if order is not None:
        lost = [name(place) for place in torch.where(order < 0)[0].tolist()]
        more = sorted(set(range(theirs)) - set(order.tolist()))
        parts = [f"without {_some(lost)}"] if lost else []
        parts += (
            [f"with {counted(len(more), 'feature')} more, at {_some([str(place) for place in more])}"] if more else []
        )
        found += f"; by the columns of its first layer it is this policy {' and '.join(parts)}"
    elif theirs > ours and theirs % ours == 0:
        found += f": {theirs // ours} times as many, as with a history of {theirs // ours} steps"
    return Reason(
        "another number of observations",
        f"{found}; {account(evidence)}{other_parts(evidence.checkpoint)}",
        "give both the same observation terms: obs_groups, history_length and the terms of the group in env.yaml; "
        "or it is the export of another task",
        6,
    )


def size_of_actions(evidence: Evidence) -> Reason | None:
    """Tell why an export returns another number of actions."""
    policy, theirs = evidence.checkpoint.policy, evidence.played.actions.shape[-1]
    if theirs == policy.actions:
        return None
    output = evidence.base.output(evidence.sample.observations, evidence.sample.images).flatten(2)
    if output.shape[-1] == theirs and evidence.error(output, evidence.actions) <= evidence.tolerance:
        return Reason(
            "means and stds are returned together",
            f"the export returns {theirs} numbers for {policy.actions} actions: all that the network gives, of which "
            "the first half are the actions",
            "take the first half, or export the mean alone: runner.export_policy_to_jit and _to_onnx of rsl_rl 4 and "
            "later do (Isaac Lab's exporter does not know state_dependent_std)",
            5,
        )
    found = f"the export returns {counted(theirs, 'action')}, the checkpoint {policy.actions}; {account(evidence)}"
    return Reason("another number of actions", found, "it is the export of another robot or task", 6)


def no_numbers(evidence: Evidence) -> Reason | None:
    """Tell that an export returns NaN or infinity."""
    broken = ~evidence.actions.isfinite().all(-1)
    if not broken.any():
        return None
    names = [name for name, x in evidence.export.tensors.items() if not x.isfinite().all()]
    why = f"; {_some(names)} in its file are no numbers" if names else ""
    found = f"it returns NaN or infinity for {int(broken.sum()):,} of {broken.numel():,} observations{why}"
    return Reason("no numbers", found, "export again; in half precision, large observations overflow", 1)


def training_mode(evidence: Evidence) -> Reason | None:
    """Tell that an export does what it should in evaluation mode only."""
    if evidence.played.evaluated is None:
        return None
    time, envs = evidence.played.evaluated.shape[:2]
    miss = evidence.error(evidence.played.evaluated, evidence.expected[:time, :envs])
    if miss > evidence.tolerance:
        return None
    return Reason(
        "exported in training mode",
        f"after .eval() it does what the checkpoint does, to {short(miss)} of the actions' std: a normaliser goes on "
        "learning, or there is dropout",
        "model.eval() before torch.jit.script; or policy.eval() after torch.jit.load",
        4,
    )


def sampled(evidence: Evidence) -> Reason:
    """Say what noise is on the actions."""
    distribution = evidence.base.policy.distribution
    distribution.update(evidence.base.output(evidence.sample.observations, evidence.sample.images).flatten(0, 1))
    std = distribution.std.double()
    ours = (std**2).mean(0).sqrt() if std.dim() > 1 else std
    ratio = (evidence.noise / ours.clamp_min(1e-12)).median().item()
    found = f"loaded anew, it does something else on the same observations: {short(ratio)} times the checkpoint's noise"
    if 0.8 < ratio < 1.25:
        return Reason(
            "actions are sampled",
            found,
            "export the mean: act_inference(), or as_jit() and as_onnx() since rsl_rl 4; act() draws a sample",
            5,
        )
    return Reason("actions are noisy", found, "remove the noise or the dropout from what is exported; .eval() it", 5)


def other_parts(checkpoint: Checkpoint) -> str:
    """Say which parts a policy has next to its actor, for a message; an empty text if there are none."""
    parts = sorted({name.partition(".")[0] for name in checkpoint.unread})
    if not parts:
        return ""
    return (
        f". Next to the actor, {checkpoint.path.name} has {_some(parts)}, which is not read: the actor is not all of it"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
