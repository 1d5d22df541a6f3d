"""Exercise ``count_parameters``: count the parameters of a multi-layer perceptron."""

import itertools
import math

import torch

from ..exercise import Case, Exercise, Mistake


def count_parameters(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> int:
    """Count the weights and biases of rsl_rl's MLP.

    A hidden size of −1 means ``input_dim``. If ``output_dim`` is a tuple, the number of outputs is its product.
    """
    outputs = output_dim if isinstance(output_dim, int) else math.prod(output_dim)
    hidden = [input_dim if size == -1 else size for size in hidden_dims]
    sizes = [input_dim, *hidden, outputs]
    # each unit has one weight per unit of the previous layer, and one bias
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))


def _draw(generator: torch.Generator) -> Case:
    input_dim, *sizes = torch.randint(1, 20, (4,), generator=generator).tolist()
    hidden = [-1 if size < 5 else size for size in sizes]
    output = tuple(sizes[:2]) if input_dim < 10 else sizes[0]
    return Case("random sizes", (input_dim, output, hidden))


CASES = (
    Case("no hidden layer", (2, 3, [])),
    Case("one hidden layer", (3, 2, [5])),
    Case("two hidden layers", (2, 3, [5, 4])),
    Case("a hidden size of −1", (3, 2, [6, -1, 4])),
    Case("a tuple as output", (3, (2, 4), [5])),
    Case("rsl_rl's size for a quadruped", (48, 12, [512, 256, 128])),
    Case("layers of the same sizes", (4, 3, [5, 5, 5])),
    Case("two hidden sizes of −1, and a tuple of three", (4, (2, 3, 5), [-1, 7, -1, 6])),
)


_TUPLE = "output_dim if isinstance(output_dim, int) else math.prod(output_dim)"
_COUNT = "(fan_in + 1) * fan_out"
_PAIRS = "itertools.pairwise(sizes)"
_EACH = "input_dim if size == -1 else size for size in hidden_dims"


def _mistake(headline: str, why: str, *forms: dict[str, str]) -> Mistake:
    """A mistake, with further forms for answers that raise an error on a tuple because they expect an int."""
    return Mistake(headline, why, *forms, *({**form, _TUPLE: "output_dim"} for form in forms))


def _sized(size: str, condition: str = "size == -1") -> dict[str, str]:
    """The edit that replaces a hidden size with ``size`` if ``condition`` is true; ``i`` is its index."""
    return {_EACH: f"{size} if {condition} else size for i, size in enumerate(hidden_dims)"}


