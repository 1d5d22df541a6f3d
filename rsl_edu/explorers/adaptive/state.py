"""State and result of the explorer *adaptive rate*, and rsl_rl's rule for the learning rate."""

from __future__ import annotations

import dataclasses

import numpy as np

from rsl_edu.number_format import short

from ..bench.controls import control

ITERATIONS, EPOCHS, BATCHES = 6, 5, 4
"""Number of iterations (each draws new actions), epochs per iteration, and mini-batches per epoch, as in rsl_rl."""
UPDATES = ITERATIONS * EPOCHS * BATCHES
LIMITS = (1e-5, 1e-2)
"""Lowest and highest learning rate that rsl_rl's rule sets."""


def adapted(rate: float, kl: float, target: float, factor: float) -> float:
    """Return the next learning rate. PPO applies this rule of rsl_rl in every mini-batch, before the Adam step."""
    if kl > 2 * target:
        return max(LIMITS[0], rate / factor)
    if 0 < kl < target / 2:
        return min(LIMITS[1], rate * factor)
    return rate


@dataclasses.dataclass(frozen=True)
class AdaptiveRateState:
    """State of :class:`AdaptiveRate`."""

    updates: int = control(
        UPDATES, "updates shown", "How many mini-batch updates the picture shows.", range=(5, UPDATES, 5), play=True
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
        "Which KL the rule gets, and when it gets it. All choices but the first are mistakes that people have made.",
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
        "The learning rate at the start of the run.",
        steps=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
        group="start",
    )
    init_std: float = control(
        1.0,
        "initial std",
        "The policy's std at the start of the run, in the unit of the actions.",
        steps=(0.1, 0.2, 0.5, 1.0, 2.0),
        group="start",
    )
    seed: int = control(0, "seed", "Seed of the weights, the actions and the mini-batches.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class AdaptiveTraining:
    """A complete training run. Each series has one value per update, measured when the rule is applied."""

    kl: np.ndarray  # KL(old‖new) in nats since the start of the iteration; nan while the policy is unchanged
    told: np.ndarray  # the KL that the rule gets; nan for updates without the rule
    rate: np.ndarray  # learning rate of the update
    std: np.ndarray  # mean over the action dimensions, relative to the initial std


@dataclasses.dataclass(frozen=True)
class AdaptiveRateResult:
    """What the picture shows: the training run up to ``state.updates``."""

    state: AdaptiveRateState
    run: AdaptiveTraining
    dimensions: int  # number of action dimensions

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of the shown updates with a KL below, inside and above the band in which the rate stays the same."""
        over = np.nan_to_num(self.run.kl) / self.state.target  # a KL of 0, as at an iteration's start, counts as below
        below, above = float((over < 0.5).mean()), float((over > 2).mean())
        return below, self.inside / len(over), above

    @property
    def inside(self) -> int:
        """Number of shown updates with a KL inside the band in which the rate stays the same."""
        over = np.nan_to_num(self.run.kl) / self.state.target
        return int(((over >= 0.5) & (over <= 2)).sum())

    @property
    def told_share(self) -> str:
        """The median ratio of the KL that the rule gets to the true KL, over all updates, as text."""
        known = np.isfinite(self.run.told) & np.isfinite(self.run.kl)
        return short(np.median(self.run.told[known] / self.run.kl[known])) if known.any() else "0"

    def told(self, update: int) -> float:
        """Return the KL that the rule gets at an update (from 0); 0 if it gets no KL or the policy is unchanged."""
        return float(np.nan_to_num(self.run.told[update]))
