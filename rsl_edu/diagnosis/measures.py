"""The measures of one checkpoint: of its layers, weights, statistics, noise and hidden state."""

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
"""A hidden state whose magnitude exceeds this (the maximum is 1) counts as saturated: it hardly reacts to inputs."""


@dataclasses.dataclass(frozen=True)
class MemoryMeasures:
    """The effect of a missing reset of the hidden state on the actions of a recurrent policy.

    Attributes:
        leak: Difference between the mean actions with correct resets and without resets, in units of the actions' std,
            root mean square, for each number of steps since the end of an episode, ``[steps]``.
        errors: Two differences between the recorded actions and the policy's mean actions: with correct resets, and
            without resets. Both are in the unit of ``leak``, over the steps of all episodes except the first. None if
            no actions or no ends of episodes were recorded.
        share: The share of the effect of missing resets that is in the recorded actions, by least squares, and its
            standard error: 0 with correct resets, 1 without resets, whatever noise was added. None if there are no
            ``errors``, or if missing resets have no effect.
    """

    leak: np.ndarray
    errors: tuple[float, float] | None
    share: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Measures:
    """The measures of one checkpoint on a sample.

    Attributes:
        iteration: Iteration of the checkpoint; 0 if unknown.
        broken: Names of the policy's parameters and statistics that contain NaN or infinity.
        rows: Name of each row of ``layers``: input, layers of a CNN, memory, hidden layers, output.
        layers: The measures of each row, over the sample.
        spectra: Singular values of the weights in descending order, by the layer's name.
        gain: Norm of the last layer's weights for one output, root mean square over the outputs.
        mean: Mean of the mean action over the sample, ``[actions]``.
        spread: Std of the mean action over the sample, ``[actions]``.
        std: Std of the action noise, mean over the sample, ``[actions]``.
        raw_std: The std parameter as stored in the file, ``[actions]``; empty if the std depends on the state.
        entropy: Entropy of the actions in nats, mean over the sample.
        params: The distribution's parameters, for computing a KL.
        learning_rate: Learning rate of the optimizer, or NaN.
        norm_mean, norm_std: Running mean and running std of the normalizer, ``[features]``; 0 and 1 without a
            normalizer.
        count: Number of samples that the normalizer has seen; None without a normalizer.
        shift: Mean of the sample minus the running mean, in units of the running std, ``[features]``.
        ratio: Std of the sample in units of the running std, ``[features]``.
        size: Root mean square of the network's input, ``[features]``.
        memory: Measures of a recurrent policy's hidden state, or None.
        critic: Measures of the critic, or None if the file has none.
        optimizer: Measures of Adam, or None if the file has no moments.
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
        """When the checkpoint was saved, such as ``at iteration 50``."""
        return f"at iteration {self.iteration}" if self.dated else "now"

    @property
    def off(self) -> np.ndarray:
        """Distance of each feature from the normalizer's statistics, the larger of ``|shift|`` and ``ratio``."""
        off: np.ndarray = np.maximum(np.abs(self.shift), self.ratio)
        return off


@torch.inference_mode(False)  # a caller may be in inference mode, and slopes need gradients
@torch.no_grad()
def measure_policy(checkpoint: Checkpoint, sample: Sample) -> Measures:
    """Measure a checkpoint.

    Args:
        checkpoint: The checkpoint.
        sample: Observations that fit its policy. Statistics of the features are those of the entire sample; layers and
            actions are measured on the subset that :meth:`.Sample.thinned` returns.
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
    """Return the policy; copy it if it was made in ``torch.inference_mode``, as no gradient passes through it then."""
    made_there = any(tensor.is_inference() for tensor in policy.state_dict().values())
    return copy.deepcopy(policy) if made_there else policy


def kl(policy: Policy, old: Measures, new: Measures) -> float:
    """Return KL(old ‖ new) of two checkpoints on the same sample, in nats, as the mean over the sample."""
    return float(policy.distribution.kl_divergence(old.params, new.params).mean())


Resets = Callable[[int], torch.Tensor | None]
"""Returns, for a time step, which hidden states to reset after this step, ``[envs]``. With None, no state is reset."""


def _right(dones: torch.Tensor | None) -> Resets:
    return lambda t: None if dones is None else dones[t]


def _latents(
    policy: Policy, sample: Sample, resets: Resets
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Return the MLP's inputs, then the vector observations, then the images by name; all are ``[samples, ...]``."""
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
    """Return the names and the measures of all rows from the input to the output."""
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
    """Return the measures of a single row, for values that have no gradient."""
    nan = np.array([np.nan])
    bars, std = shares_of_bins(values)[None], np.array([spread(values)])
    return Layers((values.shape[1],), (_size(module),), bars, std, nan, nan, nan, nan)


def _without_input(layers: Layers) -> Layers:
    return Layers(*(getattr(layers, field.name)[1:] for field in dataclasses.fields(Layers)))


def _joined(parts: list[Layers]) -> Layers:
    """Concatenate the rows of all parts."""
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
    """Return the singular values in descending order, from the smaller Gram matrix (ten times faster than an SVD)."""
    w = weight.double().nan_to_num(0.0, 0.0, 0.0)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    values: np.ndarray = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt().flip(0).numpy()
    return values


def _measure_memory(policy: Policy, sample: Sample, mean: torch.Tensor, std: torch.Tensor) -> MemoryMeasures:
    """Run the policy on the sample again without resets, and compare the actions.

    If no episode ends in the sample, all episodes are assumed to end in the middle of it, so that a leak is measured in
    this case, too.
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
    """Return the steps since an episode began, ``[time, envs]``; -1 in the first episode of each environment."""
    since = torch.full(dones.shape, -1)
    for t in range(1, len(dones)):
        following = torch.where(since[t - 1] < 0, -1, since[t - 1] + 1)
        since[t] = torch.where(dones[t - 1], 0, following)
    return since
