"""State and result of the explorer *adaptive rate*, and rsl_rl's rule for the learning rate."""

from __future__ import annotations

import dataclasses

import numpy as np

from rsl_edu.number_format import short

from ..bench.controls import control

ITERATIONS, EPOCHS, BATCHES = 6, 5, 4
"""Iterations in a run, each with newly drawn actions; rsl_rl's epochs per iteration and mini-batches per epoch."""
UPDATES = ITERATIONS * EPOCHS * BATCHES
LIMITS = (1e-5, 1e-2)
"""Lowest and highest learning rate that rsl_rl's rule sets."""


def adapted(rate: float, kl: float, target: float, factor: float) -> float:
    """Return the next learning rate by rsl_rl's rule, which PPO applies before the step of every mini-batch."""
    if kl > 2 * target:
        return max(LIMITS[0], rate / factor)
    if 0 < kl < target / 2:
        return min(LIMITS[1], rate * factor)
    return rate


@dataclasses.dataclass(frozen=True)
class AdaptiveRateState:
    """State of :class:`AdaptiveRate`."""

    updates: int = control(
        UPDATES, "updates shown", "How many mini-batch updates have been made.", range=(5, UPDATES, 5), play=True
    )
    schedule: str = control(
        "adaptive",
        "schedule",
        "Whether the rate adapts to the KL or keeps its initial value.",
        choices={"adaptive": "adaptive", "fixed": "fixed"},
    )
    target: float = control(
        0.01,
        "target KL",
        "rsl_rl's desired_kl: the rate falls if the KL is above twice this value and rises if it is below half.",
        unit="nats",
        steps=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
        group="rule",
    )
    factor: float = control(
        1.5,
        "factor",
        "The rate is divided or multiplied by this factor; rsl_rl uses 1.5.",
        range=(1.1, 3.0, 0.1),
        group="rule",
    )
    mistake: str = control(
        "right",
        "KL for the rule",
        "The KL that the rule gets, and when; all but the first are mistakes that people have made.",
        choices={
            "right": "right",
            "KL reversed": "reversed",
            "mean over dimensions": "mean",
            "once per iteration": "once",
        },
        group="rule",
    )
    rate: float = control(
        1e-3,
        "initial rate",
        "The learning rate at the start.",
        steps=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
        group="start",
    )
    init_std: float = control(
        1.0,
        "initial std",
        "The policy's std at the start, in the unit of the actions.",
        steps=(0.1, 0.2, 0.5, 1.0, 2.0),
        group="start",
    )
    seed: int = control(0, "seed", "Seed of the weights, the actions and the mini-batches.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class AdaptiveTraining:
    """A complete training run; each series has one value per update, taken when the rule is applied."""

    kl: np.ndarray  # KL(old‖new) in nats since the start of the iteration; nan while the policy is unchanged
    told: np.ndarray  # the KL that the rule gets; nan where the rule is not applied
    rate: np.ndarray  # learning rate of the update
    std: np.ndarray  # mean over the action dimensions, relative to the initial std


@dataclasses.dataclass(frozen=True)
class AdaptiveRateResult:
    """What the picture shows: the run up to ``state.updates``."""

    state: AdaptiveRateState
    run: AdaptiveTraining
    dimensions: int  # number of action dimensions

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of the updates shown whose KL is below, inside and above the band in which the rate stays."""
        over = np.nan_to_num(self.run.kl) / self.state.target  # a KL of 0, as at an iteration's start, counts as below
        below, above = float((over < 0.5).mean()), float((over > 2).mean())
        return below, self.inside / len(over), above

    @property
    def inside(self) -> int:
        """Number of the updates shown whose KL is in the band."""
        over = np.nan_to_num(self.run.kl) / self.state.target
        return int(((over >= 0.5) & (over <= 2)).sum())

    @property
    def told_share(self) -> str:
        """Median over the updates of the KL that the rule gets divided by the true KL, as text."""
        known = np.isfinite(self.run.told) & np.isfinite(self.run.kl)
        return short(np.median(self.run.told[known] / self.run.kl[known])) if known.any() else "0"

    def told(self, update: int) -> float:
        """Return the KL that the rule gets at an update, counted from 0; 0 if it gets none or nothing has changed."""
        return float(np.nan_to_num(self.run.told[update]))
