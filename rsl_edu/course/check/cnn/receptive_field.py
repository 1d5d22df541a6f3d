"""Exercise ``receptive_field``: compute how many pixels a unit sees."""

import torch

from ..exercise import Case, Exercise, Mistake


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    """Side of the square of input pixels that one unit of the last layer sees.

    The lists have one entry for each layer, starting at the input.
    """
    field, jump = 1, 1  # pixels that a unit sees; distance between neighbouring units in input pixels
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        field += dilation * (kernel - 1) * jump
        jump *= stride  # only the layers after this one use it
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
        "your receptive field starts at 0.",
        "Before the first layer, each unit is a pixel and sees only itself: start with 1.",
        {"= 1, 1": "= 0, 1"},
    ),
    "nothing-added": Mistake(
        "your result is always 1, because no layer adds anything.",
        "You multiply by a jump that is always 0: start the jump with 1.",
        {"= 1, 1": "= 1, 0"},
    ),
    "returns-jump": Mistake(
        "you return the distance between neighbouring units instead of the number of pixels that a unit sees.",
        "This distance depends only on the strides. You need it for the result: each layer adds dilation * "
        "(kernel - 1) times the distance to the field.",
        {"return field": "return jump"},
        {"= 1, 1": "= 1, 0", "jump *=": "jump +=", "return field": "return jump"},
    ),
    "kernel-not-minus-one": Mistake(
        "you add the entire kernel in each layer.",
        "One of the taps covers what is already seen, so a layer adds only kernel - 1 steps.",
        {"(kernel - 1)": "kernel"},
        {"(kernel - 1)": "kernel", "= 1, 1": "= 0, 1"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)", "= 1, 1": "= 0, 1"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)"},
    ),
    "field-plus-jump": Mistake(
        "you add the product of the strides to the field.",
        "The product is the distance between neighbouring units, not part of what one unit sees: return only the "
        "field.",
        {"return field": "return field + jump"},
    ),
    "radius": Mistake(
        "you return how far a unit sees to one side.",
        "The exercise asks for the full side of the square: both sides, and the pixel in the centre.",
        {"return field": "return field // 2"},
        {"return field": "return field / 2"},
        {"return field": "return (field - 1) / 2"},
        {"= 1, 1": "= 0, 1", "(kernel - 1)": "(kernel // 2)"},
        {"= 1, 1": "= 0, 1", "(kernel - 1)": "((kernel - 1) // 2)"},
    ),
    "half-kernel": Mistake(
        "an even kernel adds one step too many or too few, because you count from its centre.",
        "kernel // 2 taps on both sides of a centre are right only for odd kernels. Count the gaps instead: kernel "
        "- 1.",
        {"(kernel - 1)": "(kernel // 2 * 2)"},
        {"(kernel - 1)": "((kernel - 1) // 2 * 2)"},
        {"dilation * (kernel - 1)": "(dilation * (kernel - 1) // 2 * 2)"},
    ),
    "fixed-kernel": Mistake(
        "you treat every kernel as a kernel of 3.",
        "A layer adds kernel - 1 steps, which is 2 only for a kernel of 3: use `kernels`.",
        {"(kernel - 1)": "2"},
    ),
    "jump-too-early": Mistake(
        "you stretch a layer's kernel by the layer's own stride.",
        "A stride moves the kernel without widening it, so the stride counts only from the next layer on: update the "
        "jump last.",
        {" * jump": " * jump * stride"},
        {" * jump": " * stride"},
        {
            "dilation * ": "",
            " * jump": " * jump * stride",
        },  # otherwise the diagnosis is that it uses strides as dilations
    ),
    "all-strides": Mistake(
        "you stretch every kernel by the strides of all layers.",
        "Only the strides of the previous layers stretch a kernel: multiply the jump by one stride after each layer.",
        {" * jump": " * int(torch.tensor(strides).prod())"},
    ),
    "stride-to-a-power": Mistake(
        "you raise the stride of a layer to a power.",
        "A power is right only if all strides are equal: multiply the strides of the previous layers one by one.",
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
        "Two kernels of 3 see 5 pixels, not 6, because neighbouring patches overlap. Each layer adds (kernel - 1) "
        "times the jump.",
        {"= 1, 1": "= 0, 1", "dilation * (kernel - 1) * jump": "kernel"},
        {"= 1, 1": "= 0, 1", " * jump": " + 1"},
    ),
    "kernels-multiplied": Mistake(
        "you multiply the sizes of the kernels.",
        "Neighbouring patches overlap, so each layer adds only (kernel - 1) times the jump.",
        {"field += dilation * (kernel - 1) * jump": "field *= kernel"},
        {"field += dilation * (kernel - 1) * jump": "field *= dilation * (kernel - 1) + 1"},
        {"field += dilation * (kernel - 1) * jump": "field *= kernel * stride"},
    ),
    "one-layer-only": Mistake(
        "you use only one layer: the first, the last or the one with the largest kernel.",
        "Each layer's units see several units of the previous layer, so every layer enlarges the field. Is a "
        "`return` inside the loop?",
        {"jump *= stride": "break"},
        {"field += ": "field = 1 + ", " * jump": ""},
        {"field += ": "field = max(field, 1 + ", " * jump": ")"},
    ),
    "strides-ignored": Mistake(
        "your result does not depend on the strides.",
        "After a stride of 2, neighbouring units are 2 pixels apart, so every later kernel reaches twice as far.",
        {" * jump": ""},
    ),
    "strides-and-dilations-ignored": Mistake(
        "your result depends neither on the strides nor on the dilations.",
        "A layer adds dilation * (kernel - 1) steps, and the length of a step is the product of all previous strides.",
        {" * jump": "", "dilation * ": ""},
    ),
    "wrong-end": Mistake(
        "you go through the layers from the wrong end.",
        "The lists start at the input. Go forwards if you use (kernel - 1) * jump, and backwards if you use (field "
        "- 1) * stride.",
        _FROM_THE_END,
    ),
    "jump-not-multiplied": Mistake(
        "your jump is only the stride of the previous layer.",
        "Strides accumulate: after strides of 4 and 2, neighbouring units are 8 pixels apart. Multiply them.",
        {"jump *=": "jump ="},
    ),
    "jump-added": Mistake(
        "you add up the strides.",
        "Multiply the strides: after strides of 4 and 2, neighbouring units are 8 pixels apart.",
        {"jump *=": "jump +="},
        {"jump *=": "jump += -1 +"},
        {"= 1, 1": "= 1, 0", " * jump": " * max(jump, 1)", "jump *=": "jump +="},
    ),
    "stride-scales-field": Mistake(
        "you multiply the field by the stride.",
        "A stride changes the distance between units, not how much a unit sees: store this distance in a second "
        "variable, the jump.",
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
        "you lose one pixel in each layer.",
        "n units in a row see (n - 1) * stride + span pixels, where span is dilation * (kernel - 1) + 1.",
        {"field += ": "field = (field - 1) * stride + ", " * jump": "", **_FROM_THE_END},
    ),
    "dilation-forgotten": Mistake(
        "your result does not depend on the dilations.",
        "Dilation spreads the kernel, so a layer adds dilation * (kernel - 1) steps.",
        {"dilation * ": ""},
    ),
    "first-dilation-forgotten": Mistake(
        "you do not use the dilation of the first layer.",
        "Treat the first layer like all others: start with one pixel, and let the loop begin at the first layer.",
        {"= 1, 1": "= 1, 1; dilations = [1, *dilations[1:]]"},
    ),
    "dilation-of-the-layer-before": Mistake(
        "you use the dilation of the previous layer in each layer.",
        "A dilation spreads the taps of its own layer. Only the strides come from the previous layers.",
        {"= 1, 1": "= 1, 1; dilations = [1, *dilations[:-1]]"},
    ),
    "dilation-times-kernel": Mistake(
        "you assume that a dilated kernel covers dilation * kernel pixels.",
        "Dilation stretches the kernel - 1 gaps between the taps, so a layer adds dilation * (kernel - 1) steps.",
        {"dilation * (kernel - 1)": "(dilation * kernel - 1)"},
    ),
    "dilation-as-gap": Mistake(
        "you treat dilation as the number of pixels between two taps.",
        "Dilation is the distance from one tap to the next: 1 for neighbours, 2 if there is one pixel in between.",
        {"dilation * ": "(dilation + 1) * "},
        {"dilation * ": "(dilation + (dilation > 1)) * "},
    ),
    "dilation-once": Mistake(
        "you stretch only one of the gaps between the taps.",
        "Dilation stretches each of the kernel - 1 gaps, so a layer adds dilation * (kernel - 1) steps.",
        {"dilation * (kernel - 1)": "(dilation - 1 + kernel - 1)"},
    ),
    "dilation-in-jump": Mistake(
        "you stretch the later layers by the dilation too.",
        "A dilation spreads only the taps of its own layer. Only the stride affects later layers.",
        {"stride  # only": "stride * dilation  # only"},
        {"stride  # only": "stride * dilation  # only", "dilation * ": ""},
    ),
}

HINTS = (
    "How much does a second layer with a kernel of 3 add to what the first layer sees? And what if the first "
    "layer has a stride of 2?",
    "Keep track of two numbers from layer to layer: how many pixels a unit sees, and the distance between "
    "neighbouring units in input pixels. A kernel adds `kernel - 1` steps (times the dilation) to the first "
    "number, and a stride multiplies the second. Which of them must you update first? A layer's own stride "
    "moves its units apart, but not its taps.",
    "Start with `field, jump = 1, 1`. For each layer, do `field += dilation * (kernel - 1) * jump` first, "
    "then `jump *= stride`. Return `field`.",
)

EXERCISE = Exercise(receptive_field, ("side",), CASES, MISTAKES, HINTS, _draw)
