"""An untrained CNN for height scans, with some filters set by hand so that their meaning is known."""

from __future__ import annotations

import torch

from rsl_edu.modules import CNN

CHANNELS = (8, 8, 8)
"""Channels of each layer."""
FILTERS = ("slope across", "slope down", "mean", "bump")
"""The filters that are set by hand: the first channels of the first layer. All other filters are random; if the kernel
has fewer than 3 pixels, all filters are random."""


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
    """Build a CNN for height scans with up to three equal layers; layers that do not fit are left out.

    Args:
        size: Height and width of a scan, in pixels.
        kernel: Side length of the filters, in pixels.
        stride: Distance between neighbouring positions of the filter, in pixels.
        dilation: Distance between neighbouring elements of the filter, in pixels.
        padding: Padding mode of every convolution.
        norm: Normalization of each layer.
        max_pool: Whether max pooling halves each map again.
        seed: Seed of the random filters.

    Returns:
        The network, or None if not even its first layer fits; and the reason why the next layer does not fit, which is
        empty if all layers fit.
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
    """Return the hand-made filters, ``[filters, side, side]``. The squares in each filter sum to 2, as in Kaiming's."""
    across = torch.linspace(-1, 1, side).expand(side, side)
    distance = across**2 + across.T**2
    filters = torch.stack([across, across.T, torch.ones(side, side), distance.mean() - distance])
    return filters * (2 / filters.square().sum((1, 2), keepdim=True)).sqrt()
