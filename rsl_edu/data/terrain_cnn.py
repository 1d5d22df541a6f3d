"""An untrained network for height scans, of which some filters are set by hand: what these find can be told."""

from __future__ import annotations

import torch

from rsl_edu.modules import CNN

CHANNELS = (8, 8, 8)
"""Channels of each layer."""
FILTERS = ("slope across", "slope down", "mean", "bump")
"""The first channels of the first layer, if the kernel has room for them (3 pixels); all others are random."""


@torch.no_grad()  # some filters are set by hand
def terrain_cnn(
    size: tuple[int, int],
    kernel: int,
    stride: int,
    dilation: int,
    *,
    padding: str = "none",
    norm: str = "none",
    max_pool: bool = False,
    seed: int = 0,
) -> tuple[CNN | None, str]:
    """Build a CNN of three equal layers for height scans, up to the first that cannot work.

    Args:
        size: Height and width of a scan, in pixels.
        kernel: Side of the filters, in pixels.
        stride: Pixels from one place of the filter to the next.
        dilation: Pixels between neighbouring taps of the filter.
        padding: What continues every map over its border.
        norm: What normalizes each layer.
        max_pool: Whether max pooling halves each map once more.
        seed: Draws the random filters.

    Returns:
        The network, or None if not even its first layer works; and why the next layer cannot work, empty if all do.
    """
    why = ""
    for depth in range(len(CHANNELS), 0, -1):
        sizes = (CHANNELS[:depth], kernel, stride, dilation)
        with torch.random.fork_rng(devices=[]):
            try:
                network = CNN(size, 1, *sizes, padding=padding, norm=norm, activation="relu", max_pool=max_pool)
            except ValueError as error:
                why = str(error)
                continue
            torch.default_generator.manual_seed(seed)  # torch.manual_seed also reseeds the learner's GPU
            network.init_weights()
        if kernel > 2:
            next(network.parameters())[: len(FILTERS), 0] = _hand_made(kernel)
        return network, why
    return None, why


def _hand_made(side: int) -> torch.Tensor:
    """Return the filters that are set by hand ``[filters, side, side]``, as large as Kaiming's: squares sum to 2."""
    across = torch.linspace(-1, 1, side).expand(side, side)
    distance = across**2 + across.T**2
    filters = torch.stack([across, across.T, torch.ones(side, side), distance.mean() - distance])
    return filters * (2 / filters.square().sum((1, 2), keepdim=True)).sqrt()
