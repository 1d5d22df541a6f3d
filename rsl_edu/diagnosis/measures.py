"""What can be measured on one checkpoint: its layers, weights, statistics, noise and memory."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from rsl_edu.checkpoint import Checkpoint, Policy

from .layers import WEIGHTED, Layers, in_order, measure, shares_of_bins, spread
from .learning_state import CriticMeasures, OptimizerMeasures, measure_critic, measure_optimizer
from .sample import Sample

SATURATED = 0.99
"""A hidden state beyond this, of at most 1, hardly takes in anything."""


@dataclasses.dataclass(frozen=True)
class MemoryMeasures:
    """What a hidden state that was not reset does to the actions of a recurrent policy.

    Attributes:
        leak: Between the mean actions with the right and with no reset, in units of the action's std, root mean square;
            by the steps since the end of an episode, ``[steps]``.
        errors: Of the recorded actions from the policy's mean actions with the right resets and with none, in the same
            unit, over the steps of all but the first episodes; None if no actions or no ends were recorded.
        share: How much of the difference that no reset makes is in the recorded actions, by least squares, with its
            standard error: 0 with the right resets, 1 with none, whatever noise was added. None if there is no error or
            no difference.
    """

    leak: np.ndarray
    errors: tuple[float, float] | None
    share: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Measures:
    """What was measured on one checkpoint, on a sample.

    Attributes:
        iteration: Of the checkpoint; 0 if unknown.
        broken: Names of the policy's parameters and statistics that hold NaN or infinity.
        rows: Name of each row of ``layers``: input, layers of a CNN, memory, hidden layers, output.
        layers: The values of each row, over the sample.
        spectra: Singular values of the weights, from the greatest, by the layer's name.
        gain: Of the last layer: the norm of the weights of one output, root mean square over the outputs.
        mean: Of the mean action over the sample, ``[actions]``.
        spread: Its std over the sample, ``[actions]``.
        std: Of the action's noise, mean over the sample, ``[actions]``.
        raw_std: The parameter of the std as it is stored, ``[actions]``; empty if the std depends on the state.
        entropy: In nats, mean over the sample.
        params: What the distribution needs for a KL.
        learning_rate: Of the optimizer, or NaN.
        norm_mean, norm_std: Of the normalizer, ``[features]``; 0 and 1 without one.
        count: Samples that the normalizer learned from; None without one.
        shift: Mean of the sample from the normalizer's mean, in units of its std, ``[features]``.
        ratio: Std of the sample, in the same unit, ``[features]``.
        size: Root mean square of what enters the network, ``[features]``.
        memory: Of a recurrent policy, or None.
        critic: Of the critic, or None if the file has none.
        optimizer: Of Adam, or None if the file has none of its moments.
        dated: Whether the iteration is known.
    """

    iteration: int
    broken: tuple[str, ...]
    rows: tuple[str, ...]
    layers: Layers
    spectra: Mapping[str, np.ndarray]
    gain: float
    mean: np.ndarray
    spread: np.ndarray
    std: np.ndarray
    raw_std: np.ndarray
    entropy: float
    params: tuple[torch.Tensor, ...]
    learning_rate: float
    norm_mean: np.ndarray
    norm_std: np.ndarray
    count: int | None
    shift: np.ndarray
    ratio: np.ndarray
    size: np.ndarray
    memory: MemoryMeasures | None
    critic: CriticMeasures | None = None
    optimizer: OptimizerMeasures | None = None
    dated: bool = True

    @property
    def at(self) -> str:
        """When this was, such as ``at iteration 50``."""
        return f"at iteration {self.iteration}" if self.dated else "now"

    @property
    def off(self) -> np.ndarray:
        """How far each feature is from what the normalizer knows, by its mean or its std, in units of its std."""
        off: np.ndarray = np.maximum(np.abs(self.shift), self.ratio)
        return off


@torch.inference_mode(False)  # its callers may be in it, and slopes need gradients
@torch.no_grad()
def measure_policy(checkpoint: Checkpoint, sample: Sample) -> Measures:
    """Measure a checkpoint.

    Args:
        checkpoint: The checkpoint.
        sample: Observations that fit its policy. Its statistics are those of the whole sample; layers and actions are
            measured on what :meth:`.Sample.thinned` leaves.
    """
    policy = _with_gradients(checkpoint.policy)
    shown = sample.thinned(policy.rnn is not None)
    latent, x, images = _latents(policy, shown, _right(shown.dones))
    rows, layers = _rows(policy, x, images, latent)
    output = policy.mlp(latent)
    distribution = policy.distribution
    distribution.update(output)
    mean, std = distribution.mean, distribution.std
    weighted = _weighted(policy)
    last = weighted[rows[-1]]
    raw = [p for name, p in distribution.named_parameters() if name.endswith("std_param")]
    norm = policy.normalizer
    norm_mean, norm_std = (
        (torch.zeros(policy.features), torch.ones(policy.features)) if norm is None else (norm.mean, norm.std)
    )
    everything = sample.observations.flatten(0, 1).double()
    scale = norm_std.double() + (0.0 if norm is None else norm.eps)
    return Measures(
        iteration=checkpoint.iteration,
        broken=tuple(name for name, tensor in policy.state_dict().items() if not tensor.isfinite().all()),
        rows=rows,
        layers=layers,
        spectra={name: _singular(weight) for name, weight in weighted.items()},
        gain=float(last.double().square().sum(1).mean().sqrt()),
        mean=mean.mean(0).numpy(),
        spread=mean.std(0, correction=0).numpy(),
        std=std.mean(0).numpy(),
        raw_std=raw[0].numpy().copy() if raw else np.empty(0),
        entropy=float(distribution.entropy.mean()),
        params=tuple(param.clone() for param in distribution.params),
        learning_rate=float("nan") if checkpoint.learning_rate is None else checkpoint.learning_rate,
        norm_mean=norm_mean.numpy(),
        norm_std=norm_std.numpy(),
        count=None if norm is None else int(norm.count),
        shift=((everything.mean(0) - norm_mean) / scale).numpy(),
        ratio=(everything.std(0, correction=0) / scale).numpy(),
        size=((everything - norm_mean) / scale).square().mean(0).sqrt().numpy(),
        memory=None if policy.rnn is None else _measure_memory(policy, shown, mean, std),
        critic=measure_critic(checkpoint, sample),
        optimizer=measure_optimizer(checkpoint.optimizer),
        dated=not checkpoint.undated,
    )


def _with_gradients(policy: Policy) -> Policy:
    """Return the policy, or a copy of one that was made under ``torch.inference_mode``, which no gradient can pass."""
    made_there = any(tensor.is_inference() for tensor in policy.state_dict().values())
    return copy.deepcopy(policy) if made_there else policy


def kl(policy: Policy, old: Measures, new: Measures) -> float:
    """Return KL(old ‖ new) of two checkpoints on the same sample, in nats, mean over it."""
    return float(policy.distribution.kl_divergence(old.params, new.params).mean())


Resets = Callable[[int], torch.Tensor | None]
"""Where to forget after a step: the environments, ``[envs]``, or None for nowhere."""


def _right(dones: torch.Tensor | None) -> Resets:
    return lambda t: None if dones is None else dones[t]


def _latents(
    policy: Policy, sample: Sample, resets: Resets
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Return what enters the MLP, the vectors and the images, each ``[samples, ...]``."""
    x = sample.observations.flatten(0, 1)
    images = {name: image.flatten(0, 1) for name, image in sample.images.items()}
    if policy.rnn is None:
        return policy.latent(x, images), x, images
    policy.reset()
    steps = []
    for t, observations in enumerate(sample.observations):
        steps.append(policy.latent(observations, {name: image[t] for name, image in sample.images.items()}))
        ended = resets(t)
        if ended is not None:
            policy.reset(ended)
    policy.reset()
    return torch.cat(steps), x, images


