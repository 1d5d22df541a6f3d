"""Exercise ``mlp_forward``: run a multi-layer perceptron."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from ..exercise import Answer, Case, Exercise, Mistake, Part
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
        "three layers of different sizes, a batch of two",
        [[1.0, 0.0], [-1.0, 2.0]],
        [[[1.0, 1.0], [0.0, -1.0], [1.0, 0.0]], [[1.0, -1.0, 2.0], [0.0, 1.0, 1.0]], [[2.0, -1.0]]],
        [[0.0, 1.0, -1.0], [1.0, -2.0], [3.0]],
        torch.tanh,
    ),
)


def _linear(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, _: Activation) -> torch.Tensor:
    return x @ w.T + b


def _hidden(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, act: Activation) -> torch.Tensor:
    return act(x @ w.T + b)


def _activated(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, act: Activation) -> torch.Tensor:
    return act(x) @ w.T + b


def _forward(hidden: Part = _hidden, last: Part = _linear, first: Part | None = None) -> Answer:
    """A network of layers, from x, weight, bias and activation; ``first`` is the first of several."""

    def answer(x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], act: Activation) -> Any:
        for i, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            x = (hidden if first is None or i else first)(x, w, b, act)
        return last(x, weights[-1], biases[-1], act)

    return answer


def _layers(choose: Callable[..., tuple[Any, Any]]) -> Answer:
    """The right network of other weights and biases."""
    return lambda x, weights, biases, act: mlp_forward(x, *choose(weights, biases), act)


def _with_activation(act: Activation) -> Answer:
    return lambda x, weights, biases, _: mlp_forward(x, weights, biases, act)


def _squashed(squash: Activation) -> Answer:
    return _forward(last=lambda x, w, b, _: squash(x @ w.T + b))


MISTAKES = {
    "activation-on-output": Mistake(
        "your last layer has an activation too.",
        "An action or a value can be any number; a ReLU would cut off the negative half.",
        _forward(last=_hidden),
    ),
    "no-activation": Mistake(
        "your network has no activation at all.",
        "Linear layers in a row are one linear layer. Apply activation after every layer but the last.",
        _forward(hidden=_linear),
    ),
    "activation-first": Mistake(
        "your activation comes before the linear map: it cuts off parts of the input x.",
        "A hidden layer is activation(x @ weight.T + bias); x itself stays as it is.",
        _forward(_activated, _activated),
        _forward(_activated),
        _forward(*[lambda x, w, b, act: act(act(x) @ w.T + b)] * 2),
    ),
    "weight-not-transposed": Mistake(
        "you multiply by the weight, not by its transpose.",
        "A weight is [out, in] and x is [batch, in]: x @ weight.T. Here it is square, so the shapes do not tell.",
        _forward(lambda x, w, b, act: act(x @ w + b), lambda x, w, b, _: x @ w + b),
        _forward(lambda x, w, b, act: act(x @ w + b)),
    ),
    "bias-forgotten": Mistake(
        "your biases are missing.",
        "Each layer adds its own: x @ weight.T + bias.",
        _forward(lambda x, w, _, act: act(x @ w.T), lambda x, w, *_: x @ w.T),
        _forward(lambda x, w, _, act: act(x @ w.T)),
    ),
    "output-bias-forgotten": Mistake(
        "the bias of your last layer is missing.",
        "The last layer has no activation, but it has a bias: x @ weights[-1].T + biases[-1].",
        _forward(last=lambda x, w, *_: x @ w.T),
    ),
    "bias-after-activation": Mistake(
        "you add the bias after the activation.",
        "The bias says where the activation bends, so it goes inside: activation(x @ weight.T + bias).",
        _forward(lambda x, w, b, act: act(x @ w.T) + b),
    ),
    "bias-before-weight": Mistake(
        "you add the bias to the input of the layer, before the weight.",
        "A bias is [out]: it belongs to what the weight puts out, x @ weight.T + bias.",
        _forward(lambda x, w, b, act: act((x + b) @ w.T), lambda x, w, b, _: (x + b) @ w.T),
    ),
    "bias-subtracted": Mistake(
        "you subtract the bias.",
        "It is added: x @ weight.T + bias.",
        _forward(lambda x, w, b, act: act(x @ w.T - b), lambda x, w, b, _: x @ w.T - b),
    ),
    "bias-of-another-layer": Mistake(
        "your layers use the bias of another layer.",
        "biases[i] belongs to weights[i]: walk over both together, with zip or with one index.",
        _layers(lambda ws, bs: (ws, bs[:1] * len(ws))),
        _layers(lambda ws, bs: (ws, bs[-1:] * len(ws))),
        _layers(lambda ws, bs: (ws, bs[::-1])),
        _layers(lambda ws, bs: (ws, bs[-1:] + bs[:-1])),
    ),
    "last-layer-missing": Mistake(
        "your last layer is missing: you return the last hidden layer.",
        "A loop that stops before the last layer needs one more line: the last layer, without activation.",
        _forward(last=lambda x, *_: x),
    ),
    "first-layer-only": Mistake(
        "you return after the first layer.",
        "Is `return` inside the loop? Move it out, to the left, so that all layers run.",
        lambda x, ws, bs, act: _linear(x, ws[0], bs[0], act) if len(ws) == 1 else _hidden(x, ws[0], bs[0], act),
        lambda x, ws, bs, act: _linear(x, ws[0], bs[0], act),
    ),
    "layers-not-chained": Mistake(
        "each of your layers starts from the input x again, so that only the last one counts.",
        "A layer takes what the layer before put out: store the result under the name that the next step reads.",
        _layers(lambda ws, bs: (ws[-1:], bs[-1:])),
    ),
    "layers-reversed": Mistake(
        "your layers run from the last to the first.",
        "weights[0] is the layer next to the input: start with it.",
        _layers(lambda ws, bs: (ws[::-1], bs[::-1])),
    ),
    "activation-shifted": Mistake(
        "your activation follows every layer but the first.",
        "It follows every layer but the last: the condition is i < len(weights) - 1.",
        _forward(first=_linear, last=_hidden),
        lambda x, ws, bs, act: _forward(first=_linear, last=_linear if len(ws) == 1 else _hidden)(x, ws, bs, act),
    ),
    "activation-once": Mistake(
        "your activation comes only once, not after every hidden layer.",
        "Two linear layers without an activation between them are one. Apply it inside the loop.",
        _forward(first=_hidden, hidden=_linear),
        lambda x, ws, bs, act: _forward(_linear, _linear if len(ws) == 1 else _activated)(x, ws, bs, act),
    ),
    "own-activation": Mistake(
        "your network does not use the activation it is given.",
        "Call the argument: activation(...). It may be torch.relu, torch.tanh or any other function.",
        *map(
            _with_activation, (torch.relu, functional.elu, torch.sigmoid, functional.gelu, functional.silu, torch.tanh)
        ),
    ),
    "squashed-output": Mistake(
        "your output goes through a function of your own, such as tanh or softmax.",
        "Return the last layer as it is; what it stands for (an action, a value) is decided later.",
        *map(_squashed, (torch.tanh, torch.sigmoid)),
        *map(_squashed, (lambda y: y.softmax(-1), lambda y: y.softmax(0), lambda y: y.log_softmax(-1))),
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
