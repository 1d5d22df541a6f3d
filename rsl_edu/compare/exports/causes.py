"""Table of the causes that can make an export differ from its checkpoint, the simplest first."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator

import torch

from rsl_edu.checkpoint import Policy
from rsl_edu.exported.names import ACTIVATIONS
from rsl_edu.number_format import short

from . import endings, inputs
from .evidence import Evidence
from .kinds import Cause, Variant
from .model import Model
from .tensors import (
    differing,
    in_8_bits,
    means_of,
    moved_features,
    moves,
    part_of,
    readable,
    same_normalizer,
    source_of,
)

_EPS = (0.0, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_CLIPS = (1.0, 3.0, 5.0, 10.0, 18.0, 20.0, 50.0, 100.0)


def _with(model: Model, words: str, **changes: object) -> Variant:
    return Variant(words, dataclasses.replace(model, **changes))  # type: ignore[arg-type]


# The normalizer -------------------------------------------------------------------------------------------------------


def _left_out(evidence: Evidence, model: Model) -> Iterator[Variant]:
    if model.normalizer is not None:
        yield _with(model, "without the normalizer", normalizer=None)


def _twice(evidence: Evidence, model: Model) -> Iterator[Variant]:
    if model.normalizer is not None:
        yield _with(model, "with observations normalized twice", times=2)


def _other_eps(evidence: Evidence, model: Model) -> Iterator[Variant]:
    normalizer = evidence.checkpoint.policy.normalizer
    if model.normalizer is None or normalizer is None:
        return
    mean, divisor = model.normalizer
    std = divisor - normalizer.eps
    for eps in _EPS:
        if eps == normalizer.eps:
            continue
        yield _with(
            model, f"with an eps of {short(eps)} instead of {short(normalizer.eps)}", normalizer=(mean, std + eps)
        )
    for eps in _EPS:
        words = f"with sqrt(var + {short(eps)}) instead of std + {short(normalizer.eps)}"
        yield _with(model, words, normalizer=(mean, (std**2 + eps).sqrt()))
    yield _with(model, "with the variance instead of the std", normalizer=(mean, std**2 + normalizer.eps))
    yield _with(model, "without subtracting the mean", normalizer=(torch.zeros_like(mean), divisor))
    yield _with(model, "with the mean added instead of subtracted", normalizer=(-mean, divisor))
    yield _with(model, "without dividing by the std", normalizer=(mean, torch.ones_like(divisor)))
    yield _with(model, "with observations multiplied by the std instead of divided", normalizer=(mean, 1 / divisor))


def _of_another_checkpoint(evidence: Evidence, model: Model) -> Iterator[Variant]:
    known = readable(evidence) and evidence.export.normalizer is not None
    if model.normalizer is None or (readable(evidence) and not means_of(evidence)):
        return
    for other in [evidence.checkpoint, *evidence.others]:
        theirs = evidence.base if other is evidence.checkpoint else evidence.models[other.path]
        if theirs.normalizer is not model.normalizer and (not known or same_normalizer(evidence, other.policy)):
            yield _with(model, f"with the normalizer of {other.path.name}", normalizer=theirs.normalizer)


def _of_the_critic(evidence: Evidence, model: Model) -> Iterator[Variant]:
    critic = evidence.checkpoint.critic
    theirs = [critic.weights.get(f"obs_normalizer.{name}") for name in ("_mean", "_std")] if critic else []
    mean, std = theirs or (None, None)
    normalizer = evidence.checkpoint.policy.normalizer
    if mean is None or std is None or normalizer is None or mean.numel() != model.policy.features:
        return
    statistics = mean.double().flatten(), std.double().flatten() + normalizer.eps
    yield _with(model, "with the normalizer of the critic", normalizer=statistics)


def _untrained(evidence: Evidence, model: Model) -> Iterator[Variant]:
    if model.normalizer is None or evidence.export.normalizer is None:
        return
    zero, one = torch.zeros_like(model.normalizer[0]), torch.ones_like(model.normalizer[0])
    yield _with(model, "with an untrained normalizer (mean 0, std 1)", normalizer=(zero, 1.01 * one))
    yield _with(model, "with a normalizer whose mean and std are 0", normalizer=(zero, 0.01 * one))


def _other_statistics(evidence: Evidence, model: Model) -> Iterator[Variant]:
    theirs = evidence.export.normalizer
    if theirs is None or theirs[0].numel() != model.policy.features:
        return
    mean, divisor = (part if model.order is None else part[model.order] for part in theirs)
    words = "with the export's normalizer"
    if model.normalizer is None:
        words += " (the checkpoint has no normalizer)"
    else:
        ours = model.normalizer[0]
        factor = ((mean @ ours) / (ours @ ours).clamp_min(1e-12)).item()
        if torch.allclose(mean, factor * ours, rtol=1e-4, atol=1e-6) and abs(factor - 1) > 1e-5:
            words += f" (its means are {short(factor, 4)} times the checkpoint's)"
        elif torch.allclose(mean, ours, rtol=1e-5, atol=1e-7):
            words += " (its means equal the checkpoint's, its stds do not)"
        elif torch.allclose(mean.sort().values, ours.flatten().sort().values, rtol=1e-5, atol=1e-7):
            words += " (its means are the checkpoint's in a different order)"
    yield _with(model, words, normalizer=(mean, divisor))


def _clipped(evidence: Evidence, model: Model) -> Iterator[Variant]:
    for limit in _CLIPS:
        if model.normalizer is not None:
            yield _with(model, f"with normalized observations clipped at ±{limit:g}", clip=(math.inf, limit))
        yield _with(model, f"with observations clipped at ±{limit:g}", clip=(limit, math.inf))


# The network ----------------------------------------------------------------------------------------------------------


def _another_checkpoint(evidence: Evidence, model: Model) -> Iterator[Variant]:
    source = source_of(evidence)
    for other in evidence.others if source is None else [source]:
        if other is not evidence.checkpoint:
            theirs = evidence.models[other.path]
            yield _with(model, "", name=other.path.name, policy=theirs.policy, normalizer=theirs.normalizer)


def _another_activation(evidence: Evidence, model: Model) -> Iterator[Variant]:
    told = evidence.export.activation
    for name in ACTIVATIONS.values() if told is None else [told]:
        if name != activation_name(model.policy):
            yield _with(
                model, f"with the activation {name} instead of {activation_name(model.policy)}", activation=name
            )


def _rounded_weights(evidence: Evidence, model: Model) -> Iterator[Variant]:
    for dtype, words in ((torch.float16, "half precision"), (torch.bfloat16, "bfloat16")):
        policy: Policy = copy.deepcopy(model.policy).to(dtype).double()
        yield _with(model, f"with weights rounded to {words}", policy=policy)
        if model.normalizer is not None:
            mean, divisor = (part.to(dtype).double() for part in model.normalizer)
            words = f"with weights and normalizer rounded to {words}"
            yield _with(model, words, policy=policy, normalizer=(mean, divisor))
    if evidence.own is not None and in_8_bits(evidence, model.policy):
        yield _with(model, "with weights rounded to 8 bits", policy=evidence.own)


def _another_part(evidence: Evidence, model: Model) -> Iterator[Variant]:
    part = part_of(evidence)
    if evidence.own is not None and part:
        for normalizer in dict.fromkeys((model.normalizer, evidence.export.normalizer)):
            yield _with(model, f"with {part} instead of the actor", policy=evidence.own, normalizer=normalizer)


def _other_weights(evidence: Evidence, model: Model) -> Iterator[Variant]:
    if evidence.own is None or not differing(evidence.named, evidence.checkpoint.policy) or source_of(evidence):
        return
    yield _with(model, "with the export's weights", policy=evidence.own)
    if evidence.export.normalizer is not None:
        words = "with the export's weights and normalizer"
        yield _with(model, words, policy=evidence.own, normalizer=evidence.export.normalizer)


# Inputs and memory ----------------------------------------------------------------------------------------------------


def _other_order(evidence: Evidence, model: Model) -> Iterator[Variant]:
    order = moved_features(evidence, model.policy)
    if order is None or (order < 0).any() or torch.equal(order, torch.arange(len(order))):
        return
    words = f"with {moves(evidence, order)}"
    yield _with(model, words, order=order)
    if model.normalizer is not None:
        statistics = model.normalizer[0].flatten()[order], model.normalizer[1].flatten()[order]
        yield _with(
            model, f"{words}, after the normalizer (whose own order is right),", order=order, normalizer=statistics
        )


def _not_carried(evidence: Evidence, model: Model) -> Iterator[Variant]:
    if model.policy.rnn is not None:
        yield _with(model, "with a hidden state that is reset to zero at every step", carries=False)


def _not_zero(evidence: Evidence, model: Model) -> Iterator[Variant]:
    start = evidence.start
    if any(part.abs().max() > 0 for part in start):
        largest = max(part.abs().max().item() for part in start)
        yield _with(
            model, f"with the initial hidden state from the export's file (values up to {short(largest)})", start=start
        )


def activation_name(policy: Policy) -> str:
    """Return the activation of a policy's hidden layers, by its name in rsl_rl."""
    kinds = [ACTIVATIONS.get(type(layer).__name__, "") for layer in policy.mlp]
    return next((kind for kind in kinds if kind), "")