def _rows(
    policy: Policy, x: torch.Tensor, images: Mapping[str, torch.Tensor], latent: torch.Tensor
) -> tuple[tuple[str, ...], Layers]:
    """Measure everything from the input to the output."""
    hidden = sum(isinstance(layer, nn.Linear) for layer in policy.mlp) - 1
    names = [str(i + 1) for i in range(hidden)]
    layers = measure(policy.mlp, latent)
    if policy.rnn is not None:
        memory = dataclasses.replace(_alone(latent, policy.rnn), asleep=_saturated(latent))
        layers = _joined([_alone(policy.obs_normalizer(x), policy.obs_normalizer), memory, _without_input(layers)])
        names = ["memory", *names]
    elif policy.cnns:
        parts, seen_by = [_alone(policy.obs_normalizer(x), policy.obs_normalizer)], []
        for name, cnn in policy.cnns.items():
            assert isinstance(cnn, nn.Sequential)
            seen = _without_input(measure(cnn, images[name]))
            parts.append(seen)
            seen_by += [f"{name} {i + 1}" for i in range(len(seen.units))]
        layers = _joined([*parts, _without_input(layers)])
        names = [*seen_by, *names]
    else:
        layers = dataclasses.replace(layers, parameters=(_size(policy.obs_normalizer), *layers.parameters[1:]))
    return ("input", *names, "output"), layers


