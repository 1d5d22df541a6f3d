"""Exercise ``conv2d``: write the convolution itself."""

import torch

from ..exercise import Case, Exercise, Mistake


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
    """The edit that changes the output at last."""
    return {_END: f"){change}{_END[1:]}"}


MISTAKES = {
    "flipped-kernel": Mistake(
        "your filter is flipped, as in the convolution of mathematics.",
        "Networks use the cross-correlation: the filter's first tap meets the first pixel. Leave out the flip.",
        *({"patches, weight": f"patches, weight.flip({dims})"} for dims in ("2, 3", "2", "3")),
    ),
    "kernel-transposed": Mistake(
        "your filter has its rows and columns exchanged.",
        "The last two dimensions are height, then width, in the weight as in the input.",
        {"hwyx": "hwxy"},
    ),
    "height-and-width-swapped": Mistake(
        "your output has height and width exchanged.",
        "x is [batch, in, height, width] and so is the output: check which unfold is which, and the last reshape.",
        {"->bohw": "->bowh"},
        {"pad(x,": "pad(x.mT,"},
        _after(".reshape(len(x), -1, *patches.shape[3:1:-1])"),
    ),
    "square-output": Mistake(
        "your output is square, or is cut as if it were.",
        "The map need not be: count the places along the height and along the width, each by its own size.",
        _after(".reshape(len(x), -1, *2 * [int(patches[0, 0, :, :, 0, 0].numel() ** 0.5)])"),
        {f"({_RIGHT})": f"({_RIGHT})[:, :, :, torch.arange((x.shape[2] - k) // stride + 1)]"},
    ),
    "reshape-for-permute": Mistake(
        "a reshape of yours does what a permute should: its numbers are in the wrong order.",
        "reshape never moves numbers. Bring the dimensions into order with permute first, then join or split them.",
        {"bihwyx": "biyxhw", "patches, weight": f"patches.reshape(*patches.shape[:2], k, k, {_SIZES}), weight"},
        {"bihwyx": "bhwiyx", "patches, weight": f"patches.reshape(len(x), {_SIZES}, -1, k, k), weight"},
        {"->bohw": "->bhwo", **_after(f".reshape(len(x), -1, {_SIZES})")},
        {"->bohw": "->obhw", **_after(f".reshape(len(x), -1, {_SIZES})")},
    ),
    "channel-order": Mistake(
        "your patches and your weight put their numbers into one row in different orders.",
        "Flattened, a filter [in, k, k] runs through its channels slowest. The patch must do the same: in, k, k.",
        {"oiyx": "oyxi", "patches, weight": "patches, weight.reshape(-1, k, k, weight.shape[1])"},
        {"patches, weight": "patches, weight.permute(0, 2, 3, 1).reshape(weight.shape)"},  # the other way round
    ),
    "averages": Mistake(
        "you return the mean over the patch, not the sum.",
        "The weight says how much each pixel counts: multiply and sum, without dividing.",
        _after(" / k**2"),
        _after(" / weight[0].numel()"),
    ),
    "matrix-product": Mistake(
        "you take the matrix product of patch and filter.",
        "Each pixel meets the weight at its own place: multiply element by element with *, then sum.",
        {"hwyx,oiyx": "hwyz,oizx"},
    ),
    "last-tap-only": Mistake(
        "only the last tap of your filter counts.",
        "In a loop over the taps, `y = ...` replaces what was there: start with zeros, and add with +=.",
        {"patches, weight": "patches[..., -1:, -1:], weight[..., -1:, -1:]"},
    ),
    "total-not-reset": Mistake(
        "your sum goes on from one place of the output to the next.",
        "Each place has a sum of its own: set it to 0 inside the loops over places, before the loops over taps.",
        *(_after(f".flatten({d}).cumsum({d}).reshape(len(x), -1, {_SIZES})") for d in (0, 1, 2)),
        _after(".cumsum(3)"),
    ),
    "channels-not-summed": Mistake(
        "your output keeps the input channels apart.",
        "Each filter looks at all input channels at once: sum over them.",
        {"->bohw": "->boihw", **_after(".flatten(1, 2)")},
        {"->bohw": "->biohw", **_after(".flatten(1, 2)")},
        {"->bohw": "->boihw"},
        {"->bohw": "->biohw"},
    ),
    "channels-averaged": Mistake(
        "you take the mean over the input channels.",
        "Each has its own weight already: sum over them.",
        _after(" / x.shape[1]"),
    ),
    "channels-summed-first": Mistake(
        "you sum over the input channels before you multiply.",
        "Each input channel meets its own slice of the filter: multiply first, then sum over the channels.",
        {",oiyx": ",ojyx"},
    ),
    "one-channel-only": Mistake(
        "you use only one of the input channels.",
        "Each filter looks at all input channels at once: sum over them. In a loop, add with +=, as = replaces.",
        {"patches, weight": "patches[:, :1], weight[:, :1]"},
        {"patches, weight": "patches[:, -1:], weight[:, -1:]"},
    ),
    "one-slice-for-all": Mistake(
        "all your input channels meet the same slice of the filter.",
        "weight is [out, in, k, k]: filter o has a slice weight[o, c] for each input channel c.",
        {"patches, weight": "patches, weight[:, :1].expand_as(weight)"},
    ),
    "channel-by-channel": Mistake(
        "each of your filters looks at its own input channel only, as in a depthwise convolution.",
        "Filter o has a slice for every input channel: multiply all of them with theirs, and sum.",
        {"bihwyx,oiyx": "bohwyx,ooyx"},
    ),
    "in-and-out-swapped": Mistake(
        "you take the weight's input channels as its output channels.",
        "The weight is [out, in, k, k]. Here it has as many of both, so the shapes do not tell.",
        {",oiyx": ",ioyx"},
    ),
    "one-filter-only": Mistake(
        "only one of your filters is used.",
        "The output has a channel for each filter in the weight: [batch, out, h, w].",
        {"patches, weight": "patches, weight[:1]"},
        {"patches, weight": "patches, weight[-1:]"},
    ),
    "one-sample-only": Mistake(
        "only one sample of the batch is used.",
        "The output has as many samples as x: [batch, out, h, w].",
        _after("[:1]"),
        _after("[-1:]"),
        _after("[:1].repeat(len(x), 1, 1, 1)"),
    ),
    "channels-before-batch": Mistake(
        "your output has the channels before the batch.",
        "It is [batch, out, h, w]: exchange the first two dimensions.",
        {"->bohw": "->obhw"},
    ),
    "channels-last": Mistake(
        "your output has the channels in the last place.",
        "PyTorch's order is [batch, out, h, w]: permute the output.",
        {"->bohw": "->bhwo"},
    ),
    "last-place-lost": Mistake(
        "your output lacks its last row or column.",
        "The filter fits at (size + 2 * padding - k) // stride + 1 places: the + 1 is the place where it starts.",
        _after("[:, :, :-1, :-1]"),
        _after("[:, :, :-1]"),
        _after("[:, :, :, :-1]"),
        {_STEPS: f"{_STEPS}[:, :, : -((k - x.shape[2]) // stride), : -((k - x.shape[3]) // stride)]"},
    ),
    "even-kernel": Mistake(
        "your output lacks its last row or column when the kernel is even: you count from its middle.",
        "An even kernel has no middle. Count from its corner: rows from top to top + k, columns from left to left + k.",
        {
            _STEPS: f"{_STEPS}[:, :, : (x.shape[2] - k // 2 * 2 + stride - 1) // stride, "
            ": (x.shape[3] - k // 2 * 2 + stride - 1) // stride]"
        },
    ),
    "place-too-many": Mistake(
        "your output has a row and a column too many.",
        "The filter must fit completely: at (size + 2 * padding - k) // stride + 1 places.",
        {"return torch.einsum(": "return torch.nn.functional.pad(torch.einsum(", **_after(", (0, 1) * 2)")},
        {_PAD: "(padding, padding + stride) * 2"},
    ),
    "rounded-up": Mistake(
        "your filter also stops at places where it does not fit completely.",
        "A step that would take it over the edge does not count: divide by the stride with //.",
        {_PAD: "(padding, padding + stride - 1) * 2"},
    ),
    "size-and-step-exchanged": Mistake(
        "you exchange the size of the patches and the step from one to the next.",
        "It is x.unfold(dimension, size, step): k, then stride.",
        {_DOWN: "2, stride, k", _RIGHT: "3, stride, k"},
    ),
    "stride-ignored": Mistake(
        "your filter moves by one pixel: stride is not used.",
        "It moves by stride pixels, down and to the right: the third argument of unfold, or [::stride].",
        {_DOWN: "2, k, 1", _RIGHT: "3, k, 1"},
    ),
    "stride-and-padding-ignored": Mistake(
        "your output depends neither on stride nor on padding.",
        "Pad the map with zeros first, then move the filter by stride pixels, down and to the right.",
        {_DOWN: "2, k, 1", _RIGHT: "3, k, 1", _PAD: "(0,) * 4"},
    ),
    "stride-in-size-only": Mistake(
        "your output has the right size, but your filter moves by one pixel.",
        "At row i and column j of the output, the patch starts at i * stride and j * stride.",
        {
            _STEPS: "unfold(2, k, 1).unfold(3, k, 1)"
            "[:, :, : (x.shape[2] - k) // stride + 1, : (x.shape[3] - k) // stride + 1]"
        },
    ),
    "stride-spreads-taps": Mistake(
        "your stride spreads the taps of the filter, as a dilation does.",
        "The taps stay next to each other; the filter as a whole moves by stride: i * stride + u, not i + u * stride.",
        {
            _STEPS: "unfold(2, k * stride - stride + 1, 1).unfold(3, k * stride - stride + 1, 1)"
            "[..., ::stride, ::stride]"
        },
    ),
    "stride-on-one-side": Mistake(
        "your filter moves by stride pixels along one side only.",
        "Both the height and the width have it.",
        {_DOWN: "2, k, 1"},
        {_RIGHT: "3, k, 1"},
    ),
    "stride-of-kernel": Mistake(
        "your filter moves by its own size: the patches do not overlap.",
        "They overlap where stride is smaller than the kernel: move by stride.",
        {_DOWN: "2, k, k", _RIGHT: "3, k, k"},
    ),
    "padding-ignored": Mistake(
        "your map is not padded.",
        "padding rows and columns of zeros surround it: torch.nn.functional.pad(x, (padding,) * 4) comes first.",
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
        "you pad by half the kernel where no padding is asked for.",
        "That is a layer that keeps the size. Here the padding is an argument, and 0 if it is not given.",
        *(
            {_PAD: f"({padding},) * 4"}
            for half in ("k // 2", "(k - 1) // 2")
            for padding in (half, f"padding or {half}")
        ),
    ),
    "stride-bounded": Mistake(
        "your filter never moves further than it is wide.",
        "A stride may be larger than the kernel: then it leaves pixels out. Move by stride.",
        {
            "unfold(2, k, stride)": "unfold(2, k, min(stride, k))",
            "unfold(3, k, stride)": "unfold(3, k, min(stride, k))",
        },
    ),
    "padding-on-one-end": Mistake(
        "your padding is only at one end of each side.",
        "It belongs at both: left and right, top and bottom. pad wants four numbers: (padding,) * 4.",
        {_PAD: "(padding, 0) * 2"},
        {_PAD: "(0, padding) * 2"},
        {_PAD: "(2 * padding, 0) * 2"},
        {_PAD: "(0, 2 * padding) * 2"},
    ),
    "padding-on-one-side": Mistake(
        "your padding is only at left and right, or only at top and bottom.",
        "It belongs all around. With two numbers, pad does the width alone: give it four.",
        {_PAD: "(padding,) * 2"},
        {_PAD: "(0, 0, padding, padding)"},
    ),
    "padding-of-channels": Mistake(
        "your padding adds channels, or samples, of zeros too.",
        "Pad only the last two dimensions. pad starts from the last one: (left, right, top, bottom).",
        {f"{_PAD})": "(padding,) * 6)[:, : weight.shape[1]]"},
        {f"{_PAD})": "(padding,) * 8)[:, : weight.shape[1]]"},
    ),
    "padding-not-zero": Mistake(
        "your padding is not of zeros.",
        "Here zeros surround the map, as is PyTorch's default.",
        {_PAD: f"{_PAD}, value=1.0"},
        *({_PAD: f"{_PAD}, mode='{mode}'"} for mode in ("replicate", "reflect", "circular")),
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

SHORTCUTS = (torch.conv2d, torch.conv3d, torch.convolution)

EXERCISE = Exercise(conv2d, ("y",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
