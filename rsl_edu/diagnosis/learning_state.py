"""Measures of what a checkpoint stores for resuming its training: the critic and Adam's moments."""

from __future__ import annotations

import dataclasses
import math

import torch

from rsl_edu.checkpoint import AdamState, Checkpoint, Critic

from .sample import Sample

SAMPLES = 128
"""Maximum number of samples that a critic is shown."""
DISCOUNT = 0.99
"""The discount of later rewards. It is rsl_rl's default, because checkpoints do not store the discount."""


@dataclasses.dataclass(frozen=True)
class CriticMeasures:
    """The measures of a checkpoint's critic.

    Attributes:
        gain: Norm of the weights of its last layer.
        value: Its values, root mean square over the observations that it was shown; NaN if there were none.
        shown: What it was shown, in words; empty if nothing.
        returns: Discounted sum of the rewards from a step on, root mean square over the recorded steps; NaN without
            rewards. It is too small if the recording ends before the episodes do.
        reward: The largest absolute reward in the recording; NaN without rewards.
    """

    gain: float
    value: float
    shown: str
    returns: float
    reward: float


@dataclasses.dataclass(frozen=True)
class OptimizerMeasures:
    """The measures of Adam's state in a checkpoint.

    Attributes:
        step: Number of steps taken.
        actor, critic: Norm of the actor's and of the critic's gradient after clipping, root mean square over about the
            last 1,000 steps; NaN if it is unknown which moments are the actor's and which the critic's.
        untouched: Names of the parameters of actor and critic, except the std, that no gradient ever reached.
    """

    step: int
    actor: float
    critic: float
    untouched: tuple[str, ...]


def measure_critic(checkpoint: Checkpoint, sample: Sample) -> CriticMeasures | None:
    """Measure the critic on observations that fit it; return None if there is no critic."""
    critic = checkpoint.critic
    if critic is None or critic.last is None:
        return None
    seen, shown = _seen_by(critic, checkpoint, sample)
    value = float("nan")
    if seen is not None:
        seen = seen.flatten(0, -2)
        kept = torch.arange(min(SAMPLES, len(seen))) * len(seen) // min(SAMPLES, len(seen))
        value = float(critic.values(seen[kept]).double().square().mean().sqrt())
    rewards = sample.rewards
    return CriticMeasures(
        gain=float(critic.last.double().norm()),
        value=value,
        shown=shown,
        returns=float("nan") if rewards is None else float(_returns(rewards, sample.dones).square().mean().sqrt()),
        reward=float("nan") if rewards is None else float(rewards.abs().max()),
    )


def measure_optimizer(state: AdamState | None) -> OptimizerMeasures | None:
    """Measure Adam's state; return None if there is none."""
    if state is None:
        return None
    owned = [moments for moments in state.moments if moments.owner]
    norms = {owner: math.sqrt(max(0.0, state.square(owner))) for owner in {moments.owner for moments in owned}}
    return OptimizerMeasures(
        step=state.step,
        actor=norms.get("actor", float("nan")),
        critic=norms.get("critic", float("nan")),
        untouched=tuple(m.name for m in owned if m.square == 0 and not m.name.startswith("distribution.")),
    )


def _seen_by(critic: Critic, checkpoint: Checkpoint, sample: Sample) -> tuple[torch.Tensor | None, str]:
    """Return observations that fit the critic, ``[..., features]``, and a description of them."""
    if critic.features is None:
        return None, ""
    own = sample.critic
    if own is not None and own.shape[-1] == critic.features:
        return own, "its recorded observations"
    if sample.real and critic.features == checkpoint.policy.features:
        return sample.observations, "the policy's observations"
    mean = critic.weights.get("obs_normalizer._mean")
    if mean is None or not mean.any():
        return None, ""
    draw = torch.Generator().manual_seed(0)
    seen = mean + critic.weights["obs_normalizer._std"] * torch.randn(SAMPLES, mean.shape[1], generator=draw)
    return seen, "random numbers with its normalizer's mean and std"


def _returns(rewards: torch.Tensor, dones: torch.Tensor | None) -> torch.Tensor:
    """Return the discounted sum of the rewards from each step to the end of its episode, ``[time, envs]``."""
    later = torch.zeros_like(rewards[0])
    returns = torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        going_on = 1.0 if dones is None else (~dones[t]).double()
        later = rewards[t] + DISCOUNT * going_on * later
        returns[t] = later
    return returns
