"""Exercise ``receptive_field``: find how many pixels a unit sees."""

import torch

from ..exercise import Case, Exercise, Mistake


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
    Case("one layer with a kernel of 2", ([2], [1], [1])),
    Case("one layer with a stride", ([3], [2], [1])),
    Case("two layers", ([3, 3], [1, 1], [1, 1])),
    Case("a stride in the first layer", ([3, 3], [2, 1], [1, 1])),
    Case("three layers with strides", ([8, 4, 3], [4, 2, 1], [1, 1, 1])),
    Case("strides of 3", ([4, 2, 3, 2], [3, 3, 2, 1], [1, 1, 1, 1])),
    Case("a dilation of 2", ([3], [1], [2])),
    Case("a dilation of 3", ([3], [1], [3])),
    Case("everything at once", ([5, 3, 2, 4], [2, 3, 1, 2], [1, 2, 3, 2])),
    Case("everything at once, and a kernel of one tap", ([4, 1, 6, 3, 2], [3, 5, 2, 4, 3], [2, 4, 3, 5, 7])),
)

_FROM_THE_END = {"in zip(": "in reversed([*zip(", "strict=True)": "strict=True)])"}

MISTAKES = {
    "starts-at-zero": Mistake(
        "your field starts at 0.",
        "Before any layer, a unit is a pixel and sees itself: start with 1.",
        {"= 1, 1": "= 0, 1"},
    ),
    "nothing-added": Mistake(
        "your side is always 1: no layer adds anything.",
        "What is multiplied by 0 stays 0: start the jump with 1.",
        {"= 1, 1": "= 1, 0"},
    ),
    "returns-jump": Mistake(
        "you return how far apart neighbouring units are, from the strides alone, not how much they see.",
        "That number is needed on the way. A layer adds dilation * (kernel - 1) times it to the field.",
        {"return field": "return jump"},
        {"= 1, 1": "= 1, 0", "jump *=": "jump +=", "return field": "return jump"},
    ),
    "kernel-not-minus-one": Mistake(
        "each of your layers adds its whole kernel.",
        "One of the kernel's taps meets what is seen already: it adds kernel - 1 steps.",
        {"(kernel - 1)": "kernel"},
        {"(kernel - 1)": "kernel", "= 1, 1": "= 0, 1"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)", "= 1, 1": "= 0, 1"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)"},
    ),
    "field-plus-jump": Mistake(
        "you add the product of the strides to the field.",
        "It says how far apart neighbouring units are, not what one of them sees: return the field alone.",
        {"return field": "return field + jump"},
    ),
    "radius": Mistake(
        "you return how far a unit sees to one side.",
        "The whole side of the square is asked for: what lies on both sides, and the pixel in the middle.",
        {"return field": "return field // 2"},
        {"return field": "return field / 2"},
        {"return field": "return (field - 1) / 2"},
        {"= 1, 1": "= 0, 1", "(kernel - 1)": "(kernel // 2)"},
        {"= 1, 1": "= 0, 1", "(kernel - 1)": "((kernel - 1) // 2)"},
    ),
    "half-kernel": Mistake(
        "an even kernel adds one step too many, or too few: you count from its middle.",
        "kernel // 2 taps on both sides of a middle are right for odd kernels only. Count the gaps: kernel - 1.",
        {"(kernel - 1)": "(kernel // 2 * 2)"},
        {"(kernel - 1)": "((kernel - 1) // 2 * 2)"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) // 2 * 2)"},
    ),
    "fixed-kernel": Mistake(
        "you take every kernel for one of 3.",
        "A layer adds kernel - 1 steps, and that is 2 only for a kernel of 3: use `kernels`.",
        {"(kernel - 1)": "2"},
    ),
    "jump-too-early": Mistake(
        "a layer's stride stretches its own kernel.",
        "The stride moves the kernel, it does not widen it. It counts from the next layer on: update jump last.",
        {" * jump": " * jump * stride"},
        {" * jump": " * stride"},
        {"dilation * ": "", " * jump": " * jump * stride"},  # else said to take strides for dilations
    ),
    "all-strides": Mistake(
        "the strides of all layers stretch every kernel.",
        "A kernel is stretched by the strides of the layers before its own only: multiply jump up, layer by layer.",
        {" * jump": " * int(torch.tensor(strides).prod())"},
    ),
    "stride-to-a-power": Mistake(
        "you raise the stride of a layer to a power.",
        "That is right only where all strides are the same: multiply the strides of the layers before, one by one.",
        {
            "for kernel, stride, dilation in zip(": "for i, (kernel, stride, dilation) in enumerate(zip(",
            "strict=True)": "strict=True))",
            " * jump": " * stride**i",
        },
        {
            "for kernel, stride, dilation in zip(": "for i, (kernel, stride, dilation) in enumerate(zip(",
            "strict=True)": "strict=True))",
            " * jump": " * strides[0] ** i",
        },
    ),
    "kernels-summed": Mistake(
        "you sum the sizes of the kernels.",
        "Kernels of 3 and 3 see 5 pixels, not 6: neighbours overlap. Each adds (kernel - 1) times the jump.",
        {"= 1, 1": "= 0, 1", "dilation * (kernel - 1) * jump": "kernel"},
        {"= 1, 1": "= 0, 1", " * jump": " + 1"},
    ),
    "kernels-multiplied": Mistake(
        "you multiply the sizes of the kernels.",
        "Neighbouring patches overlap. Each layer adds (kernel - 1) times the jump.",
        {"field += dilation * (kernel - 1) * jump": "field *= kernel"},
        {"field += dilation * (kernel - 1) * jump": "field *= dilation * (kernel - 1) + 1"},
        {"field += dilation * (kernel - 1) * jump": "field *= kernel * stride"},
    ),
    "one-layer-only": Mistake(
        "you look at one layer only: the first, the last or the one with the largest kernel.",
        "Each layer looks at units that see a patch themselves: the fields add up. Is a `return` inside the loop?",
        {"jump *= stride": "break"},
        {"field += ": "field = 1 + ", " * jump": ""},
        {"field += ": "field = max(field, 1 + ", " * jump": ")"},
    ),
    "strides-ignored": Mistake(
        "your field does not depend on the strides.",
        "After a stride of 2, neighbouring units are 2 pixels apart, so every later kernel reaches twice as far.",
        {" * jump": ""},
    ),
    "strides-and-dilations-ignored": Mistake(
        "your field depends neither on the strides nor on the dilations.",
        "A layer adds dilation * (kernel - 1) steps, each as long as the product of all strides before it.",
        {" * jump": "", "dilation * ": ""},
    ),
    "wrong-end": Mistake(
        "you run through the layers from the wrong end.",
        "The lists start at the input. With (kernel - 1) * jump, go forwards; with (field - 1) * stride, backwards.",
        _FROM_THE_END,
    ),
    "jump-not-multiplied": Mistake(
        "your jump is the stride of the layer before only.",
        "Strides pile up: after strides of 4 and 2, neighbouring units are 8 pixels apart. Multiply them.",
        {"jump *=": "jump ="},
    ),
    "jump-added": Mistake(
        "you add the strides up.",
        "Strides multiply: after strides of 4 and 2, neighbouring units are 8 pixels apart.",
        {"jump *=": "jump +="},
        {"jump *=": "jump += -1 +"},
        {"= 1, 1": "= 1, 0", " * jump": " * max(jump, 1)", "jump *=": "jump +="},
    ),
    "stride-scales-field": Mistake(
        "you multiply the field by the stride.",
        "A stride changes how far apart units are, not what they see: keep that in a second number, the jump.",
        {"field += ": "field = field * stride + ", " * jump": ""},
        {"field += ": "field = field * stride + ", " * jump": "", **_FROM_THE_END},
        {"field += ": "field = field * stride + 1 + ", " * jump": ""},
        {"field += ": "field = field * stride + 1 + ", " * jump": "", **_FROM_THE_END},
        {"return field": "return field * jump", "(kernel - 1) * jump": "(kernel - 1)"},
        {"field += ": "field = stride * (field + ", " * jump": ")"},
        {"field += ": "field = stride * (field + ", " * jump": ")", **_FROM_THE_END},
        {"= 1, 1": "= 0, 1", "field += ": "field = field * stride + 1 + ", " * jump": ""},
    ),
    "pixel-lost": Mistake(
        "you lose a pixel in each layer.",
        "n units in a row see (n - 1) * stride + span pixels, and the span is dilation * (kernel - 1) + 1.",
        {"field += ": "field = (field - 1) * stride + ", " * jump": "", **_FROM_THE_END},
    ),
    "dilation-forgotten": Mistake(
        "your field does not depend on the dilations.",
        "Dilation spreads the kernel: a layer adds dilation * (kernel - 1) steps.",
        {"dilation * ": ""},
    ),
    "first-dilation-forgotten": Mistake(
        "the dilation of the first layer is not used.",
        "The first layer is one like the others: start with one pixel, and let the loop begin at the first layer.",
        {"= 1, 1": "= 1, 1; dilations = [1, *dilations[1:]]"},
    ),
    "dilation-of-the-layer-before": Mistake(
        "each of your layers takes the dilation of the layer before it.",
        "A dilation spreads the taps of its own layer. Only the strides are those of the layers before.",
        {"= 1, 1": "= 1, 1; dilations = [1, *dilations[:-1]]"},
    ),
    "dilation-times-kernel": Mistake(
        "your dilated kernel covers dilation * kernel pixels.",
        "Dilation stretches the kernel - 1 gaps between the taps: a layer adds dilation * (kernel - 1) steps.",
        {"dilation * (kernel - 1)": "(dilation * kernel - 1)"},
    ),
    "dilation-as-gap": Mistake(
        "you take dilation as the number of pixels left out between two taps.",
        "It is the distance between them: 1 for neighbours, 2 where one pixel is left out.",
        {"dilation * ": "(dilation + 1) * "},
        {"dilation * ": "(dilation + (dilation > 1)) * "},
    ),
    "dilation-once": Mistake(
        "you stretch only one of the gaps between the taps.",
        "Each of the kernel - 1 gaps is stretched: a layer adds dilation * (kernel - 1) steps.",
        {"dilation * (kernel - 1)": "(dilation - 1 + kernel - 1)"},
    ),
    "dilation-in-jump": Mistake(
        "your dilation stretches the later layers too.",
        "It spreads the taps of its own layer only. What goes on to later layers is the stride.",
        {"stride  # only": "stride * dilation  # only"},
        {"stride  # only": "stride * dilation  # only", "dilation * ": ""},
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
