"""The verdict: whether the actions are the same, and if not, which causes explain the difference."""

from __future__ import annotations

import dataclasses

from rsl_edu.diagnosis.examination import describe
from rsl_edu.exported import ExportError, Played, run_export
from rsl_edu.exported.names import ACTIVATIONS
from rsl_edu.number_format import counted, short
from rsl_edu.sandbox import Limits, SandboxError

from . import repeats, special
from .causes import activation_name
from .comparison import Comparison, Reason
from .endings import ENOUGH, enough
from .evidence import Evidence
from .explain import explain, nearest
from .kinds import Explanation
from .model import Model
from .tensors import account, readable, same_network
from .told_apart import reset_leaves, told_apart
from .untried import NEVER, unchecked

THE_EXPORT = "the export"
"""Source of an activation that only the export under test names."""

_OUTSIDE = "order, scale and clip of the robot's observations and actions are in its program, not in the export"
_UNSAFE = "or give --unsafe if you trust the file"
_NO_SANDBOX = {  # keys: whether bubblewrap is installed
    False: f"apt-get install bubblewrap, {_UNSAFE}",
    True: f"bubblewrap is installed, but the system refuses to run it: allow user namespaces (for a container, "
    f"--security-opt seccomp=unconfined), {_UNSAFE}",
}


def compared(evidence: Evidence, activation_from: str, unsafe: bool, limits: Limits | None) -> Comparison:
    """Run the export, compare its actions with the checkpoint's, and find out why the actions differ.

    Args:
        evidence: Checkpoint, export and observations; this function adds the export's actions.
        activation_from: Source of the checkpoint's activation; empty if the activation is a guess.
        unsafe: As for :func:`.compare_export`.
        limits: As for :func:`.compare_export`.

    Raises:
        ExportError: The export cannot be run.
    """
    ours, theirs = evidence.checkpoint, evidence.export
    made_by = f", {theirs.made_by}" if theirs.made_by else ""
    policy = describe(ours.policy, activation_from)
    about = {
        "checkpoint": f"{ours.path.name}: {ours.when}, {ours.layout}, {policy}",
        "export": f"{theirs.path.name}: {theirs.format}{made_by}",
        "input": evidence.sample.source,
    }
    reason = special.kind_of_network(evidence) or special.size_of_observations(evidence)
    if reason is not None:
        return Comparison(False, about, f"Not the same: {reason.name}.", (reason,))
    evidence, where = _played(evidence, unsafe, limits)
    about["export"] += f"; run {where}" if evidence.ran else "; not run"
    comparison = _judged(evidence, activation_from)
    notes = []
    if not evidence.ran:
        notes.append(where)
        verdict = f"{comparison.verdict[:1].lower()}{comparison.verdict[1:]}"
        comparison = dataclasses.replace(
            comparison,
            same=None,
            verdict=f"Cannot tell, because the export's code was not run. Judged by its tensors only: {verdict}",
            unchecked={**comparison.unchecked, "the export's code": "needs a sandbox"},
        )
    return dataclasses.replace(comparison, about=about, notes=(*notes, *_notes(evidence), *comparison.notes))


def _played(evidence: Evidence, unsafe: bool, limits: Limits | None) -> tuple[Evidence, str]:
    """Return the evidence with the export's actions, and where the export ran or why it did not."""
    sample, policy = evidence.sample, evidence.checkpoint.policy
    recurrent = policy.rnn is not None
    try:
        observations, images = repeats.shown(sample, recurrent)
        played = run_export(evidence.export, observations, images, recurrent, unsafe, limits)
        return repeats.taken(evidence, played), played.where
    except ExportError as error:
        raise ExportError(f"{error}{special.other_parts(evidence.checkpoint)}") from None
    except SandboxError as error:
        if evidence.own is None:
            raise ExportError(
                f"{evidence.export.path.name}: TorchScript is code, so it runs only in a sandbox ({error}): "
                f"{_NO_SANDBOX[error.refused]}"
            ) from None
        theirs = evidence.export
        model = Model(theirs.path.name, evidence.own, theirs.normalizer, theirs.activation, start=evidence.start)
        actions = evidence.play(model).float()
        why = (
            f"the export's code was not run, because there is no sandbox ({error}). The policy was rebuilt from its "
            f"tensors, so anything else that its code does was missed. To run it: {_NO_SANDBOX[error.refused]}"
        )
        return dataclasses.replace(evidence, played=Played(actions, actions, None, ""), ran=False), why


