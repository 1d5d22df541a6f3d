"""What the explorer *std under training* is set to, and what its picture shows."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control

STEPS = 300
"""Gradient steps of a whole training."""


@dataclasses.dataclass(frozen=True)
class StdTrainingState:
    """State of :class:`.StdTraining`; at the default the training has just crashed."""

    parameter: str = control(
        "unclamped",
        "parameter",
        "What is trained, and what happens to it below zero; the first and the last are mistakes that people shipped.",
        choices={
            "std, not clamped (rsl_rl #124)": "unclamped",
            "std, clamped, gradient leads back": "scalar",
            "log of the std": "log",
            "std, clamp alone (frozen)": "frozen",
        },
    )
    steps: int = control(105, "steps", "How far the training has come.", range=(0, STEPS, 5), play=True)
    rate: float = control(
        0.01,
        "learning rate",
        "Of Adam.",
        steps=(1e-4, 3e-4, 1e-3, 3e-3, 0.005, 0.01, 0.02, 0.03, 0.1),
        group="training",
    )
    entropy: float = control(
        0.01,
        "entropy weight",
        "How much a nat of entropy is worth; advantages have std 1.",
        steps=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
        group="training",
    )
    raw: bool = control(
        False,
        "raw advantages",
        "Do not divide by their std: then the pressure fades as the std shrinks.",
        group="training",
    )
    init: float = control(1.0, "init std", "Of every joint.", steps=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0), group="training")
    batch: int = control(
        64,
        "batch size",
        "Actions that each step learns from.",
        unit="actions",
        steps=(8, 16, 32, 64, 128, 256),
        group="training",
    )
    seed: int = control(0, "seed", "Of the actions that are drawn.", range=(0, 9, 1), group="training")


@dataclasses.dataclass(frozen=True)
class Training:
    """A whole training; row ``t`` is after ``t`` steps. A crash ends it: its last row has no gradient (NaN)."""

    parameter: np.ndarray  # [rows, joints], what is trained: the std or its logarithm
    asked: np.ndarray  # [rows, joints], the std that the parameter stands for, before any clamp
    gradient: np.ndarray  # [rows, joints], of the loss with respect to the parameter
    clip: np.ndarray  # [rows], factor that clips the norm of the whole gradient
    entropy: np.ndarray  # [rows], nats
    reward: np.ndarray  # [rows], mean of the batch
    error: str  # what torch said at the end, or nothing


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of Adam, with the numbers of each joint, the least first: the next one, or the last before a crash."""

    number: int
    before: np.ndarray  # [joints], the parameter
    held: np.ndarray  # [joints], the std within its limits
    gradient: np.ndarray  # [joints]
    clip: float
    mean: np.ndarray  # [joints], Adam's running mean of the clipped gradient, bias-corrected
    square: np.ndarray  # [joints], that of its square
    after: np.ndarray  # [joints], the parameter
    entropy: float  # nats


@dataclasses.dataclass(frozen=True)
class StdTrainingResult:
    """What the picture shows; the series are those up to ``state.steps``, the least joint first."""

    state: StdTrainingState
    joints: tuple[int, ...]  # by their std, the least first
    names: tuple[str, ...]  # of these joints
    asked: np.ndarray  # [rows, joints]
    gradient: np.ndarray  # [rows, joints]
    entropy: np.ndarray  # [rows]
    reward: np.ndarray  # [rows]
    mean: np.ndarray  # [rows], of the stds after the clamp: what logs show
    below: int | None  # first step with a std below what the library allows
    error: str
    std: float  # of the least joint, as the distribution has it; NaN after a crash
    step: Step
    limits: tuple[float, float]  # that the library holds a std in
