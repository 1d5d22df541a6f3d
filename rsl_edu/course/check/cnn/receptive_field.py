"""Exercise ``receptive_field``: find how many pixels a unit sees."""

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    """Side of the square of input pixels that one unit of the last layer sees; the lists start at the input."""
    field, jump = 1, 1  # pixels that a unit sees (a pixel: itself); input pixels between neighbouring units
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        field += dilation * (kernel - 1) * jump
        jump *= stride  # only the layers after this one stand further apart
    return field


def _draw(generator: torch.Generator) -> Case:
    depth = int(torch.randint(1, 5, (), generator=generator))
    return Case("random layers", tuple(torch.randint(1, 5, (3, depth), generator=generator).tolist()))


CASES = (
    Case("one layer", ([3], [1], [1])),
    Case("one layer with a stride", ([3], [2], [1])),
    Case("two layers", ([3, 3], [1, 1], [1, 1])),
    Case("a stride in the first layer", ([3, 3], [2, 1], [1, 1])),
    Case("three layers with strides", ([8, 4, 3], [4, 2, 1], [1, 1, 1])),
    Case("strides of 3", ([4, 2, 3, 2], [3, 3, 2, 1], [1, 1, 1, 1])),
    Case("a dilation of 2", ([3], [1], [2])),
    Case("a dilation of 3", ([3], [1], [3])),
    Case("everything at once", ([5, 3, 2, 4], [2, 3, 1, 2], [1, 2, 3, 2])),
)


