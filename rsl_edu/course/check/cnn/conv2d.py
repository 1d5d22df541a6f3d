"""Exercise ``conv2d``: write the convolution itself."""

import torch

from ..exercise import Case, Exercise, Mistake


def conv2d(x: torch.Tensor, weight: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    """Slide ``weight [out, in, k, k]`` over ``x [batch, in, height, width]`` and return ``[batch, out, h, w]``.

    The output at each position is the sum of weight times input (a cross-correlation). The map is first surrounded
    with ``padding`` pixels of zeros.
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
        [[[[1.0, 2.0], [0.0, 4.0]], [[3.0, 5.0], [6.0, 0.0]]]],
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
    Case.of(
        "fractions and negative numbers",
        [[[[0.5, -1.5, 2.25], [-1.0, 2.5, 0.75]]]],
        [[[[-0.5, 1.25], [1.5, 0.5]]]],
        None,
        None,
    ),
    Case(
        "a kernel of 3",
        (torch.arange(12.0).reshape(1, 1, 3, 4), ((torch.arange(9.0) * 4) % 9).reshape(1, 1, 3, 3), None, None),
    ),
    Case.of("a stride larger than the kernel", [[[[1.0, 2.5, -3.0, 0.5, 4.0]]]], [[[[2.0]]]], 2, None),
    Case(
        "everything at once",
        ((torch.arange(60.0).reshape(2, 2, 3, 5) * 7) % 11, (torch.arange(16.0).reshape(2, 2, 2, 2) * 5) % 7, 2, 1),
    ),
    Case(
        "everything at once, with other sizes",
        (
            (torch.arange(660.0).reshape(2, 5, 6, 11) * 7) % 13 / 4 - 1.5,
            (torch.arange(180.0).reshape(4, 5, 3, 3) * 5) % 11 / 4 - 1.25,
            2,
            2,
        ),
    ),
)

_END = ")  # summed"  # of the last line
_SIZES = "*patches.shape[2:4]"  # height and width of the output
_PAD = "(padding,) * 4"
_DOWN, _RIGHT = "2, k, stride", "3, k, stride"
_STEPS = f"unfold({_DOWN}).unfold({_RIGHT})"


def _after(change: str) -> dict[str, str]:
    """The edit that changes the output in the last line."""
    return {_END: f"){change}{_END[1:]}"}


MISTAKES = {
    "flipped-kernel": Mistake(
        "you flip the filter, as in the mathematical definition of convolution.",
        "Neural networks use the cross-correlation, in which the filter's first tap meets the first pixel. Leave "
        "out the flip.",
        *({"patches, weight": f"patches, weight.flip({dims})"} for dims in ("2, 3", "2", "3")),
    ),
    "kernel-transposed": Mistake(
        "you exchange the rows and columns of the filter.",
        "The last two dimensions are height, then width, both in the weight and in the input.",
        {"hwyx": "hwxy"},
    ),
    "height-and-width-swapped": Mistake(
        "you exchange height and width in the output.",
        "x is [batch, in, height, width], and the output has the same order. Check which unfold is which, and the "
        "last reshape.",
        {"->bohw": "->bowh"},
        {"pad(x,": "pad(x.mT,"},
        _after(".reshape(len(x), -1, *patches.shape[3:1:-1])"),
    ),
    "square-output": Mistake(
        "your output is square, or is cut as if it were square.",
        "The map need not be square: compute the number of positions along height and width separately.",
        _after(".reshape(len(x), -1, *2 * [int(patches[0, 0, :, :, 0, 0].numel() ** 0.5)])"),
        {f"({_RIGHT})": f"({_RIGHT})[:, :, :, torch.arange((x.shape[2] - k) // stride + 1)]"},
    ),
    "reshape-for-permute": Mistake(
        "you reshape where you should permute, so the numbers are in the wrong order.",
        "reshape never changes the order of the numbers. First permute the dimensions into the right order, then "
        "join or split them.",
        {"bihwyx": "biyxhw", "patches, weight": f"patches.reshape(*patches.shape[:2], k, k, {_SIZES}), weight"},
        {"bihwyx": "bhwiyx", "patches, weight": f"patches.reshape(len(x), {_SIZES}, -1, k, k), weight"},
        {"->bohw": "->bhwo", **_after(f".reshape(len(x), -1, {_SIZES})")},
        {"->bohw": "->obhw", **_after(f".reshape(len(x), -1, {_SIZES})")},
    ),
    "channel-order": Mistake(
        "you flatten the patches and the weight in different orders.",
        "In a flattened filter [in, k, k], the channel index varies slowest. Flatten the patch in the same order: "
        "in, k, k.",
        {"oiyx": "oyxi", "patches, weight": "patches, weight.reshape(-1, k, k, weight.shape[1])"},
        {"patches, weight": "patches, weight.permute(0, 2, 3, 1).reshape(weight.shape)"},  # the reverse
    ),
    "averages": Mistake(
        "you return the mean over the patch, not the sum.",
        "The weights already say how much each pixel counts: multiply and sum, without dividing.",
        _after(" / k**2"),
        _after(" / weight[0].numel()"),
    ),
    "matrix-product": Mistake(
        "you take the matrix product of patch and filter.",
        "Each pixel is multiplied by the weight at the same position: multiply element by element with *, then sum.",
        {"hwyx,oiyx": "hwyz,oizx"},
    ),
    "last-tap-only": Mistake(
        "you use only the last tap of the filter.",
        "In a loop over the taps, `y = ...` overwrites the previous value: start with zeros, and add with +=.",
        {"patches, weight": "patches[..., -1:, -1:], weight[..., -1:, -1:]"},
    ),
    "total-not-reset": Mistake(
        "you carry the sum over from one output position to the next.",
        "Each position has its own sum: set it to 0 inside the loops over positions, before the loops over taps.",
        *(_after(f".flatten({d}).cumsum({d}).reshape(len(x), -1, {_SIZES})") for d in (0, 1, 2)),
        _after(".cumsum(3)"),
    ),
    "channels-not-summed": Mistake(
        "you keep the input channels separate in the output.",
        "Each filter covers all input channels: sum over them.",
        {"->bohw": "->boihw", **_after(".flatten(1, 2)")},
        {"->bohw": "->biohw", **_after(".flatten(1, 2)")},
        {"->bohw": "->boihw"},
        {"->bohw": "->biohw"},
    ),
    "channels-averaged": Mistake(
        "you take the mean over the input channels.",
        "Each channel already has its own weights: sum over the channels.",
        _after(" / x.shape[1]"),
    ),
    "channels-summed-first": Mistake(
        "you sum over the input channels before you multiply.",
        "Each input channel has its own slice of the filter: multiply first, then sum over the channels.",
        {",oiyx": ",ojyx"},
    ),
    "one-channel-only": Mistake(
        "you use only one of the input channels.",
        "Each filter covers all input channels: sum over them. In a loop, add with +=, because = overwrites the sum.",
        {"patches, weight": "patches[:, :1], weight[:, :1]"},
        {"patches, weight": "patches[:, -1:], weight[:, -1:]"},
    ),
    "one-slice-for-all": Mistake(
        "you multiply all input channels by the same slice of the filter.",
        "weight is [out, in, k, k]: filter o has a slice weight[o, c] for each input channel c.",
        {"patches, weight": "patches, weight[:, :1].expand_as(weight)"},
    ),
    "channel-by-channel": Mistake(
        "each of your filters uses only one input channel, as in a depthwise convolution.",
        "Filter o has a slice for every input channel: multiply each channel by its slice, then sum over the channels.",
        {"bihwyx,oiyx": "bohwyx,ooyx"},
    ),
    "in-and-out-swapped": Mistake(
        "you use the weight's input channels as its output channels.",
        "The weight is [out, in, k, k]. In this case both numbers of channels are equal, so torch raises no error.",
        {",oiyx": ",ioyx"},
    ),
    "one-filter-only": Mistake(
        "you use only one of the filters.",
        "The output has one channel for each filter in the weight: [batch, out, h, w].",
        {"patches, weight": "patches, weight[:1]"},
        {"patches, weight": "patches, weight[-1:]"},
    ),
    "one-sample-only": Mistake(
        "you use only one sample of the batch.",
        "The output has as many samples as x: [batch, out, h, w].",
        _after("[:1]"),
        _after("[-1:]"),
        _after("[:1].repeat(len(x), 1, 1, 1)"),
    ),
    "channels-before-batch": Mistake(
        "your output has the channels before the batch.",
        "The output should be [batch, out, h, w]: exchange the first two dimensions.",
        {"->bohw": "->obhw"},
    ),
    "channels-last": Mistake(
        "your output has the channels in the last dimension.",
        "PyTorch's order is [batch, out, h, w]: permute the output.",
        {"->bohw": "->bhwo"},
    ),
    "last-place-lost": Mistake(
        "your output lacks its last row or column.",
        "The filter fits at (size + 2 * padding - k) // stride + 1 positions. The + 1 counts the position where "
        "the filter starts.",
        _after("[:, :, :-1, :-1]"),
        _after("[:, :, :-1]"),
        _after("[:, :, :, :-1]"),
        {_STEPS: f"{_STEPS}[:, :, : -((k - x.shape[2]) // stride), : -((k - x.shape[3]) // stride)]"},
    ),
    "even-kernel": Mistake(
        "your output lacks its last row or column if the kernel is even, because you count from the kernel's centre.",
        "An even kernel has no centre pixel. Count from its corner: rows from top to top + k, columns from left to "
        "left + k.",
        {
            _STEPS: f"{_STEPS}[:, :, : (x.shape[2] - k // 2 * 2 + stride - 1) // stride, "
            ": (x.shape[3] - k // 2 * 2 + stride - 1) // stride]"
        },
    ),
    "place-too-many": Mistake(
        "your output has one row and one column too many.",
        "The filter must fit completely, so there are (size + 2 * padding - k) // stride + 1 positions.",
        {"return torch.einsum(": "return torch.nn.functional.pad(torch.einsum(", **_after(", (0, 1) * 2)")},
        {_PAD: "(padding, padding + stride) * 2"},
    ),
    "rounded-up": Mistake(
        "you also place the filter where it does not fit completely.",
        "Do not count a step that would take the filter past the edge: divide by the stride with `//`.",
        {_PAD: "(padding, padding + stride - 1) * 2"},
    ),
    "size-and-step-exchanged": Mistake(
        "you exchange the size of the patches and the step between them.",
        "The call is x.unfold(dimension, size, step), so pass k, then stride.",
        {_DOWN: "2, stride, k", _RIGHT: "3, stride, k"},
    ),
    "stride-ignored": Mistake(
        "you do not use stride: your filter moves by one pixel.",
        "The filter should move by stride pixels, both down and to the right: use the third argument of `unfold`, or "
        "[::stride].",
        {_DOWN: "2, k, 1", _RIGHT: "3, k, 1"},
    ),
    "stride-and-padding-ignored": Mistake(
        "you use neither stride nor padding.",
        "Pad the map with zeros first, then move the filter by stride pixels, both down and to the right.",
        {_DOWN: "2, k, 1", _RIGHT: "3, k, 1", _PAD: "(0,) * 4"},
    ),
    "stride-in-size-only": Mistake(
        "your output has the right size, but your filter moves by one pixel.",
        "For row i and column j of the output, the patch starts at row i * stride and column j * stride.",
        {
            _STEPS: "unfold(2, k, 1).unfold(3, k, 1)"
            "[:, :, : (x.shape[2] - k) // stride + 1, : (x.shape[3] - k) // stride + 1]"
        },
    ),
    "stride-spreads-taps": Mistake(
        "you spread the taps of the filter by stride, as a dilation does.",
        "The taps stay next to each other, and the entire filter moves by stride: i * stride + u, not i + u * stride.",
        {
            _STEPS: "unfold(2, k * stride - stride + 1, 1).unfold(3, k * stride - stride + 1, 1)"
            "[..., ::stride, ::stride]"
        },
    ),
    "stride-on-one-side": Mistake(
        "you use stride along only one of the two dimensions.",
        "The filter moves by stride pixels along both the height and the width.",
        {_DOWN: "2, k, 1"},
        {_RIGHT: "3, k, 1"},
    ),
    "stride-of-kernel": Mistake(
        "your filter moves by its own size, so the patches do not overlap.",
        "The patches overlap if stride is smaller than the kernel: move the filter by stride.",
        {_DOWN: "2, k, k", _RIGHT: "3, k, k"},
    ),
    "padding-ignored": Mistake(
        "you do not pad the map.",
        "Surround the map with zeros, `padding` pixels on each side: call torch.nn.functional.pad(x, (padding,) * "
        "4) first.",
        {_PAD: "(0,) * 4"},
    ),
    "output-padded": Mistake(
        "you pad the output, not the input.",
        "The filter moves over the zeros too: pad x before you cut it into patches.",
        {
            _PAD: "(0,) * 4",
            "return torch.einsum(": "return torch.nn.functional.pad(torch.einsum(",
            **_after(", (padding,) * 4)"),
        },
    ),
    "padding-chosen": Mistake(
        "you pad by half the kernel if no padding is given.",
        "Such a padding would keep the size of the map. Here the padding is an argument, and it is 0 by default.",
        *(
            {_PAD: f"({padding},) * 4"}
            for half in ("k // 2", "(k - 1) // 2")
            for padding in (half, f"padding or {half}")
        ),
    ),
    "stride-bounded": Mistake(
        "your filter never moves further than its own width.",
        "A stride may be larger than the kernel, and then the filter skips pixels: always move by stride.",
        {
            "unfold(2, k, stride)": "unfold(2, k, min(stride, k))",
            "unfold(3, k, stride)": "unfold(3, k, min(stride, k))",
        },
    ),
    "padding-on-one-end": Mistake(
        "you pad only one end of each dimension.",
        "Pad both ends: left and right, top and bottom. `pad` expects four numbers: (padding,) * 4.",
        {_PAD: "(padding, 0) * 2"},
        {_PAD: "(0, padding) * 2"},
        {_PAD: "(2 * padding, 0) * 2"},
        {_PAD: "(0, 2 * padding) * 2"},
    ),
    "padding-on-one-side": Mistake(
        "you pad only left and right, or only top and bottom.",
        "Pad all four sides. With two numbers, `pad` extends only the width: pass four.",
        {_PAD: "(padding,) * 2"},
        {_PAD: "(0, 0, padding, padding)"},
    ),
    "padding-of-channels": Mistake(
        "your padding also adds channels, or samples, of zeros.",
        "Pad only the last two dimensions. The numbers for `pad` start with the last dimension: (left, right, top, "
        "bottom).",
        {f"{_PAD})": "(padding,) * 6)[:, : weight.shape[1]]"},
        {f"{_PAD})": "(padding,) * 8)[:, : weight.shape[1]]"},
    ),
    "padding-not-zero": Mistake(
        "you do not pad with zeros.",
        "Pad with zeros, which is also PyTorch's default.",
        {_PAD: f"{_PAD}, value=1.0"},
        *({_PAD: f"{_PAD}, mode='{mode}'"} for mode in ("replicate", "reflect", "circular")),
    ),
}

HINTS = (
    "Consider one position of the filter. Which numbers of `x` does the filter cover (in all channels), and how do "
    "they become one number?",
    "Pad first, with `torch.nn.functional.pad`. `x.unfold(dimension, size, step)` cuts a dimension into "
    "windows and adds a new dimension for them at the end. Unfold the height, then the width: this gives the "
    "patches `[batch, in, h, w, k, k]`. Multiply by the weight, and sum over the input channels and over both "
    "sides of the filter. A loop over all positions is a right answer too.",
    "Call `torch.nn.functional.pad(x, (padding,) * 4)`, then `x.unfold(2, k, stride).unfold(3, k, stride)`. "
    "`torch.einsum` multiplies and sums in a single call, with a letter for each dimension: "
    '`torch.einsum("bihwyx,oiyx->bohw", patches, weight)`.',
)

SHORTCUTS = (torch.conv2d, torch.conv3d, torch.convolution)

EXERCISE = Exercise(conv2d, ("y",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