MISTAKES = {
    "biases-forgotten": _mistake(
        "you count only the weights.",
        "Each unit also has a bias: a layer has fan_in * fan_out weights and fan_out biases.",
        {" + 1)": ")"},
    ),
    "bias-for-each-input": _mistake(
        "you count one bias for each input of a layer.",
        "Biases belong to the outputs: a layer has fan_out of them.",
        {_COUNT: "fan_in * (fan_out + 1)"},
    ),
    "bias-for-each-layer": _mistake(
        "you count only one bias for each layer.",
        "Every unit has its own bias, so a layer has fan_out of them.",
        {_COUNT: "fan_in * fan_out + 1"},
    ),
    "bias-for-all": _mistake(
        "you count only one bias for the entire network.",
        "Every unit in every layer has its own bias, so a layer has fan_out of them.",
        {"return sum(": "return 1 + sum(", " + 1)": ")"},
    ),
    "bias-for-both-sides": _mistake(
        "you count a bias for each input and for each output of a layer.",
        "Only outputs have a bias: count (fan_in + 1) * fan_out for each layer.",
        {_COUNT: "fan_in * fan_out + fan_in + fan_out"},
        {" * fan_out": " * (fan_out + 1)"},
    ),
    "bias-twice": _mistake(
        "you count two biases for each unit.",
        "A unit of a linear layer has one bias. Two biases occur only in a GRU or an LSTM.",
        {" + 1)": " + 2)"},
    ),
    "sizes-added": _mistake(
        "you add the two sizes of each layer. Without brackets, fan_in + 1 * fan_out does this too.",
        "Each unit has a weight for each input, and a bias: (fan_in + 1) * fan_out.",
        {_COUNT: "fan_in + fan_out"},
        {_COUNT: "fan_in + 1 + fan_out"},
    ),
    "output-bias-forgotten": _mistake(
        "you leave out the biases of the output layer.",
        "The last layer has no activation, but it does have biases: one for each output.",
        {"return sum(": "return -outputs + sum("},
    ),
    "equal-layers-once": _mistake(
        "you count layers that have the same sizes only once.",
        "A dictionary or a set keeps a single entry for equal keys. Add the counts to a running total, or use a list.",
        {_PAIRS: "dict.fromkeys(itertools.pairwise(sizes))"},
    ),
    "output-layer-twice": _mistake(
        "you count one layer too many: a layer from the outputs to the outputs.",
        "There is one more layer than there are hidden sizes. Did you put the outputs in your list of sizes and "
        "then add them again?",
        {_PAIRS: "itertools.pairwise([*sizes, sizes[-1]])"},
    ),
    "output-layer-forgotten": _mistake(
        "you leave out the output layer.",
        "There is one more layer than there are hidden sizes: the last layer leads to the outputs.",
        {_PAIRS: "itertools.pairwise(sizes[:-1])"},
    ),
    "first-layer-forgotten": _mistake(
        "you leave out the first layer, from the input to the first hidden layer.",
        "Start the list of sizes with input_dim.",
        {_PAIRS: "itertools.pairwise(sizes[1:])"},
    ),
    "outer-layers-forgotten": _mistake(
        "you leave out the first and the last layer, and count only the layers between hidden layers.",
        "Start the list of sizes with input_dim, and end it with the number of outputs.",
        {_PAIRS: "itertools.pairwise(sizes[1:-1])"},
    ),
    "first-layer-only": _mistake(
        "you return the count of the first layer only.",
        "Is `return` inside the loop? Unindent it, so that the loop adds up all layers first.",
        {_PAIRS: "[*itertools.pairwise(sizes)][:1]"},
    ),
    "last-layer-only": _mistake(
        "you return the count of the last layer only.",
        "Add each layer to the total with `total += ...`. With `total = ...`, each layer overwrites the previous "
        "count.",
        {_PAIRS: "[*itertools.pairwise(sizes)][-1:]"},
    ),
    "input-counted": _mistake(
        "you count parameters for the input itself.",
        "The input is data and has no parameters. The parameters are the weights and biases of the layers.",
        {"return sum(": "return input_dim + sum("},
    ),
    "std-counted": _mistake(
        "you count one number too many for each output.",
        "An output has one weight for each input, and one bias. The std of the actions is not part of the MLP.",
        {"return sum(": "return outputs + sum("},
    ),
    "norm-counted": _mistake(
        "you count two numbers too many for each hidden unit, as if there were normalization layers.",
        "rsl_rl's MLP has only linear layers and activations, and activations have no parameters.",
        {"return sum(": "return 2 * sum(hidden) + sum("},
    ),
    "units-counted": _mistake(
        "you count units, not parameters.",
        "Each unit has several parameters: one weight for each of its inputs, and a bias.",
        {_COUNT: "fan_out"},
        *({f"{_COUNT} for fan_in, fan_out in {_PAIRS}": sizes} for sizes in ("sizes", "hidden")),
    ),
    "sizes-multiplied": _mistake(
        "you multiply the sizes of all layers.",
        "Each layer has its own matrix: multiply neighbouring sizes, then sum over the layers.",
        {f"sum({_COUNT} for fan_in, fan_out in {_PAIRS})": "math.prod(sizes)"},
        {f"sum({_COUNT} for fan_in, fan_out in {_PAIRS})": "math.prod(sizes) + sum(sizes[1:])"},
    ),
    "layers-multiplied": _mistake(
        "you multiply the counts of the layers.",
        "Each layer has its own parameters: add the counts.",
        {"return sum(": "return math.prod("},
    ),
    "all-from-input": _mistake(
        "you treat input_dim as the input size of every layer.",
        "A layer's inputs are the units of the previous layer, so update the input size as you go.",
        {"(fan_in": "(input_dim"},
    ),
    "hidden-layers-skipped": _mistake(
        "you leave out the layers from one hidden layer to the next.",
        "Hidden layers are connected to each other too: there is a layer for each pair of neighbouring sizes.",
        {_PAIRS: "itertools.pairwise([input_dim, *hidden[:1], outputs])"},
        {_PAIRS: "[*itertools.pairwise(sizes)][:1] + [*itertools.pairwise(sizes)][1:][-1:]"},
    ),
    "empty-list-filled": _mistake(
        "you add a hidden layer when hidden_dims is empty.",
        "Without hidden sizes there is only one layer, from the input to the output.",
        {"in hidden_dims]": "in hidden_dims] or [input_dim]"},
    ),
    "minus-one-kept": _mistake(
        "you do not replace a hidden size of −1 with input_dim.",
        "In rsl_rl, −1 means input_dim: replace it before you count.",
        *map(_sized, ("-1", "1", "0")),
    ),
    "minus-one-replaced-once": Mistake(
        "you replace only one of the hidden sizes of −1.",
        "−1 can occur several times in hidden_dims, and in any position: check every size.",
        _sized("input_dim", "size == -1 not in hidden_dims[:i]"),
        _sized("input_dim", "size == -1 and i == 0"),
    ),
    "minus-one-dropped": _mistake(
        "you leave out hidden layers of size −1.",
        "−1 means input_dim: the layer exists, and it is as wide as the input.",
        {"in hidden_dims]": "in hidden_dims if size != -1]"},
    ),
    "minus-one-as-before": _mistake(
        "you replace −1 with the size of the previous layer.",
        "−1 means input_dim, wherever it is in the list.",
        _sized("[input_dim, *(each for each in hidden_dims[:i] if each != -1)][-1]"),
    ),
    "minus-one-as-last": _mistake(
        "you replace −1 with the last hidden size.",
        "As an index, −1 would be the last element. Here it is a size, and means input_dim.",
        _sized("hidden_dims[-1]"),
    ),
    "minus-one-as-output": _mistake(
        "you replace −1 with the size of the output.",
        "−1 means input_dim, wherever it is in the list.",
        _sized("outputs"),
    ),
    "tuple-summed": Mistake(
        "you take the sum of the tuple output_dim.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        {"math.prod(output_dim)": "sum(output_dim)"},
    ),
    "tuple-cut": Mistake(
        "you take one entry of the tuple output_dim, or its length.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        *({"math.prod(output_dim)": part} for part in ("output_dim[0]", "output_dim[-1]", "len(output_dim)")),
    ),
    "tuple-as-layers": Mistake(
        "you treat each entry of the tuple output_dim as a layer.",
        "There is one output layer, and the tuple is the shape of its output. For (2, 4), this layer has 2 · 4 units.",
        {"*hidden, outputs]": "*hidden, *([output_dim] if isinstance(output_dim, int) else output_dim)]"},
    ),
}

HINTS = (
    "How many parameters does one layer with 3 inputs and 2 units have? Draw it: each of the 2 units has 3 "
    "incoming arrows, and something more.",
    "First make one list of the sizes of all layers, from the input to the output. Replace each −1 with "
    "`input_dim`, and a tuple with its product. Then take each pair of neighbours in this list: a layer with n "
    "inputs and m units has one weight for each pair of input and unit, and one bias for each of its m units.",
    "Make the list `sizes = [input_dim, *hidden, outputs]`, where `hidden` no longer contains −1, and "
    "`outputs` is `math.prod(output_dim)` if `output_dim` is a tuple. Then sum `(n + 1) * m` over the pairs of "
    "neighbours, `itertools.pairwise(sizes)`.",
)

EXERCISE = Exercise(count_parameters, ("count",), CASES, MISTAKES, HINTS, _draw)
