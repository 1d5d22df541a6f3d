"""Lesson 2's exercises: the size of a layer's output, the convolution itself, and how far back a unit sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from .exercise import Answer, Case, Exercise, Mistake
from .verdict import text

_t = torch.tensor


def _given(**options: Any) -> dict[str, Any]:
    """The options that a case sets; None leaves the default."""
    return {name: value for name, value in options.items() if value is not None}


# Exercise 1 -----------------------------------------------------------------------------------------------------------


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Pixels along one side of the output, from ``size`` pixels along that side of the input."""
    span = dilation * (kernel - 1) + 1  # pixels from the kernel's first tap to its last
    return (size + 2 * padding - span) // stride + 1  # steps that fit, and the place where it starts


def _use_size(
    answer: Answer, size: int, kernel: int, stride: int | None, padding: int | None, dilation: int | None
) -> Any:
    return answer(size, kernel, **_given(stride=stride, padding=padding, dilation=dilation))


def _show_size(size: int, kernel: int, stride: int | None, padding: int | None, dilation: int | None) -> str:
    options = _given(stride=stride, padding=padding, dilation=dilation)
    return f"output_size({', '.join([f'{size}, {kernel}', *(f'{name}={value}' for name, value in options.items())])})"


def _draw_layer(generator: torch.Generator) -> Case:
    kernel, stride, padding, dilation, more = torch.randint(0, 5, (5,), generator=generator).tolist()
    size = dilation * kernel + 2 * more + kernel + 1
    return Case("a random layer", (size, kernel + 1, stride + 1, padding, max(1, dilation)))


