"""State and result of the explorer *rewards*."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control

WINDOW = 128
"""Number of latest steps that the histogram counts, in all environments; also used for the printed numbers."""


@dataclasses.dataclass(frozen=True)
class RewardsState:
    """State of :class:`Rewards`."""

    step: int = control(256, "steps seen", "Number of steps seen so far.", range=(8, 512, 8), play=True)
    ends: bool = control(True, "episode ends", "Whether a sum ends with its episode. In rsl_rl, sums do not end there.")
    divide: str = control(
        "returns",
        "divide by",
        "Divisor of the rewards. All choices but the first are mistakes that people have made or requested.",
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
        "Discount factor: the share of the sum that is kept at each step.",
        steps=(0.0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999),
        group="normalizer",
    )
    env: int = control(0, "environment", "Environment shown in the time series.", range=(0, 15, 1), group="rewards")
    scale: float = control(
        1.0,
        "reward scale",
        "Factor for all rewards. The normalized rewards should not depend on this factor.",
        steps=(0.01, 0.1, 1.0, 10.0, 100.0),
        group="rewards",
    )
    shift: float = control(
        0.0, "reward shift", "Added to every reward before scaling.", range=(-5.0, 5.0, 1.0), group="rewards"
    )


@dataclasses.dataclass(frozen=True)
class NormalizedRewards:
    """The rewards and their sums, before and after normalization, for all steps of all environments."""

    rewards: np.ndarray  # [time, envs], scaled and shifted
    sums: np.ndarray  # [time, envs], values from which the std is computed
    std: np.ndarray  # [time], divisor after each step
    ended: np.ndarray  # [time], what `std` would be if every sum ended with its episode
    normalized: np.ndarray  # [time, envs]
    values: np.ndarray  # [time, envs], discounted sums of `normalized` with correct ends (a value function's scale)
    right: np.ndarray  # [time, envs], discounted sums of the rewards with correct ends
    truth: float  # std of `right`


@dataclasses.dataclass(frozen=True)
class RewardsResult:
    """What the picture shows."""

    state: RewardsState
    trace: NormalizedRewards
    dones: np.ndarray  # [time], whether a step ended an episode of the environment
    ends: np.ndarray  # steps at which an episode of the environment ended, so far
    episodes: int  # number of episodes that have ended so far, in all environments

    @property
    def late(self) -> slice:
        """Slice of the latest steps up to the current step, at most ``WINDOW`` of them."""
        return slice(max(0, self.state.step - WINDOW), self.state.step)

    @property
    def averages_nothing(self) -> bool:
        """Whether the mean of the latest normalized rewards is negligible compared with their std."""
        late = self.trace.normalized[self.late]
        return bool(abs(late.mean(dtype=float)) <= 0.02 * late.std(dtype=float))