def _judged(evidence: Evidence, activation_from: str) -> Comparison:
    """Compare the export's actions with the checkpoint's."""
    reason = special.no_numbers(evidence) or special.size_of_actions(evidence)
    if reason is not None:
        return Comparison(False, {}, f"Not the same: {reason.name}.", (reason,))
    if evidence.noisy:
        first = special.sampled(evidence)
        others = () if evidence.fits(evidence.base) else _reasons(evidence, explain(evidence))
        return Comparison(False, {}, f"Not the same: {first.name}.", (first, *others))
    if reason := special.training_mode(evidence) or repeats.remembers(evidence):
        words = f"the largest difference is {short(_apart(evidence))} times the actions' std, {_on(evidence)}"
        return Comparison(False, {}, f"Not the same: {reason.name}; {words}.", (reason,))
    if evidence.fits(evidence.base):
        reason = told_apart(evidence)
        if reason is not None:
            words = f"{reason.name}, judged by its tensors. The actions differ only by rounding, at most by"
            words += f" {short(_apart(evidence))} times their std, {_on(evidence)}"
            return Comparison(False, {}, f"Not the same: {words}.", (reason,))
        reason = reset_leaves(evidence)
        if reason is not None:
            return Comparison(False, {}, f"Not the same: {reason.name}.", (reason,))
        unknown = activation_from in ("", THE_EXPORT) and activation_name(evidence.checkpoint.policy)
        return _same(evidence, evidence.base, unknown or "")
    if not activation_from:
        for name in ACTIVATIONS.values():
            model = dataclasses.replace(evidence.base, activation=name)
            if evidence.fits(model):
                return _same(evidence, model, name)
    words = f"the largest difference is {short(_apart(evidence))} times the actions' std, {_on(evidence)}"
    if evidence.only_large:
        words += f"; observations up to {short(evidence.reach)} stds from the mean show no difference"
    return _explained(evidence, words)


def _explained(evidence: Evidence, words: str) -> Comparison:
    """Return the causes, or how much of the difference the best guess explains."""
    found = explain(evidence)
    open_ = unchecked(evidence, bool(found.causes))
    tried = tuple(name for name in found.tried if name not in open_)
    special.may_be_fed_otherwise(evidence, [cause.name for cause in found.causes])
    if found.causes:
        names = " and ".join(cause.name for cause in found.causes)
        reasons = _reasons(evidence, found)
        return Comparison(False, {}, f"Not the same: {names}; {words}.", reasons, (), tried, open_)
    notes = [account(evidence), special.actions_that_differ(evidence)]
    best, share = nearest(evidence)
    if best is not None and share > 0.5:
        change = f"{best.model.name} {best.words}".rstrip()
        notes.append(f"nearest guess: {change} explains {short(100 * share)} % of the squared difference")
    verdict = f"Not the same, and no known cause explains the difference: {words}."
    if readable(evidence) and same_network(evidence, evidence.checkpoint):
        verdict = f"Not the same, although the weights match: the code around the network differs; {words}."
    return Comparison(False, {}, verdict, (), tuple(notes), tried, open_, NEVER)


