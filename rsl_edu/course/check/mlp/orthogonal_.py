"""Exercise ``orthogonal_``: draw orthogonal weights."""

from functools import partial
from typing import Any

import torch
from torch.nn import functional, init

from ..exercise import Answer, Case, Exercise, Mistake, Part


def orthogonal_(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """Fill ``weight [out, in]`` in place with a random orthogonal matrix times ``gain``, and return it.

    The rows get the length ``gain`` and stand at right angles; if there are more rows than columns, the columns do.
    """
    rows, cols = weight.shape
    gaussian = torch.randn(max(rows, cols), min(rows, cols), dtype=weight.dtype)  # tall, so columns can be orthogonal
    q, r = torch.linalg.qr(gaussian)  # the columns of q are orthonormal
    q = q * r.diagonal().sign()  # QR chooses the signs by a fixed rule; this makes them random
    with torch.no_grad():  # a layer's weight tracks gradients; filling it is not to be differentiated
        return weight.copy_(gain * (q if rows >= cols else q.T))  # into the caller's tensor


_DRAWS = 100
_OLD = 1000.0  # so large that the random numbers of a wrong answer drown in what it adds them to


def _use(answer: Answer, rows: int, cols: int, gain: float | None, seed: int, look: str) -> Any:
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


def _show(rows: int, cols: int, gain: float | None, seed: int, look: str) -> str:
    start = f"torch.full(({rows}, {cols}), {_OLD:g})" if look == "overwritten" else f"torch.zeros({rows}, {cols})"
    call = "orthogonal_(weight)" if gain is None else f"orthogonal_(weight, gain={gain:g})"
    call, w = (f"w = {call}", "w") if look == "returned" else (call, "weight")
    products = f"{w} @ {w}.T" if rows <= cols else f"{w}.T @ {w}"
    means = {"mean": "weight", "mean square": "weight**2"}
    result = f"mean of {means[look]} over {_DRAWS} draws, to halves" if look in means else products
    return f"weight = {start}; {call}; result = {result}"


def _draw(generator: torch.Generator) -> Case:
    rows, cols, seed, look = (int(torch.randint(2, high, (), generator=generator)) for high in (6, 6, 10**6, 22))
    gain = 0.5 + float(torch.rand((), generator=generator))
    return Case("a random size and gain", (rows, cols, gain, seed, {2: "mean", 3: "mean square"}.get(look, "weight")))


CASES = (
    Case("a square weight", (2, 2, None, 1, "weight")),
    Case("a gain of 3", (2, 2, 3.0, 2, "weight")),
    Case("what is returned", (2, 2, 3.0, 3, "returned")),
    Case("more columns than rows", (2, 3, 2.0, 4, "weight")),
    Case("more rows than columns", (3, 2, 2.0, 5, "weight")),
    Case("a weight with old numbers in it", (2, 2, None, 8, "overwritten"), rtol=0.01),
    Case("the mean of many draws", (2, 2, None, 6, "mean")),
    Case("the mean square of many draws", (1, 2, None, 7, "mean square")),
)


def _q(tall: torch.Tensor, scale: Part = torch.sign) -> torch.Tensor:
    """Orthonormal columns from a tall matrix, each times what ``scale`` makes of R's diagonal."""
    q, r = torch.linalg.qr(tall)
    return torch.mul(q, scale(r.diagonal()))


def _orthogonal(rows: int, cols: int, scale: Part = torch.sign) -> torch.Tensor:
    return _q(torch.randn(rows, cols), scale) if rows >= cols else _q(torch.randn(cols, rows), scale).mT


def _reshaped(rows: int, cols: int, scale: Part = torch.sign) -> torch.Tensor:
    return _q(torch.randn(max(rows, cols), min(rows, cols)), scale).reshape(rows, cols)


def _padded(rows: int, cols: int) -> torch.Tensor:
    small = min(rows, cols)
    return functional.pad(_orthogonal(small, small), (0, cols - small, 0, rows - small))


def _svd_factor(rows: int, cols: int) -> torch.Tensor:
    u, _, vh = torch.linalg.svd(torch.randn(rows, cols), full_matrices=False)
    return torch.as_tensor(u if rows >= cols else vh)


def _by(fill: Part) -> Part:
    return lambda rows, cols: fill(torch.empty(rows, cols))


_RANDOM: tuple[Part, ...] = (  # the usual draws that are not orthogonal
    torch.randn,
    torch.rand,
    lambda rows, cols: 2 * torch.rand(rows, cols) - 1,
    lambda rows, cols: torch.randn(rows, cols) / cols**0.5,
    lambda rows, cols: torch.randn(rows, cols) / rows**0.5,
    lambda rows, cols: torch.randn(cols, rows).mT,
    *(_by(fill) for fill in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_)),
    _by(lambda w: init.kaiming_uniform_(w, a=5**0.5)),
    _by(lambda w: init.kaiming_normal_(w, nonlinearity="linear")),
)


