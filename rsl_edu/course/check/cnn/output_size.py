"""Exercise ``output_size``: find the size of a convolution's output."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


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
    Case("a stride of 2", (9, 3, 2, None, None)),
    Case("a padding of 1", (5, 3, None, 1, None)),
    Case("a stride that leaves one pixel over", (9, 2, 3, None, None)),
    Case("a stride that leaves three pixels over", (11, 4, 4, None, None)),
    Case("a dilation of 2", (9, 3, None, None, 2)),
    Case("a dilation of 3", (9, 3, None, None, 3)),
    Case("everything at once", (20, 4, 3, 2, 2)),
)


def _sizes(formula: Part) -> tuple[Answer, ...]:
    """A wrong formula of size, kernel, stride, padding, dilation; and the same without dilation."""

    def answer(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Any:
        return formula(size, kernel, stride, padding, dilation)

    return answer, lambda *sizes, dilation=1, **others: answer(*sizes, **others)


def _span(k: int, d: int) -> int:
    return d * (k - 1) + 1


MISTAKES = {
    "plus-one-missing": Mistake(
        "you count the steps of the kernel, but not the place where it starts.",
        "A kernel that can be moved twice has been at three places: add 1 at the end.",
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d)) // s),
    ),
    "kernel-not-minus-one": Mistake(
        "your kernel is one pixel shorter than it should be.",
        "A kernel of 3 covers 3 pixels; with dilation d, it is d * (k - 1) + 1 of them.",
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1),
    ),
    "plus-one-inside": Mistake(
        "you add the 1 before you divide by the stride.",
        "Divide first: the steps are (size + 2 * padding - span) // stride. Then add the place of the start.",
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d) + 1) // s),
    ),
    "stride-forgotten": Mistake(
        "your size does not depend on the stride.",
        "The kernel moves by stride pixels: divide what is left over by it.",
        *_sizes(lambda n, k, s, p, d: n + 2 * p - _span(k, d) + 1),
    ),
    "kernel-forgotten": Mistake(
        "your size does not depend on the kernel.",
        "Only a padding that is chosen for the kernel makes up for it. Here the padding is given.",
        *_sizes(lambda n, k, s, p, d: -(-n // s)),
        *_sizes(lambda n, k, s, p, d: n // s),
        *_sizes(lambda n, k, s, p, d: (n + 2 * p) // s),
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - 1) // s + 1),
    ),
    "transposed-convolution": Mistake(
        "your size grows with the stride: it is the formula of a transposed convolution.",
        "A convolution with a stride makes the map smaller: divide by the stride.",
        *_sizes(lambda n, k, s, p, d: (n - 1) * s - 2 * p + _span(k, d)),
    ),
    "padding-forgotten": Mistake(
        "your size does not depend on the padding.",
        "padding adds pixels at both ends: size + 2 * padding.",
        *_sizes(lambda n, k, s, p, d: (n - _span(k, d)) // s + 1),
    ),
    "padding-once": Mistake(
        "you count the padding at one end only.",
        "Both ends get it: size + 2 * padding.",
        *_sizes(lambda n, k, s, p, d: (n + p - _span(k, d)) // s + 1),
    ),
    "padding-subtracted": Mistake(
        "you subtract the padding.",
        "Padding makes the map larger before the kernel comes: size + 2 * padding.",
        *_sizes(lambda n, k, s, p, d: (n - 2 * p - _span(k, d)) // s + 1),
    ),
    "not-floored": Mistake(
        "your size is not a whole number.",
        "A step that does not fit completely does not count: divide with //.",
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d)) / s + 1),
        *_sizes(lambda n, k, s, p, d: (n + 2 * p - _span(k, d) + s) / s),
    ),
    "rounded-up": Mistake(
        "your division rounds up.",
        "A step that does not fit completely does not count: divide with //.",
        *_sizes(lambda n, k, s, p, d: -(-(n + 2 * p - _span(k, d)) // s) + 1),
    ),
    "rounded": Mistake(
        "your division rounds to the nearest whole number.",
        "A step that does not fit completely does not count: divide with //.",
        *_sizes(lambda n, k, s, p, d: round((n + 2 * p - _span(k, d)) / s) + 1),
        *_sizes(lambda n, k, s, p, d: round((n + 2 * p - _span(k, d)) / s + 1)),
    ),
    "dilation-forgotten": Mistake(
        "your size does not depend on the dilation.",
        "Dilation spreads the kernel: it covers dilation * (kernel - 1) + 1 pixels.",
        _sizes(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1)[0],
    ),
    "dilation-times-kernel": Mistake(
        "your kernel covers dilation * kernel pixels.",
        "Dilation stretches the gaps between the taps, and there are kernel - 1 of them: d * (k - 1) + 1.",
        _sizes(lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1)[0],
    ),
    "dilation-as-gap": Mistake(
        "you take dilation as the number of pixels left out between two taps.",
        "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
        _sizes(lambda n, k, s, p, d: (n + 2 * p - k - (k - 1) * d) // s + 1)[0],
        _sizes(lambda n, k, s, p, d: (n + 2 * p - k - (k - 1) * (d if d > 1 else 0)) // s + 1)[0],
    ),
    "dilation-once": Mistake(
        "you stretch only one of the gaps between the taps.",
        "Each of the kernel - 1 gaps is stretched: d * (k - 1) + 1 pixels.",
        _sizes(lambda n, k, s, p, d: (n + 2 * p - k - d + 1) // s + 1)[0],
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
