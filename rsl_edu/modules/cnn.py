"""Convolutional network: the same small filter at every position of a height scan or an image."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .mlp import make_activation
from .validate import choice, flag, items, per_layer, traced, trailing_shape, whole

PADDINGS = ("none", "zeros", "reflect", "replicate", "circular")
NORMS = ("none", "batch", "layer")
GLOBAL_POOLS = ("none", "max", "avg")


class CNN(nn.Sequential):
    r"""Convolutional network: layers of convolution, norm, activation and max pooling, followed by global pooling.

    With kernel :math:`k`, stride :math:`s`, dilation :math:`d` and padding :math:`p`, a layer turns a side of
    :math:`n` pixels into

    .. math:: n' = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1

    pixels, and max pooling (kernel 3, stride 2, padding 1) turns those into :math:`\lceil n'/2 \rceil`. Every padding
    except ``"none"`` chooses the :math:`p` that gives :math:`n' = \lfloor n/s \rfloor`, or one pixel more if the same
    padding on both sides cannot give that. If this :math:`p` is negative, the border is cropped (with ``"zeros"``,
    :math:`p` is 0 instead).

    Shapes: input ``[batch, input_channels, height, width]``; output ``[batch, output_dim]``, or
    ``[batch, output_channels, *output_dim]`` with ``flatten=False``. Height and width may differ from ``input_dim``
    with ``flatten=False`` or global pooling; otherwise the length of the output would change.

    Args:
        input_dim: Height and width of the input in pixels.
        input_channels: Number of channels of the input.
        output_channels: Number of output channels of each layer; the length of this list is the number of layers.
        kernel_size: Side length of the filter in pixels. ``kernel_size``, ``stride`` and ``dilation`` take one value,
            or one value per layer.
        stride: Distance between neighbouring positions of the filter, in pixels.
        dilation: Distance between neighbouring elements of the filter, in pixels.
        padding: How the map is continued beyond its border: none, zeros, reflect, replicate or circular.
        norm: Normalization: none, batch or layer; one value, or one per layer.
        activation: Name in :data:`rsl_edu.modules.mlp.ACTIVATIONS`.
        max_pool: Whether the layer ends with max pooling; one value, or one per layer.
        global_pool: Pooling over the last map: none, max or avg.
        flatten: Whether the output is one vector per sample.

    Attributes:
        input_shape: Shape of a sample, ``(input_channels, height, width)``.

    Raises:
        TypeError, ValueError: An argument is invalid, or a layer's map would shrink below one pixel or is too small for
            its padding; the message names the argument or the layer.

    Source: the public API of ``rsl_rl.modules.CNN``.
    """

    def __init__(
        self,
        input_dim: tuple[int, int],
        input_channels: int,
        output_channels: tuple[int, ...] | list[int],
        kernel_size: int | tuple[int, ...] | list[int],
        stride: int | tuple[int, ...] | list[int] = 1,
        dilation: int | tuple[int, ...] | list[int] = 1,
        padding: str = "none",
        norm: str | tuple[str, ...] | list[str] = "none",
        activation: str = "elu",
        max_pool: bool | tuple[bool, ...] | list[bool] = False,
        global_pool: str = "none",
        flatten: bool = True,
    ) -> None:
        height, width = _height_and_width(input_dim)
        channels = whole("input_channels", input_channels)
        outs = _channels(output_channels)
        padding = choice("padding", "none" if padding is None else padding, PADDINGS)
        global_pool = choice("global_pool", global_pool, GLOBAL_POOLS)
        flatten = flag("flatten", flatten)
        input_shape = (channels, height, width)

        depth = len(outs)
        kernels = _whole_per_layer("kernel_size", kernel_size, depth)
        strides = _whole_per_layer("stride", stride, depth)
        dilations = _whole_per_layer("dilation", dilation, depth)
        norms = [choice("norm", value, NORMS) for value in per_layer("norm", norm, depth)]
        pools = [flag("max_pool", value) for value in per_layer("max_pool", max_pool, depth)]

        layers: list[nn.Module] = []
        dim = (height, width)  # size of the current map
        for i, out in enumerate(outs):
            convolution = _convolution(i, dim, channels, out, kernels[i], strides[i], dilations[i], padding)
            dim = _size_after(i, dim, convolution)
            layers += [convolution, *_norm(norms[i], out, dim)]
            layers.append(make_activation(activation))  # an activation object for each layer
            if pools[i]:
                layers.append(nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
                dim = ((dim[0] + 1) // 2, (dim[1] + 1) // 2)
            channels = out

        if global_pool != "none":
            layers.append(nn.AdaptiveMaxPool2d((1, 1)) if global_pool == "max" else nn.AdaptiveAvgPool2d((1, 1)))
            dim = (1, 1)
        if flatten:
            layers.append(nn.Flatten(start_dim=1))
        super().__init__(*layers)
        self.input_shape = input_shape
        self._output_channels = None if flatten else channels
        self._output_dim = channels * dim[0] * dim[1] if flatten else dim

    @property
    def output_channels(self) -> int | None:
        """Number of channels of the output, or None if it is flattened."""
        return self._output_channels

    @property
    def output_dim(self) -> tuple[int, int] | int:
        """Height and width of the output, or the length of the vector if the output is flattened."""
        return self._output_dim

    def init_weights(self) -> None:
        """Draw Kaiming-normal filters (variance 2 / fan-in preserves the signal's scale with ReLU) and zero biases."""
        for layer in self:
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``x [batch, input_channels, height, width]`` to the output described above."""
        if not torch.jit.is_scripting():
            self._check(x)
            if self.training and not traced(x) and x.numel() == 0:
                return self._empty(x)
        for layer in self:
            x = layer(x)
        return x

    @torch.jit.unused
    def _check(self, x: torch.Tensor) -> None:
        layers = list(self._modules.values())
        if not layers or type(layers[0]) is not nn.Conv2d:  # the first layer was replaced
            return
        channels = layers[0].in_channels
        comparable = (
            isinstance(x, torch.Tensor) and not torch.jit.is_tracing()
        )  # tracing records a comparison and warns
        if comparable and x.shape[1:] == (channels, *self.input_shape[1:]):
            return
        pooled = any(isinstance(layer, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)) for layer in layers)
        flattened = isinstance(layers[-1], nn.Flatten)  # Flatten treats the first dimension as the batch
        size = self.input_shape[1:] if flattened and not pooled else ("height", "width")
        trailing_shape("x", x, (channels, *size), dims=4 if flattened else None)

    @torch.jit.unused
    def _empty(self, x: torch.Tensor) -> torch.Tensor:
        """Return the output for an empty batch. Batch norm is skipped, because it would count the empty batch."""
        for layer in self:
            x = x if isinstance(layer, nn.BatchNorm2d) else layer(x)
        return x


def _height_and_width(input_dim: Any) -> tuple[int, int]:
    sides = items(input_dim)
    if sides is None or len(sides) != 2:
        raise ValueError(f"input_dim: expected (height, width), got {input_dim!r}")
    height, width = (int(side) if isinstance(side, float) and side.is_integer() else side for side in sides)
    return whole("input_dim", height), whole("input_dim", width)


def _channels(output_channels: Any) -> list[int]:
    channels = items(output_channels)
    if not channels:
        raise ValueError(f"output_channels: expected a list with the channels of each layer, got {output_channels!r}")
    return [whole("output_channels", out) for out in channels]


def _whole_per_layer(name: str, values: Any, depth: int) -> list[int]:
    return [whole(name, value) for value in per_layer(name, values, depth)]


def _convolution(
    layer: int, dim: tuple[int, int], channels: int, out: int, kernel: int, stride: int, dilation: int, padding: str
) -> nn.Conv2d:
    """Make the convolution of a layer whose input map has ``dim`` pixels."""
    if padding == "none":
        return nn.Conv2d(channels, out, kernel, stride, dilation=dilation)
    pad = (_pad(dim[0], kernel, stride, dilation), _pad(dim[1], kernel, stride, dilation))
    if padding == "zeros":  # the other paddings can also crop the border
        pad = (max(0, pad[0]), max(0, pad[1]))
    room = {"reflect": -1, "circular": 0}.get(padding)  # these two copy the padding from inside the map
    if room is not None and (pad[0] > dim[0] + room or pad[1] > dim[1] + room):
        raise ValueError(f"layer {layer}: padding {padding!r} of {pad} pixels does not fit a map of {dim} pixels")
    return nn.Conv2d(channels, out, kernel, stride, pad, dilation, padding_mode=padding)  # type: ignore[arg-type]


def _size_after(layer: int, dim: tuple[int, int], convolution: nn.Conv2d) -> tuple[int, int]:
    """Return height and width of a map after a convolution."""
    k, s, d = convolution.kernel_size[0], convolution.stride[0], convolution.dilation[0]
    pad = (int(convolution.padding[0]), int(convolution.padding[1]))
    after = (_output_size(dim[0], k, s, d, pad[0]), _output_size(dim[1], k, s, d, pad[1]))
    if min(after) < 1:
        raise ValueError(
            f"layer {layer}: kernel_size {k} with dilation {d} spans {d * (k - 1) + 1} pixels, but its input map has "
            f"{dim[0]} × {dim[1]} pixels and padding {pad}; the output would have no pixels"
        )
    return after


def _norm(norm: str, channels: int, dim: tuple[int, int]) -> list[nn.Module]:
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    if norm == "layer":
        return [nn.LayerNorm([channels, *dim])]
    return []


def _output_size(n: int, k: int, s: int, d: int, p: int) -> int:
    """Return the number of pixels of a side after a convolution, by the formula in :class:`CNN`."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _pad(n: int, k: int, s: int, d: int) -> int:
    """Return the smallest padding with which a side of ``n`` pixels becomes at least ``n // s`` pixels."""
    return -((n - s * (n // s) + s - d * (k - 1) - 1) // 2)
