"""Exercise ``output_size``: compute the size of a convolution's output."""

import torch

from ..exercise import Case, Exercise, Mistake


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Number of pixels along one side of the output, if the input has ``size`` pixels along that side."""
    span = dilation * (kernel - 1) + 1  # pixels from the kernel's first tap to its last
    return (size + 2 * padding - span) // stride + 1  # steps that fit, and the start position


def _draw(generator: torch.Generator) -> Case:
    kernel, stride, padding, dilation, more = torch.randint(0, 5, (5,), generator=generator).tolist()
    size = dilation * kernel + 2 * more + kernel + 1
    return Case("a random layer", (size, kernel + 1, stride + 1, padding, max(1, dilation)))


CASES = (
    Case("a kernel of 3", (5, 3, None, None, None)),
    Case("a kernel of 2", (5, 2, None, None, None)),
    Case("a stride of 2", (9, 3, 2, None, None)),
    Case("a padding of 1", (5, 3, None, 1, None)),
    Case("a stride that leaves one pixel unused", (9, 2, 3, None, None)),
    Case("a stride that leaves three pixels unused", (15, 4, 4, None, None)),
    Case("a kernel as large as the map", (4, 4, None, None, None)),
    Case("a dilation of 2", (9, 3, None, None, 2)),
    Case("a dilation of 3", (9, 3, None, None, 3)),
    Case("a kernel of one tap, which no dilation spreads", (8, 1, 3, None, 4)),
    Case("an odd size, a padding of half the kernel, and a stride of 2", (9, 3, 2, 1, None)),
    Case("everything at once", (29, 4, 3, 5, 2)),
    Case("everything at once, with other numbers", (40, 5, 2, 1, 3)),
)

_LAST = " + 1  # steps"  # the 1 that is added at the end
_WHOLE = "Do not count a step that does not fit completely: divide with `//`."
_UP = {"return (": "return -(-(", "// stride": "// stride)"}

MISTAKES = {
    "plus-one-missing": Mistake(
        "you count the steps of the kernel, but not the position where it starts.",
        "A kernel that moves twice has been at three positions: add 1 at the end.",
        {_LAST: "  # steps"},
    ),
    "kernel-not-minus-one": Mistake(
        "you make the kernel one pixel shorter than it is.",
        "A kernel of 3 covers 3 pixels. With dilation d, a kernel of k covers d * (k - 1) + 1 pixels.",
        {" - 1) + 1": " - 1)"},
    ),
    "plus-one-inside": Mistake(
        "you add the 1 before you divide by the stride.",
        "Divide first: there are (size + 2 * padding - span) // stride steps. Then add 1 for the start position.",
        {"- span": "- span + 1", _LAST: "  # steps"},
    ),
    "last-place-lost": Mistake(
        "you miss the last position if the kernel ends exactly at the border.",
        "The kernel still fits there. `range(a, b)` and `while i < b` exclude b. In a formula, did you subtract 1 "
        "twice or forget to add 1?",
        {**_UP, _LAST: "  # steps"},
    ),
    "plus-one-for-stride-1": Mistake(
        "you count the position where the kernel starts only if the stride is 1.",
        "Count the start for every stride: there are (size + 2 * padding - span) // stride steps, plus 1.",
        {_LAST: " + (stride == 1)  # steps"},
    ),
    "stride-forgotten": Mistake(
        "your result does not depend on the stride.",
        "The kernel moves by stride pixels: divide the remaining length by the stride.",
        {" // stride": ""},
    ),
    "stride-of-kernel": Mistake(
        "your kernel moves by its own size, as in pooling.",
        "The kernel should move by stride pixels, and by 1 pixel if no stride is given.",
        {"stride: int = 1": "stride: int = 0", "// stride": "// (stride or kernel)"},
        {"// stride": "// kernel"},
        {" - span) // stride": ") // kernel", _LAST: "  # steps"},
    ),
    "only-size-and-kernel": Mistake(
        "your result depends only on size and kernel: you do not use stride, padding and dilation.",
        "Add these arguments one by one: padding adds pixels, dilation spreads the kernel, and the remaining length is "
        "divided by stride.",
        {"dilation * ": "", " + 2 * padding": "", " // stride": ""},
    ),
    "padding-and-dilation-forgotten": Mistake(
        "your result depends neither on padding nor on dilation.",
        "padding adds pixels at both ends, and dilation spreads the kernel: include both in the formula.",
        {"dilation * ": "", " + 2 * padding": ""},
    ),
    "kernel-forgotten": Mistake(
        "your result does not depend on the kernel.",
        "Such a result is right only if the padding is chosen to match the kernel. Here the padding is an argument.",
        {" + 2 * padding - span": " - 1"},
        {" + 2 * padding - span": "", _LAST: "  # steps"},
        {" - span": "", _LAST: "  # steps"},
        {" - span": " - 1"},
    ),
    "transposed-convolution": Mistake(
        "your result grows with the stride, as it does for a transposed convolution.",
        "In a convolution, a larger stride makes the map smaller: divide by the stride.",
        {"(size + 2 * padding - span) // stride + 1": "(size - 1) * stride - 2 * padding + span"},
    ),
    "padding-forgotten": Mistake(
        "your result does not depend on the padding.",
        "padding adds pixels at both ends: size + 2 * padding.",
        {" + 2 * padding": ""},
    ),
    "padding-once": Mistake(
        "you add the padding at only one end.",
        "Both ends are padded: size + 2 * padding.",
        {"2 * padding": "padding"},
    ),
    "padding-subtracted": Mistake(
        "you subtract the padding.",
        "Padding enlarges the map before the kernel is applied: size + 2 * padding.",
        {"+ 2 * padding": "- 2 * padding"},
    ),
    "padding-chosen": Mistake(
        "you pad by half the kernel if no padding is given.",
        "Such a padding would keep the size of the map. Here the padding is an argument, and it is 0 by default.",
        *(
            {"2 * padding": f"2 * ({padding})"}
            for half in ("kernel // 2", "(kernel - 1) // 2", "(span - 1) // 2")
            for padding in (half, f"padding or {half}")
        ),
    ),
    "padding-after-stride": Mistake(
        "you add the padding after dividing by the stride.",
        "The kernel moves by stride pixels over the padding too: add 2 * padding to the size first, then divide.",
        {" + 2 * padding": "", _LAST: " + 1 + 2 * padding  # steps"},
    ),
    "padding-dilated": Mistake(
        "you multiply the padding by the dilation.",
        "Dilation only spreads the taps of the kernel: use size + 2 * padding.",
        {"2 * padding": "2 * dilation * padding"},
    ),
    "kernel-twice": Mistake(
        "you subtract the kernel twice.",
        "Subtract the kernel's span once. Only the padding counts twice, once at each end.",
        {"dilation * ": "2 * dilation * "},
        {"- span": "- 2 * span"},
    ),
    "half-kernel": Mistake(
        "your kernel covers one pixel too many or too few if it is even, because you count from its centre.",
        "kernel // 2 pixels on both sides of a centre are right only for odd kernels. Count the gaps instead: "
        "kernel - 1.",
        {"(kernel - 1)": "(kernel // 2 * 2)"},
        {"(kernel - 1)": "((kernel - 1) // 2 * 2)"},
        {"dilation * (kernel - 1)": "dilation * (kernel - 1) // 2 * 2"},
    ),
    "divided-too-early": Mistake(
        "you divide by the stride before you subtract the kernel.",
        "The stride divides the remaining length: put size + 2 * padding - span in brackets, then divide.",
        {" - span) // stride": ") // stride - span"},
    ),
    "only-the-end-divided": Mistake(
        "you divide only the last term by the stride.",
        "/ and // bind more tightly than + and -: put everything that should be divided in brackets.",
        {"return (": "return ", "- span)": "- span"},
        {"return (": "return ", "- span)": "- (span - 1) - 1"},
    ),
    "not-floored": Mistake("your result is not always a whole number.", _WHOLE, {"//": "/"}),
    "rounded-up": Mistake("you round up when you divide.", _WHOLE, _UP),
    "rounded": Mistake(
        "you round to the nearest whole number when you divide.",
        _WHOLE,
        {"return (": "return round((", "// stride": "/ stride)"},
        {"return (": "return round((", "// stride": "/ stride", _LAST: " + 1)  # steps"},
        {"return (": "return int((", "// stride": "/ stride + 0.5)"},
    ),
    "dilation-forgotten": Mistake(
        "your result does not depend on the dilation.",
        "Dilation spreads the kernel, so the kernel covers dilation * (kernel - 1) + 1 pixels.",
        {"dilation * ": ""},
    ),
    "dilation-times-kernel": Mistake(
        "you assume that the kernel covers dilation * kernel pixels.",
        "Dilation stretches the gaps between the taps, and there are kernel - 1 gaps: d * (k - 1) + 1 pixels.",
        {"(kernel - 1) + 1": "kernel"},
    ),
    "kernel-too-long": Mistake(
        "you assume that the kernel covers dilation * kernel + 1 pixels, so you stretch one gap too many.",
        "There are kernel - 1 gaps between the kernel's taps: d * (k - 1) + 1 pixels.",
        {"(kernel - 1) + 1": "kernel + 1"},
    ),
    "dilation-as-gap": Mistake(
        "you treat dilation as the number of pixels between two taps.",
        "Dilation is the distance from one tap to the next: 1 for neighbours, 2 if there is one pixel in between.",
        {"dilation * ": "(dilation + 1) * "},
        {"dilation * ": "(dilation + (dilation > 1)) * "},
    ),
    "dilation-once": Mistake(
        "you stretch only one of the gaps between the taps.",
        "Dilation stretches each of the kernel - 1 gaps: d * (k - 1) + 1 pixels.",
        {"dilation * (kernel - 1)": "(dilation - 1) + (kernel - 1)"},
    ),
}

HINTS = (
    "Draw 5 pixels and a kernel of 3. At how many positions does it fit?",
    "The kernel covers `dilation * (kernel - 1) + 1` pixels, and padding adds pixels at both ends. Divide the "
    "remaining length by the stride and round down, then add 1 for the start position. For example, 3 taps with a "
    "gap of one pixel between them cover 5 pixels. In a map of 8 pixels, 3 pixels remain, so the kernel fits at "
    "4 positions if it moves by 1 pixel, and at 2 positions if it moves by 3 pixels.",
    "Compute `span = dilation * (kernel - 1) + 1`, and return `(size + 2 * padding - span) // stride + 1`.",
)

EXERCISE = Exercise(output_size, ("size",), CASES, MISTAKES, HINTS, _draw)
