"""Exercise ``mlp_forward``: run a multi-layer perceptron."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from ..exercise import Case, Exercise, Mistake
from ..verdict import text

Activation = Callable[[torch.Tensor], torch.Tensor]


def mlp_forward(
    x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], activation: Activation
) -> torch.Tensor:
    """Run a multi-layer perceptron on ``x [batch, in]`` and return ``[batch, out]``.

    Layer l has ``weights[l] [out, in]`` and ``biases[l] [out]``; ``activation`` follows every layer but the last.
    """
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = activation(x @ weight.T + bias)  # [batch, hidden]; weights are stored as [out, in]
    return x @ weights[-1].T + biases[-1]  # [batch, out]; no activation, because an action can be any number


def _show(x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], activation: Activation) -> str:
    return f"mlp_forward(x={text(x)}, weights={text(weights)}, biases={text(biases)}, torch.{activation.__name__})"


def _draw(generator: torch.Generator) -> Case:
    batch, *sizes = torch.randint(1, 6, (6,), generator=generator).tolist()
    weights = [torch.randn(out, size, generator=generator) for size, out in itertools.pairwise(sizes)]
    biases = [torch.randn(size, generator=generator) for size in sizes[1:]]
    x = torch.randn(batch, sizes[0], generator=generator)
    return Case("random layers", (x, weights, biases, torch.tanh), rtol=1e-3)


def _case(about: str, x: list[Any], weights: list[Any], biases: list[Any], activation: Activation) -> Case:
    return Case(about, (torch.tensor(x), [*map(torch.tensor, weights)], [*map(torch.tensor, biases)], activation))


CASES = (
    _case("a single layer", [[1.0, 2.0]], [[[3.0, -1.0], [2.0, -4.0]]], [[1.0, 2.0]], torch.relu),
    _case(
        "two layers",
        [[1.0, -1.0]],
        [[[2.0, 1.0], [0.0, 3.0]], [[-2.0, 1.0], [3.0, 4.0]]],
        [[2.0, 1.0], [-1.0, 3.0]],
        torch.relu,
    ),
    _case(
        "three square layers, a batch of two",
        [[1.0, -2.0], [0.0, 1.0]],
        [[[1.0, -1.0], [2.0, 1.0]], [[-1.0, 2.0], [3.0, -2.0]], [[1.0, -2.0], [-3.0, 4.0]]],
        [[0.0, -1.0], [-2.0, 1.0], [2.0, -1.0]],
        torch.sigmoid,
    ),
    _case(
        "three layers of different sizes, a batch of two",
        [[1.0, 0.0], [-1.0, 2.0]],
        [[[1.0, 1.0], [0.0, -1.0], [1.0, 0.0]], [[1.0, -1.0, 2.0], [0.0, 1.0, 1.0]], [[2.0, -1.0]]],
        [[0.0, 1.0, -1.0], [1.0, -2.0], [3.0]],
        torch.tanh,
    ),
)


_HIDDEN = "activation(x @"
_LOOP = "zip(weights[:-1], biases[:-1], strict=True)"


def _last(function: str, end: str = ")") -> dict[str, str]:
    """The edit that passes the output through ``function``; ``end`` closes the call."""
    return {"return x": f"return {function}(x", "  # [batch, out]": f"{end}  #"}


MISTAKES = {
    "activation-on-output": Mistake(
        "you apply the activation to the last layer too.",
        "The output may be any number, for example an action or a value. A ReLU would set all negative outputs to 0.",
        _last("activation"),
        {"return x": "return activation(x", " + biases[-1]": ") + biases[-1]"},
    ),
    "no-activation": Mistake(
        "your network has no activation at all.",
        "Several linear layers in a row are equivalent to a single one. Apply activation after every layer but the "
        "last.",
        {_HIDDEN: "(x @"},
    ),
    "activation-first": Mistake(
        "you apply the activation before the linear layer, and therefore also to the input x.",
        "A hidden layer is activation(x @ weight.T + bias). The input x must stay unchanged.",
        {_HIDDEN: "(activation(x) @", "return x @": "return activation(x) @"},
        {_HIDDEN: "(activation(x) @"},
        {
            _HIDDEN: "activation(activation(x) @",
            "return x": "return activation(activation(x)",
            "  # [batch, out]": ")  #",
        },
        {"for weight": "x = activation(x)\n    for weight"},
    ),
    "weight-not-transposed": Mistake(
        "you multiply by the weight, not by its transpose.",
        "A weight is [out, in] and x is [batch, in]: use x @ weight.T. In this case the weight is square, so torch "
        "raises no error.",
        {"weight.T": "weight", "weights[-1].T": "weights[-1]"},
        {"weight.T": "weight"},
    ),
    "elementwise-product": Mistake(
        "you multiply x and a weight element by element.",
        "A unit multiplies each input by a weight and adds up the products. The matrix product x @ weight.T does this.",
        {"x @ weight.T": "x * weight", "x @ weights[-1].T": "x * weights[-1]"},
        {"x @ weight.T": "x * weight.T", "x @ weights[-1].T": "x * weights[-1].T"},
    ),
    "samples-in-columns": Mistake(
        "you compute weight @ x.T, in which each sample is a column, but you add the bias as if each sample were a "
        "row.",
        "Transpose the product, (weight @ x.T).T, or write x @ weight.T. Then the result is [batch, out], and the "
        "bias fits.",
        {"x @ weight.T": "weight @ x.T", "x @ weights[-1].T": "weights[-1] @ x.T"},
    ),
    "bias-forgotten": Mistake(
        "you leave out the biases.",
        "Each layer adds its own bias: x @ weight.T + bias.",
        {" + bias)": ")", " + biases[-1]": ""},
    ),
    "hidden-biases-forgotten": Mistake(
        "you leave out the biases of the hidden layers.",
        "Each layer adds its own bias, not only the last layer: x @ weight.T + bias.",
        {" + bias)": ")"},
    ),
    "first-bias-only": Mistake(
        "you add the bias only in the first layer.",
        "Each layer adds its own bias: x @ weight.T + bias.",
        {
            " + bias)": " + (bias if bias is biases[0] else 0))",
            " + biases[-1]": " + (biases[-1] if len(biases) == 1 else 0)",
        },
    ),
    "inner-bias-forgotten": Mistake(
        "you leave out the biases of the hidden layers after the first.",
        "Each layer adds its own bias: x @ weight.T + bias.",
        {" + bias)": " + (bias if bias is biases[0] else 0))"},
    ),
    "output-bias-forgotten": Mistake(
        "you leave out the bias of the last layer.",
        "The last layer has no activation, but it does have a bias: x @ weights[-1].T + biases[-1].",
        {" + biases[-1]": ""},
    ),
    "bias-after-activation": Mistake(
        "you add the bias after the activation.",
        "The bias shifts the input of the activation, so it goes inside: activation(x @ weight.T + bias).",
        {" + bias)": ") + bias"},
    ),
    "bias-before-weight": Mistake(
        "you add the bias to the input of the layer, before you multiply by the weight.",
        "A bias has shape [out], so add it to the product: x @ weight.T + bias.",
        {
            "x @ weight.T + bias": "(x + bias) @ weight.T",
            "x @ weights[-1].T + biases[-1]": "(x + biases[-1]) @ weights[-1].T",
        },
    ),
    "bias-subtracted": Mistake(
        "you subtract the bias.",
        "Add the bias: x @ weight.T + bias.",
        {" + bias)": " - bias)", " + biases[-1]": " - biases[-1]"},
    ),
    "bias-of-another-layer": Mistake(
        "you use the bias of a different layer.",
        "biases[i] belongs to weights[i]: iterate over both together, with zip or with the same index.",
        {"biases[:-1]": "biases[:1] * (len(weights) - 1)", "biases[-1]": "biases[0]"},
        {"biases[:-1]": "biases[-1:] * (len(weights) - 1)"},
        {"biases[:-1]": "biases[:0:-1]", "biases[-1]": "biases[0]"},
        {"biases[:-1]": "(biases[-1:] + biases)[: len(weights) - 1]", "biases[-1]": "biases[len(weights) - 2]"},
        {"biases[-1]": "biases[len(weights) - 2]"},
    ),
    "last-layer-missing": Mistake(
        "you leave out the last layer and return the last hidden layer.",
        "If your loop stops before the last layer, apply that layer after the loop, without an activation.",
        {" @ weights[-1].T + biases[-1]": ""},
    ),
    "first-layer-missing": Mistake(
        "you leave out the first layer.",
        "Start with weights[0] and biases[0]. A range starts at 0 by default, and so does a slice.",
        {
            _LOOP: "zip(weights[1:-1], biases[1:-1])",
            " @ weights[-1].T + biases[-1]": " if len(weights) == 1 else x @ weights[-1].T + biases[-1]",
        },
    ),
    "first-layer-only": Mistake(
        "you return after the first layer.",
        "Is `return` inside the loop? Unindent it, so that all layers run.",
        {"x = activation": "return activation"},
        {_LOOP: "()", "weights[-1]": "weights[0]", "biases[-1]": "biases[0]"},
    ),
    "layers-not-chained": Mistake(
        "you feed the input x to every layer, so only the last layer has an effect.",
        "Each layer takes the output of the previous one: store the result in the variable that the next iteration "
        "uses.",
        {"x = activation(x @ weight.T + bias)": "pass"},
        {"x = activation": "_ = activation"},
        {"x = activation": "h = activation", "return x @": "return (x if len(weights) == 1 else h) @"},
    ),
    "layers-skipped": Mistake(
        "your network runs at most two of its layers.",
        "There are as many layers as weights, which can be one, two, three or more. Loop over all of them.",
        {
            _LOOP: "zip(weights[:1][: len(weights) - 1], biases)",
            "weights[-1]": "weights[:2][-1]",
            "biases[-1]": "biases[:2][-1]",
        },
        {_LOOP: "zip(weights[:1][: len(weights) - 1], biases)"},
    ),
    "layers-reversed": Mistake(
        "you run the layers from the last to the first.",
        "weights[0] is the layer next to the input: start with it.",
        {_LOOP: "zip(weights[:0:-1], biases[:0:-1])", "weights[-1]": "weights[0]", "biases[-1]": "biases[0]"},
    ),
    "activation-shifted": Mistake(
        "you apply the activation after every layer but the first.",
        "The activation follows every layer but the last: the condition is i < len(weights) - 1.",
        {_HIDDEN: "(torch.clone if weight is weights[0] else activation)(x @", **_last("activation")},
        {
            _HIDDEN: "(torch.clone if weight is weights[0] else activation)(x @",
            **_last("(torch.clone if len(weights) == 1 else activation)"),
        },
    ),
    "activation-once": Mistake(
        "you apply the activation only once, not after every hidden layer.",
        "Two linear layers without an activation in between are equivalent to one. Apply the activation inside the "
        "loop.",
        {_HIDDEN: "(activation if weight is weights[0] else torch.clone)(x @"},
        {_HIDDEN: "(activation if weight is weights[-2] else torch.clone)(x @"},
    ),
    "last-hidden-without-activation": Mistake(
        "you do not apply the activation to the last hidden layer.",
        "Only the output layer has no activation. With an index i that starts at 0, the condition is i < "
        "len(weights) - 1.",
        {_HIDDEN: "(torch.clone if weight is weights[-2] else activation)(x @"},
    ),
    "activation-twice": Mistake(
        "you apply the activation twice in a row.",
        "Apply the activation once after each hidden layer. Do you call it in two places?",
        {_HIDDEN: "activation(activation(x @", " + bias)": " + bias))"},
    ),
    "own-activation": Mistake(
        "your network does not use the activation that is passed to it.",
        "Call the argument: activation(...). The activation may be torch.relu, torch.tanh or any other function.",
        *({_HIDDEN: f"torch.{name}(x @"} for name in ("relu", "tanh", "sigmoid", "nn.functional.elu")),
        *({_HIDDEN: f"torch.nn.functional.{name}(x @"} for name in ("gelu", "silu", "leaky_relu", "softplus")),
    ),
    "squashed-output": Mistake(
        "you apply an additional function to the output, such as tanh, ReLU or softmax.",
        "Return the last layer's output unchanged. Whether it is used as an action or a value is decided later.",
        *map(_last, ("torch.tanh", "torch.sigmoid", "torch.relu")),
        *(_last(f"torch.{name}", f", dim={dim})") for name in ("softmax", "log_softmax") for dim in (-1, 0)),
    ),
    "input-added": Mistake(
        "you add a layer's input to its output if their shapes match.",
        "Adding the input makes a residual connection. In a plain MLP, the output replaces the input.",
        {_HIDDEN: "(x if weight.shape[0] == weight.shape[1] else 0) + activation(x @"},
        {
            _HIDDEN: "(x if weight.shape[0] == weight.shape[1] else 0) + activation(x @",
            "return x": "return (x if weights[-1].shape[0] == weights[-1].shape[1] else 0) + x",
        },
    ),
}

HINTS = (
    "Write down the shape after each step. Which product of `x` and a weight has matching shapes, and which "
    "layer differs from all the others?",
    "A layer is a product, a sum and an activation, and its result is the input of the next layer. torch "
    "stores a weight as `[out, in]`, so transpose it. The last layer has no activation: loop over all layers "
    "but the last, then apply the last one separately.",
    "Loop over `zip(weights[:-1], biases[:-1])` with `x = activation(x @ weight.T + bias)`. After the loop, "
    "return `x @ weights[-1].T + biases[-1]`.",
)

EXERCISE = Exercise(mlp_forward, ("y",), CASES, MISTAKES, HINTS, _draw, show=_show)
