"""Exercise ``count_parameters``: count the parameters of a multi-layer perceptron."""

import itertools
import math
from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


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
)


def _numbers(output_dim: int | tuple[int, ...]) -> list[int]:
    return [output_dim] if isinstance(output_dim, int) else list(output_dim)


def _all_sizes(input_dim: int, hidden: list[int], output: list[int]) -> list[int]:
    return [input_dim, *(input_dim if size == -1 else size for size in hidden), math.prod(output)]


def _weights_and_biases(sizes: list[int]) -> int:
    return sum((before + 1) * after for before, after in itertools.pairwise(sizes))


def _counts(count: Part) -> tuple[Answer, ...]:
    """A wrong count, from the sizes of all layers; also by answers that do not yet know what −1 or a tuple means."""

    def form(knows_minus_one: bool, knows_tuple: bool) -> Answer:
        def answer(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> Any:
            if isinstance(output_dim, tuple) and not knows_tuple:
                raise TypeError("not a number")
            sizes = _all_sizes(input_dim, hidden_dims, _numbers(output_dim))
            return count(sizes if knows_minus_one else [input_dim, *hidden_dims, sizes[-1]])

        return answer

    return tuple(form(one, other) for one in (True, False) for other in (True, False))


def _weights_and(extra: Part) -> tuple[Answer, ...]:
    """The weights of all layers, and something more for each layer."""
    return _counts(lambda sizes: sum(a * b + extra(a, b) for a, b in itertools.pairwise(sizes)))


def _sized(sizes: Part) -> Answer:
    """The right count of wrong sizes, which come from input_dim, hidden_dims and the sizes of the output."""
    return lambda i, output_dim, hidden: _weights_and_biases(sizes(i, hidden, _numbers(output_dim)))


def _tuple_as(outputs: Part) -> Answer:
    return _sized(lambda i, hidden, output: [*_all_sizes(i, hidden, output)[:-1], outputs(output)])


def _minus_one_as(size: Part, outputs: Part = math.prod) -> Answer:
    """The size −1 as a function of the input's, the size before and the output's."""

    def sizes(input_dim: int, hidden: list[int], output: list[int]) -> list[int]:
        result = [input_dim]
        for h in hidden:
            result.append(size(input_dim, result[-1], outputs(output)) if h == -1 else h)
        return [*result, outputs(output)]

    return _sized(sizes)


def _refuse_tuple(output: list[int]) -> int:
    (only,) = output
    return only


MISTAKES = {
    "biases-forgotten": Mistake(
        "you count the weights only.",
        "Each unit of a layer also has a bias: fan_in * fan_out weights and fan_out biases.",
        *_weights_and(lambda a, b: 0),
    ),
    "bias-for-each-input": Mistake(
        "you count a bias for each input of a layer.",
        "A bias belongs to an output: fan_out of them for each layer.",
        *_weights_and(lambda a, b: a),
    ),
    "bias-for-each-layer": Mistake(
        "you count one bias for each layer.",
        "Every unit has a bias of its own: fan_out of them for each layer.",
        *_weights_and(lambda a, b: 1),
    ),
    "bias-for-both-sides": Mistake(
        "you count a bias for each input and for each output of a layer.",
        "Only outputs have a bias: (fan_in + 1) * fan_out for each layer.",
        *_weights_and(lambda a, b: a + b),
        *_weights_and(lambda a, b: a + b + 1),
    ),
    "output-bias-forgotten": Mistake(
        "the biases of the output layer are missing.",
        "The last layer has no activation, but it has biases: as many as outputs.",
        *_counts(lambda sizes: _weights_and_biases(sizes) - sizes[-1]),
    ),
    "output-layer-forgotten": Mistake(
        "the output layer is missing.",
        "There is one layer more than hidden sizes: the last one leads to the output.",
        *_counts(lambda sizes: _weights_and_biases(sizes[:-1])),
    ),
    "first-layer-forgotten": Mistake(
        "the first layer, from the input to the first hidden one, is missing.",
        "The list of sizes starts with input_dim.",
        *_counts(lambda sizes: _weights_and_biases(sizes[1:])),
    ),
    "input-counted": Mistake(
        "you count parameters for the input itself.",
        "The input is data. Parameters sit in the layers between the sizes: weights and biases.",
        *_counts(lambda sizes: _weights_and_biases(sizes) + sizes[0]),
    ),
    "units-counted": Mistake(
        "you count units, not parameters.",
        "A unit has one weight for each of its inputs, and a bias.",
        *_counts(sum),
        *_counts(lambda sizes: sum(sizes[1:])),
        *_counts(lambda sizes: sum(sizes[1:-1])),
    ),
    "sizes-multiplied": Mistake(
        "you multiply the sizes of all layers.",
        "Each layer has its own matrix: multiply neighbouring sizes, then sum over the layers.",
        *_counts(math.prod),
        *_counts(lambda sizes: math.prod(sizes) + sum(sizes[1:])),
    ),
    "all-from-input": Mistake(
        "each of your layers starts from input_dim.",
        "A layer's inputs are the units of the layer before it: update the size as you go.",
        *_counts(lambda sizes: sum((sizes[0] + 1) * size for size in sizes[1:])),
    ),
    "hidden-layers-skipped": Mistake(
        "the layers from one hidden layer to the next are missing.",
        "Hidden layers are connected to each other too: one layer for each neighbouring pair of sizes.",
        *_counts(lambda sizes: _weights_and_biases(sizes[:2] + sizes[-1:] if len(sizes) > 2 else sizes)),
        *_counts(lambda sizes: sum(map(_weights_and_biases, (sizes[:2], sizes[-2:])[: len(sizes) - 1]))),
    ),
    "minus-one-kept": Mistake(
        "a hidden size of −1 is not replaced: you count with it as it stands.",
        "In rsl_rl −1 stands for input_dim: put that in its place before you count.",
        *(
            _minus_one_as(size, outputs)
            for size in (lambda *_: -1, lambda *_: 1, lambda *_: 0)
            for outputs in (math.prod, _refuse_tuple, sum)
        ),
    ),
    "minus-one-dropped": Mistake(
        "a hidden layer of size −1 is left out.",
        "−1 stands for input_dim: the layer is there, as wide as the input.",
        _sized(lambda i, hidden, output: [i, *(size for size in hidden if size != -1), math.prod(output)]),
    ),
    "minus-one-as-before": Mistake(
        "for −1 you take the size of the layer before.",
        "It stands for input_dim, wherever it is in the list.",
        *(_minus_one_as(lambda _, before, __: before, outputs) for outputs in (math.prod, _refuse_tuple)),
    ),
    "minus-one-as-output": Mistake(
        "for −1 you take the size of the output.",
        "It stands for input_dim, wherever it is in the list.",
        _minus_one_as(lambda _, __, output: output),
    ),
    "tuple-summed": Mistake(
        "of a tuple output_dim you take the sum.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        _tuple_as(sum),
    ),
    "tuple-cut": Mistake(
        "of a tuple output_dim you take one entry, or its length.",
        "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
        _tuple_as(lambda output: output[0]),
        _tuple_as(lambda output: output[-1]),
        _tuple_as(lambda output: len(output) if len(output) > 1 else output[0]),
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