def _same(evidence: Evidence, model: Model, unknown: str) -> Comparison:
    """Return the verdict that the export does the same as the checkpoint, with the conditions of this verdict.

    Args:
        evidence: The checkpoint, the export, and the export's actions.
        model: The model that reproduces the export's actions.
        unknown: The activation, if only the export names it, so that no other file confirms it.
    """
    more, unchecked = [], {"outside the policy": _OUTSIDE}
    if evidence.export.ending and type(evidence.base.policy.distribution).__name__ == "GaussianDistribution":
        more.append(f"the export ends with {', '.join(evidence.export.ending)}, which changed none of these actions")
    if evidence.export.clamps:
        clamps = ", ".join(evidence.export.clamps)
        what = "graph" if evidence.export.format == "ONNX" else "code"
        effect = "which changed none of these actions" if evidence.ran else "whose effect was not observed"
        more.append(f"the export's {what} contains {clamps}, {effect}")
    if evidence.checkpoint.policy.rnn is not None and evidence.export.format == "TorchScript" and evidence.ran:
        if evidence.played.reset is None:
            unchecked["reset of the hidden state"] = "the export has no method for it"
        elif not evidence.played.reset.isfinite().all():
            unchecked["reset of the hidden state"] = "the export's reset method could not be called"
    if readable(evidence) and not same_network(evidence, evidence.checkpoint):
        more.append(account(evidence))
    words = f"the largest difference is {short(evidence.miss(model))} times the actions' std, {_on(evidence)}"
    if evidence.played.evaluated is not None:
        time, envs = evidence.played.evaluated.shape[:2]
        off = evidence.error(evidence.played.evaluated, evidence.expected[:time, :envs])
        if off > evidence.tolerance:
            more.append(
                f"after .eval(), which a robot's program may call, the export's actions differ by {short(off)} std"
            )
    if not enough(evidence):
        verdict = f"Cannot tell: the actions are the same, but there are fewer than {ENOUGH} different observations; "
        return Comparison(None, {}, f"{verdict}{words}.", (), tuple(more), (), unchecked)
    same = "Same actions, within the accuracy of half precision" if evidence.export.half else "Same actions"
    if unknown:
        same += f", provided that the checkpoint was trained with {unknown} (only the export names the activation)"
        unchecked = {"another activation": "needs --activation, or --config agent.yaml"} | unchecked
    return Comparison(True, {}, f"{same}: {words}.", (), tuple(more), (), unchecked)


def _reasons(evidence: Evidence, found: Explanation) -> tuple[Reason, ...]:
    """Return how the causes were found, and what to change."""
    if not found.causes:
        return ()
    model = found.variants[-1].model
    words = " and ".join(variant.words for variant in found.variants if variant.words)
    exact = ", apart from the noise" if evidence.noisy else f" to within {short(evidence.miss(model))} of their std"
    seen = f"{model.name} {words}".rstrip() + f" reproduces the export's actions{exact}"
    seen += f"; {account(evidence)}"
    reasons: list[Reason] = []
    for cause in found.causes:
        change = cause.change if isinstance(cause.change, str) else cause.change(evidence)
        reasons.append(Reason(cause.name, "together with the cause above" if reasons else seen, change, cause.lesson))
    return tuple(reasons)


def _notes(evidence: Evidence) -> list[str]:
    """Return what a user of the export should know, whatever the verdict is."""
    export, notes = evidence.export, []
    if evidence.checkpoint.policy.rnn is not None:
        if export.format == "TorchScript" and not export.has_reset:
            notes.append(
                "the export has no method that resets its hidden state (Isaac Lab's exporter drops it): load the "
                f"export again at each start, or set {' and '.join(export.memory) or 'its buffers'} to zero"
            )
        if export.state:
            fed = ", ".join(f"{output} as {name}" for name, output in export.state.items())
            notes.append(f"each step got {fed} from the step before; the robot's program must do the same")
    known = {export.observation, *export.state, *evidence.sample.images}
    others = [name for name in export.inputs if name not in known]
    if others:
        notes.append(f"the export's other inputs ({', '.join(others)}) were set to 0")
    unused = [name for name in export.outputs if name not in (export.action, *export.state.values())]
    if unused:
        notes.append(f"only the output {export.action} was compared; the export's other outputs: {', '.join(unused)}")
    if export.format == "ONNX" and b"RandomNormal" in export.program:
        notes.append(
            "the export's graph draws random numbers (RandomNormal); on a robot, a policy should return the mean"
        )
    if "run_path" in export.metadata:
        notes.append(f"the export's metadata names the run {export.metadata['run_path'][:200]}")
    return notes


def _apart(evidence: Evidence) -> float:
    return evidence.error(evidence.expected, evidence.actions)


def _on(evidence: Evidence) -> str:
    time, envs = evidence.sample.observations.shape[:2]
    return f"on {counted(time * envs, 'observation')}" if time * envs < 1000 else f"on {time * envs:,} observations"
