"""Exercise ``conv2d``: write the convolution itself."""

from typing import Any

import torch
from torch.nn import functional

from ..exercise import Answer, Case, Exercise, Mistake, Part


def conv2d(x: torch.Tensor, weight: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    """Slide ``weight [out, in, k, k]`` over ``x [batch, in, height, width]``: returns ``[batch, out, h, w]``.

    At each place, the sum of weight times input (a cross-correlation). ``padding`` pixels of zeros surround the map.
    """
    k = weight.shape[-1]
    x = torch.nn.functional.pad(x, (padding,) * 4)  # left, right, top, bottom
    patches = x.unfold(2, k, stride).unfold(3, k, stride)  # [batch, in, h, w, k, k]
    return torch.einsum("bihwyx,oiyx->bohw", patches, weight)  # summed over input channels and taps


def _draw(generator: torch.Generator) -> Case:
    batch, inputs, outputs, k, stride = torch.randint(1, 4, (5,), generator=generator).tolist()
    height, width, padding = (k + int(torch.randint(0, 4, (), generator=generator)) for _ in range(3))
    x = torch.randn(batch, inputs, height, width, generator=generator)
    weight = torch.randn(outputs, inputs, k, k, generator=generator)
    return Case("random maps", (x, weight, stride, padding - k), rtol=1e-3)


CASES = (
    Case.of("one channel", [[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]]], [[[[1.0, 2.0], [3.0, 4.0]]]], None, None),
    Case.of(
        "two channels in, two out",
        [[[[1.0, 2.0]], [[3.0, 5.0]]]],
        [[[[1.0]], [[2.0]]], [[[0.0]], [[10.0]]]],
        None,
        None,
    ),
    Case.of(
        "two channels and a kernel of 2",
        [[[[1.0, 0.0], [2.0, 0.0]], [[0.0, 3.0], [0.0, 1.0]]]],
        [[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]],
        None,
        None,
    ),
    Case.of("a stride of 2", torch.arange(12.0).reshape(1, 1, 3, 4), [[[[1.0, 0.0], [0.0, 10.0]]]], 2, None),
    Case.of("a padding of 1", [[[[1.0, 2.0], [3.0, 4.0]]]], [[[[1.0, 0.0], [0.0, 10.0]]]], None, 1),
    Case(
        "everything at once",
        ((torch.arange(60.0).reshape(2, 2, 3, 5) * 7) % 11, (torch.arange(16.0).reshape(2, 2, 2, 2) * 5) % 7, 2, 1),
    ),
)


