"""Exercise ``output_size``: find the size of a convolution's output."""

import torch

from ..exercise import Case, Exercise, Mistake


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Pixels along one side of the output, from ``size`` pixels along that side of the input."""
    span = dilation * (kernel - 1) + 1  # pixels from the kernel's first tap to its last
    return (size + 2 * padding - span) // stride + 1  # steps that fit, and the place where it starts


def _draw(generator: torch.Generator) -> Case:
    kernel, stride, padding, dilation, more = torch.randint(0, 5, (5,), generator=generator).tolist()
    size = dilation * kernel + 2 * more + kernel + 1
    return Case("a random layer", (size, kernel + 1, stride + 1, padding, max(1, dilation)))


CASES = (
    Case("a kernel of 3", (5, 3, None, None, None)),
    Case("a kernel of 2", (5, 2, None, None, None)),
    Case("a stride of 2", (9, 3, 2, None, None)),
    Case("a padding of 1", (5, 3, None, 1, None)),
    Case("a stride that leaves one pixel over", (9, 2, 3, None, None)),
    Case("a stride that leaves three pixels over", (15, 4, 4, None, None)),
    Case("a kernel as large as the map", (4, 4, None, None, None)),
    Case("a dilation of 2", (9, 3, None, None, 2)),
    Case("a dilation of 3", (9, 3, None, None, 3)),
    Case("a kernel of one tap, which no dilation spreads", (8, 1, 3, None, 4)),
    Case("an odd size, a padding of half the kernel, and a stride of 2", (9, 3, 2, 1, None)),
    Case("everything at once", (29, 4, 3, 5, 2)),
    Case("everything at once, with other numbers", (40, 5, 2, 1, 3)),
)

_LAST = " + 1  # steps"  # the 1 that is added at the end
_WHOLE = "A step that does not fit completely does not count: divide with //."
_UP = {"return (": "return -(-(", "// stride": "// stride)"}

MISTAKES = {
    "plus-one-missing": Mistake(
        "you count the steps of the kernel, but not the place where it starts.",
        "A kernel that can be moved twice has been at three places: add 1 at the end.",
        {_LAST: "  # steps"},
    ),
    "kernel-not-minus-one": Mistake(
        "your kernel is one pixel shorter than it should be.",
        "A kernel of 3 covers 3 pixels; with dilation d, a kernel of k covers d * (k - 1) + 1.",
        {" - 1) + 1": " - 1)"},
    ),
    "plus-one-inside": Mistake(
        "you add the 1 before you divide by the stride.",
        "Divide first: the steps are (size + 2 * padding - span) // stride. Then add the place of the start.",
        {"- span": "- span + 1", _LAST: "  # steps"},
    ),
    "last-place-lost": Mistake(
        "your count misses the last place when the kernel ends exactly at the border.",
        "There it still fits. `range(a, b)` and `while i < b` leave b out; in a formula, look for a 1 that is "
        "subtracted twice, or missing at the end.",
        {**_UP, _LAST: "  # steps"},
    ),
    "plus-one-for-stride-1": Mistake(
        "you add the place where the kernel starts only when the stride is 1.",
        "It counts for every stride: (size + 2 * padding - span) // stride steps, and 1.",
        {_LAST: " + (stride == 1)  # steps"},
    ),
    "stride-forgotten": Mistake(
        "your size does not depend on the stride.",
        "The kernel moves by stride pixels: divide what is left over by it.",
        {" // stride": ""},
    ),
    "stride-of-kernel": Mistake(
        "your kernel moves by its own size, as in pooling.",
        "It moves by stride pixels, and by 1 if no stride is given.",
        {"stride: int = 1": "stride: int = 0", "// stride": "// (stride or kernel)"},
        {"// stride": "// kernel"},
        {" - span) // stride": ") // kernel", _LAST: "  # steps"},
    ),
    "only-size-and-kernel": Mistake(
        "your size depends on size and kernel only: stride, padding and dilation are not used.",
        "Take them one by one: padding adds pixels, dilation spreads the kernel, stride divides what is left over.",
        {"dilation * ": "", " + 2 * padding": "", " // stride": ""},
    ),
    "padding-and-dilation-forgotten": Mistake(
        "your size depends neither on padding nor on dilation.",
        "padding adds pixels at both ends, and dilation spreads the kernel: put both into the formula.",
        {"dilation * ": "", " + 2 * padding": ""},
    ),
    "kernel-forgotten": Mistake(
        "your size does not depend on the kernel.",
        "Only a padding that is chosen for the kernel makes up for it. Here the padding is given.",
        {" + 2 * padding - span": " - 1"},
        {" + 2 * padding - span": "", _LAST: "  # steps"},
        {" - span": "", _LAST: "  # steps"},
        {" - span": " - 1"},
    ),
    "transposed-convolution": Mistake(
        "your size grows with the stride: it is the formula of a transposed convolution.",
        "A convolution with a stride makes the map smaller: divide by the stride.",
        {"(size + 2 * padding - span) // stride + 1": "(size - 1) * stride - 2 * padding + span"},
    ),
    "padding-forgotten": Mistake(
        "your size does not depend on the padding.",
        "padding adds pixels at both ends: size + 2 * padding.",
        {" + 2 * padding": ""},
    ),
    "padding-once": Mistake(
        "you count the padding at one end only.",
        "Both ends get it: size + 2 * padding.",
        {"2 * padding": "padding"},
    ),
    "padding-subtracted": Mistake(
        "you subtract the padding.",
        "Padding makes the map larger before the kernel comes: size + 2 * padding.",
        {"+ 2 * padding": "- 2 * padding"},
    ),
    "padding-chosen": Mistake(
        "you pad by half the kernel where no padding is asked for.",
        "That is a layer that keeps the size. Here the padding is an argument, and 0 if it is not given.",
        *(
            {"2 * padding": f"2 * ({padding})"}
            for half in ("kernel // 2", "(kernel - 1) // 2", "(span - 1) // 2")
            for padding in (half, f"padding or {half}")
        ),
    ),
    "padding-after-stride": Mistake(
        "your padding is not divided by the stride.",
        "The kernel moves by stride pixels over the padding too: add 2 * padding to the size, then divide.",
        {" + 2 * padding": "", _LAST: " + 1 + 2 * padding  # steps"},
    ),
    "padding-dilated": Mistake(
        "you multiply the padding by the dilation.",
        "Dilation spreads the taps of the kernel only: size + 2 * padding.",
        {"2 * padding": "2 * dilation * padding"},
    ),
    "kernel-twice": Mistake(
        "you subtract the kernel twice.",
        "Only the padding is there twice, once at each end. Subtract the kernel's span once.",
        {"dilation * ": "2 * dilation * "},
        {"- span": "- 2 * span"},
    ),
    "half-kernel": Mistake(
        "your kernel covers one pixel too many, or too few, when it is even: you count from its middle.",
        "kernel // 2 pixels on both sides of a middle are right for odd kernels only. Count the gaps: kernel - 1.",
        {"(kernel - 1)": "(kernel // 2 * 2)"},
        {"(kernel - 1)": "((kernel - 1) // 2 * 2)"},
        {"dilation * (kernel - 1)": "dilation * (kernel - 1) // 2 * 2"},
    ),
    "divided-too-early": Mistake(
        "you divide by the stride before you subtract the kernel.",
        "The stride counts steps of what is left over: put size + 2 * padding - span in brackets, then divide.",
        {" - span) // stride": ") // stride - span"},
    ),
    "only-the-end-divided": Mistake(
        "only the last term is divided by the stride.",
        "/ and // come before + and -: put all that is to be divided in brackets.",
        {"return (": "return ", "- span)": "- span"},
        {"return (": "return ", "- span)": "- (span - 1) - 1"},
    ),
    "not-floored": Mistake("your size is not always a whole number.", _WHOLE, {"//": "/"}),
    "rounded-up": Mistake("your division rounds up.", _WHOLE, _UP),
    "rounded": Mistake(
        "your division rounds to the nearest whole number.",
        _WHOLE,
        {"return (": "return round((", "// stride": "/ stride)"},
        {"return (": "return round((", "// stride": "/ stride", _LAST: " + 1)  # steps"},
        {"return (": "return int((", "// stride": "/ stride + 0.5)"},
    ),
    "dilation-forgotten": Mistake(
        "your size does not depend on the dilation.",
        "Dilation spreads the kernel: it covers dilation * (kernel - 1) + 1 pixels.",
        {"dilation * ": ""},
    ),
    "dilation-times-kernel": Mistake(
        "your kernel covers dilation * kernel pixels.",
        "Dilation stretches the gaps between the taps, and there are kernel - 1 of them: d * (k - 1) + 1.",
        {"(kernel - 1) + 1": "kernel"},
    ),
    "kernel-too-long": Mistake(
        "your kernel covers dilation * kernel + 1 pixels: you stretch one gap too many.",
        "Between kernel taps are kernel - 1 gaps: d * (k - 1) + 1 pixels.",
        {"(kernel - 1) + 1": "kernel + 1"},
    ),
    "dilation-as-gap": Mistake(
        "you take dilation as the number of pixels left out between two taps.",
        "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
        {"dilation * ": "(dilation + 1) * "},
        {"dilation * ": "(dilation + (dilation > 1)) * "},
    ),
    "dilation-once": Mistake(
        "you stretch only one of the gaps between the taps.",
        "Each of the kernel - 1 gaps is stretched: d * (k - 1) + 1 pixels.",
        {"dilation * (kernel - 1)": "(dilation - 1) + (kernel - 1)"},
    ),
}

HINTS = (
    "Draw 5 pixels and a kernel of 3. At how many places does it fit?",
    "The kernel covers `dilation * (kernel - 1) + 1` pixels; padding adds pixels on both sides. Divide what is left "
    "over by the stride and round down; then count the place where the kernel starts. By hand: 3 taps with a gap of "
    "one pixel between them cover 5 pixels. On 8 pixels that leaves 3, so the kernel fits at 4 places if it moves by "
    "1, and at 2 if it moves by 3.",
    "`span = dilation * (kernel - 1) + 1`; return `(size + 2 * padding - span) // stride + 1`.",
)

EXERCISE = Exercise(output_size, ("size",), CASES, MISTAKES, HINTS, _draw)
