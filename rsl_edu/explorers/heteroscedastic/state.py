"""State, samples and result of the explorer *heteroscedastic fit*."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ..bench.controls import control

STEPS = 300
"""Gradient steps in a complete training run."""
WITHIN = 68.27
"""Percentage of a Gaussian's samples within one std of its mean."""


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitState:
    """State of :class:`.HeteroscedasticFit`."""

    parameter: str = control(
        "log",
        "std",
        "Whether the std depends on the state, and what the network outputs.",
        choices={
            "by state: network outputs its log": "log",
            "by state: network outputs it": "scalar",
            "one for all states": "one",
        },
    )
    angle: float = control(
        0.0,
        "angle",
        "The state, such as a joint angle, for which all panels show their values.",
        range=(-1.0, 1.0, 0.05),
    )
    mistake: str = control(
        "none",
        "mistake",
        "Mistakes that people make. The last three mistakes cannot occur with one std for all states.",
        choices={
            "none": "none",
            "variance used as std": "variance",
            "mean and std swapped": "swapped",
            "network not initialized": "no init",
            "plain clamp (rsl_rl)": "clamp",
        },
        group="break it",
    )
    steps: int = control(
        STEPS, "steps", "How many training steps the picture shows.", range=(0, STEPS, 5), play=True, group="training"
    )
    rate: float = control(
        0.02, "learning rate", "Learning rate of Adam.", steps=(0.001, 0.003, 0.01, 0.02, 0.05, 0.1), group="training"
    )
    init: float = control(
        1.0,
        "initial std",
        "Std at the start of training, in stds of the target.",
        steps=(0.1, 0.3, 1.0, 3.0),
        group="training",
    )
    hidden: int = control(
        16, "hidden units", "Number of units in the hidden layer.", steps=(1, 2, 4, 8, 16, 32, 64), group="training"
    )
    seed: int = control(0, "seed", "Seed of the weights and the training samples.", range=(0, 9, 1), group="training")


@dataclasses.dataclass(frozen=True)
class Samples:
    """The samples, and bins of the state x with equal numbers of samples."""

    x: np.ndarray  # [samples]
    y: np.ndarray  # [samples]
    names: tuple[str, str]  # names of x and y, with units
    scale: float  # std of y
    edges: np.ndarray  # [bins + 1]
    count: np.ndarray  # [bins]
    mean: np.ndarray  # [bins], of y
    std: np.ndarray  # [bins], std of y around a straight line in each bin, so that a trend does not count as noise
    free: np.ndarray  # [bins], degrees of freedom: samples minus 2 for a line or 1 for a mean
    nll_one: float  # nats, with the best single std around these lines

    @property
    def noise(self) -> float:
        """The largest std of a bin, relative to the std of all y."""
        return float(np.nanmax(self.std, initial=0.0)) / self.scale

    @property
    def even(self) -> bool:
        """Whether the differences between the stds of the bins may be chance (at most three standard errors)."""
        some = np.isfinite(self.std)
        count, std = self.free[some], self.std[some]
        together = math.sqrt(float((count * std**2).sum() / count.sum()))
        return bool((np.abs(std - together) <= 3 * together / np.sqrt(2 * count)).all())

    def bin_of(self, x: float) -> int:
        """Return the index of the bin that contains a state."""
        return int(np.searchsorted(self.edges[1:-1], x, side="right"))


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitResult:
    """What the picture shows, in the units of the samples. ``loss`` ends at ``state.steps``."""

    state: HeteroscedasticFitState
    mean: np.ndarray  # [grid]
    std: np.ndarray  # [grid]
    loss: np.ndarray  # [steps + 1], nats
    losses: tuple[float, float]  # limits of the loss axis, which fit most of the complete training
    nll: float  # NLL of all samples, nats, with the chosen mistake
    entropy: float  # mean entropy over the samples, nats
    inside: np.ndarray  # [bins], percent of the samples within one std of the mean
    inside_all: float
    here: tuple[float, float]  # fitted mean and std at the angle
    bin: int  # the bin of the angle
    sample: tuple[float, float, float, float]  # x, y, fitted mean and std of the sample closest to the angle
