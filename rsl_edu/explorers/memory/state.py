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
        "Whose memory is set to zero after a step; all but the first are mistakes that people shipped.",
        choices={
            "dones as a mask: right": "right",
            "never (IsaacLab #3837)": "never",
            "dones as an integer index (rsl_rl #50)": "index",
            "all robots when any is done": "all",
        },
    )
    time: int = control(90, "time step", "The present: where the cursor is.", range=(0, 127, 1), play=True)
    env: int = control(
        14, "environment", "Which of the parallel robots is shown.", range=(0, 15, 1), group="what is shown"
    )
    layer: int = control(1, "layer", "Which layer's units are shown.", range=(1, 2, 1), group="what is shown")
    type: str = control("gru", "type", "The recurrent cell.", choices={"GRU": "gru", "LSTM": "lstm"}, group="network")
    hidden: int = control(16, "hidden size", "Units of a layer.", unit="units", steps=(8, 16, 32, 64), group="network")
    detach: int = control(
        0,
        "detach every",
        "Cuts the memory off from the steps that made it; 0: never.",
        unit="steps",
        steps=(0, 1, 2, 4, 8, 16, 32, 64),
        group="network",
    )
    seed: int = control(0, "seed", "Seed of the weights, as before the first update.", range=(0, 9, 1), group="network")


@dataclasses.dataclass(frozen=True)
class MemoryResult:
    """What the picture shows."""

    state: MemoryState
    cell: str
    ends: np.ndarray  # [ends], steps after which an episode of this environment ended
    born: int  # first step of the present episode
    hidden: np.ndarray  # [hidden, time]
    distance: np.ndarray  # [time]
    gradients: np.ndarray  # [time of the output, time of the input]
    reach: int | None  # steps back to the last input that is felt; None if none is
    cuts: np.ndarray  # [cuts], steps after which the gradient is cut
    forgotten: dict[str, np.ndarray]  # (step, environment) of resets that are right, wrong (still running), missed
    trajectories: tuple[int, int, int]  # rows in the padded batch: the first of this robot, the present one, the next's
    padding: float  # share of the batch

    @property
    def leaked(self) -> int:
        """How many steps before the start of the present episode the gradient reaches; 0 where all is right."""
        return max(0, (self.reach or 0) - (self.state.time - self.born))