def _fields(step: Part, start: tuple[int, int] = (1, 1), reverse: bool = False) -> tuple[Answer, ...]:
    """A wrong step of the recursion, of field, jump, kernel, stride, dilation; and the same without dilation."""

    def answer(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
        field, jump = start
        layers = list(zip(kernels, strides, dilations, strict=True))
        for layer in layers[::-1] if reverse else layers:
            field, jump = step(field, jump, *layer)
        return field

    return answer, lambda kernels, strides, dilations: answer(kernels, strides, [1 for _ in dilations])


MISTAKES = {
    "starts-at-zero": Mistake(
        "your field starts at 0.",
        "Before any layer, a unit is a pixel and sees itself: start with 1.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j * s), start=(0, 1)),
    ),
    "returns-jump": Mistake(
        "you return the product of the strides: how far apart neighbouring units are, not how much they see.",
        "That number is needed on the way. A layer adds dilation * (kernel - 1) times it to the field.",
        *_fields(lambda f, j, k, s, d: (f * s, 1)),
        *_fields(lambda f, j, k, s, d: (f + s, 1), start=(0, 1)),
    ),
    "kernel-not-minus-one": Mistake(
        "each of your layers adds its whole kernel.",
        "One of the kernel's taps meets what is seen already: it adds kernel - 1 steps.",
        *_fields(lambda f, j, k, s, d: (f + d * k * j, j * s)),
        *_fields(lambda f, j, k, s, d: (f + d * k * j, j * s), start=(0, 1)),
        *_fields(lambda f, j, k, s, d: (f + (d * (k - 1) + 1) * j, j * s), start=(0, 1)),
    ),
    "jump-too-early": Mistake(
        "a layer's stride stretches its own kernel.",
        "The stride moves the kernel, it does not widen it. It counts from the next layer on: update jump last.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j * s, j * s)),
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * s, 1)),
    ),
    "kernels-summed": Mistake(
        "you sum the sizes of the kernels.",
        "Kernels of 3 and 3 see 5 pixels, not 6: neighbours overlap. Each adds (kernel - 1) times the jump.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) + 1, j), start=(0, 1)),
    ),
    "kernels-multiplied": Mistake(
        "you multiply the sizes of the kernels.",
        "Neighbouring patches overlap. Each layer adds (kernel - 1) times the jump.",
        *_fields(lambda f, j, k, s, d: (f * (d * (k - 1) + 1), j)),
    ),
    "one-layer-only": Mistake(
        "you look at one layer only: the last, or the one with the largest kernel.",
        "Each layer looks at units that see a patch themselves: the fields add up.",
        *_fields(lambda f, j, k, s, d: (d * (k - 1) + 1, j)),
        *_fields(lambda f, j, k, s, d: (max(f, d * (k - 1) + 1), j)),
        *_fields(lambda f, j, k, s, d: (d * (k - 1) + 1, j), reverse=True),
    ),
    "strides-ignored": Mistake(
        "your field does not depend on the strides.",
        "After a stride of 2, neighbouring units are 2 pixels apart, so every later kernel reaches twice as far.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1), j)),
    ),
    "wrong-end": Mistake(
        "you run through the layers from the wrong end.",
        "The lists start at the input. With (kernel - 1) * jump, go forwards.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j * s), reverse=True),
    ),
    "jump-not-multiplied": Mistake(
        "your jump is the stride of the layer before only.",
        "Strides pile up: after strides of 4 and 2, neighbouring units are 8 pixels apart. Multiply them.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, s)),
    ),
    "jump-added": Mistake(
        "you add the strides up.",
        "Strides multiply: after strides of 4 and 2, neighbouring units are 8 pixels apart.",
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j + s)),
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * j, j + s - 1)),
        *_fields(lambda f, j, k, s, d: (f + d * (k - 1) * max(j, 1), j + s), start=(1, 0)),
    ),
    "stride-scales-field": Mistake(
        "you multiply the field by the stride.",
        "A stride changes how far apart units are, not what they see: keep that in a second number, the jump.",
        *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1), j)),
        *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1), j), reverse=True),
        *_fields(lambda f, j, k, s, d: ((f + d * (k - 1)) * s, j)),
        *_fields(lambda f, j, k, s, d: (f * s + d * (k - 1) + 1, j), start=(0, 1)),
    ),
    "dilation-forgotten": Mistake(
        "your field does not depend on the dilations.",
        "Dilation spreads the kernel: a layer adds dilation * (kernel - 1) steps.",
        _fields(lambda f, j, k, s, d: (f + (k - 1) * j, j * s))[0],
    ),
    "dilation-times-kernel": Mistake(
        "your dilated kernel covers dilation * kernel pixels.",
        "Dilation stretches the kernel - 1 gaps between the taps: a layer adds dilation * (kernel - 1) steps.",
        _fields(lambda f, j, k, s, d: (f + (d * k - 1) * j, j * s))[0],
    ),
    "dilation-as-gap": Mistake(
        "you take dilation as the number of pixels left out between two taps.",
        "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
        _fields(lambda f, j, k, s, d: (f + (k - 1) * (d + 1) * j, j * s))[0],
        _fields(lambda f, j, k, s, d: (f + (k - 1) * (d + 1 if d > 1 else 1) * j, j * s))[0],
    ),
    "dilation-in-jump": Mistake(
        "your dilation stretches the later layers too.",
        "It spreads the taps of its own layer only. What goes on to later layers is the stride.",
        _fields(lambda f, j, k, s, d: (f + (k - 1) * j * d, j * s * d))[0],
        _fields(lambda f, j, k, s, d: (f + (k - 1) * j, j * s * d))[0],
    ),
}

HINTS = (
    "How much does a second layer with kernel 3 add to what the first one sees? And if the first has stride 2?",
    "Carry two numbers from layer to layer: the pixels that a unit sees, and the input pixels between neighbouring "
    "units. A kernel adds `kernel - 1` steps (times the dilation) to the first; a stride multiplies the second. Which "
    "of them changes first? A layer's own stride moves its units apart, but not its taps.",
    "Start with `field, jump = 1, 1`; for each layer `field += dilation * (kernel - 1) * jump`, then `jump *= stride`.",
)

EXERCISE = Exercise(receptive_field, ("side",), CASES, MISTAKES, HINTS, _draw)
