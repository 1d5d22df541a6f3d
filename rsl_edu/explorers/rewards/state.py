"""What the explorer *rewards* is set to, and what it shows."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control

WINDOW = 128
"""Steps of all environments that the histogram and its numbers are of: the last ones."""


@dataclasses.dataclass(frozen=True)
class RewardsState:
    """State of :class:`Rewards`."""

    step: int = control(256, "steps seen", "How far the rewards have come in.", range=(8, 512, 8), play=True)
    ends: bool = control(True, "episode ends", "Whether the sum ends with its episode; rsl_rl lets it run on.")
    divide: str = control(
        "returns",
        "divide by",
        "What a reward is divided by; all but the first are mistakes that people made, or asked for.",
        choices={
            "std of returns (rsl_rl)": "returns",
            "std of rewards (baselines #538)": "rewards",
            "sum over robots (cleanrl #360)": "across",
            "std over robots, each step": "each step",
            "std of returns, minus the mean": "centred",
        },
        group="normalizer",
    )
    gamma: float = control(
        0.99,
        "gamma",
        "How much of the sum is kept at each step.",
        steps=(0.0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999),
        group="normalizer",
    )
    env: int = control(0, "environment", "Whose rewards the time series show.", range=(0, 15, 1), group="rewards")
    scale: float = control(
        1.0,
        "reward scale",
        "All rewards are multiplied by it; it must not matter.",
        steps=(0.01, 0.1, 1.0, 10.0, 100.0),
        group="rewards",
    )
    shift: float = control(
        0.0, "reward shift", "Added to each reward before it is scaled.", range=(-5.0, 5.0, 1.0), group="rewards"
    )


@dataclasses.dataclass(frozen=True)
class NormalizedRewards:
    """All steps of all environments."""

    rewards: np.ndarray  # [time, envs], scaled and shifted
    sums: np.ndarray  # [time, envs], what the std is taken of
    std: np.ndarray  # [time], after each step
    ended: np.ndarray  # [time], what `std` is if sums end with their episodes
    normalized: np.ndarray  # [time, envs]
    values: np.ndarray  # [time, envs], discounted sums of `normalized` up to the true ends: a value function's scale
    right: np.ndarray  # [time, envs], discounted sums of the rewards up to the true ends
    truth: float  # std of `right`


@dataclasses.dataclass(frozen=True)
class RewardsResult:
    """What the picture shows."""

    state: RewardsState
    trace: NormalizedRewards
    dones: np.ndarray  # [time], whether a step ended an episode of the environment
    ends: np.ndarray  # steps at which an episode of the environment ended, so far
    episodes: int  # that ended so far, in all environments

    @property
    def late(self) -> slice:
        """The last steps seen."""
        return slice(max(0, self.state.step - WINDOW), self.state.step)

    @property
    def averages_nothing(self) -> bool:
        """Whether the mean of the last normalized rewards is so small beside their std that its digits say nothing."""
        late = self.trace.normalized[self.late]
        return bool(abs(late.mean(dtype=float)) <= 0.02 * late.std(dtype=float))
