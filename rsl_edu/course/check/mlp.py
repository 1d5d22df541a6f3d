"""Lesson 1's exercises: draw orthogonal weights, run a perceptron, count its parameters, find its dead units."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional, init

from .exercise import Answer, Case, Exercise, Mistake
from .verdict import text

_t = torch.tensor

# Exercise 1 -----------------------------------------------------------------------------------------------------------


def orthogonal_(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """Fill ``weight [out, in]`` in place with a random orthogonal matrix times ``gain``, and return it.

    The rows get the length ``gain`` and stand at right angles; if there are more rows than columns, the columns do.
    """
    rows, cols = weight.shape
    gaussian = torch.randn(max(rows, cols), min(rows, cols))  # tall: QR makes columns orthogonal
    q, r = torch.linalg.qr(gaussian)  # q is as tall as gaussian, r [min, min]
    q = q * r.diagonal().sign()  # QR chooses the signs by a fixed rule; this makes them random
    with torch.no_grad():  # a layer's weight tracks gradients
        return weight.copy_(gain * (q if rows >= cols else q.T))


_DRAWS = 100
_OLD = 1000.0  # so large that the random numbers of a wrong answer drown in what it adds them to


def _use_orthogonal(answer: Answer, rows: int, cols: int, gain: float | None, seed: int, look: str) -> Any:
    """What ``look`` asks for; it is the same for every right answer, whatever its random numbers."""
    drawn, scale, old = [], 1.0 if gain is None else gain, _OLD if look == "overwritten" else 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(_DRAWS if look.startswith("mean") else 1):
            weight = torch.full((rows, cols), old)
            returned = answer(weight) if gain is None else answer(weight, gain=gain)
            if not isinstance(returned, torch.Tensor):
                return returned
            drawn.append((returned if look == "returned" else weight).detach().double())
    w, smaller, larger = torch.stack(drawn), min(rows, cols), max(rows, cols)
    if look == "mean":  # the tolerances of the means are six standard deviations or more
        return _settle(w.mean(0), torch.zeros(rows, cols), 0.45 * scale, step=0.5)
    if look == "mean square":
        right = scale**2 / larger
        return _settle(w.square().mean(0), torch.full((rows, cols), right), 0.7 * right, step=0.5)
    products = w[0] @ w[0].mT if rows <= cols else w[0].mT @ w[0]
    return _settle(products, scale**2 * torch.eye(smaller), 2e-3 * scale**2)


def _settle(value: torch.Tensor, right: torch.Tensor, tolerance: float, step: float = 1e-6) -> torch.Tensor:
    """``right`` where ``value`` is within the tolerance of it, else ``value`` rounded to multiples of ``step``."""
    rounded = step * (value / step).round()
    return rounded if value.shape != right.shape else torch.where((value - right).abs() < tolerance, right, rounded)


def _show_orthogonal(rows: int, cols: int, gain: float | None, seed: int, look: str) -> str:
    call = "orthogonal_(weight)" if gain is None else f"orthogonal_(weight, gain={gain:g})"
    products = "{0} @ {0}.T" if rows <= cols else "{0}.T @ {0}"
    looks = {
        "weight": f"{call}; result = {products.format('weight')}",
        "overwritten": f"{call}; result = {products.format('weight')}",
        "returned": f"w = {call}; result = {products.format('w')}",
        "mean": f"{call}; result = mean of weight over {_DRAWS} draws, to halves",
        "mean square": f"{call}; result = mean of weight**2 over {_DRAWS} draws, to halves",
    }
    start = f"torch.full(({rows}, {cols}), {_OLD:g})" if look == "overwritten" else f"torch.zeros({rows}, {cols})"
    return f"weight = {start}; {looks[look]}"


def _draw_orthogonal(generator: torch.Generator) -> Case:
    rows, cols, seed, look = (int(torch.randint(2, high, (), generator=generator)) for high in (6, 6, 10**6, 22))
    gain = 0.5 + float(torch.rand((), generator=generator))
    return Case("a random size and gain", (rows, cols, gain, seed, {2: "mean", 3: "mean square"}.get(look, "weight")))


Matrix = Callable[[int, int], torch.Tensor]


def _q(rows: int, cols: int, signs: bool = True) -> torch.Tensor:
    """Orthonormal columns ``[rows, cols]``, rows >= cols; without signs, as the factorization leaves them."""
    q, r = torch.linalg.qr(torch.randn(rows, cols))
    return torch.mul(q, r.diagonal().sign() if signs else 1)


def _orthogonal(rows: int, cols: int, signs: bool = True) -> torch.Tensor:
    return _q(rows, cols, signs) if rows >= cols else _q(cols, rows, signs).mT


def _scaled_by_diagonal(scale: Callable[[torch.Tensor], torch.Tensor]) -> Matrix:
    def tall(rows: int, cols: int) -> torch.Tensor:
        q, r = torch.linalg.qr(torch.randn(rows, cols))
        return torch.mul(q, scale(r.diagonal()))

    return lambda rows, cols: tall(rows, cols) if rows >= cols else tall(cols, rows).mT


def _svd_factor(rows: int, cols: int) -> torch.Tensor:
    u, _, vh = torch.linalg.svd(torch.randn(rows, cols), full_matrices=False)
    return torch.as_tensor(u if rows >= cols else vh)


def _filled(matrix: Matrix = _orthogonal, scale: Callable[[float, torch.Size], float] = lambda gain, _: gain) -> Answer:
    def answer(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
        return weight.copy_(scale(gain, weight.shape) * matrix(*weight.shape))

    return answer


def _with(fill: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Answer:
    """From the weight and the right matrix (times the gain)."""
    return lambda weight, gain=1.0: fill(weight, gain * _orthogonal(*weight.shape))


def _of_weight(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    tall = weight if len(weight) >= weight.shape[1] else weight.mT
    q, r = torch.linalg.qr(tall)
    q = gain * q * r.diagonal().sign()
    return weight.copy_(q if tall is weight else q.mT)


def _random_matrices() -> tuple[Answer, ...]:
    """The usual draws that are not orthogonal."""

    def of(fill: Callable[..., torch.Tensor]) -> Matrix:
        return lambda rows, cols: fill(torch.empty(rows, cols))

    matrices: tuple[Matrix, ...] = (
        torch.randn,
        torch.rand,
        lambda rows, cols: 2 * torch.rand(rows, cols) - 1,
        lambda rows, cols: torch.randn(rows, cols) / cols**0.5,
        lambda rows, cols: torch.randn(rows, cols) / rows**0.5,
        lambda rows, cols: torch.randn(cols, rows).mT,
        of(init.xavier_uniform_),
        of(init.xavier_normal_),
        of(init.kaiming_uniform_),
        of(init.kaiming_normal_),
        of(lambda w: init.kaiming_uniform_(w, a=5**0.5)),
        of(lambda w: init.kaiming_normal_(w, nonlinearity="linear")),
    )
    return tuple(_filled(matrix, scale) for matrix in matrices for scale in (lambda gain, _: gain, lambda *_: 1.0))


def _normalized_matrices() -> tuple[Answer, ...]:
    """Random vectors of length 1, which do not stand at right angles."""

    def of(draw: Matrix, dim: int | None) -> Matrix:
        def matrix(rows: int, cols: int) -> torch.Tensor:
            w = draw(rows, cols)
            return (
                functional.normalize(w, dim=dim)
                if dim is not None
                else functional.normalize(w.flatten(), dim=0).view_as(w)
            )

        return matrix

    draws: tuple[Matrix, ...] = (torch.randn, torch.rand, lambda rows, cols: 2 * torch.rand(rows, cols) - 1)
    matrices = [of(draw, dim) for draw in draws for dim in (0, 1, None)]
    matrices += [of(lambda rows, cols: torch.randn(cols, rows).mT, dim) for dim in (0, 1)]
    matrices += [lambda rows, cols: functional.normalize(torch.randn(rows, cols), dim=1 if rows <= cols else 0)]
    return tuple(_filled(matrix) for matrix in matrices)


def _reshaped(signs: bool) -> Matrix:
    return lambda rows, cols: _q(max(rows, cols), min(rows, cols), signs).reshape(rows, cols)


def _padded(signs: bool) -> Matrix:
    def matrix(rows: int, cols: int) -> torch.Tensor:
        small = min(rows, cols)
        return functional.pad(_q(small, small, signs), (0, cols - small, 0, rows - small))

    return matrix


ORTHOGONAL = Exercise(
    name="orthogonal_",
    reference=orthogonal_,
    outputs=("result",),
    cases=(
        Case("a square weight", (2, 2, None, 1, "weight")),
        Case("a gain of 3", (2, 2, 3.0, 2, "weight")),
        Case("what is returned", (2, 2, 3.0, 3, "returned")),
        Case("more columns than rows", (2, 3, 2.0, 4, "weight")),
        Case("more rows than columns", (3, 2, 2.0, 5, "weight")),
        Case("a weight with old numbers in it", (2, 2, None, 8, "overwritten"), rtol=0.01),
        Case("the mean of many draws", (2, 2, None, 6, "mean")),
        Case("the mean square of many draws", (1, 2, None, 7, "mean square")),
    ),
    mistakes=(
        Mistake(
            "not-in-place",
            "weight is after the call what it was before: your matrix is not written into it.",
            "`weight = q` only gives a new tensor the name weight. Write into the caller's tensor: weight.copy_(q).",
            (_with(lambda weight, right: right),),
        ),
        Mistake(
            "returns-another",
            "weight is filled well, but what you return is something else.",
            "Return weight itself, gain and all, as the functions of torch.nn.init do.",
            (
                lambda weight, gain=1.0: weight.copy_(gain * (q := _orthogonal(*weight.shape))) * 0 + q,
                _with(lambda weight, right: weight.copy_(right).mT * 0),
                _with(lambda weight, right: torch.zeros_like(weight.copy_(right)) + 1),
            ),
        ),
        Mistake(
            "gain-on-result-only",
            "what you return has the gain, but weight itself has not.",
            "`weight * gain` is a new tensor. Whoever calls you keeps weight: write gain times the matrix into it.",
            (lambda weight, gain=1.0: weight.copy_(_orthogonal(*weight.shape)) * gain,),
        ),
        Mistake(
            "factors-weight",
            "you factorize weight as it comes, and it comes empty.",
            "The random numbers have to come from you: factorize a Gaussian matrix of the same size, torch.randn.",
            (_of_weight,),
        ),
        Mistake(
            "gain-ignored",
            "your matrix is orthogonal, but gain is not used.",
            "Multiply the orthogonal matrix by gain: every row then has the length gain.",
            (_filled(scale=lambda *_: 1.0),),
        ),
        Mistake(
            "gain-squared",
            "your matrix is multiplied by gain² (or twice by gain).",
            "The rows should have the length gain, so that their products with themselves are gain²: multiply once.",
            (_filled(scale=lambda gain, _: gain**2),),
        ),
        Mistake(
            "gain-root",
            "your matrix is multiplied by the root of gain.",
            "gain is the factor of the matrix itself, not that of its squares: multiply by gain.",
            (_filled(scale=lambda gain, _: gain**0.5),),
        ),
        Mistake(
            "gain-divides",
            "your matrix is divided by gain.",
            "A larger gain means larger weights: multiply by it.",
            (_filled(scale=lambda gain, _: 1 / gain),),
        ),
        Mistake(
            "scaled-by-size",
            "your matrix is orthogonal, but it is also scaled by its size.",
            "A root of fan-in is for independent entries. Orthogonal rows have length 1 already.",
            tuple(
                _filled(scale=scale)
                for scale in (
                    lambda gain, size: gain / size[1] ** 0.5,
                    lambda gain, size: gain / size[0] ** 0.5,
                    lambda gain, size: gain * size[1] ** 0.5,
                    lambda gain, size: gain * size[0] ** 0.5,
                    lambda gain, size: gain * (2 / (size[0] + size[1])) ** 0.5,
                )
            ),
        ),
        Mistake(
            "rows-normalized",
            "your vectors are random and scaled to length 1, but they do not stand at right angles.",
            "Length alone is not enough: each row must have the product 0 with every other. QR does both.",
            _normalized_matrices(),
        ),
        Mistake(
            "not-orthogonal",
            "your matrix is random, but it is not orthogonal.",
            "Its rows have different lengths and do not stand at right angles: take the Q of a QR factorization.",
            _random_matrices(),
        ),
        Mistake(
            "diagonal-for-sign",
            "you multiply the columns of Q by R's diagonal itself.",
            "That gives them other lengths. Only its signs are wanted: r.diagonal().sign().",
            (
                _filled(_scaled_by_diagonal(lambda d: d)),
                _filled(_scaled_by_diagonal(torch.abs)),
                _filled(_scaled_by_diagonal(torch.reciprocal)),
            ),
        ),
        Mistake(
            "signs-absolute",
            "your matrix is right but for its signs: all entries are positive or zero.",
            "Numbers of one sign cannot sum to the product 0. What has to be positive is the diagonal of R, not Q.",
            (_filled(lambda rows, cols: _orthogonal(rows, cols).abs()),),
        ),
        Mistake(
            "reshaped",
            "your matrix is right where it is square or tall; for a wide weight you reshape Q.",
            "Reshaping cuts the columns of Q into pieces. Transpose it: q.T turns its columns into rows.",
            (_filled(_reshaped(signs=True)), _filled(_reshaped(signs=False))),
        ),
        Mistake(
            "not-random",
            "your matrix is orthogonal, but it is the same at every draw.",
            "Neither the identity nor the weight as it comes is random. Factorize random numbers: torch.randn.",
            (_filled(torch.eye), _filled(lambda rows, cols: -torch.eye(rows, cols))),
        ),
        Mistake(
            "signs-not-random",
            "your matrix is orthogonal, but some entries have the same sign at every draw.",
            "QR chooses the signs by a fixed rule. Multiply each column of Q by the sign of R's diagonal entry.",
            (
                _filled(lambda rows, cols: _orthogonal(rows, cols, signs=False)),
                _filled(lambda rows, cols: _q(max(rows, cols), max(rows, cols), signs=False)[:rows, :cols]),
                _filled(_svd_factor),
            ),
        ),
        Mistake(
            "adds",
            "your matrix is added to what weight held before.",
            "A layer's weight comes with numbers in it. Overwrite them: weight.copy_, not weight.add_ or +=.",
            (_with(lambda weight, right: weight.add_(right)),),
        ),
        Mistake(
            "padded",
            "your matrix is a small square one, filled up with zeros.",
            "Then a layer never sees some of its inputs. Make all columns random: QR of a tall matrix, transposed.",
            (_filled(_padded(True)),),
        ),
    ),
    hints=(
        "Which factorization of a matrix has an orthogonal factor? What does it do with a matrix that is wide?",
        "`torch.linalg.qr` of a tall Gaussian matrix gives orthonormal columns; transpose them for a wide weight. It "
        "also fixes the signs by a rule of its own: make them random again by the signs of the diagonal of R.",
        "`q, r = torch.linalg.qr(torch.randn(max(rows, cols), min(rows, cols)))`; `q = q * r.diagonal().sign()`; "
        "transpose `q` if `rows < cols`; `weight.copy_(gain * q)`; return `weight`.",
    ),
    draw=_draw_orthogonal,
    use=_use_orthogonal,
    show=_show_orthogonal,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------

Activation = Callable[[torch.Tensor], torch.Tensor]


def mlp_forward(
    x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], activation: Activation
) -> torch.Tensor:
    """Run a multi-layer perceptron on ``x [batch, in]``: returns ``[batch, out]``.

    Layer l has ``weights[l] [out, in]`` and ``biases[l] [out]``; ``activation`` follows every layer but the last.
    """
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = activation(x @ weight.T + bias)  # [batch, hidden]
    return x @ weights[-1].T + biases[-1]  # [batch, out]


def _show_forward(
    x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], activation: Activation
) -> str:
    return f"mlp_forward(x={text(x)}, weights={text(weights)}, biases={text(biases)}, torch.{activation.__name__})"


def _draw_layers(generator: torch.Generator) -> Case:
    batch, *sizes = torch.randint(1, 6, (6,), generator=generator).tolist()
    weights = [torch.randn(out, size, generator=generator) for size, out in itertools.pairwise(sizes)]
    biases = [torch.randn(size, generator=generator) for size in sizes[1:]]
    x = torch.randn(batch, sizes[0], generator=generator)
    return Case("random layers", (x, weights, biases, torch.tanh), rtol=1e-3)


Layer = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Activation], torch.Tensor]  # of x, weight, bias, activation


def _linear(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, _: Activation) -> torch.Tensor:
    return x @ w.T + b


def _hidden(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, act: Activation) -> torch.Tensor:
    return act(x @ w.T + b)


def _forward(hidden: Layer = _hidden, last: Layer = _linear, first: Layer | None = None) -> Answer:
    """A network of these layers; ``first`` is the first of several."""

    def answer(x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], act: Activation) -> Any:
        for i, (w, b) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            x = (hidden if first is None or i else first)(x, w, b, act)
        return last(x, weights[-1], biases[-1], act)

    return answer


def _layers(choose: Callable[[list[torch.Tensor], list[torch.Tensor]], Any]) -> Answer:
    """The right network of other weights and biases."""

    def answer(x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], act: Activation) -> Any:
        weights, biases = choose(weights, biases)
        return mlp_forward(x, weights, biases, act)

    return answer


def _own(act: Activation) -> Answer:
    return lambda x, weights, biases, _: mlp_forward(x, weights, biases, act)


def _shifted(x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], act: Activation) -> torch.Tensor:
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = _hidden(x, w, b, act) if i else _linear(x, w, b, act)
    return x


def _activation_at_the_end(
    x: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor], act: Activation
) -> torch.Tensor:
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        x = _linear(x, w, b, act)
    return _linear(act(x) if len(weights) > 1 else x, weights[-1], biases[-1], act)


def _squashed(squash: Activation) -> Answer:
    return _forward(last=lambda x, w, b, _: squash(x @ w.T + b))


MLP_FORWARD = Exercise(
    name="mlp_forward",
    reference=mlp_forward,
    outputs=("y",),
    cases=(
        Case("a single layer", (_t([[1.0, 2.0]]), [_t([[3.0, -1.0], [2.0, -4.0]])], [_t([1.0, 2.0])], torch.relu)),
        Case(
            "two layers",
            (
                _t([[1.0, -1.0]]),
                [_t([[2.0, 1.0], [0.0, 3.0]]), _t([[-2.0, 1.0], [3.0, 4.0]])],
                [_t([2.0, 1.0]), _t([-1.0, 3.0])],
                torch.relu,
            ),
        ),
        Case(
            "three layers of different sizes, a batch of two",
            (
                _t([[1.0, 0.0], [-1.0, 2.0]]),
                [_t([[1.0, 1.0], [0.0, -1.0], [1.0, 0.0]]), _t([[1.0, -1.0, 2.0], [0.0, 1.0, 1.0]]), _t([[2.0, -1.0]])],
                [_t([0.0, 1.0, -1.0]), _t([1.0, -2.0]), _t([3.0])],
                torch.tanh,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "activation-on-output",
            "your last layer has an activation too.",
            "An action or a value can be any number; a ReLU would cut off the negative half.",
            (_forward(last=_hidden),),
        ),
        Mistake(
            "no-activation",
            "your network has no activation at all.",
            "Linear layers in a row are one linear layer. Apply activation after every layer but the last.",
            (_forward(hidden=_linear),),
        ),
        Mistake(
            "activation-first",
            "your activation comes before the linear map: it cuts off parts of the input x.",
            "A hidden layer is activation(x @ weight.T + bias); x itself stays as it is.",
            (
                _forward(*[lambda x, w, b, act: act(x) @ w.T + b] * 2),
                _forward(lambda x, w, b, act: act(x) @ w.T + b),
                _forward(*[lambda x, w, b, act: act(act(x) @ w.T + b)] * 2),
            ),
        ),
        Mistake(
            "weight-not-transposed",
            "you multiply by the weight, not by its transpose.",
            "A weight is [out, in] and x is [batch, in]: x @ weight.T. Here it is square, so the shapes do not tell.",
            (
                _forward(lambda x, w, b, act: act(x @ w + b), lambda x, w, b, _: x @ w + b),
                _forward(lambda x, w, b, act: act(x @ w + b)),
            ),
        ),
        Mistake(
            "bias-forgotten",
            "your biases are missing.",
            "Each layer adds its own: x @ weight.T + bias.",
            (
                _forward(lambda x, w, _, act: act(x @ w.T), lambda x, w, *_: x @ w.T),
                _forward(lambda x, w, _, act: act(x @ w.T)),
            ),
        ),
        Mistake(
            "output-bias-forgotten",
            "the bias of your last layer is missing.",
            "The last layer has no activation, but it has a bias: x @ weights[-1].T + biases[-1].",
            (_forward(last=lambda x, w, *_: x @ w.T),),
        ),
        Mistake(
            "bias-after-activation",
            "you add the bias after the activation.",
            "The bias says where the activation bends, so it goes inside: activation(x @ weight.T + bias).",
            (_forward(lambda x, w, b, act: act(x @ w.T) + b),),
        ),
        Mistake(
            "bias-before-weight",
            "you add the bias to the input of the layer, before the weight.",
            "A bias is [out]: it belongs to what the weight puts out, x @ weight.T + bias.",
            (_forward(lambda x, w, b, act: act((x + b) @ w.T), lambda x, w, b, _: (x + b) @ w.T),),
        ),
        Mistake(
            "bias-subtracted",
            "you subtract the bias.",
            "It is added: x @ weight.T + bias.",
            (_forward(lambda x, w, b, act: act(x @ w.T - b), lambda x, w, b, _: x @ w.T - b),),
        ),
        Mistake(
            "bias-of-another-layer",
            "your layers use the bias of another layer.",
            "biases[i] belongs to weights[i]: walk over both together, with zip or with one index.",
            (
                _layers(lambda ws, bs: (ws, bs[:1] * len(ws))),
                _layers(lambda ws, bs: (ws, bs[-1:] * len(ws))),
                _layers(lambda ws, bs: (ws, bs[::-1])),
                _layers(lambda ws, bs: (ws, bs[-1:] + bs[:-1])),
            ),
        ),
        Mistake(
            "last-layer-missing",
            "your last layer is missing: you return the last hidden layer.",
            "A loop that stops before the last layer needs one more line: the last layer, without activation.",
            (_forward(last=lambda x, *_: x),),
        ),
        Mistake(
            "first-layer-only",
            "you return after the first layer.",
            "Is `return` inside the loop? Move it out, to the left, so that all layers run.",
            (
                lambda x, ws, bs, act: _linear(x, ws[0], bs[0], act) if len(ws) == 1 else _hidden(x, ws[0], bs[0], act),
                lambda x, ws, bs, act: _linear(x, ws[0], bs[0], act),
            ),
        ),
        Mistake(
            "layers-not-chained",
            "each of your layers starts from the input x again, so that only the last one counts.",
            "A layer takes what the layer before put out: store the result under the name that the next step reads.",
            (_layers(lambda ws, bs: (ws[-1:], bs[-1:])),),
        ),
        Mistake(
            "layers-reversed",
            "your layers run from the last to the first.",
            "weights[0] is the layer next to the input: start with it.",
            (_layers(lambda ws, bs: (ws[::-1], bs[::-1])),),
        ),
        Mistake(
            "activation-shifted",
            "your activation follows every layer but the first.",
            "It follows every layer but the last: the condition is i < len(weights) - 1.",
            (_forward(first=_linear, last=lambda x, w, b, act: act(x @ w.T + b)), _shifted),
        ),
        Mistake(
            "activation-once",
            "your activation comes only once, not after every hidden layer.",
            "Two linear layers without an activation between them are one. Apply it inside the loop.",
            (_forward(first=_hidden, hidden=_linear), _activation_at_the_end),
        ),
        Mistake(
            "own-activation",
            "your network does not use the activation it is given.",
            "Call the argument: activation(...). It may be torch.relu, torch.tanh or any other function.",
            tuple(map(_own, (torch.relu, functional.elu, torch.sigmoid, functional.gelu, functional.silu, torch.tanh))),
        ),
        Mistake(
            "squashed-output",
            "your output goes through a function of your own, such as tanh or softmax.",
            "Return the last layer as it is; what it stands for (an action, a value) is decided later.",
            (
                _squashed(torch.tanh),
                _squashed(torch.sigmoid),
                _squashed(lambda y: y.softmax(-1)),
                _squashed(lambda y: y.softmax(0)),
                _squashed(lambda y: y.log_softmax(-1)),
            ),
        ),
    ),
    hints=(
        "Write down the shape after each step. Which layer is different from all others?",
        "A layer is `x @ weight.T + bias`: the weight is `[out, in]`, so it has to be transposed. Feed the result of "
        "each layer to the next; the last layer has no activation.",
        "Loop over `zip(weights[:-1], biases[:-1])` with `x = activation(x @ weight.T + bias)`; after the loop, return "
        "`x @ weights[-1].T + biases[-1]`.",
    ),
    draw=_draw_layers,
    show=_show_forward,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


def count_parameters(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> int:
    """Count the weights and biases of rsl_rl's MLP.

    A hidden size of −1 stands for ``input_dim``; of a tuple ``output_dim``, the network puts out the product.
    """
    outputs = output_dim if isinstance(output_dim, int) else torch.Size(output_dim).numel()
    count, fan_in = 0, input_dim
    for size in [*hidden_dims, outputs]:
        fan_out = input_dim if size == -1 else size
        count += (fan_in + 1) * fan_out  # a weight for each input and a bias, in every unit
        fan_in = fan_out
    return count


Sizes = Callable[[int, list[int], list[int]], list[int]]  # of all layers, from input_dim, hidden_dims, output sizes


def _product(output: list[int]) -> int:
    return torch.Size(output).numel()


def _all_sizes(input_dim: int, hidden: list[int], output: list[int]) -> list[int]:
    return [input_dim, *(input_dim if size == -1 else size for size in hidden), _product(output)]


def _weights_and_biases(sizes: list[int]) -> int:
    return sum((before + 1) * after for before, after in itertools.pairwise(sizes))


def _weights_and(extra: Callable[[int, int], int]) -> Callable[[list[int]], int]:
    """The weights of all layers, and something more for each layer."""
    return lambda sizes: sum(a * b + extra(a, b) for a, b in itertools.pairwise(sizes))


def _counts(count: Callable[[list[int]], int]) -> tuple[Answer, ...]:
    """A wrong way to count; also by answers that do not yet know what −1 or a tuple means."""

    def form(knows_minus_one: bool, knows_tuple: bool) -> Answer:
        def answer(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> int:
            if isinstance(output_dim, tuple) and not knows_tuple:
                raise TypeError("not a number")
            sizes = _all_sizes(input_dim, hidden_dims, [output_dim] if isinstance(output_dim, int) else [*output_dim])
            return count(sizes if knows_minus_one else [input_dim, *hidden_dims, sizes[-1]])

        return answer

    return tuple(form(one, other) for one in (True, False) for other in (True, False))


def _sized(sizes: Sizes) -> Answer:
    """The right count of wrong sizes."""
    return lambda input_dim, output_dim, hidden_dims: _weights_and_biases(
        sizes(input_dim, hidden_dims, [output_dim] if isinstance(output_dim, int) else list(output_dim))
    )


def _tuple_as(outputs: Callable[[list[int]], int]) -> Answer:
    return _sized(lambda i, hidden, output: [*_all_sizes(i, hidden, output)[:-1], outputs(output)])


def _minus_one_as(size: Callable[[int, int, int], int], outputs: Callable[[list[int]], int] = _product) -> Answer:
    """The size −1 as a function of the input's, the size before and the output's."""

    def sizes(input_dim: int, hidden: list[int], output: list[int]) -> list[int]:
        result = [input_dim]
        for h in hidden:
            result.append(size(input_dim, result[-1], outputs(output)) if h == -1 else h)
        return [*result, outputs(output)]

    return _sized(sizes)


def _length(output: list[int]) -> int:
    return len(output) if len(output) > 1 else output[0]


def _refuse_tuple(output: list[int]) -> int:
    (only,) = output
    return only


def _draw_sizes(generator: torch.Generator) -> Case:
    input_dim, *sizes = torch.randint(1, 20, (4,), generator=generator).tolist()
    hidden = [-1 if size < 5 else size for size in sizes]
    output = tuple(sizes[:2]) if input_dim < 10 else sizes[0]
    return Case("random sizes", (input_dim, output, hidden))


def _show_count(input_dim: int, output_dim: int | tuple[int, ...], hidden_dims: list[int]) -> str:
    return f"count_parameters({input_dim=}, {output_dim=}, {hidden_dims=})"


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    reference=count_parameters,
    outputs=("count",),
    cases=(
        Case("no hidden layer", (2, 3, [])),
        Case("one hidden layer", (3, 2, [5])),
        Case("two hidden layers", (2, 3, [5, 4])),
        Case("a hidden size of −1", (3, 2, [6, -1, 4])),
        Case("a tuple as output", (3, (2, 4), [5])),
        Case("rsl_rl's size for a quadruped", (48, 12, [512, 256, 128])),
    ),
    mistakes=(
        Mistake(
            "biases-forgotten",
            "you count the weights only.",
            "Each unit of a layer also has a bias: fan_in * fan_out weights and fan_out biases.",
            _counts(_weights_and(lambda a, b: 0)),
        ),
        Mistake(
            "bias-for-each-input",
            "you count a bias for each input of a layer.",
            "A bias belongs to an output: fan_out of them for each layer.",
            _counts(_weights_and(lambda a, b: a)),
        ),
        Mistake(
            "bias-for-each-layer",
            "you count one bias for each layer.",
            "Every unit has a bias of its own: fan_out of them for each layer.",
            _counts(_weights_and(lambda a, b: 1)),
        ),
        Mistake(
            "bias-for-both-sides",
            "you count a bias for each input and for each output of a layer.",
            "Only outputs have a bias: (fan_in + 1) * fan_out for each layer.",
            (*_counts(_weights_and(lambda a, b: a + b)), *_counts(_weights_and(lambda a, b: a + b + 1))),
        ),
        Mistake(
            "output-bias-forgotten",
            "the biases of the output layer are missing.",
            "The last layer has no activation, but it has biases: as many as outputs.",
            _counts(lambda sizes: _weights_and_biases(sizes) - sizes[-1]),
        ),
        Mistake(
            "output-layer-forgotten",
            "the output layer is missing.",
            "There is one layer more than hidden sizes: the last one leads to the output.",
            _counts(lambda sizes: _weights_and_biases(sizes[:-1])),
        ),
        Mistake(
            "first-layer-forgotten",
            "the first layer, from the input to the first hidden one, is missing.",
            "The list of sizes starts with input_dim.",
            _counts(lambda sizes: _weights_and_biases(sizes[1:])),
        ),
        Mistake(
            "input-counted",
            "you count parameters for the input itself.",
            "The input is data. Parameters sit in the layers between the sizes: weights and biases.",
            _counts(lambda sizes: _weights_and_biases(sizes) + sizes[0]),
        ),
        Mistake(
            "units-counted",
            "you count units, not parameters.",
            "A unit has one weight for each of its inputs, and a bias.",
            (*_counts(sum), *_counts(lambda sizes: sum(sizes[1:])), *_counts(lambda sizes: sum(sizes[1:-1]))),
        ),
        Mistake(
            "sizes-multiplied",
            "you multiply the sizes of all layers.",
            "Each layer has its own matrix: multiply neighbouring sizes, then sum over the layers.",
            (*_counts(_product), *_counts(lambda sizes: _product(sizes) + sum(sizes[1:]))),
        ),
        Mistake(
            "all-from-input",
            "each of your layers starts from input_dim.",
            "A layer's inputs are the units of the layer before it: update the size as you go.",
            _counts(lambda sizes: sum((sizes[0] + 1) * size for size in sizes[1:])),
        ),
        Mistake(
            "hidden-layers-skipped",
            "the layers from one hidden layer to the next are missing.",
            "Hidden layers are connected to each other too: one layer for each neighbouring pair of sizes.",
            (
                *_counts(lambda sizes: _weights_and_biases(sizes[:2] + sizes[-1:] if len(sizes) > 2 else sizes)),
                *_counts(
                    lambda sizes: (
                        sum(map(_weights_and_biases, (sizes[:2], sizes[-2:])))
                        if len(sizes) > 2
                        else _weights_and_biases(sizes)
                    )
                ),
            ),
        ),
        Mistake(
            "minus-one-kept",
            "a hidden size of −1 is not replaced: you count with it as it stands.",
            "In rsl_rl −1 stands for input_dim: put that in its place before you count.",
            tuple(
                _minus_one_as(size, outputs)
                for size in (lambda *_: -1, lambda *_: 1, lambda *_: 0)
                for outputs in (_product, _refuse_tuple, sum)
            ),
        ),
        Mistake(
            "minus-one-dropped",
            "a hidden layer of size −1 is left out.",
            "−1 stands for input_dim: the layer is there, as wide as the input.",
            (_sized(lambda i, hidden, output: [i, *(size for size in hidden if size != -1), _product(output)]),),
        ),
        Mistake(
            "minus-one-as-before",
            "for −1 you take the size of the layer before.",
            "It stands for input_dim, wherever it is in the list.",
            tuple(_minus_one_as(lambda _, before, __: before, outputs) for outputs in (_product, _refuse_tuple)),
        ),
        Mistake(
            "minus-one-as-output",
            "for −1 you take the size of the output.",
            "It stands for input_dim, wherever it is in the list.",
            (_minus_one_as(lambda _, __, output: output),),
        ),
        Mistake(
            "tuple-summed",
            "of a tuple output_dim you take the sum.",
            "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
            (_tuple_as(sum),),
        ),
        Mistake(
            "tuple-cut",
            "of a tuple output_dim you take one entry, or its length.",
            "An output of shape (2, 4) has 2 · 4 numbers: take the product.",
            (_tuple_as(lambda output: output[0]), _tuple_as(lambda output: output[-1]), _tuple_as(_length)),
        ),
    ),
    hints=(
        "How many numbers does one linear layer from 3 to 2 units hold? Do not forget the biases.",
        "Walk over the sizes `[*hidden_dims, outputs]`, with −1 replaced, and keep the size before. Each step is a "
        "layer with fan_in · fan_out weights and fan_out biases.",
        "Start with `count, fan_in = 0, input_dim`; for each size, `fan_out = input_dim if size == -1 else size`, then "
        "`count += (fan_in + 1) * fan_out` and `fan_in = fan_out`. Of a tuple, `outputs` is the product.",
    ),
    draw=_draw_sizes,
    show=_show_count,
)

# Exercise 4 -----------------------------------------------------------------------------------------------------------


def dead_fraction(activations: torch.Tensor) -> torch.Tensor:
    """Share of dead units in ``activations [samples, units]`` after a ReLU: those that are 0 for every sample."""
    dead = (activations == 0).all(dim=0)  # [units]
    return dead.float().mean()


def _dead(fraction: Callable[[torch.Tensor, torch.Tensor], Any]) -> Answer:
    """From the mask of dead units and the activations."""
    return lambda activations: fraction((activations == 0).all(0).float(), activations)


def _share(mask: Callable[[torch.Tensor], torch.Tensor]) -> Answer:
    return lambda activations: mask(activations).float().mean()


def _small(limit: float) -> tuple[Answer, ...]:
    return (
        _share(lambda a: (a < limit).all(0)),
        _share(lambda a: a.mean(0) < limit),
        _share(lambda a: a.std(0, correction=0) < limit),
    )


def _draw_activations(generator: torch.Generator) -> Case:
    samples, units = torch.randint(1, 6, (2,), generator=generator).tolist()
    return Case("random activations", (torch.randn(samples, units, generator=generator).relu(),))


DEAD_FRACTION = Exercise(
    name="dead_fraction",
    reference=dead_fraction,
    outputs=("fraction",),
    cases=(
        Case("one sample", (_t([[0.0, 1.0, 2.0, 3.0]]),)),
        Case("a unit that is 0 for some samples only", (_t([[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]),)),
        Case(
            "a sample for which all units are 0",
            (_t([[2.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]]),),
        ),
        Case("a unit that is almost always almost 0", (_t([[0.0, 0.0, 0.0], [0.0, 1e-5, 0.0]]),)),
        Case("units that are all dead", (_t([[0.0, 0.0]]),)),
        Case("units that are all alive", (_t([[1.0, 2.0], [3.0, 4.0]]),)),
    ),
    mistakes=(
        Mistake(
            "share-of-zeros",
            "you return the share of zeros among all numbers.",
            "A ReLU is often 0, and that is healthy. A unit is dead if it is 0 for all samples: all(dim=0) first.",
            (_share(lambda a: a == 0),),
        ),
        Mistake(
            "any-for-all",
            "you count a unit as dead if it is 0 for some sample.",
            "One zero does not make a unit dead: it has to be 0 for every sample. Take all, not any.",
            (_share(lambda a: (a == 0).any(0)),),
        ),
        Mistake(
            "dead-samples",
            "you look for samples for which all units are 0.",
            "activations is [samples, units]: to ask each unit about all samples, reduce over dim=0.",
            (_share(lambda a: (a == 0).all(1)), _share(lambda a: (a == 0).any(1))),
        ),
        Mistake(
            "negative-for-zero",
            "you look for units that are negative; after a ReLU there are none.",
            "A ReLU turns all that is negative into exactly 0: compare with == 0.",
            (_share(lambda a: (a < 0).all(0)), _share(lambda a: a < 0)),
        ),
        Mistake(
            "count-for-share",
            "you return how many units are dead.",
            "The share is that number divided by the number of units: mean instead of sum.",
            (_dead(lambda dead, a: dead.sum()),),
        ),
        Mistake(
            "alive-share",
            "you return the share of units that are alive.",
            "The dead ones are asked for: 1 minus that.",
            (_dead(lambda dead, a: 1 - dead.mean()), _share(lambda a: (a != 0).all(0))),
        ),
        Mistake(
            "divided-by-samples",
            "you divide the number of dead units by the number of samples.",
            "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
            (_dead(lambda dead, a: dead.sum() / len(a)),),
        ),
        Mistake(
            "divided-by-all",
            "you divide the number of dead units by the number of all activations.",
            "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
            (_dead(lambda dead, a: dead.sum() / a.numel()),),
        ),
        Mistake(
            "small-counts-as-dead",
            "you count a unit as dead if it is only small.",
            "A small positive number still passes a gradient. After a ReLU, dead is exactly 0.",
            tuple(answer for limit in (0.1, 0.05, 0.01, 1e-3, 1e-4) for answer in _small(limit)),
        ),
        Mistake(
            "first-sample-only",
            "you look at one sample only.",
            "A unit that is silent now may speak for another sample: look at all of them.",
            (_share(lambda a: a[0] == 0), _share(lambda a: a[-1] == 0)),
        ),
        Mistake(
            "percent",
            "you return percent.",
            "A share lies between 0 and 1.",
            (_dead(lambda dead, a: 100 * dead.mean()),),
        ),
        Mistake(
            "mask-returned",
            "you return an answer for each unit, not their share.",
            "One step is missing: the mean over the units. Of a mask, take .float().mean().",
            (
                _dead(lambda dead, a: dead),
                _dead(lambda dead, a: 1 - dead),
                _dead(lambda dead, a: (a == 0).float().mean(0)),
            ),
        ),
        Mistake(
            "rounded",
            "you round the share.",
            "Use / or mean of floats: whole-number division and int() cut off what is after the point.",
            (_dead(lambda dead, a: dead.sum() // a.shape[1]), _dead(lambda dead, a: dead.mean().round())),
        ),
    ),
    hints=(
        "Is a unit dead if it is 0 for one sample? Ask each unit, not each number.",
        "Ask each unit whether it is 0 for all samples, `all(dim=0)`; then take the share of units that are.",
        "`dead = (activations == 0).all(dim=0)` is `[units]`; return `dead.float().mean()`.",
    ),
    draw=_draw_activations,
)

EXERCISES = (ORTHOGONAL, MLP_FORWARD, COUNT_PARAMETERS, DEAD_FRACTION)
