"""Observations that both the checkpoint and the export get: recorded or random ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from rsl_edu.checkpoint import Policy
from rsl_edu.diagnosis import Sample, own
from rsl_edu.diagnosis.sample import ENVS, SAMPLES
from rsl_edu.number_format import counted, short

_IMAGES = 64  # number of random observations if there are images
_SEQUENCES, _STEPS = 4, 256  # number and length of random sequences for a recurrent policy
_LARGE, _FACTOR = 16, 5  # one in 16 random observations is 5 times as far from the mean
_CLIP = 100.0  # environments of legged_gym clip observations here, so no policy was trained beyond it


@dataclasses.dataclass(frozen=True)
class Shown:
    """Observations for both policies.

    Attributes:
        sample: The observations ``[time, envs, features]``.
        large: Which observations were drawn far from the mean to reveal a clip, ``[time, envs]``, bool.
        reach: Largest distance of all other observations from the mean, in stds; 0 for recorded observations.
    """

    sample: Sample
    large: torch.Tensor
    reach: float = 0.0


def recorded(policy: Policy, observations: Any, source: str) -> Shown:
    """Select recorded observations, up to a fixed number, and describe the selection.

    For a recurrent policy, observations ``[samples, features]`` or ``[1, samples, features]`` are the consecutive steps
    of one robot.

    Raises:
        TypeError, ValueError: The observations do not fit the policy; the message states what it expects.
    """
    sample = own(policy, observations, source)
    time, envs = sample.observations.shape[:2]
    if policy.rnn is None:
        sample = sample.thinned(recurrent=False)
        used = sample.observations.shape[1]
        words = source if used == time * envs else f"{source}: {used:,} of its {time * envs:,} observations"
    else:
        sample = sample if time > 1 else sample.as_sequence()
        most = min(ENVS, sample.observations.shape[1])
        sample = sample.beginning(SAMPLES // most, most)
        steps, robots = sample.observations.shape[:2]
        words = f"{source}: {counted(robots, 'robot')}, {steps:,} consecutive steps"
        if steps * robots < time * envs:
            words += f", {steps * robots:,} of its {time * envs:,} observations"
    large = torch.zeros(sample.observations.shape[:2], dtype=torch.bool)
    return Shown(dataclasses.replace(sample, source=words), large)


def drawn(policy: Policy) -> Shown:
    """Draw random observations, with the mean and std of the policy's normalizer if it has one."""
    recurrent, normalizer = policy.rnn is not None, policy.normalizer
    time, envs = (_STEPS, _SEQUENCES) if recurrent else (1, _IMAGES if policy.cnns else SAMPLES)
    large = torch.zeros(time, envs, dtype=torch.bool)
    if recurrent:
        large[-(time // _LARGE) :] = True  # at the end, so that the steps before them are as in training
    else:
        large[:, -(envs // _LARGE) :] = True
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(time, envs, policy.features, generator=draw)
    z[large] *= _FACTOR
    mean, std = torch.zeros(policy.features), torch.ones(policy.features)
    if normalizer is not None:  # eps makes a feature vary even if it never did in training
        mean, std = normalizer.mean.nan_to_num(), (normalizer.std + normalizer.eps).nan_to_num()
    x = mean + std * z
    most = max(_CLIP, x[~large].abs().max().item())
    x[large] = x[large].clamp(-most, most)
    reach = z[~large].abs().max().item()
    far = ((x - mean) / std).nan_to_num(0, 0, 0)[large].abs().max().item()
    whose = "the mean and std of the checkpoint's normalizer" if normalizer is not None else "mean 0 and std 1"
    many = f"{envs} random sequences of {time} observations" if recurrent else f"{envs:,} random observations"
    words = (
        f"{many} with {whose}: up to {short(reach)} stds from the mean, and {int(large.sum())} of them up to "
        f"{short(far)} stds"
    )
    shapes: Mapping[str, Any] = {name: (time, envs, *cnn.input_shape) for name, cnn in policy.cnns.items()}  # type: ignore[misc]
    images = {name: torch.rand(shape, generator=draw) for name, shape in shapes.items()}
    return Shown(Sample(x, words, real=False, images=images), large, reach)
