"""State and result of the explorer *features*."""

from __future__ import annotations

import dataclasses

import numpy as np

from rsl_edu.data.terrain_cnn import FILTERS
from rsl_edu.diagnosis.feature_maps import ConvLayer, ForwardPass
from rsl_edu.modules.cnn import PADDINGS

from ..bench.controls import control

STRIDES = {"1": (1, False), "2": (2, False), "3": (3, False), "1, max pool": (1, True), "2, max pool": (2, True)}
"""Stride of every layer, and whether max pooling ends it."""
NORMS = {"none": ("none", 16), "layer": ("layer", 16), "batch of 32": ("batch", 32), "batch of 1": ("batch", 1)}
"""Norm of every layer, and how many scans go through the network at once."""


@dataclasses.dataclass(frozen=True)
class FeaturesState:
    """State of :class:`Features`; kernel, stride, dilation, padding and norm are the same in all three layers.

    The layers of the learner's own network are as they are.
    """

    layer: int = control(0, "layer", "Which layer is shown, counted from 0 as in the library.", range=(0, 2, 1))
    padding: str = control(
        "none",
        "padding",
        "What continues every map over its border; zeros are a cliff where heights are not near zero.",
        choices={words: words for words in PADDINGS},
    )
    row: int = control(
        42,
        "pixel's row",
        "Which pixel of the map is looked at, from its upper to its lower edge.",
        unit="%",
        range=(0, 100, 2),
        group="what is shown",
    )
    column: int = control(
        58,
        "pixel's column",
        "Which pixel of the map is looked at, from its left to its right edge.",
        unit="%",
        range=(0, 100, 2),
        group="what is shown",
    )
    channel: int = control(
        0, "channel", "Which map of the layer is shown large.", range=(0, 7, 1), group="what is shown"
    )
    kernel: int = control(5, "kernel size", "Side of the filters.", unit="pixels", range=(1, 11, 1), group="network")
    stride: str = control(
        "2",
        "stride, pooling",
        "Pixels from one place of the filter to the next; max pooling halves the map once more.",
        choices={words: words for words in STRIDES},
        group="network",
    )
    dilation: int = control(
        1,
        "dilation",
        "Pixels between neighbouring taps of the filter.",
        unit="pixels",
        range=(1, 4, 1),
        group="network",
    )
    norm: str = control(
        "none",
        "norm",
        "What normalizes each layer; batch norm takes the mean and std of the batch, as in training.",
        choices={words: words for words in NORMS},
        group="network",
    )
    offset: float = control(
        0.5,
        "height offset",
        "Added to every height: a scan is measured from the robot, not from the ground below it.",
        unit="m",
        range=(0.0, 1.0, 0.1),
        group="scan",
    )
    seed: int = control(0, "seed", "Chooses the scan, and draws the random filters.", range=(0, 9, 1), group="scan")


@dataclasses.dataclass(frozen=True)
class FeaturesResult:
    """What the picture shows; ``shown`` is None where the layer cannot work."""

    state: FeaturesState
    scan: np.ndarray  # [height, width], as it enters the network
    border: np.ndarray  # [height + 2 rows, width + 2 columns], as the first convolution pads it
    run: ForwardPass
    shown: ConvLayer | None
    channel: int
    pixel: tuple[int, int]  # row and column of the pixel of the map that is looked at
    by_hand: bool  # whether the filters are those of which the first ones were set by hand
    off: float | None  # how far the maps are from those in a batch of 32: root mean square, as a share of theirs

    def named(self, channel: int) -> str:
        """Return a channel's number, and what its filter finds if it was set by hand."""
        name = FILTERS[channel] if self.by_hand and channel < len(FILTERS) else ""
        return f"channel {channel} ({name})" if name else f"channel {channel}"
