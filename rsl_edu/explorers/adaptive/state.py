"""What the explorer *adaptive rate* is set to, what it shows, and the rule that it is about."""

from __future__ import annotations

import dataclasses

import numpy as np

from rsl_edu.number_format import short

from ..bench.controls import control

ITERATIONS, EPOCHS, BATCHES = 6, 5, 4
"""Of the whole run: iterations, each with actions of its own, and rsl_rl's epochs and mini-batches in each."""
UPDATES = ITERATIONS * EPOCHS * BATCHES
LIMITS = (1e-5, 1e-2)
"""Least and greatest learning rate that rsl_rl's rule sets."""


def adapted(rate: float, kl: float, target: float, factor: float) -> float:
    """Return the learning rate that rsl_rl's PPO goes on with, asked at every mini-batch before its step."""
    if kl > 2 * target:
        return max(LIMITS[0], rate / factor)
    if 0 < kl < target / 2:
        return min(LIMITS[1], rate * factor)
    return rate


@dataclasses.dataclass(frozen=True)
class AdaptiveRateState:
    """State of :class:`AdaptiveRate`."""

    updates: int = control(
        UPDATES, "updates shown", "Mini-batch updates done so far.", range=(5, UPDATES, 5), play=True
    )
    schedule: str = control(
        "adaptive",
        "schedule",
        "Whether the rate follows the KL, or stays as it begins.",
        choices={"adaptive": "adaptive", "fixed": "fixed"},
    )
    target: float = control(
        0.01,
        "target KL",
        "desired_kl of rsl_rl: the rate falls above twice, and rises below half of it.",
        unit="nats",
        steps=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
        group="rule",
    )
    factor: float = control(
        1.5,
        "factor",
        "What the rate is divided or multiplied by; rsl_rl has 1.5.",
        range=(1.1, 3.0, 0.1),
        group="rule",
    )
    mistake: str = control(
        "right",
        "KL for the rule",
        "What the rule is told, and when; all but the first are mistakes that people made.",
        choices={
            "right": "right",
            "KL reversed": "reversed",
            "mean over dimensions": "mean",
            "asked once an iteration": "once",
        },
        group="rule",
    )
    rate: float = control(
        1e-3,
        "first rate",
        "Learning rate at the start.",
        steps=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
        group="start",
    )
    init_std: float = control(
        1.0,
        "initial std",
        "Std of the policy at the start, in the action's unit.",
        steps=(0.1, 0.2, 0.5, 1.0, 2.0),
        group="start",
    )
    seed: int = control(0, "seed", "Draws the network, the actions and the mini-batches.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class AdaptiveTraining:
    """A whole training; each series has one value an update, as it was when the rule was asked."""

    kl: np.ndarray  # KL(old‖new), old: the policy at the start of the iteration; nats, nan where that is still the same
    told: np.ndarray  # what the rule takes for it, nan where it is not asked
    rate: np.ndarray  # learning rate of the update
    std: np.ndarray  # mean over the action's dimensions, in initial stds


@dataclasses.dataclass(frozen=True)
class AdaptiveRateResult:
    """What the picture shows: the run up to ``state.updates``."""

    state: AdaptiveRateState
    run: AdaptiveTraining
    dimensions: int  # of an action

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of the updates shown whose KL lies below, inside and above the band where the rule leaves the rate."""
        over = np.nan_to_num(self.run.kl) / self.state.target  # a KL of 0, as at the start of an iteration, is below
        below, above = float((over < 0.5).mean()), float((over > 2).mean())
        return below, self.inside / len(over), above

    @property
    def inside(self) -> int:
        """How many of the updates shown have a KL in the band."""
        over = np.nan_to_num(self.run.kl) / self.state.target
        return int(((over >= 0.5) & (over <= 2)).sum())

    @property
    def told_share(self) -> str:
        """What the rule is told as a share of the KL, in the middle of the updates; in words."""
        known = np.isfinite(self.run.told) & np.isfinite(self.run.kl)
        return short(np.median(self.run.told[known] / self.run.kl[known])) if known.any() else "0"

    def told(self, update: int) -> float:
        """Return what the rule takes for the KL at an update, from 0 on; 0 where it is not asked or nothing moved."""
        return float(np.nan_to_num(self.run.told[update]))
