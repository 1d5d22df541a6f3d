"""Exercise ``count_parameters``: count the parameters of a multi-layer perceptron."""

import itertools
import math

import torch

from ..exercise import Case, Exercise, Mistake


def count_parameters(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> int:
    """Count the weights and biases of rsl_rl's MLP.

    A hidden size of −1 stands for ``input_dim``; of a tuple ``output_dim``, the network puts out the product.
    """
    outputs = output_dim if isinstance(output_dim, int) else math.prod(output_dim)
    hidden = [input_dim if size == -1 else size for size in hidden_dims]
    sizes = [input_dim, *hidden, outputs]
    # in every unit, a weight for each unit of the layer before, and a bias
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
    """A mistake, also as it looks in an answer that does not know yet that a tuple is possible, and raises."""
    return Mistake(headline, why, *forms, *({**form, _TUPLE: "output_dim"} for form in forms))


def _sized(size: str, condition: str = "size == -1") -> dict[str, str]:
    """Where the condition holds, a hidden size becomes another one; i is its place."""
    return {_EACH: f"{size} if {condition} else size for i, size in enumerate(hidden_dims)"}


MISTAKES = {
    "biases-forgotten": _mistake(
        "you count the weights only.",
        "Each unit of a layer also has a bias: fan_in * fan_out weights and fan_out biases.",
        {" + 1)": ")"},
    ),
    "bias-for-each-input": _mistake(
        "you count a bias for each input of a layer.",
        "A bias belongs to an output: fan_out of them for each layer.",
        {_COUNT: "fan_in * (fan_out + 1)"},
    ),
    "bias-for-each-layer": _mistake(
        "you count one bias for each layer.",
        "Every unit has a bias of its own: fan_out of them for each layer.",
        {_COUNT: "fan_in * fan_out + 1"},
    ),
    "bias-for-all": _mistake(
        "you count one bias for the whole network.",
        "Every unit of every layer has a bias of its own: fan_out of them for each layer.",
        {"return sum(": "return 1 + sum(", " + 1)": ")"},
    ),
    "bias-for-both-sides": _mistake(
        "you count a bias for each input and for each output of a layer.",
        "Only outputs have a bias: (fan_in + 1) * fan_out for each layer.",
        {_COUNT: "fan_in * fan_out + fan_in + fan_out"},
        {" * fan_out": " * (fan_out + 1)"},
    ),
    "bias-twice": _mistake(
        "you count two biases for each unit.",
        "A linear layer has one for each unit; two are for the units of a GRU or an LSTM.",
        {" + 1)": " + 2)"},
    ),
    "sizes-added": _mistake(
        "you add the two sizes of each layer; fan_in + 1 * fan_out without brackets does that too.",
        "Each unit has a weight for each input, and a bias: (fan_in + 1) * fan_out.",
        {_COUNT: "fan_in + fan_out"},
        {_COUNT: "fan_in + 1 + fan_out"},
    ),
    "output-bias-forgotten": _mistake(
        "the biases of the output layer are missing.",
        "The last layer has no activation, but it has biases: as many as outputs.",
        {"return sum(": "return -outputs + sum("},
    ),
    "equal-layers-once": _mistake(
        "layers of the same sizes count once.",
        "A dictionary or a set keeps one entry for equal keys: add up a number for each layer, or use a list.",
        {_PAIRS: "dict.fromkeys(itertools.pairwise(sizes))"},
    ),
    "output-layer-twice": _mistake(
        "you count the output layer twice: there is one more, from the outputs to the outputs.",
        "There is one layer more than hidden sizes. Are the outputs in your list of sizes, and added after it too?",
        {_PAIRS: "itertools.pairwise([*sizes, sizes[-1]])"},
    ),
    "output-layer-forgotten": _mistake(
        "the output layer is missing.",
        "There is one layer more than hidden sizes: the last one leads to the output.",
        {_PAIRS: "itertools.pairwise(sizes[:-1])"},
    ),
    "first-layer-forgotten": _mistake(
        "the first layer, from the input to the first hidden one, is missing.",
        "The list of sizes starts with input_dim.",
        {_PAIRS: "itertools.pairwise(sizes[1:])"},
    ),
    "outer-layers-forgotten": _mistake(
        "the first and the last layer are missing: you count only what is between hidden layers.",
        "The list of sizes starts with input_dim and ends with the number of outputs.",
        {_PAIRS: "itertools.pairwise(sizes[1:-1])"},
    ),
    "first-layer-only": _mistake(
        "you return the count of the first layer only.",
        "Is `return` inside the loop? Move it out, to the left, so that all layers are added up first.",
        {_PAIRS: "[*itertools.pairwise(sizes)][:1]"},
    ),
    "last-layer-only": _mistake(
        "you return the count of the last layer only.",
        "Add each layer to those before: `total += ...`, where `total = ...` forgets them.",
        {_PAIRS: "[*itertools.pairwise(sizes)][-1:]"},
    ),
    "input-counted": _mistake(
        "you count parameters for the input itself.",
        "The input is data. Parameters sit in the layers between the sizes: weights and biases.",
        {"return sum(": "return input_dim + sum("},
    ),
    "std-counted": _mistake(
        "you count one number too many for each output.",
        "A weight for each input and one bias are all. A std of the actions is not in the MLP.",
        {"return sum(": "return outputs + sum("},
    ),
    "norm-counted": _mistake(
        "you count two numbers too many for each hidden unit, such as those of a normalization layer.",
        "rsl_rl's MLP has linear layers and activations only; activations have no parameters.",
        {"return sum(": "return 2 * sum(hidden) + sum("},
    ),
    "units-counted": _mistake(
        "you count units, not parameters.",
        "A unit has one weight for each of its inputs, and a bias.",
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
        "The layers stand one after the other, each with numbers of its own: add their counts.",
        {"return sum(": "return math.prod("},
    ),
    "all-from-input": _mistake(
        "each of your layers starts from input_dim.",
        "A layer's inputs are the units of the layer before it: update the size as you go.",
        {"(fan_in": "(input_dim"},
    ),
    "hidden-layers-skipped": _mistake(
        "the layers from one hidden layer to the next are missing.",
        "Hidden layers are connected to each other too: one layer for each neighbouring pair of sizes.",
        {_PAIRS: "itertools.pairwise([input_dim, *hidden[:1], outputs])"},
        {_PAIRS: "[*itertools.pairwise(sizes)][:1] + [*itertools.pairwise(sizes)][1:][-1:]"},
    ),
    "empty-list-filled": _mistake(
        "where hidden_dims is empty, you put a hidden layer in.",
        "Without hidden sizes there is one layer, from the input to the output.",
        {"in hidden_dims]": "in hidden_dims] or [input_dim]"},
    ),
    "minus-one-kept": _mistake(
        "a hidden size of −1 is not replaced: you count with it as it stands.",
        "In rsl_rl −1 stands for input_dim: put that in its place before you count.",
        *map(_sized, ("-1", "1", "0")),
    ),
    "minus-one-replaced-once": Mistake(
        "not every hidden size of −1 is replaced, only one of them.",
        "−1 can be at several places of hidden_dims, not only at the first: look at each size.",
        _sized("input_dim", "size == -1 not in hidden_dims[:i]"),
        _sized("input_dim", "size == -1 and i == 0"),
    ),
    "minus-one-dropped": _mistake(
        "a hidden layer of size −1 is left out.",
        "−1 stands for input_dim: the layer is there, as wide as the input.",
        {"in hidden_dims]": "in hidden_dims if size != -1]"},
    ),
    "minus-one-as-before": _mistake(
        "for −1 you take the size of the layer before.",
        "It stands for input_dim, wherever it is in the list.",
        _sized("[input_dim, *(each for each in hidden_dims[:i] if each != -1)][-1]"),
    ),
    "minus-one-as-last": _mistake(
        "for −1 you take the last hidden size.",
        "As an index −1 is the last one, but here it is a size, and stands for input_dim.",
        _sized("hidden_dims[-1]"),
    ),
    "minus-one-as-output": _mistake(
        "for −1 you take the size of the output.",
        "It stands for input_dim, wherever it is in the list.",
        _sized("outputs"),
    ),
    "tuple-summed": Mistake(
        "of a tuple output_dim you take the sum.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        {"math.prod(output_dim)": "sum(output_dim)"},
    ),
    "tuple-cut": Mistake(
        "of a tuple output_dim you take one entry, or its length.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        *({"math.prod(output_dim)": part} for part in ("output_dim[0]", "output_dim[-1]", "len(output_dim)")),
    ),
    "tuple-as-layers": Mistake(
        "you take the entries of a tuple output_dim for layers of their own.",
        "There is one output layer: a tuple says how its numbers are arranged. It has 2 · 4 units for (2, 4).",
        {"*hidden, outputs]": "*hidden, *([output_dim] if isinstance(output_dim, int) else output_dim)]"},
    ),
}

HINTS = (
    "How many numbers does one layer from 3 to 2 units hold? Draw it: each of the 2 units has 3 incoming arrows, and "
    "something more.",
    "First make one list of the sizes of all layers, from the input to the output: replace each −1 by `input_dim`, and "
    "a tuple by its product. Then look at neighbours in this list: a layer from n to m units has a weight for each "
    "pair of units, and a bias for each of its m units.",
    "`sizes = [input_dim, *hidden, outputs]`, where `hidden` has no −1 left and `outputs` is `math.prod(output_dim)` "
    "for a tuple; then the sum of `(n + 1) * m` over the pairs of neighbours, `itertools.pairwise(sizes)`.",
)

EXERCISE = Exercise(count_parameters, ("count",), CASES, MISTAKES, HINTS, _draw)
