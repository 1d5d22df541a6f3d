"""Measures of each layer of a CNN: its feature maps, its receptive fields, and the effect of padding at the border."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from rsl_edu.data.learner_input import learner_network
from rsl_edu.modules import CNN


@dataclass(frozen=True)
class ConvLayer:
    """A layer of a CNN (convolution, norm, activation and pooling) and its output.

    Attributes:
        sizes: Kernel, stride and dilation of the convolution.
        pool: Whether the layer ends with max pooling.
        parameters: Number of its parameters.
        field: Side length of a unit's receptive field, in pixels of the input.
        jump: Distance between the receptive fields of neighbouring units, in pixels of the input.
        first: Row and column of the input at which the receptive field of unit (0, 0) begins.
        filters: The convolution's weights, ``[channels, channels before, kernel, kernel]``.
        maps: The feature maps of the first input, ``[channels, height, width]``.
        distance: Distance of each ring from the border of the map, in pixels of the input, ``[rings]``.
        strength: Mean absolute activation over all inputs, ``[channels, rings]``.
        padded: Whether any receptive field in the ring extends over the border into the padding, ``[rings]``.
        border: Mean absolute activation of the units that see padding, ``[channels]``; NaN if there are none.
        inside: Mean absolute activation of all other units, ``[channels]``.
        dead: Share of the units that are 0 for every input.
    """

    sizes: tuple[int, int, int]
    pool: bool
    parameters: int
    field: int
    jump: int
    first: tuple[int, int]
    filters: np.ndarray
    maps: np.ndarray
    distance: np.ndarray
    strength: np.ndarray
    padded: np.ndarray
    border: np.ndarray
    inside: np.ndarray
    dead: float

    @property
    def shape(self) -> str:
        """Channels, height and width of the output, as text."""
        return " × ".join(map(str, self.maps.shape))

    def central_unit(self, height: int, width: int) -> tuple[int, int]:
        """Return row and column of the unit whose receptive field is closest to the centre of an input."""
        row, column = (
            int(np.abs(first + self.jump * np.arange(count) + self.field / 2 - side / 2).argmin())
            for first, count, side in zip(self.first, self.maps.shape[1:], (height, width), strict=True)
        )
        return row, column


@dataclass(frozen=True)
class ForwardPass:
    """The layers of a CNN that run without error, and the reason why the next layer fails.

    Attributes:
        layers: The layers that run without error.
        why: Why the next layer fails; empty if all layers run.
        padding: Rows and columns that the first convolution adds on each side of an image.
        mode: Padding mode of the first convolution.
        flat: Length of the network's output vector; None if a layer fails.
    """

    layers: tuple[ConvLayer, ...]
    why: str
    padding: tuple[int, int] = (0, 0)
    mode: str = "zeros"
    flat: int | None = None


def receptive_field(steps: Iterable[tuple[int, int, int, tuple[int, int]]]) -> tuple[int, int, tuple[int, int]]:
    """Compute the receptive fields after a sequence of convolutions and poolings.

    Args:
        steps: Kernel, stride, dilation and padding ``(rows, columns)`` of each convolution or pooling.

    Returns:
        All in pixels of the input: the side length of a unit's receptive field, the distance between the fields of
        neighbouring units, and the row and column at which the field of unit (0, 0) begins.
    """
    field, jump, top, left = 1, 1, 0, 0
    for kernel, stride, dilation, (rows, columns) in steps:
        top, left = top - rows * jump, left - columns * jump
        field += dilation * (kernel - 1) * jump  # one pixel of this step's input is a jump of the scan
        jump *= stride
    return field, jump, (top, left)


@torch.inference_mode()
def forward_pass(network: CNN, images: torch.Tensor, why: str = "") -> ForwardPass:
    """Run a network layer by layer until one fails.

    Args:
        network: The network.
        images: The inputs, ``[images, channels, height, width]``.
        why: Why the network lacks its next layer, if that layer could not be built.
    """
    parts: list[list[nn.Module]] = []
    for module in network:
        if isinstance(module, nn.Conv2d):
            parts.append([])  # a convolution begins a layer
        if not isinstance(module, (nn.Flatten, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)):
            parts[-1].append(module)
    layers: list[ConvLayer] = []
    x = images
    for i, modules in enumerate(parts):
        try:
            for module in modules:
                x = module(x)
        except ValueError as error:  # batch norm raises it, as a single value has no variance
            why = f"layer {i}: {error}"
            break
        layers.append(_conv_layer(parts[: i + 1], x, images.shape[2:]))
    first: Any = parts[0][0]
    size = network.output_dim
    flat = size if isinstance(size, int) else (network.output_channels or 0) * size[0] * size[1]
    return ForwardPass(tuple(layers), why, first.padding, first.padding_mode, None if why else flat)


def usable_cnn(network: CNN) -> CNN:
    """Return a copy of a learner's network, on the CPU and in evaluation mode.

    Raises:
        TypeError: The network is not a :class:`rsl_edu.modules.CNN`.
        ValueError: The network's weights are not finite.
    """
    if not isinstance(network, CNN):
        raise TypeError(f"network: expected a rsl_edu.modules.CNN, got {type(network).__name__}")
    copied = learner_network("network", network).eval()
    if not all(values.isfinite().all() for values in copied.state_dict().values()):
        raise ValueError("network: expected finite weights, got NaN or infinity")
    return copied


def _conv_layer(parts: Sequence[Sequence[nn.Module]], x: torch.Tensor, image: Sequence[int]) -> ConvLayer:
    """Measure the last layer of ``parts``, whose output is ``x [images, channels, height, width]``."""
    modules = [module for part in parts for module in part]
    conv: Any = parts[-1][0]
    field, jump, first = receptive_field(_step(m) for m in modules if isinstance(m, (nn.Conv2d, nn.MaxPool2d)))
    places = [np.arange(n) for n in x.shape[2:]]  # rows and columns of the map
    starts = [f + jump * place for f, place in zip(first, places, strict=True)]
    beyond = [(start < 0) | (start + field > n) for start, n in zip(starts, image, strict=True)]
    over = np.logical_or.outer(*beyond)
    if all(m.padding == (0, 0) for m in modules if isinstance(m, nn.Conv2d)):
        over[:] = False  # max pooling extends over the border, too, but uses no values from there
    ring = np.minimum.outer(*(np.minimum(place, place[::-1]) for place in places)).ravel()
    size = x.abs().mean(0).numpy()  # [channels, height, width]
    count = np.bincount(ring)
    return ConvLayer(
        sizes=(conv.kernel_size[0], conv.stride[0], conv.dilation[0]),
        pool=isinstance(parts[-1][-1], nn.MaxPool2d),
        parameters=sum(p.numel() for module in parts[-1] for p in module.parameters()),
        field=field,
        jump=jump,
        first=first,
        filters=conv.weight.detach().numpy(),
        maps=x[0].numpy().copy(),  # not a view that keeps the whole batch
        distance=np.arange(len(count)) * jump,
        strength=np.stack([np.bincount(ring, each.ravel()) / count for each in size]),
        padded=np.bincount(ring, over.ravel()) > 0,
        border=size[:, over].mean(1) if over.any() else np.full(len(size), np.nan),
        inside=size[:, ~over].mean(1) if not over.all() else np.full(len(size), np.nan),
        dead=float((x == 0).all(0).float().mean()),
    )


def _step(module: Any) -> tuple[int, int, int, tuple[int, int]]:
    """Return kernel, stride, dilation and padding of a convolution or of a max pooling (which stores them as ints)."""
    if isinstance(module, nn.Conv2d):
        rows, columns = (int(p) for p in module.padding)
        return module.kernel_size[0], module.stride[0], module.dilation[0], (rows, columns)
    return module.kernel_size, module.stride, module.dilation, (module.padding, module.padding)