def _alone(values: torch.Tensor, module: nn.Module) -> Layers:
    """Return one row: values that no gradient was measured for."""
    nan = np.array([np.nan])
    bars, std = shares_of_bins(values)[None], np.array([spread(values)])
    return Layers((values.shape[1],), (_size(module),), bars, std, nan, nan, nan, nan)


def _without_input(layers: Layers) -> Layers:
    return Layers(*(getattr(layers, field.name)[1:] for field in dataclasses.fields(Layers)))


def _joined(parts: list[Layers]) -> Layers:
    """Put the rows of all parts below each other."""
    columns = [[getattr(part, field.name) for part in parts] for field in dataclasses.fields(Layers)]
    joined: list[Any] = [
        np.concatenate(column) if isinstance(column[0], np.ndarray) else tuple(itertools.chain(*column))
        for column in columns
    ]
    return Layers(*joined)


def _saturated(latent: torch.Tensor) -> np.ndarray:
    return np.array([float(((latent.abs() > SATURATED).double().mean(0) >= 0.95).double().mean())])


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _weighted(policy: Policy) -> dict[str, torch.Tensor]:
    """Return the weights of all layers as matrices ``[outputs, inputs]``, by the names of their rows."""
    named: dict[str, torch.Tensor] = {}
    for group, cnn in policy.cnns.items():
        filters = [leaf for leaf in in_order([cnn]) if isinstance(leaf, WEIGHTED)]
        named |= {f"{group} {i + 1}": leaf.weight.flatten(1) for i, leaf in enumerate(filters)}
    linear = [layer for layer in policy.mlp if isinstance(layer, nn.Linear)]
    return named | {"output" if i == len(linear) - 1 else str(i + 1): layer.weight for i, layer in enumerate(linear)}


def _singular(weight: torch.Tensor) -> np.ndarray:
    """Return the singular values, from the greatest: by the smaller Gram matrix, ten times as fast as an SVD."""
    w = weight.double().nan_to_num(0.0, 0.0, 0.0)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    values: np.ndarray = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt().flip(0).numpy()
    return values


def _measure_memory(policy: Policy, sample: Sample, mean: torch.Tensor, std: torch.Tensor) -> MemoryMeasures:
    """Play the sample again without a reset, and compare.

    Without an end of an episode in the sample, all robots end theirs in the middle of it: a leak can be seen then, too.
    """
    time, envs = sample.observations.shape[:2]
    dones = sample.dones
    ends = dones is not None and bool(dones[:-1].any())
    if not ends:
        dones = torch.zeros(time, envs, dtype=torch.bool)
        dones[time // 2 - 1] = time > 1
        latent, *_ = _latents(policy, sample, _right(dones))
        mean = policy.distribution.deterministic_output(policy.mlp(latent))
    assert dones is not None
    latent, *_ = _latents(policy, sample, lambda t: None)
    carried = policy.distribution.deterministic_output(policy.mlp(latent))
    mean, carried, scale = (x.unflatten(0, (time, envs)) for x in (mean, carried, std))
    distance = ((mean - carried) / scale).square().mean(-1)  # [time, envs]
    since = _since(dones)
    leak = [float(distance[since == k].mean().sqrt()) for k in range(int(since.max()) + 1)]
    errors: tuple[float, float] | None = None
    share: tuple[float, float] | None = None
    if ends and sample.actions is not None:
        later = since >= 0
        off = [((sample.actions - played) / scale).square().mean(-1)[later].mean().sqrt() for played in (mean, carried)]
        errors = float(off[0]), float(off[1])
        carry, played = (((x - mean) / scale)[later].double() for x in (carried, sample.actions))
        weight = float(carry.square().sum())
        if weight > 0:
            part = float((played * carry).sum()) / weight
            share = part, float((played - part * carry).square().mean() / weight) ** 0.5
    return MemoryMeasures(np.array(leak), errors, share)


def _since(dones: torch.Tensor) -> torch.Tensor:
    """Return the steps since the last end of an episode, 0 at the first of the next, or -1: ``[time, envs]``."""
    since = torch.full(dones.shape, -1)
    for t in range(1, len(dones)):
        following = torch.where(since[t - 1] < 0, -1, since[t - 1] + 1)
        since[t] = torch.where(dones[t - 1], 0, following)
    return since