# What to change -------------------------------------------------------------------------------------------------------

_WITH_NORMALIZER = {
    2: "pass the normalizer to the exporter: export_policy_as_jit(policy, normalizer=runner.obs_normalizer, ...), and "
    "the same for export_policy_as_onnx. In rsl_rl 2 the normalizer belongs to the runner, but play.py of Isaac Lab "
    "2.2 and 2.3 looks for it in the policy (IsaacLab #3836)",
    3: "pass the normalizer to the exporter: export_policy_as_jit(policy, normalizer=policy.actor_obs_normalizer, "
    "...), and the same for export_policy_as_onnx",
    4: "export with runner.export_policy_to_jit(path) or runner.export_policy_to_onnx(path): both include the "
    "normalizer",
}


def _release(evidence: Evidence) -> int:
    return min(4, max(2, *evidence.checkpoint.releases))


def _with_normalizer(evidence: Evidence) -> str:
    return f"{_WITH_NORMALIZER[_release(evidence)]}. Or normalize in the robot's program: (x - mean) / (std + 0.01)"


def _this_checkpoint(evidence: Evidence) -> str:
    name = evidence.checkpoint.path.name
    return (
        f"run play.py --checkpoint {name}: every run of play.py overwrites exported/, and without --checkpoint it "
        "takes the last file"
    )


