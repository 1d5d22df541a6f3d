"""What is plain to see before any cause is tried: sizes, broken numbers, noise, the training mode."""

from __future__ import annotations

import torch

from rsl_edu.checkpoint import Checkpoint
from rsl_edu.exported import ExportError
from rsl_edu.number_format import counted, short

from .comparison import Reason
from .evidence import Evidence
from .tensors import account, moved_features, readable, same_network


def kind_of_network(evidence: Evidence) -> Reason | None:
    """Tell that one of them has a memory, the other none."""
    export = evidence.export
    theirs = bool(export.state or export.memory) or any(name.startswith("rnn.") for name in evidence.named)
    ours = evidence.checkpoint.policy.rnn is not None
    rows = [
        len(weights.get("rnn.rnn.weight_ih_l0", ())) / max(1, weights["rnn.rnn.weight_hh_l0"].shape[-1])
        for weights in (evidence.checkpoint.policy.state_dict(), evidence.named)
        if "rnn.rnn.weight_hh_l0" in weights
    ]
    if ours and theirs and len(rows) == 2 and rows[0] != rows[1]:  # a GRU has three gates, an LSTM four
        kinds = ["an LSTM" if gates == 4 else "a GRU" for gates in rows]
        found = f"the checkpoint's memory is {kinds[0]}, the export's {kinds[1]}"
        return Reason("another kind of network", found, "it is the export of another run", 3)
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
    name, export = evidence.sample.name, evidence.export
    parts = [it for it in export.inputs if it not in export.state and it not in evidence.sample.images]
    widths = [size[-1] for it in parts if (size := export.inputs[it])]
    if len(parts) > 1 and all(widths) and sum(width or 0 for width in widths) == ours:
        raise ExportError(
            f"{export.path.name}: it takes the {ours} features in {len(parts)} inputs ({_some(parts)}), and which are "
            "which is not known: export with one input"
        )
    first = evidence.named.get("mlp.0.weight" if evidence.checkpoint.policy.rnn is None else "rnn.rnn.weight_ih_l0")
    if first is not None and not evidence.checkpoint.policy.cnns and first.shape[-1] == ours:
        raise ExportError(
            f"{export.path.name}: it takes {theirs} features and its network {ours}, like the checkpoint's: which it "
            "takes is in its code. Export with the observations of the training"
        )
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
    if readable(evidence) and same_network(evidence, evidence.checkpoint):
        if theirs > 1:
            change = "its network is the checkpoint's: return all of its actions, and nothing with them"
            return Reason("another number of actions", found, change, 6)
        raise ExportError(
            f"{evidence.export.path.name}: its network is the checkpoint's, but what it returns first is one number, "
            f"such as a value, not {policy.actions} actions: return the actions first"
        )
    return Reason("another number of actions", found, "it is the export of another robot or task", 6)


def may_be_fed_otherwise(evidence: Evidence, causes: list[str]) -> None:
    """Refuse to judge an export that may need other values in its other inputs than the zeros that it was given.

    Raises:
        ExportError: It has such inputs, and without them nothing explains what it does, or a lost memory alone does.
    """
    export = evidence.export
    others = [it for it in export.inputs if it not in (export.observation, *export.state, *evidence.sample.images)]
    if others and causes in ([], ["memory not carried along"]):
        raise ExportError(
            f"{export.path.name}: its actions are not the checkpoint's, but its inputs {_some(others)} were 0, and "
            "what they should be is not known: export without them"
        )


def actions_that_differ(evidence: Evidence) -> str:
    """Say which actions differ, and how far."""
    apart = (evidence.actions - evidence.expected).flatten(0, 1).abs().amax(0) / evidence.scale
    off = apart > max(evidence.tolerance, 1e-2 * apart.max().item())
    if off.all():
        return f"all {len(off)} actions differ"
    which = [f"{place} by up to {short(apart[place].item())}" for place in torch.where(off)[0].tolist()]
    return f"{len(which)} of {len(off)} actions differ, in stds: action {_some(which)}"


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
    evaluated = evidence.played.evaluated
    time, envs = evaluated.shape[:2]
    if evidence.fits(evidence.base) or evidence.error(evaluated, evidence.actions[:time, :envs]) <= evidence.tolerance:
        return None  # of the observations that .eval() was tried on, none shows a difference
    miss = evidence.error(evaluated, evidence.expected[:time, :envs])
    if miss > evidence.tolerance:
        return None
    return Reason(
        "exported in training mode",
        f"after .eval() it does what the checkpoint does, to {short(miss)} of the actions' std: a normalizer goes on "
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
    found = f"it does something else on the same observations, shown again: {short(ratio)} times the checkpoint's noise"
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
