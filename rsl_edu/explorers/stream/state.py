"""State and result of the explorer *stream*."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control


@dataclasses.dataclass(frozen=True)
class StreamState:
    """State of :class:`Stream`."""

    seen: int = control(1024, "samples seen", "Number of samples seen so far.", range=(64, 2048, 64), play=True)
    shift: int = control(
        0,
        "shift at sample (0: never)",
        "From this sample on, the feature's std is doubled and its mean is 3 stds higher, as if the robot had changed.",
        range=(0, 2048, 64),
    )
    feature: int = control(
        22, "feature", "The feature of the observation that is shown.", range=(0, 347, 1), group="stream"
    )
    independent: bool = control(
        False,
        "independent samples",
        "Draw each sample at random, from any time and any robot outside the stream, instead of in time order.",
        group="stream",
    )
    batch: int = control(
        64,
        "batch size",
        "Number of samples per update.",
        unit="samples",
        choices={"1": 1, "8": 8, "64": 64, "512": 512},
        group="normalizer",
    )
    merge: str = control(
        "chan",
        "merge",
        "How a batch is merged into the statistics. All choices but the first are mistakes that people have shipped.",
        choices={
            "Chan: right": "chan",
            "no shift term": "no shift",
            "features pooled (cleanrl #18)": "pooled",
            "last batch only": "last",
        },
        group="normalizer",
    )
    until: int = control(
        0,
        "until",
        "Number of samples after which the statistics are frozen.",
        unit="samples",
        choices={"no end": 0, "512": 512, "1024": 1024},
        group="normalizer",
    )
    eps: float = control(
        1e-2,
        "eps",
        "Added to the std before the division.",
        choices={"0": 0.0, "1e-8": 1e-8, "0.01": 1e-2, "1": 1.0},
        group="normalizer",
    )
    seed: int = control(
        0,
        "seed",
        "Selects the robots of the stream (0: the first robots) and the independent samples.",
        range=(0, 9, 1),
    )


@dataclasses.dataclass(frozen=True)
class LastMerge:
    """The last batch and the statistics before it. With pooled features, every number of a batch counts as a sample."""

    count: int  # before the merge
    mean: float
    var: float
    batch: int  # numbers in the batch
    batch_mean: float
    batch_var: float
    frozen: bool  # whether the statistics had already stopped changing


@dataclasses.dataclass(frozen=True)
class StreamResult:
    """What the picture shows. The series end at ``state.seen``."""

    state: StreamState
    name: str
    values: np.ndarray  # [samples], the shown feature in the complete stream
    truth: tuple[float, ...]  # mean and std before the shift, mean and std after the shift
    samples: np.ndarray  # [updates]
    mean: np.ndarray  # [updates]
    std: np.ndarray  # [updates]
    error: np.ndarray  # [updates]
    normalized: np.ndarray  # [window]
    last: LastMerge

    @property
    def shifted(self) -> bool:
        """Whether the data have already shifted at the current sample."""
        return 0 < self.state.shift < self.state.seen

    @property
    def truth_now(self) -> tuple[float, float]:
        """The true mean and std of the samples at this time: before or after the shift."""
        return self.truth[2 * self.shifted], self.truth[2 * self.shifted + 1]
