"""Differences that are found without trying causes: sizes, NaN or infinity, noise, training mode."""

from __future__ import annotations

import torch

from rsl_edu.checkpoint import Checkpoint
from rsl_edu.exported import ExportError
from rsl_edu.number_format import counted, short

from .comparison import Reason
from .evidence import Evidence
from .tensors import account, moved_features, readable, same_network


def kind_of_network(evidence: Evidence) -> Reason | None:
    """Report if only one of checkpoint and export is recurrent, or if their recurrent layers are of different kinds."""
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
        found = f"the checkpoint's recurrent layer is {kinds[0]}, the export's is {kinds[1]}"
        return Reason("another kind of network", found, "the export is from a different run: export this run", 3)
    if ours == theirs or not (readable(evidence) or theirs):
        return None
    with_memory, without = ("the export", "the checkpoint") if theirs else ("the checkpoint", "the export")
    found = f"{with_memory} is recurrent, {without} is not"
    return Reason("another kind of network", found, "the export is from a different run: export this run", 3)


def size_of_observations(evidence: Evidence) -> Reason | None:
    """Report which features an export has too many or too few."""
    ours, theirs = evidence.checkpoint.policy.features, evidence.export.features
    if theirs is None or theirs == ours:
        return None
    name, export = evidence.sample.name, evidence.export
    parts = [it for it in export.inputs if it not in export.state and it not in evidence.sample.images]
    widths = [size[-1] for it in parts if (size := export.inputs[it])]
    if len(parts) > 1 and all(widths) and sum(width or 0 for width in widths) == ours:
        raise ExportError(
            f"{export.path.name}: the export takes the {ours} features in {len(parts)} inputs ({_some(parts)}), and "
            "nothing shows which features belong to which input: export with a single input"
        )
    first = evidence.named.get("mlp.0.weight" if evidence.checkpoint.policy.rnn is None else "rnn.rnn.weight_ih_l0")
    if first is not None and not evidence.checkpoint.policy.cnns and first.shape[-1] == ours:
        raise ExportError(
            f"{export.path.name}: the export takes {theirs} features, but its network takes {ours}, like the "
            "checkpoint's. Its code selects them, and nothing else shows which: export with the observations "
            "used in training"
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
        found += f"; by the columns of its first layer, it is this policy {' and '.join(parts)}"
    elif theirs > ours and theirs % ours == 0:
        found += f": {theirs // ours} times as many, as with a history of {theirs // ours} steps"
    return Reason(
        "another number of observations",
        f"{found}; {account(evidence)}{other_parts(evidence.checkpoint)}",
        "use the same observation terms in both: obs_groups, history_length and the terms of the group in env.yaml. "
        "Or the export is from a different task",
        6,
    )


def size_of_actions(evidence: Evidence) -> Reason | None:
    """Report why the export and the checkpoint have different numbers of actions."""
    policy, theirs = evidence.checkpoint.policy, evidence.played.actions.shape[-1]
    if theirs == policy.actions:
        return None
    output = evidence.base.output(evidence.sample.observations, evidence.sample.images).flatten(2)
    if output.shape[-1] == theirs and evidence.error(output, evidence.actions) <= evidence.tolerance:
        return Reason(
            "means and stds are returned together",
            f"the export returns {theirs} numbers for {policy.actions} actions: the network's entire output, whose "
            "first half is the actions",
            "take the first half, or export only the mean, as runner.export_policy_to_jit and _to_onnx of rsl_rl 4 and "
            "later do (Isaac Lab's exporter does not support state_dependent_std)",
            5,
        )
    found = f"the export returns {counted(theirs, 'action')}, the checkpoint {policy.actions}; {account(evidence)}"
    if readable(evidence) and same_network(evidence, evidence.checkpoint):
        if theirs > 1:
            change = "the network is the checkpoint's, so let the export return all of its actions and nothing else"
            return Reason("another number of actions", found, change, 6)
        raise ExportError(
            f"{evidence.export.path.name}: the network is the checkpoint's, but the export's first output is a single "
            f"number, such as a value, instead of {policy.actions} actions: return the actions first"
        )
    change = "the export is from a different robot or task: export this run"
    return Reason("another number of actions", found, change, 6)


def may_be_fed_otherwise(evidence: Evidence, causes: list[str]) -> None:
    """Refuse to judge an export if its other inputs, which were set to zero, may need different values.

    Raises:
        ExportError: The export has such inputs, and no cause explains its actions, except possibly a lost hidden state.
    """
    export = evidence.export
    others = [it for it in export.inputs if it not in (export.observation, *export.state, *evidence.sample.images)]
    if others and causes in ([], ["hidden state not carried over"]):
        raise ExportError(
            f"{export.path.name}: the export's actions differ from the checkpoint's, but its inputs {_some(others)} "
            "were set to 0, because their values are not known: export without these inputs"
        )


def actions_that_differ(evidence: Evidence) -> str:
    """Describe which actions differ, and by how much."""
    apart = (evidence.actions - evidence.expected).flatten(0, 1).abs().amax(0) / evidence.scale
    off = apart > max(evidence.tolerance, 1e-2 * apart.max().item())
    if off.all():
        return f"all {len(off)} actions differ"
    which = [f"{place} by up to {short(apart[place].item())}" for place in torch.where(off)[0].tolist()]
    return f"{len(which)} of {len(off)} actions differ (in stds): action {_some(which)}"


def no_numbers(evidence: Evidence) -> Reason | None:
    """Report an export that returns NaN or infinity."""
    broken = ~evidence.actions.isfinite().all(-1)
    if not broken.any():
        return None
    names = [name for name, x in evidence.export.tensors.items() if not x.isfinite().all()]
    why = f"; its file already contains them in {_some(names)}" if names else ""
    found = f"the export returns NaN or infinity for {int(broken.sum()):,} of {broken.numel():,} observations{why}"
    return Reason("NaN or infinity", found, "export again; in half precision, large observations overflow", 1)


def training_mode(evidence: Evidence) -> Reason | None:
    """Report an export that returns the right actions only in evaluation mode."""
    if evidence.played.evaluated is None:
        return None
    evaluated = evidence.played.evaluated
    time, envs = evaluated.shape[:2]
    if evidence.fits(evidence.base) or evidence.error(evaluated, evidence.actions[:time, :envs]) <= evidence.tolerance:
        return None  # .eval() made no difference on the observations it was tried on
    miss = evidence.error(evaluated, evidence.expected[:time, :envs])
    if miss > evidence.tolerance:
        return None
    return Reason(
        "exported in training mode",
        f"after .eval(), the export matches the checkpoint to within {short(miss)} of the actions' std; without it, a "
        "normalizer keeps learning, or dropout is active",
        "call model.eval() before torch.jit.script, or policy.eval() after torch.jit.load",
        4,
    )


def sampled(evidence: Evidence) -> Reason:
    """Describe the noise on the actions."""
    distribution = evidence.base.policy.distribution
    distribution.update(evidence.base.output(evidence.sample.observations, evidence.sample.images).flatten(0, 1))
    std = distribution.std.double()
    ours = (std**2).mean(0).sqrt() if std.dim() > 1 else std
    ratio = (evidence.noise / ours.clamp_min(1e-12)).median().item()
    found = (
        f"repeated observations give different actions, and this noise is {short(ratio)} times the checkpoint's noise"
    )
    if 0.8 < ratio < 1.25:
        return Reason(
            "actions are sampled",
            found,
            "export the mean: act_inference(), or as_jit() and as_onnx() since rsl_rl 4. act() draws a sample",
            5,
        )
    change = "remove the noise or the dropout from the exported module, or call .eval() on it before you export"
    return Reason("actions are noisy", found, change, 5)


def other_parts(checkpoint: Checkpoint) -> str:
    """Describe the parts that a policy has besides its actor, for a message; return "" if there are none."""
    parts = sorted({name.partition(".")[0] for name in checkpoint.unread})
    if not parts:
        return ""
    return (
        f". Besides the actor, {checkpoint.path.name} contains {_some(parts)}, which rsl_edu does not read, so the "
        "actor is only a part of this policy"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
