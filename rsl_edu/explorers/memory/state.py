"""State and result of the explorer *memory*."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control


@dataclasses.dataclass(frozen=True)
class MemoryState:
    """State of :class:`Memory`."""

    reset: str = control(
        "never",
        "reset",
        "Which hidden states are reset after a step. All choices but the first are mistakes that people have shipped.",
        choices={
            "dones as a mask: right": "right",
            "never (IsaacLab #3837)": "never",
            "dones as an integer index (rsl_rl #50)": "index",
            "all robots if any is done": "all",
        },
    )
    time: int = control(
        90, "time step", "The current step, marked in every panel over time.", range=(0, 127, 1), play=True
    )
    env: int = control(14, "environment", "The robot that is shown.", range=(0, 15, 1), group="what is shown")
    layer: int = control(1, "layer", "The layer whose units are shown.", range=(1, 2, 1), group="what is shown")
    type: str = control("gru", "type", "The recurrent cell.", choices={"GRU": "gru", "LSTM": "lstm"}, group="network")
    hidden: int = control(
        16, "hidden size", "Number of units per layer.", unit="units", steps=(8, 16, 32, 64), group="network"
    )
    detach: int = control(
        0,
        "detach every",
        "Number of steps after which the gradient through the hidden state is cut; 0 means never.",
        unit="steps",
        steps=(0, 1, 2, 4, 8, 16, 32, 64),
        group="network",
    )
    seed: int = control(0, "seed", "Seed of the untrained weights.", range=(0, 9, 1), group="network")


@dataclasses.dataclass(frozen=True)
class MemoryResult:
    """What the picture shows."""

    state: MemoryState
    cell: str
    ends: np.ndarray  # [ends], steps after which an episode of this environment ended
    born: int  # first step of the current episode
    hidden: np.ndarray  # [hidden, time]
    distance: np.ndarray  # [time]
    gradients: np.ndarray  # [time of the output, time of the input]
    reach: int | None  # steps back to the earliest input with an effect; None if no input has an effect
    cuts: np.ndarray  # [cuts], steps after which the gradient is cut
    forgotten: dict[str, np.ndarray]  # (step, environment) of right, wrong (mid-episode) and missed resets
    trajectories: tuple[int, int, int]  # rows in the padded batch: this robot's first, its current, the next robot's
    padding: float  # share of the padded batch

    @property
    def leaked(self) -> int:
        """Number of steps before the current episode that the gradient still reaches; 0 with the right resets."""
        return max(0, (self.reach or 0) - (self.state.time - self.born))
