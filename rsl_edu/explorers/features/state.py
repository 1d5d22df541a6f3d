"""State and result of the explorer *features*."""

from __future__ import annotations

import dataclasses

import numpy as np

from rsl_edu.data.terrain_cnn import FILTERS
from rsl_edu.diagnosis.feature_maps import ConvLayer, ForwardPass
from rsl_edu.modules.cnn import PADDINGS

from ..bench.controls import control

STRIDES = {"1": (1, False), "2": (2, False), "3": (3, False), "1, max pool": (1, True), "2, max pool": (2, True)}
"""For each choice: the stride of every layer, and whether every layer ends with max pooling."""
NORMS = {"none": ("none", 16), "layer": ("layer", 16), "batch of 32": ("batch", 32), "batch of 1": ("batch", 1)}
"""For each choice: the norm of every layer, and the number of scans in a batch."""


@dataclasses.dataclass(frozen=True)
class FeaturesState:
    """State of :class:`Features`; kernel, stride, dilation, padding and norm are the same in all three layers.

    If a learner passes a network, these five settings do not apply.
    """

    layer: int = control(0, "layer", "The layer that is shown, counted from 0 as in the library.", range=(0, 2, 1))
    padding: str = control(
        "none",
        "padding",
        "Values around the border of every map. If the heights are not near zero, zeros create a cliff.",
        choices={words: words for words in PADDINGS},
    )
    row: int = control(
        42,
        "pixel's row",
        "Row of the chosen pixel, from the upper to the lower edge of the map.",
        unit="%",
        range=(0, 100, 2),
        group="what is shown",
    )
    column: int = control(
        58,
        "pixel's column",
        "Column of the chosen pixel, from the left to the right edge of the map.",
        unit="%",
        range=(0, 100, 2),
        group="what is shown",
    )
    channel: int = control(
        0, "channel", "The channel of the layer whose map is enlarged.", range=(0, 7, 1), group="what is shown"
    )
    kernel: int = control(
        5, "kernel size", "Side length of the filters.", unit="pixels", range=(1, 11, 1), group="network"
    )
    stride: str = control(
        "2",
        "stride, pooling",
        "Step of the filter, in pixels. Max pooling halves the map once more.",
        choices={words: words for words in STRIDES},
        group="network",
    )
    dilation: int = control(
        1,
        "dilation",
        "Distance between neighbouring weights of the filter.",
        unit="pixels",
        range=(1, 4, 1),
        group="network",
    )
    norm: str = control(
        "none",
        "norm",
        "Normalization in each layer; batch norm uses the mean and std of the batch, as in training.",
        choices={words: words for words in NORMS},
        group="network",
    )
    offset: float = control(
        0.5,
        "height offset",
        "Added to every height. Scans are measured relative to the robot, not to the ground below the robot.",
        unit="m",
        range=(0.0, 1.0, 0.1),
        group="scan",
    )
    seed: int = control(0, "seed", "Seed of the random filters; also selects the scan.", range=(0, 9, 1), group="scan")


@dataclasses.dataclass(frozen=True)
class FeaturesResult:
    """What the picture shows; ``shown`` is None if the chosen layer is invalid."""

    state: FeaturesState
    scan: np.ndarray  # [height, width], the scan that the network gets
    border: np.ndarray  # [height + 2 rows, width + 2 columns], the scan with the first layer's padding
    run: ForwardPass
    shown: ConvLayer | None
    channel: int
    pixel: tuple[int, int]  # row and column of the chosen pixel of the map
    by_hand: bool  # whether the first filters of this layer have manually chosen weights
    off: float | None  # relative difference (root mean square) between these maps and the maps in a batch of 32

    def named(self, channel: int) -> str:
        """Return a channel's number and, if the weights of its filter were chosen manually, the filter's name."""
        name = FILTERS[channel] if self.by_hand and channel < len(FILTERS) else ""
        return f"channel {channel} ({name})" if name else f"channel {channel}"
