"""State and result of the explorer *divergence*."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control

QUANTITIES = ("entropy old", "entropy new", "KL(old‖new)", "KL(new‖old)")
MISTAKES = {
    "right": "right",
    "reversed": "KL reversed",
    "variance": "variance for std",
    "exponentiated": "exp of the std",
    "half": "one half forgotten",
    "mean": "mean over dimensions",
}
RATIOS = np.geomspace(1 / 60, 60, 161)
"""Ratios of the new std to the old std, for the x axis of the KL curves."""
STEPS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)


@dataclasses.dataclass(frozen=True)
class DivergenceState:
    """State of :class:`Divergence`."""

    new_mean: float = control(
        0.5,
        "new mean",
        "Mean of the new policy. With your own policy, this number is added to its mean.",
        range=(-2.0, 2.0, 0.1),
    )
    new_std: float = control(
        0.5, "new std", "Std of the new policy. With your own policy, this number multiplies its std.", steps=STEPS
    )
    old_mean: float = control(
        0.0,
        "old mean",
        "Mean of the old policy. With your own policy, this number is added to its mean.",
        range=(-2.0, 2.0, 0.1),
        group="old policy",
    )
    old_std: float = control(
        1.0,
        "old std",
        "Std of the old policy. With your own policy, this number multiplies its std.",
        steps=STEPS,
        group="old policy",
    )
    action: float = control(
        -1.0,
        "action",
        "The action at which the log-probabilities of both policies are computed.",
        range=(-4.0, 4.0, 0.1),
        group="action",
    )
    dimensions: int = control(
        1,
        "action dimensions",
        "Number of action dimensions over which entropy and KL are summed.",
        range=(1, 12, 1),
        group="action",
    )
    dimension: int = control(
        0, "dimension shown", "The action dimension that is drawn.", range=(0, 11, 1), group="action"
    )
    mistake: str = control(
        "right",
        "closed form",
        "How entropy and KL are computed. All choices but the first are mistakes that people have made.",
        choices={words: mistake for mistake, words in MISTAKES.items()},
        group="break it",
    )


@dataclasses.dataclass(frozen=True)
class DivergenceResult:
    """What the picture shows: curves for one dimension, and four quantities for ``state.dimensions`` dimensions."""

    state: DivergenceState
    old: tuple[float, float]  # mean and std of the shown dimension
    new: tuple[float, float]
    actions: np.ndarray  # [points]
    densities: np.ndarray  # [2, points], old and new
    integrands: np.ndarray  # [2, points], of KL(old‖new) and KL(new‖old), in nats per unit of the action
    log_prob: tuple[float, float]  # log-probability of the action under old and new, in nats
    closed: np.ndarray  # [4], the QUANTITIES in nats
    integral: np.ndarray  # [4]
    ratio: float  # new std divided by old std
    curves: np.ndarray  # [2, RATIOS], both KLs in closed form, for each ratio of the stds
    unit: float  # the larger of both stds in the shown dimension, without the controls
    policies: np.ndarray  # [4, dimensions], old means, old stds, new means, new stds
    each: np.ndarray  # [4, dimensions], the correct QUANTITIES of each dimension, in nats

    @property
    def worked(self) -> int:
        """Index of the dimension that is calculated in detail: the drawn dimension if it is in the sum, otherwise 0."""
        return self.state.dimension if self.state.dimension < self.state.dimensions else 0

    @property
    def wrong(self) -> np.ndarray:
        """True for each of the QUANTITIES with a closed form that differs from its integral, ``[4]``."""
        wrong: np.ndarray = np.abs(self.closed - self.integral) > 1e-3 * np.abs(self.integral) + 1e-6
        return wrong