def _filled(matrix: Part = _orthogonal, scale: Part = lambda gain, size: gain) -> Answer:
    return lambda weight, gain=1.0: weight.copy_(scale(gain, weight.shape) * matrix(*weight.shape))


def _normalized(draw: Part, dim: Any) -> Answer:
    return _filled(lambda rows, cols: functional.normalize(draw(rows, cols), dim=dim))


def _with(fill: Part) -> Answer:
    """From the weight and the right matrix (times the gain)."""
    return lambda weight, gain=1.0: fill(weight, gain * _orthogonal(*weight.shape))


def _of_weight(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    return weight.copy_(gain * (_q(weight) if len(weight) >= weight.shape[1] else _q(weight.mT).mT))


MISTAKES = {
    "not-in-place": Mistake(
        "weight is after the call what it was before: your matrix is not written into it.",
        "`weight = q` only gives a new tensor the name weight. Write into the caller's tensor: weight.copy_(q).",
        _with(lambda weight, right: right),
    ),
    "returns-another": Mistake(
        "weight is filled well, but what you return is something else.",
        "Return weight itself, gain and all, as the functions of torch.nn.init do.",
        lambda weight, gain=1.0: weight.copy_(gain * (q := _orthogonal(*weight.shape))) * 0 + q,
        _with(lambda weight, right: weight.copy_(right).mT * 0),
        _with(lambda weight, right: torch.zeros_like(weight.copy_(right)) + 1),
    ),
    "gain-on-result-only": Mistake(
        "what you return has the gain, but weight itself has not.",
        "`weight * gain` is a new tensor. Whoever calls you keeps weight: write gain times the matrix into it.",
        lambda weight, gain=1.0: weight.copy_(_orthogonal(*weight.shape)) * gain,
    ),
    "factors-weight": Mistake(
        "you factorize weight as it comes, and it comes empty.",
        "The random numbers have to come from you: factorize a Gaussian matrix of the same size, torch.randn.",
        _of_weight,
    ),
    "gain-ignored": Mistake(
        "your matrix is orthogonal, but gain is not used.",
        "Multiply the orthogonal matrix by gain: every row then has the length gain.",
        _filled(scale=lambda *_: 1.0),
    ),
    "gain-squared": Mistake(
        "your matrix is multiplied by gain² (or twice by gain).",
        "The rows should have the length gain, so that their products with themselves are gain²: multiply once.",
        _filled(scale=lambda gain, _: gain**2),
    ),
    "gain-root": Mistake(
        "your matrix is multiplied by the root of gain.",
        "gain is the factor of the matrix itself, not that of its squares: multiply by gain.",
        _filled(scale=lambda gain, _: gain**0.5),
    ),
    "gain-divides": Mistake(
        "your matrix is divided by gain.",
        "A larger gain means larger weights: multiply by it.",
        _filled(scale=lambda gain, _: 1 / gain),
    ),
    "scaled-by-size": Mistake(
        "your matrix is orthogonal, but it is also scaled by its size.",
        "A root of fan-in is for independent entries. Orthogonal rows have length 1 already.",
        _filled(scale=lambda gain, size: gain / size[1] ** 0.5),
        _filled(scale=lambda gain, size: gain / size[0] ** 0.5),
        _filled(scale=lambda gain, size: gain * size[1] ** 0.5),
        _filled(scale=lambda gain, size: gain * size[0] ** 0.5),
        _filled(scale=lambda gain, size: gain * (2 / (size[0] + size[1])) ** 0.5),
    ),
    "rows-normalized": Mistake(
        "your vectors are random and scaled to length 1, but they do not stand at right angles.",
        "Length alone is not enough: each row must have the product 0 with every other. QR does both.",
        *(_normalized(draw, dim) for draw in _RANDOM[:3] for dim in (0, 1, (0, 1))),
        *(_normalized(lambda rows, cols: torch.randn(cols, rows).mT, dim) for dim in (0, 1)),
        _filled(lambda rows, cols: functional.normalize(torch.randn(rows, cols), dim=1 if rows <= cols else 0)),
    ),
    "not-orthogonal": Mistake(
        "your matrix is random, but it is not orthogonal.",
        "Its rows have different lengths and do not stand at right angles: take the Q of a QR factorization.",
        *(_filled(matrix, scale) for matrix in _RANDOM for scale in (lambda gain, size: gain, lambda *_: 1.0)),
    ),
    "diagonal-for-sign": Mistake(
        "you multiply the columns of Q by R's diagonal itself.",
        "That gives them other lengths. Only its signs are wanted: r.diagonal().sign().",
        *(_filled(partial(_orthogonal, scale=scale)) for scale in (torch.clone, torch.abs, torch.reciprocal)),
    ),
    "signs-absolute": Mistake(
        "your matrix is right but for its signs: all entries are positive or zero.",
        "Numbers of one sign cannot sum to the product 0. What has to be positive is the diagonal of R, not Q.",
        _filled(lambda rows, cols: _orthogonal(rows, cols).abs()),
    ),
    "reshaped": Mistake(
        "your matrix is right where it is square or tall; for a wide weight you reshape Q.",
        "Reshaping cuts the columns of Q into pieces. Transpose it: q.T turns its columns into rows.",
        _filled(_reshaped),
        _filled(partial(_reshaped, scale=torch.ones_like)),
    ),
    "not-random": Mistake(
        "your matrix is orthogonal, but it is the same at every draw.",
        "Neither the identity nor the weight as it comes is random. Factorize random numbers: torch.randn.",
        _filled(torch.eye),
        _filled(lambda rows, cols: -torch.eye(rows, cols)),
    ),
    "signs-not-random": Mistake(
        "your matrix is orthogonal, but some entries have the same sign at every draw.",
        "QR chooses the signs by a fixed rule. Multiply each column of Q by the sign of R's diagonal entry.",
        _filled(partial(_orthogonal, scale=torch.ones_like)),
        _filled(lambda rows, cols: _q(torch.randn(2 * [max(rows, cols)]), torch.ones_like)[:rows, :cols]),
        _filled(_svd_factor),
    ),
    "adds": Mistake(
        "your matrix is added to what weight held before.",
        "A layer's weight comes with numbers in it. Overwrite them: weight.copy_, not weight.add_ or +=.",
        _with(lambda weight, right: weight.add_(right)),
    ),
    "padded": Mistake(
        "your matrix is a small square one, filled up with zeros.",
        "Then a layer never sees some of its inputs. Make all columns random: QR of a tall matrix, transposed.",
        _filled(_padded),
    ),
}

HINTS = (
    "Which factor of a QR decomposition has orthonormal columns? Can a matrix that is wider than tall have orthonormal "
    "columns? Try `torch.linalg.qr` on a matrix of 5 rows and 3 columns, and on one of 3 rows and 5 columns.",
    "Decompose a random normal matrix that is at least as tall as it is wide, and transpose the result if the weight "
    "is wide. QR chooses the signs by a fixed rule, and the diagonal of R shows which ones it chose: undo that. Then "
    "copy the result into `weight`, which may track gradients.",
    "`q, r = torch.linalg.qr(torch.randn(tall, short))`, where `tall` is the larger side of the weight; `q = q * "
    "r.diagonal().sign()`; `q = q.T` if the weight has fewer rows than columns; inside `with torch.no_grad():`, "
    "`weight.copy_(gain * q)`; return `weight`.",
)

EXERCISE = Exercise(orthogonal_, ("result",), CASES, MISTAKES, HINTS, _draw, _use, _show)