def _sizes(formula: Callable[[int, int, int, int, int], Any]) -> tuple[Answer, ...]:
    """A wrong formula of size, kernel, stride, padding, dilation; and the same without dilation."""

    def form(dilates: bool) -> Answer:
        def answer(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Any:
            return formula(size, kernel, stride, padding, dilation if dilates else 1)

        return answer

    return form(True), form(False)


def _span(k: int, d: int) -> int:
    return d * (k - 1) + 1


OUTPUT_SIZE = Exercise(
    name="output_size",
    reference=output_size,
    outputs=("size",),
    cases=(
        Case("a kernel of 3", (5, 3, None, None, None)),
        Case("a stride of 2", (9, 3, 2, None, None)),
        Case("a padding of 1", (5, 3, None, 1, None)),
        Case("a stride that leaves one pixel over", (9, 2, 3, None, None)),
        Case("a stride that leaves three pixels over", (11, 4, 4, None, None)),
        Case("a dilation of 2", (9, 3, None, None, 2)),
        Case("a dilation of 3", (9, 3, None, None, 3)),
        Case("everything at once", (20, 4, 3, 2, 2)),
    ),
    mistakes=(
        Mistake(
            "plus-one-missing",
            "you count the steps of the kernel, but not the place where it starts.",
            "A kernel that can be moved twice has been at three places: add 1 at the end.",
            _sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d)) // s),
        ),
        Mistake(
            "kernel-not-minus-one",
            "your kernel is one pixel shorter than it should be.",
            "A kernel of 3 covers 3 pixels; with dilation d, it is d * (k - 1) + 1 of them.",
            _sizes(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1),
        ),
        Mistake(
            "plus-one-inside",
            "you add the 1 before you divide by the stride.",
            "Divide first: the steps are (size + 2 * padding - span) // stride. Then add the place of the start.",
            _sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d) + 1) // s),
        ),
        Mistake(
            "stride-forgotten",
            "your size does not depend on the stride.",
            "The kernel moves by stride pixels: divide what is left over by it.",
            _sizes(lambda n, k, s, p, d: n + 2 * p - _span(k, d) + 1),
        ),
        Mistake(
            "kernel-forgotten",
            "your size does not depend on the kernel.",
            "Only a padding that is chosen for the kernel makes up for it. Here the padding is given.",
            (
                *_sizes(lambda n, k, s, p, d: -(-n // s)),
                *_sizes(lambda n, k, s, p, d: n // s),
                *_sizes(lambda n, k, s, p, d: (n + 2 * p) // s),
                *_sizes(lambda n, k, s, p, d: (n + 2 * p - 1) // s + 1),
            ),
        ),
        Mistake(
            "transposed-convolution",
            "your size grows with the stride: it is the formula of a transposed convolution.",
            "A convolution with a stride makes the map smaller: divide by the stride.",
            _sizes(lambda n, k, s, p, d: (n - 1) * s - 2 * p + _span(k, d)),
        ),
        Mistake(
            "padding-forgotten",
            "your size does not depend on the padding.",
            "padding adds pixels at both ends: size + 2 * padding.",
            _sizes(lambda n, k, s, p, d: (n - _span(k, d)) // s + 1),
        ),
        Mistake(
            "padding-once",
            "you count the padding at one end only.",
            "Both ends get it: size + 2 * padding.",
            _sizes(lambda n, k, s, p, d: (n + p - _span(k, d)) // s + 1),
        ),
        Mistake(
            "padding-subtracted",
            "you subtract the padding.",
            "Padding makes the map larger before the kernel comes: size + 2 * padding.",
            _sizes(lambda n, k, s, p, d: (n - 2 * p - _span(k, d)) // s + 1),
        ),
        Mistake(
            "not-floored",
            "your size is not a whole number.",
            "A step that does not fit completely does not count: divide with //.",
            (
                *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d)) / s + 1),
                *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d) + s) / s),
            ),
        ),
        Mistake(
            "rounded-up",
            "your division rounds up.",
            "A step that does not fit completely does not count: divide with //.",
            _sizes(lambda n, k, s, p, d: -(-(n + 2 * p - _span(k, d)) // s) + 1),
        ),
        Mistake(
            "rounded",
            "your division rounds to the nearest whole number.",
            "A step that does not fit completely does not count: divide with //.",
            (
                *_sizes(lambda n, k, s, p, d: round((n + 2 * p - _span(k, d)) / s) + 1),
                *_sizes(lambda n, k, s, p, d: round((n + 2 * p - _span(k, d)) / s + 1)),
            ),
        ),
        Mistake(
            "dilation-forgotten",
            "your size does not depend on the dilation.",
            "Dilation spreads the kernel: it covers dilation * (kernel - 1) + 1 pixels.",
            (_sizes(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1)[0],),
        ),
        Mistake(
            "dilation-times-kernel",
            "your kernel covers dilation * kernel pixels.",
            "Dilation stretches the gaps between the taps, and there are kernel - 1 of them: d * (k - 1) + 1.",
            (_sizes(lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1)[0],),
        ),
        Mistake(
            "dilation-as-gap",
            "you take dilation as the number of pixels left out between two taps.",
            "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
            (
                _sizes(lambda n, k, s, p, d: (n + 2 * p - k - (k - 1) * d) // s + 1)[0],
                _sizes(lambda n, k, s, p, d: (n + 2 * p - k - (k - 1) * (d if d > 1 else 0)) // s + 1)[0],
            ),
        ),
        Mistake(
            "dilation-once",
            "you stretch only one of the gaps between the taps.",
            "Each of the kernel - 1 gaps is stretched: d * (k - 1) + 1 pixels.",
            (_sizes(lambda n, k, s, p, d: (n + 2 * p - k - d + 1) // s + 1)[0],),
        ),
    ),
    hints=(
        "Draw 5 pixels and a kernel of 3. At how many places does it fit?",
        "The kernel covers `dilation * (kernel - 1) + 1` pixels; padding adds pixels on both sides. What is left over "
        "is divided by the stride and rounded down; then comes the place where the kernel starts.",
        "`span = dilation * (kernel - 1) + 1`; return `(size + 2 * padding - span) // stride + 1`.",
    ),
    draw=_draw_layer,
    use=_use_size,
    show=_show_size,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------


def conv2d(x: torch.Tensor, weight: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    """Slide ``weight [out, in, k, k]`` over ``x [batch, in, height, width]``: returns ``[batch, out, h, w]``.

    At each place, the sum of weight times input (a cross-correlation). ``padding`` pixels of zeros surround the map.
    """
    k = weight.shape[-1]
    x = torch.nn.functional.pad(x, (padding, padding, padding, padding))  # left, right, top, bottom
    patches = x.unfold(2, k, stride).unfold(3, k, stride)  # [batch, in, h, w, k, k]
    return torch.einsum("bihwyx,oiyx->bohw", patches, weight)


def _use_conv(answer: Answer, x: torch.Tensor, weight: torch.Tensor, stride: int | None, padding: int | None) -> Any:
    return answer(x, weight, **_given(stride=stride, padding=padding))


def _show_conv(x: torch.Tensor, weight: torch.Tensor, stride: int | None, padding: int | None) -> str:
    options = "".join(f", {name}={value}" for name, value in _given(stride=stride, padding=padding).items())
    return f"conv2d(x={text(x)}, weight={text(weight)}{options})"


def _draw_maps(generator: torch.Generator) -> Case:
    batch, inputs, outputs, k, stride = torch.randint(1, 4, (5,), generator=generator).tolist()
    height, width, padding = (k + int(torch.randint(0, 4, (), generator=generator)) for _ in range(3))
    x = torch.randn(batch, inputs, height, width, generator=generator)
    weight = torch.randn(outputs, inputs, k, k, generator=generator)
    return Case("random maps", (x, weight, stride, padding - k), rtol=1e-3)


Maps = Callable[[torch.Tensor], torch.Tensor]


def _zeros_around(x: torch.Tensor, p: int) -> torch.Tensor:
    return functional.pad(x, (p, p, p, p))


def _convs(
    weight: Maps = lambda w: w,
    pad: Callable[[torch.Tensor, int], torch.Tensor] = _zeros_around,
    strides: Callable[[int], tuple[int, int]] = lambda s: (s, s),
    enter: Maps = lambda x: x,
    patches: Maps = lambda p: p,
    combine: str = "bihwyx,oiyx->bohw",
    leave: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = lambda y, w: y,
) -> tuple[Answer, ...]:
    """A convolution with some part done wrong; also by answers that do not yet know of stride or padding."""

    def form(knows_stride: bool, knows_padding: bool) -> Answer:
        def answer(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
            k, w = w.shape[-1], weight(w)
            down, right = strides(stride if knows_stride else 1)
            x = pad(enter(x), padding) if knows_padding else enter(x)
            return leave(torch.einsum(combine, patches(x.unfold(2, k, down).unfold(3, k, right)), w), w)

        return answer

    return tuple(form(stride, padding) for stride in (True, False) for padding in (True, False))


def _conv(**wrong: Any) -> Answer:
    return _convs(**wrong)[0]


def _padding(*sides: int, **mode: Any) -> Answer:
    """Padding of the given numbers of ``padding`` pixels: left, right, top, bottom."""
    return _conv(pad=lambda x, p: functional.pad(x, [p * side for side in sides], **mode))


def _tiles(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    return conv2d(x, w, w.shape[-1], padding)


def _pads_channels(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    p = padding
    return conv2d(functional.pad(x, (p, p, p, p, p, p)), functional.pad(w, (0, 0, 0, 0, 0, 2 * p)), stride)


def _channels_last_in_row(w: torch.Tensor) -> torch.Tensor:
    """The weight that a patch [k, k, in] in one row meets, if the weight [in, k, k] is in one row too."""
    out, inputs, k, _ = w.shape
    return w.reshape(out, k, k, inputs).permute(0, 3, 1, 2)


def _channels_first_in_row(w: torch.Tensor) -> torch.Tensor:
    """The other way round."""
    return w.permute(0, 2, 3, 1).reshape(w.shape)


def _reshaped_patches(p: torch.Tensor) -> torch.Tensor:
    """Patches [batch, in, h, w, k, k] of the right size, but cut from memory in the wrong order."""
    batch, inputs, h, w, k, _ = p.shape
    return p.reshape(batch, inputs, k, k, h, w).permute(0, 1, 4, 5, 2, 3)


def _reshaped_patches_of_all_channels(p: torch.Tensor) -> torch.Tensor:
    batch, inputs, h, w, k, _ = p.shape
    return p.reshape(batch, h, w, inputs, k, k).permute(0, 3, 1, 2, 4, 5)


def _as_square(y: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    side = int((y.shape[2] * y.shape[3]) ** 0.5)
    return y.reshape(len(y), -1, side, side)


CONV2D = Exercise(
    name="conv2d",
    reference=conv2d,
    outputs=("y",),
    cases=(
        Case(
            "one channel",
            (_t([[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]]]), _t([[[[1.0, 2.0], [3.0, 4.0]]]]), None, None),
        ),
        Case(
            "two channels in, two out",
            (
                _t([[[[1.0, 2.0]], [[3.0, 5.0]]]]),
                _t([[[[1.0]], [[2.0]]], [[[0.0]], [[10.0]]]]),
                None,
                None,
            ),
        ),
        Case(
            "two channels and a kernel of 2",
            (
                _t([[[[1.0, 0.0], [2.0, 0.0]], [[0.0, 3.0], [0.0, 1.0]]]]),
                _t([[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]),
                None,
                None,
            ),
        ),
        Case(
            "a stride of 2",
            (torch.arange(12.0).reshape(1, 1, 3, 4), _t([[[[1.0, 0.0], [0.0, 10.0]]]]), 2, None),
        ),
        Case(
            "a padding of 1",
            (_t([[[[1.0, 2.0], [3.0, 4.0]]]]), _t([[[[1.0, 0.0], [0.0, 10.0]]]]), None, 1),
        ),
        Case(
            "everything at once",
            (
                (torch.arange(60.0).reshape(2, 2, 3, 5) * 7) % 11,
                (torch.arange(16.0).reshape(2, 2, 2, 2) * 5) % 7,
                2,
                1,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "flipped-kernel",
            "your filter is flipped, as in the convolution of mathematics.",
            "Networks use the cross-correlation: the filter's first tap meets the first pixel. Leave out the flip.",
            (
                *_convs(weight=lambda w: w.flip(2, 3)),
                *_convs(weight=lambda w: w.flip(2)),
                *_convs(weight=lambda w: w.flip(3)),
            ),
        ),
        Mistake(
            "kernel-transposed",
            "your filter has its rows and columns exchanged.",
            "The last two dimensions are height, then width, in the weight as in the input.",
            _convs(weight=lambda w: w.mT),
        ),
        Mistake(
            "height-and-width-swapped",
            "your output has height and width exchanged.",
            "x is [batch, in, height, width] and so is the output: check which unfold is which, and the last reshape.",
            (
                *_convs(combine="bihwyx,oiyx->bowh"),
                *_convs(enter=lambda x: x.mT),
                *_convs(leave=lambda y, w: y.reshape(*y.shape[:2], y.shape[3], y.shape[2])),
            ),
        ),
        Mistake(
            "square-output",
            "your output is square, or is cut as if it were.",
            "The map need not be: count the places along the height and along the width, each by its own size.",
            _convs(leave=_as_square),
        ),
        Mistake(
            "reshape-for-permute",
            "your patches are cut in the wrong order: a reshape does what a permute should.",
            "reshape never moves numbers. Bring the dimensions into order with permute first, then join them.",
            (*_convs(patches=_reshaped_patches), *_convs(patches=_reshaped_patches_of_all_channels)),
        ),
        Mistake(
            "channel-order",
            "your patches and your weight put their numbers into one row in different orders.",
            "Flattened, a filter [in, k, k] runs through its channels slowest. The patch must do the same: in, k, k.",
            (
                *_convs(weight=_channels_last_in_row),
                *_convs(weight=_channels_first_in_row),
            ),
        ),
        Mistake(
            "averages",
            "you return the mean over the patch, not the sum.",
            "The weight says how much each pixel counts: multiply and sum, without dividing.",
            (
                *_convs(leave=lambda y, w: y / w.shape[-1] ** 2),
                *_convs(leave=lambda y, w: y / w[0].numel()),
            ),
        ),
        Mistake(
            "channels-not-summed",
            "your output keeps the input channels apart.",
            "Each filter looks at all input channels at once: sum over them.",
            (
                *_convs(combine="bihwyx,oiyx->bohwi", leave=lambda y, w: y.permute(0, 1, 4, 2, 3).flatten(1, 2)),
                *_convs(combine="bihwyx,oiyx->bohwi", leave=lambda y, w: y.permute(0, 4, 1, 2, 3).flatten(1, 2)),
                *_convs(combine="bihwyx,oiyx->boihw"),
                *_convs(combine="bihwyx,oiyx->biohw"),
            ),
        ),
        Mistake(
            "channels-averaged",
            "you take the mean over the input channels.",
            "Each has its own weight already: sum over them.",
            _convs(leave=lambda y, w: y / w.shape[1]),
        ),
        Mistake(
            "one-channel-only",
            "you use only one of the input channels.",
            "Each filter looks at all input channels at once: sum over them.",
            (
                *_convs(enter=lambda x: x[:, :1], weight=lambda w: w[:, :1]),
                *_convs(enter=lambda x: x[:, -1:], weight=lambda w: w[:, -1:]),
            ),
        ),
        Mistake(
            "channel-by-channel",
            "each of your filters looks at its own input channel only, as in a depthwise convolution.",
            "Filter o has a slice for every input channel: multiply all of them with theirs, and sum.",
            (
                *_convs(combine="bohwyx,ooyx->bohw"),
                *_convs(weight=lambda w: w[:, :1].expand_as(w)),
                *_convs(weight=lambda w: w.sum(1, keepdim=True).expand_as(w)),
            ),
        ),
        Mistake(
            "in-and-out-swapped",
            "you take the weight's input channels as its output channels.",
            "The weight is [out, in, k, k]. Here it has as many of both, so the shapes do not tell.",
            _convs(weight=lambda w: w.transpose(0, 1)),
        ),
        Mistake(
            "channels-before-batch",
            "your output has the channels before the batch.",
            "It is [batch, out, h, w]: exchange the first two dimensions.",
            _convs(combine="bihwyx,oiyx->obhw"),
        ),
        Mistake(
            "channels-last",
            "your output has the channels in the last place.",
            "PyTorch's order is [batch, out, h, w]: permute the output.",
            _convs(combine="bihwyx,oiyx->bhwo"),
        ),
        Mistake(
            "stride-ignored",
            "your filter moves by one pixel: stride is not used.",
            "It moves by stride pixels, down and to the right: the third argument of unfold, or [::stride].",
            _convs(strides=lambda s: (1, 1))[:2],
        ),
        Mistake(
            "stride-on-one-side",
            "your filter moves by stride pixels along one side only.",
            "Both the height and the width have it.",
            (*_convs(strides=lambda s: (s, 1))[:2], *_convs(strides=lambda s: (1, s))[:2]),
        ),
        Mistake(
            "stride-of-kernel",
            "your filter moves by its own size: the patches do not overlap.",
            "They overlap where stride is smaller than the kernel: move by stride.",
            (_tiles,),
        ),
        Mistake(
            "padding-ignored",
            "your map is not padded.",
            "padding rows and columns of zeros surround it: torch.nn.functional.pad(x, (padding,) * 4) comes first.",
            (_padding(0, 0, 0, 0),),
        ),
        Mistake(
            "padding-on-one-end",
            "your padding is only at one end of each side.",
            "It belongs at both: left and right, top and bottom. pad wants four numbers: (padding,) * 4.",
            (_padding(1, 0, 1, 0), _padding(0, 1, 0, 1)),
        ),
        Mistake(
            "padding-on-one-side",
            "your padding is only at left and right, or only at top and bottom.",
            "It belongs all around. With two numbers, pad does the width alone: give it four.",
            (_padding(1, 1, 0, 0), _padding(0, 0, 1, 1)),
        ),
        Mistake(
            "padding-of-channels",
            "your padding adds channels, or samples, of zeros too.",
            "Pad only the last two dimensions. pad starts from the last one: (left, right, top, bottom).",
            (_pads_channels,),
        ),
        Mistake(
            "padding-not-zero",
            "your padding is not of zeros.",
            "Here zeros surround the map, as is PyTorch's default.",
            (_padding(1, 1, 1, 1, value=1.0), _padding(1, 1, 1, 1, mode="replicate")),
        ),
    ),
    hints=(
        "For one place of the filter: which numbers of the input does it touch, and how do they become one number?",
        "Pad first. `unfold` along height, then along width, gives the patches `[batch, in, h, w, k, k]`; multiply by "
        "the weight and sum over the input channels and both sides of the filter.",
        "`x.unfold(2, k, stride).unfold(3, k, stride)` after `torch.nn.functional.pad(x, (padding,) * 4)`; then "
        '`torch.einsum("bihwyx,oiyx->bohw", patches, weight)`.',
    ),
    draw=_draw_maps,
    use=_use_conv,
    show=_show_conv,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    """Side of the square of input pixels that one unit of the last layer sees; the lists start at the input."""
    field, jump = 1, 1  # pixels that a unit sees; input pixels from one unit to its neighbour
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        field += dilation * (kernel - 1) * jump
        jump *= stride  # counts from the next layer on
    return field


def _draw_stack(generator: torch.Generator) -> Case:
    depth = int(torch.randint(1, 5, (), generator=generator))
    return Case("random layers", tuple(torch.randint(1, 5, (3, depth), generator=generator).tolist()))


Step = Callable[[int, int, int, int, int], tuple[int, int]]  # of field, jump, kernel, stride, dilation


def _fields(step: Step, start: tuple[int, int] = (1, 1), reverse: bool = False) -> tuple[Answer, ...]:
    """A wrong recursion over the layers; and the same without dilation."""

    def form(dilates: bool) -> Answer:
        def answer(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
            field, jump = start
            layers = list(zip(kernels, strides, dilations, strict=True))
            for k, s, d in layers[::-1] if reverse else layers:
                field, jump = step(field, jump, k, s, d if dilates else 1)
            return field

        return answer

    return form(True), form(False)


RECEPTIVE_FIELD = Exercise(
    name="receptive_field",
    reference=receptive_field,
    outputs=("side",),
    cases=(
        Case("one layer", ([3], [1], [1])),
        Case("one layer with a stride", ([3], [2], [1])),
        Case("two layers", ([3, 3], [1, 1], [1, 1])),
        Case("a stride in the first layer", ([3, 3], [2, 1], [1, 1])),
        Case("three layers with strides", ([8, 4, 3], [4, 2, 1], [1, 1, 1])),
        Case("strides of 3", ([4, 2, 3, 2], [3, 3, 2, 1], [1, 1, 1, 1])),
        Case("a dilation of 2", ([3], [1], [2])),
        Case("a dilation of 3", ([3], [1], [3])),
        Case("everything at once", ([5, 3, 2, 4], [2, 3, 1, 2], [1, 2, 3, 2])),
    ),
    mistakes=(
        Mistake(
            "starts-at-zero",
            "your field starts at 0.",
            "Before any layer, a unit is a pixel and sees itself: start with 1.",
            _fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j * s), start=(0, 1)),
        ),
        Mistake(
            "returns-jump",
            "you return the product of the strides: how far apart neighbouring units are, not how much they see.",
            "That number is needed on the way. A layer adds dilation * (kernel - 1) times it to the field.",
            (
                *_fields(lambda f, j, k, s, d: (f * s, 1)),
                *_fields(lambda f, j, k, s, d: (f + s, 1), start=(0, 1)),
            ),
        ),
        Mistake(
            "kernel-not-minus-one",
            "each of your layers adds its whole kernel.",
            "One of the kernel's taps meets what is seen already: it adds kernel - 1 steps.",
            (
                *_fields(lambda f, j, k, s, d: (f + d * k * j, j * s)),
                *_fields(lambda f, j, k, s, d: (f + d * k * j, j * s), start=(0, 1)),
                *_fields(lambda f, j, k, s, d: (f + (d * (k - 1) + 1) * j, j * s), start=(0, 1)),
            ),
        ),
        Mistake(
            "jump-too-early",
            "a layer's stride stretches its own kernel.",
            "The stride moves the kernel, it does not widen it. It counts from the next layer on: update jump last.",
            (
                *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j * s, j * s)),
                *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * s, 1)),
            ),
        ),
        Mistake(
            "kernels-summed",
            "you sum the sizes of the kernels.",
            "Kernels of 3 and 3 see 5 pixels, not 6: neighbours overlap. Each adds (kernel - 1) times the jump.",
            _fields(lambda f, j, k, s, d: (f + d * (k - 1) + 1, j), start=(0, 1)),
        ),
        Mistake(
            "kernels-multiplied",
            "you multiply the sizes of the kernels.",
            "Neighbouring patches overlap. Each layer adds (kernel - 1) times the jump.",
            _fields(lambda f, j, k, s, d: (f * (d * (k - 1) + 1), j)),
        ),
        Mistake(
            "one-layer-only",
            "you look at one layer only: the last, or the one with the largest kernel.",
            "Each layer looks at units that see a patch themselves: the fields add up.",
            (
                *_fields(lambda f, j, k, s, d: (d * (k - 1) + 1, j)),
                *_fields(lambda f, j, k, s, d: (max(f, d * (k - 1) + 1), j)),
                *_fields(lambda f, j, k, s, d: (d * (k - 1) + 1, j), reverse=True),
            ),
        ),
        Mistake(
            "strides-ignored",
            "your field does not depend on the strides.",
            "After a stride of 2, neighbouring units are 2 pixels apart, so every later kernel reaches twice as far.",
            _fields(lambda f, j, k, s, d: (f + d * (k - 1), j)),
        ),
        Mistake(
            "wrong-end",
            "you run through the layers from the wrong end.",
            "The lists start at the input. With (kernel - 1) * jump, go forwards.",
            _fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j * s), reverse=True),
        ),
        Mistake(
            "jump-not-multiplied",
            "your jump is the stride of the layer before only.",
            "Strides pile up: after strides of 4 and 2, neighbouring units are 8 pixels apart. Multiply them.",
            _fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, s)),
        ),
        Mistake(
            "jump-added",
            "you add the strides up.",
            "Strides multiply: after strides of 4 and 2, neighbouring units are 8 pixels apart.",
            (
                *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j + s)),
                *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j + s - 1)),
                *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * max(j, 1), j + s), start=(1, 0)),
            ),
        ),
        Mistake(
            "stride-scales-field",
            "you multiply the field by the stride.",
            "A stride changes how far apart units are, not what they see: keep that in a second number, the jump.",
            (
                *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1), j)),
                *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1), j), reverse=True),
                *_fields(lambda f, j, k, s, d: ((f + d * (k - 1)) * s, j)),
                *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1) + 1, j), start=(0, 1)),
            ),
        ),
        Mistake(
            "dilation-forgotten",
            "your field does not depend on the dilations.",
            "Dilation spreads the kernel: a layer adds dilation * (kernel - 1) steps.",
            (_fields(lambda f, j, k, s, d: (f + (k - 1) * j, j * s))[0],),
        ),
        Mistake(
            "dilation-times-kernel",
            "your dilated kernel covers dilation * kernel pixels.",
            "Dilation stretches the kernel - 1 gaps between the taps: a layer adds dilation * (kernel - 1) steps.",
            (_fields(lambda f, j, k, s, d: (f + (d * k - 1) * j, j * s))[0],),
        ),
        Mistake(
            "dilation-as-gap",
            "you take dilation as the number of pixels left out between two taps.",
            "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
            (
                _fields(lambda f, j, k, s, d: (f + (k - 1) * (d + 1) * j, j * s))[0],
                _fields(lambda f, j, k, s, d: (f + (k - 1) * (d + 1 if d > 1 else 1) * j, j * s))[0],
            ),
        ),
        Mistake(
            "dilation-in-jump",
            "your dilation stretches the later layers too.",
            "It spreads the taps of its own layer only. What goes on to later layers is the stride.",
            (
                _fields(lambda f, j, k, s, d: (f + (k - 1) * j * d, j * s * d))[0],
                _fields(lambda f, j, k, s, d: (f + (k - 1) * j, j * s * d))[0],
            ),
        ),
    ),
    hints=(
        "How much does a second layer with kernel 3 add to what the first one sees? And if the first has stride 2?",
        "Keep two numbers from layer to layer: the pixels that a unit sees, and the input pixels between neighbouring "
        "units. A kernel adds `kernel - 1` steps (times the dilation) to the first; a stride multiplies the second.",
        "Start with `field, jump = 1, 1`; for each layer `field += dilation * (kernel - 1) * jump`, then "
        "`jump *= stride`.",
    ),
    draw=_draw_stack,
)

EXERCISES = (OUTPUT_SIZE, CONV2D, RECEPTIVE_FIELD)
