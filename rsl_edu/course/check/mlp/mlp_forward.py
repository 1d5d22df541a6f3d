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
    """Run a multi-layer perceptron on ``x [batch, in]``: returns ``[batch, out]``.

    Layer l has ``weights[l] [out, in]`` and ``biases[l] [out]``; ``activation`` follows every layer but the last.
    """
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = activation(x @ weight.T + bias)  # [batch, hidden]; a weight is stored as [out, in]
    return x @ weights[-1].T + biases[-1]  # [batch, out]; no activation, because an action may be any number


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
    """The output goes through a function, whose call ends like this."""
    return {"return x": f"return {function}(x", "  # [batch, out]": f"{end}  #"}


MISTAKES = {
    "activation-on-output": Mistake(
        "your last layer has an activation too.",
        "An action or a value can be any number; a ReLU would cut off the negative half.",
        _last("activation"),
        {"return x": "return activation(x", " + biases[-1]": ") + biases[-1]"},
    ),
    "no-activation": Mistake(
        "your network has no activation at all.",
        "Linear layers in a row are one linear layer. Apply activation after every layer but the last.",
        {_HIDDEN: "(x @"},
    ),
    "activation-first": Mistake(
        "your activation comes before the linear map: it cuts off parts of the input x.",
        "A hidden layer is activation(x @ weight.T + bias); x itself stays as it is.",
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
        "A weight is [out, in] and x is [batch, in]: x @ weight.T. Here it is square, so the shapes do not tell.",
        {"weight.T": "weight", "weights[-1].T": "weights[-1]"},
        {"weight.T": "weight"},
    ),
    "elementwise-product": Mistake(
        "you multiply x and a weight element by element.",
        "A unit takes all inputs, each times its weight, and adds them up: that is the matrix product, x @ weight.T.",
        {"x @ weight.T": "x * weight", "x @ weights[-1].T": "x * weights[-1]"},
        {"x @ weight.T": "x * weight.T", "x @ weights[-1].T": "x * weights[-1].T"},
    ),
    "samples-in-columns": Mistake(
        "weight @ x.T has a column for each sample, and you add the bias as if it had a row for each.",
        "Turn it back, (weight @ x.T).T, or write x @ weight.T: then the result is [batch, out] and the bias fits.",
        {"x @ weight.T": "weight @ x.T", "x @ weights[-1].T": "weights[-1] @ x.T"},
    ),
    "bias-forgotten": Mistake(
        "your biases are missing.",
        "Each layer adds its own: x @ weight.T + bias.",
        {" + bias)": ")", " + biases[-1]": ""},
    ),
    "hidden-biases-forgotten": Mistake(
        "the biases of your hidden layers are missing.",
        "Each layer adds its own, not only the last: x @ weight.T + bias.",
        {" + bias)": ")"},
    ),
    "first-bias-only": Mistake(
        "only your first layer has its bias.",
        "Each layer adds its own: x @ weight.T + bias.",
        {
            " + bias)": " + (bias if bias is biases[0] else 0))",
            " + biases[-1]": " + (biases[-1] if len(biases) == 1 else 0)",
        },
    ),
    "inner-bias-forgotten": Mistake(
        "the hidden layers after the first have no bias.",
        "Each layer adds its own: x @ weight.T + bias.",
        {" + bias)": " + (bias if bias is biases[0] else 0))"},
    ),
    "output-bias-forgotten": Mistake(
        "the bias of your last layer is missing.",
        "The last layer has no activation, but it has a bias: x @ weights[-1].T + biases[-1].",
        {" + biases[-1]": ""},
    ),
    "bias-after-activation": Mistake(
        "you add the bias after the activation.",
        "The bias says where the activation bends, so it goes inside: activation(x @ weight.T + bias).",
        {" + bias)": ") + bias"},
    ),
    "bias-before-weight": Mistake(
        "you add the bias to the input of the layer, before the weight.",
        "A bias is [out]: it belongs to what the weight puts out, x @ weight.T + bias.",
        {
            "x @ weight.T + bias": "(x + bias) @ weight.T",
            "x @ weights[-1].T + biases[-1]": "(x + biases[-1]) @ weights[-1].T",
        },
    ),
    "bias-subtracted": Mistake(
        "you subtract the bias.",
        "It is added: x @ weight.T + bias.",
        {" + bias)": " - bias)", " + biases[-1]": " - biases[-1]"},
    ),
    "bias-of-another-layer": Mistake(
        "your layers use the bias of another layer.",
        "biases[i] belongs to weights[i]: walk over both together, with zip or with one index.",
        {"biases[:-1]": "biases[:1] * (len(weights) - 1)", "biases[-1]": "biases[0]"},
        {"biases[:-1]": "biases[-1:] * (len(weights) - 1)"},
        {"biases[:-1]": "biases[:0:-1]", "biases[-1]": "biases[0]"},
        {"biases[:-1]": "(biases[-1:] + biases)[: len(weights) - 1]", "biases[-1]": "biases[len(weights) - 2]"},
        {"biases[-1]": "biases[len(weights) - 2]"},
    ),
    "last-layer-missing": Mistake(
        "your last layer is missing: you return the last hidden layer.",
        "A loop that stops before the last layer needs one more line: the last layer, without activation.",
        {" @ weights[-1].T + biases[-1]": ""},
    ),
    "first-layer-missing": Mistake(
        "your first layer is missing.",
        "Start with weights[0] and biases[0]: a range starts at 0, a slice without a first number too.",
        {
            _LOOP: "zip(weights[1:-1], biases[1:-1])",
            " @ weights[-1].T + biases[-1]": " if len(weights) == 1 else x @ weights[-1].T + biases[-1]",
        },
    ),
    "first-layer-only": Mistake(
        "you return after the first layer.",
        "Is `return` inside the loop? Move it out, to the left, so that all layers run.",
        {"x = activation": "return activation"},
        {_LOOP: "()", "weights[-1]": "weights[0]", "biases[-1]": "biases[0]"},
    ),
    "layers-not-chained": Mistake(
        "each of your layers starts from the input x again, so that only the last one counts.",
        "A layer takes what the layer before put out: store the result under the name that the next step reads.",
        {"x = activation(x @ weight.T + bias)": "pass"},
        {"x = activation": "_ = activation"},
        {"x = activation": "h = activation", "return x @": "return (x if len(weights) == 1 else h) @"},
    ),
    "layers-skipped": Mistake(
        "your network runs at most two of its layers.",
        "There are as many layers as weights: one, two, three or more. Loop over all of them.",
        {
            _LOOP: "zip(weights[:1][: len(weights) - 1], biases)",
            "weights[-1]": "weights[:2][-1]",
            "biases[-1]": "biases[:2][-1]",
        },
        {_LOOP: "zip(weights[:1][: len(weights) - 1], biases)"},
    ),
    "layers-reversed": Mistake(
        "your layers run from the last to the first.",
        "weights[0] is the layer next to the input: start with it.",
        {_LOOP: "zip(weights[:0:-1], biases[:0:-1])", "weights[-1]": "weights[0]", "biases[-1]": "biases[0]"},
    ),
    "activation-shifted": Mistake(
        "your activation follows every layer but the first.",
        "It follows every layer but the last: the condition is i < len(weights) - 1.",
        {_HIDDEN: "(torch.clone if weight is weights[0] else activation)(x @", **_last("activation")},
        {
            _HIDDEN: "(torch.clone if weight is weights[0] else activation)(x @",
            **_last("(torch.clone if len(weights) == 1 else activation)"),
        },
    ),
    "activation-once": Mistake(
        "your activation comes only once, not after every hidden layer.",
        "Two linear layers without an activation between them are one. Apply it inside the loop.",
        {_HIDDEN: "(activation if weight is weights[0] else torch.clone)(x @"},
        {_HIDDEN: "(activation if weight is weights[-2] else torch.clone)(x @"},
    ),
    "last-hidden-without-activation": Mistake(
        "your last hidden layer has no activation.",
        "Only the very last layer has none: with an index i that starts at 0, the condition is i < len(weights) - 1.",
        {_HIDDEN: "(torch.clone if weight is weights[-2] else activation)(x @"},
    ),
    "activation-twice": Mistake(
        "your activation comes twice in a row.",
        "Once after each hidden layer is enough: is it called both inside and after a line, or in two places?",
        {_HIDDEN: "activation(activation(x @", " + bias)": " + bias))"},
    ),
    "own-activation": Mistake(
        "your network does not use the activation it is given.",
        "Call the argument: activation(...). It may be torch.relu, torch.tanh or any other function.",
        *({_HIDDEN: f"torch.{name}(x @"} for name in ("relu", "tanh", "sigmoid", "nn.functional.elu")),
        *({_HIDDEN: f"torch.nn.functional.{name}(x @"} for name in ("gelu", "silu", "leaky_relu", "softplus")),
    ),
    "squashed-output": Mistake(
        "your output goes through a function of your own, such as tanh, a ReLU or softmax.",
        "Return the last layer as it is; what it stands for (an action, a value) is decided later.",
        *map(_last, ("torch.tanh", "torch.sigmoid", "torch.relu")),
        *(_last(f"torch.{name}", f", dim={dim})") for name in ("softmax", "log_softmax") for dim in (-1, 0)),
    ),
    "input-added": Mistake(
        "you add a layer's input to its output, where their shapes fit.",
        "That is a residual network. In a plain perceptron, the output replaces the input.",
        {_HIDDEN: "(x if weight.shape[0] == weight.shape[1] else 0) + activation(x @"},
        {
            _HIDDEN: "(x if weight.shape[0] == weight.shape[1] else 0) + activation(x @",
            "return x": "return (x if weights[-1].shape[0] == weights[-1].shape[1] else 0) + x",
        },
    ),
}

HINTS = (
    "Write down the shape after each step. Which product of `x` and a weight fits, and which layer differs from all "
    "others?",
    "A layer is a product, a sum and an activation; its result is the input of the next layer. torch stores a weight "
    "as `[out, in]`, so transpose it. The last layer has no activation: loop over all layers but the last, then do the "
    "last one on its own.",
    "Loop over `zip(weights[:-1], biases[:-1])` with `x = activation(x @ weight.T + bias)`; after the loop, return `x "
    "@ weights[-1].T + biases[-1]`.",
)

EXERCISE = Exercise(mlp_forward, ("y",), CASES, MISTAKES, HINTS, _draw, show=_show)