def _convs(
    weight: Part = lambda w: w,
    pad: Part = lambda x, p: functional.pad(x, (p, p, p, p)),
    strides: Part = lambda s: (s, s),
    enter: Part = lambda x: x,
    patches: Part = lambda p: p,
    combine: str = "bihwyx,oiyx->bohw",
    leave: Part = lambda y, w: y,
) -> tuple[Answer, ...]:
    """A convolution with some part done wrong; also by answers that do not yet know of stride or padding."""

    def answer(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> Any:
        k, w = w.shape[-1], weight(w)
        down, right = strides(stride)
        x = pad(enter(x), padding)
        return leave(torch.einsum(combine, patches(x.unfold(2, k, down).unfold(3, k, right)), w), w)

    return (
        answer,
        lambda x, w, stride=1, padding=0: answer(x, w, stride),
        lambda x, w, stride=1, padding=0: answer(x, w, 1, padding),
        lambda x, w, stride=1, padding=0: answer(x, w),
    )


def _padding(*sides: int, **mode: Any) -> Answer:
    """Padding of the given numbers of ``padding`` pixels: left, right, top, bottom."""
    return _convs(pad=lambda x, p: functional.pad(x, [p * side for side in sides], **mode))[0]


def _pads_channels(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    p = padding
    return conv2d(functional.pad(x, (p, p, p, p, p, p)), functional.pad(w, (0, 0, 0, 0, 0, 2 * p)), stride)


def _channels_last_in_row(w: torch.Tensor) -> torch.Tensor:
    """The weight that a patch [k, k, in] in one row meets, if the weight [in, k, k] is in one row too."""
    out, inputs, k, _ = w.shape
    return w.reshape(out, k, k, inputs).permute(0, 3, 1, 2)


def _reshaped_patches(p: torch.Tensor) -> torch.Tensor:
    """Patches [batch, in, h, w, k, k] of the right size, but cut from memory in the wrong order."""
    batch, inputs, h, w, k, _ = p.shape
    return p.reshape(batch, inputs, k, k, h, w).permute(0, 1, 4, 5, 2, 3)


def _reshaped_patches_of_all_channels(p: torch.Tensor) -> torch.Tensor:
    batch, inputs, h, w, k, _ = p.shape
    return p.reshape(batch, h, w, inputs, k, k).permute(0, 3, 1, 2, 4, 5)


MISTAKES = {
    "flipped-kernel": Mistake(
        "your filter is flipped, as in the convolution of mathematics.",
        "Networks use the cross-correlation: the filter's first tap meets the first pixel. Leave out the flip.",
        *_convs(weight=lambda w: w.flip(2, 3)),
        *_convs(weight=lambda w: w.flip(2)),
        *_convs(weight=lambda w: w.flip(3)),
    ),
    "kernel-transposed": Mistake(
        "your filter has its rows and columns exchanged.",
        "The last two dimensions are height, then width, in the weight as in the input.",
        *_convs(weight=lambda w: w.mT),
    ),
    "height-and-width-swapped": Mistake(
        "your output has height and width exchanged.",
        "x is [batch, in, height, width] and so is the output: check which unfold is which, and the last reshape.",
        *_convs(combine="bihwyx,oiyx->bowh"),
        *_convs(enter=lambda x: x.mT),
        *_convs(leave=lambda y, w: y.reshape(*y.shape[:2], y.shape[3], y.shape[2])),
    ),
    "square-output": Mistake(
        "your output is square, or is cut as if it were.",
        "The map need not be: count the places along the height and along the width, each by its own size.",
        *_convs(leave=lambda y, w: y.reshape(len(y), -1, *2 * [int(y[0, 0].numel() ** 0.5)])),
    ),
    "reshape-for-permute": Mistake(
        "your patches are cut in the wrong order: a reshape does what a permute should.",
        "reshape never moves numbers. Bring the dimensions into order with permute first, then join them.",
        *_convs(patches=_reshaped_patches),
        *_convs(patches=_reshaped_patches_of_all_channels),
    ),
    "channel-order": Mistake(
        "your patches and your weight put their numbers into one row in different orders.",
        "Flattened, a filter [in, k, k] runs through its channels slowest. The patch must do the same: in, k, k.",
        *_convs(weight=_channels_last_in_row),
        *_convs(weight=lambda w: w.permute(0, 2, 3, 1).reshape(w.shape)),  # the other way round
    ),
    "averages": Mistake(
        "you return the mean over the patch, not the sum.",
        "The weight says how much each pixel counts: multiply and sum, without dividing.",
        *_convs(leave=lambda y, w: y / w.shape[-1] ** 2),
        *_convs(leave=lambda y, w: y / w[0].numel()),
    ),
    "channels-not-summed": Mistake(
        "your output keeps the input channels apart.",
        "Each filter looks at all input channels at once: sum over them.",
        *_convs(combine="bihwyx,oiyx->bohwi", leave=lambda y, w: y.permute(0, 1, 4, 2, 3).flatten(1, 2)),
        *_convs(combine="bihwyx,oiyx->bohwi", leave=lambda y, w: y.permute(0, 4, 1, 2, 3).flatten(1, 2)),
        *_convs(combine="bihwyx,oiyx->boihw"),
        *_convs(combine="bihwyx,oiyx->biohw"),
    ),
    "channels-averaged": Mistake(
        "you take the mean over the input channels.",
        "Each has its own weight already: sum over them.",
        *_convs(leave=lambda y, w: y / w.shape[1]),
    ),
    "one-channel-only": Mistake(
        "you use only one of the input channels.",
        "Each filter looks at all input channels at once: sum over them.",
        *_convs(enter=lambda x: x[:, :1], weight=lambda w: w[:, :1]),
        *_convs(enter=lambda x: x[:, -1:], weight=lambda w: w[:, -1:]),
    ),
    "channel-by-channel": Mistake(
        "each of your filters looks at its own input channel only, as in a depthwise convolution.",
        "Filter o has a slice for every input channel: multiply all of them with theirs, and sum.",
        *_convs(combine="bohwyx,ooyx->bohw"),
        *_convs(weight=lambda w: w[:, :1].expand_as(w)),
        *_convs(weight=lambda w: w.sum(1, keepdim=True).expand_as(w)),
    ),
    "in-and-out-swapped": Mistake(
        "you take the weight's input channels as its output channels.",
        "The weight is [out, in, k, k]. Here it has as many of both, so the shapes do not tell.",
        *_convs(weight=lambda w: w.transpose(0, 1)),
    ),
    "channels-before-batch": Mistake(
        "your output has the channels before the batch.",
        "It is [batch, out, h, w]: exchange the first two dimensions.",
        *_convs(combine="bihwyx,oiyx->obhw"),
    ),
    "channels-last": Mistake(
        "your output has the channels in the last place.",
        "PyTorch's order is [batch, out, h, w]: permute the output.",
        *_convs(combine="bihwyx,oiyx->bhwo"),
    ),
    "stride-ignored": Mistake(
        "your filter moves by one pixel: stride is not used.",
        "It moves by stride pixels, down and to the right: the third argument of unfold, or [::stride].",
        *_convs(strides=lambda s: (1, 1))[:2],
    ),
    "stride-on-one-side": Mistake(
        "your filter moves by stride pixels along one side only.",
        "Both the height and the width have it.",
        *_convs(strides=lambda s: (s, 1))[:2],
        *_convs(strides=lambda s: (1, s))[:2],
    ),
    "stride-of-kernel": Mistake(
        "your filter moves by its own size: the patches do not overlap.",
        "They overlap where stride is smaller than the kernel: move by stride.",
        lambda x, w, stride=1, padding=0: conv2d(x, w, w.shape[-1], padding),
    ),
    "padding-ignored": Mistake(
        "your map is not padded.",
        "padding rows and columns of zeros surround it: torch.nn.functional.pad(x, (padding,) * 4) comes first.",
        _padding(0, 0, 0, 0),
    ),
    "padding-on-one-end": Mistake(
        "your padding is only at one end of each side.",
        "It belongs at both: left and right, top and bottom. pad wants four numbers: (padding,) * 4.",
        _padding(1, 0, 1, 0),
        _padding(0, 1, 0, 1),
    ),
    "padding-on-one-side": Mistake(
        "your padding is only at left and right, or only at top and bottom.",
        "It belongs all around. With two numbers, pad does the width alone: give it four.",
        _padding(1, 1, 0, 0),
        _padding(0, 0, 1, 1),
    ),
    "padding-of-channels": Mistake(
        "your padding adds channels, or samples, of zeros too.",
        "Pad only the last two dimensions. pad starts from the last one: (left, right, top, bottom).",
        _pads_channels,
    ),
    "padding-not-zero": Mistake(
        "your padding is not of zeros.",
        "Here zeros surround the map, as is PyTorch's default.",
        _padding(1, 1, 1, 1, value=1.0),
        _padding(1, 1, 1, 1, mode="replicate"),
    ),
}

HINTS = (
    "Take one place of the filter. Which numbers of `x` lie under it, in all channels, and how do they become one "
    "number?",
    "Pad first, with `torch.nn.functional.pad`. `x.unfold(dimension, size, step)` cuts a dimension into windows and "
    "adds a new dimension for them at the end. Unfold the height, then the width: that gives the patches `[batch, in, "
    "h, w, k, k]`. Multiply by the weight, and sum over the input channels and both sides of the filter. A loop over "
    "all places is a right answer too.",
    "`x.unfold(2, k, stride).unfold(3, k, stride)` after `torch.nn.functional.pad(x, (padding,) * 4)`. `torch.einsum` "
    'multiplies and sums at once, with a letter for each dimension: `torch.einsum("bihwyx,oiyx->bohw", patches, '
    "weight)`.",
)

EXERCISE = Exercise(conv2d, ("y",), CASES, MISTAKES, HINTS, _draw)