def _activation_field(evidence: Evidence) -> str:
    field = "actor.activation" if _release(evidence) == 4 else "policy.activation"
    return (
        f"set {field} to the activation used in training when you export; if only this comparison assumed the wrong "
        "activation, give --activation"
    )


_ORDER = "give the observations in the order of training, which is the order of the terms in env.yaml"

CAUSES = (
    Cause(name="another checkpoint", variants=_another_checkpoint, change=_this_checkpoint, lesson=6),
    Cause(name="another activation", variants=_another_activation, change=_activation_field, lesson=1),
    Cause(
        name="another order of the observations",
        variants=_other_order,
        change=_ORDER,
        lesson=4,
    ),
    Cause(name="normalizer left out", variants=_left_out, change=_with_normalizer, lesson=4),
    Cause(
        name="observations normalized twice",
        variants=_twice,
        change="pass normalizer=None to the exporter if the exported actor already normalizes",
        lesson=4,
    ),
    Cause(
        name="another formula in the normalizer",
        variants=_other_eps,
        change="use (x - _mean) / (_std + eps): rsl_rl adds its eps of 0.01 to the std, not to the variance",
        lesson=4,
    ),
    Cause(
        name="normalizer of another checkpoint",
        variants=_of_another_checkpoint,
        change="load the network and its normalizer from one file: runner.load(path) loads both",
        lesson=4,
    ),
    Cause(
        name="normalizer of the critic",
        variants=_of_the_critic,
        change="use the actor's normalizer: policy.actor_obs_normalizer (rsl_rl 3) or actor.obs_normalizer (rsl_rl 4 "
        "and 5)",
        lesson=4,
    ),
    Cause(
        name="normalizer without statistics",
        variants=_untrained,
        change="call runner.load(path) before you export; rsl_rl 2 loads the statistics only with "
        "empirical_normalization: true",
        lesson=4,
    ),
    Cause(
        name="other statistics in the normalizer",
        variants=_other_statistics,
        change="call model.eval() before torch.onnx.export or torch.jit.script: in training mode, a normalizer also "
        "learns from the example input (IsaacLab #2821)",
        lesson=4,
    ),
    Cause(
        name="observations clipped",
        variants=_clipped,
        change="export without the clip, because rsl_rl's normalizer does not clip. If the environment clips in "
        "training (clip_observations), clip in the robot's program",
        lesson=4,
    ),
    Cause(
        name="hidden state not carried over",
        variants=_not_carried,
        change="ONNX: feed h_out and c_out back as h_in and c_in at the next step. TorchScript: let forward write the "
        "new state into registered buffers, hidden_state and cell_state, and script the module instead of tracing it",
        lesson=3,
    ),
    Cause(
        name="hidden state not reset before the export",
        variants=_not_zero,
        change="set hidden_state and cell_state to zero before torch.jit.script, and on the robot before every start",
        lesson=3,
    ),
    Cause(
        name="weights rounded",
        variants=_rounded_weights,
        change="export in float32, or accept the difference: the robot's sensors are less precise than this",
        lesson=1,
    ),
    Cause(
        name="another network from the file",
        variants=_another_part,
        change="export the network that acts on the robot: the actor, or the student of a distillation",
        lesson=6,
    ),
    Cause(
        name="other weights",
        variants=_other_weights,
        change="export again, from this checkpoint; if that changes nothing, the export is from a different run or "
        "task, or its weights were changed after the export",
        lesson=6,
    ),
    Cause(
        name="actions clipped",
        variants=endings.clipped,
        change="export without the clip, as rsl_rl and Isaac Lab do, or also clip in training (clip_actions)",
        lesson=5,
    ),
    Cause(
        name="actions in another order",
        variants=endings.reordered,
        change="reorder the joints in only one place: in the export or in the robot's program",
        lesson=6,
    ),
    Cause(
        name="actions scaled or shifted",
        variants=endings.scaled,
        change="scale and shift only in the robot's program, target = offset + scale * action: the exporters of rsl_rl "
        "and Isaac Lab do not",
        lesson=6,
    ),
    Cause(
        name="actions squashed",
        variants=endings.squashed,
        change="export without the tanh: rsl_rl's actor does not have one",
        lesson=5,
    ),
    Cause(
        name="another order of the observations",
        variants=inputs.rearranged,
        change=_ORDER,
        lesson=4,
        late=True,
    ),
    Cause(
        name="observations scaled or shifted",
        variants=inputs.scaled,
        change="scale and shift in only one place. The network expects observations as in training, so export without "
        "this step or undo it in the robot's program (degrees, observation scales, default joint positions)",
        lesson=4,
        late=True,
    ),
    Cause(
        name="another order of the observations",
        variants=inputs.reordered,
        change=_ORDER,
        lesson=4,
        late=True,
    ),
)
"""All causes to try, the simplest first."""
