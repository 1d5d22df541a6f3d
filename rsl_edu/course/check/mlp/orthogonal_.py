"""Exercise ``orthogonal_``: draw orthogonal weights."""

import functools
from typing import Any

import torch

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


_MEANS = {  # over how many draws; as text
    "mean": (400, "mean of weight"),
    "fourth power": (100, "mean of weight**4"),
    "determinant": (100, "mean of the sign of weight.det()"),
    "trace": (200, "mean of weight.trace()"),
}


def _use(answer: Answer, rows: int, cols: int, gain: float | None, seed: int, look: str) -> Any:
    """What ``look`` asks for; it is the same for every right answer, whatever its random numbers."""
    drawn: list[torch.Tensor] = []
    right, tolerance = _right(rows, cols, gain, look)
    torch.default_generator.manual_seed(seed)
    for _ in range(8 if look == "repeats" else _MEANS[look][0] if look in _MEANS else 1):
        weight = torch.arange(1.0, rows * cols + 1).reshape(rows, cols) * (look == "overwritten")
        weight = torch.nn.Parameter(weight) if look == "parameter" else weight
        try:
            returned = answer(weight) if gain is None else answer(weight, gain=gain)
        except Exception as error:
            if look == "parameter" and "a leaf Variable that requires grad" in str(error):
                return right * 0  # nothing was written
            raise
        if weight.shape != (rows, cols) and look in _MEANS:
            return weight
        if weight.shape != (rows, cols):
            raise ValueError(f"weight has the shape {list(weight.shape)} after the call; it had {[rows, cols]}")
        if not isinstance(returned, torch.Tensor) or returned.shape != (rows, cols):
            return returned
        drawn.append(weight.detach().double())
        if look in _MEANS and len(drawn) == 1 and not _orthogonal(drawn[0]):
            return right  # another case is about that
        if look in _MEANS and len(drawn) == 8 and all(map(drawn[0].equal, drawn)):
            return right  # nothing random to take the mean of: another case is about that
    if look == "repeats":
        return all(map(drawn[0].equal, drawn))
    if look in _MEANS:
        value = _mean(torch.stack(drawn), look)
    else:  # of what is returned and weight, which should be the same
        other = returned.detach().double() if look == "returned" else drawn[0]
        value = other @ drawn[0].mT if rows <= cols else other.mT @ drawn[0]
    return torch.where((value - right).abs() < tolerance, right, value)


def _orthogonal(w: torch.Tensor) -> bool:
    """Whether rows or columns stand at right angles, and have one length, whatever it is."""
    products = w @ w.mT if len(w) <= w.shape[1] else w.mT @ w
    return torch.allclose(products, products[0, 0] * torch.eye(len(products)).double(), rtol=1e-3, atol=1e-3)


def _mean(w: torch.Tensor, look: str) -> torch.Tensor:
    """A mean over matrices ``w [draws, rows, cols]``, whatever their size."""
    w = w / w.square().sum((1, 2), keepdim=True).sqrt() * min(w.shape[1:]) ** 0.5
    if look == "determinant":
        return w.det().sign().mean()
    if look == "trace":
        return w.diagonal(dim1=1, dim2=2).sum(1).mean()
    return w.mean(0) if look == "mean" else w.square().square().mean()


@functools.cache
def _right(rows: int, cols: int, gain: float | None, look: str) -> tuple[torch.Tensor, float]:
    """The right result, and what is still right; for means that is six standard deviations or more."""
    size, scale = max(rows, cols), 1.0 if gain is None else gain
    if look == "mean":
        return torch.zeros(rows, cols).double(), 6 / (400 * size) ** 0.5
    if look == "fourth power":
        right = 3 / (size * (size + 2))
        return torch.tensor(right).double(), 0.2 * right
    if look in _MEANS:
        return torch.tensor(0.0).double(), 0.75 if look == "trace" else 0.6
    return scale**2 * torch.eye(min(rows, cols)).double(), 2e-3 * scale**2


class _Case(Case):
    """A case in which two wrong results are alike if they differ only in what is random."""

    def close(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Whether two results are alike."""
        rows, cols, gain, _, look = self.inputs
        right, tolerance = _right(rows, cols, gain, look)
        numbers = all(x.shape == right.shape and x.isfinite().all() for x in (a, b))
        if super().close(a, b) or look == "repeats" or not numbers:
            return super().close(a, b)
        if look == "mean":
            return torch.allclose(a, b, rtol=0.3, atol=tolerance) and not any(map(right.equal, (a, b)))
        if look in _MEANS:  # both are too large, or both too small
            return bool(min(a.abs(), b.abs()) > right or max(a, b) < right)
        if len(right) > 1 and _steady(a) != _steady(b):
            return False
        unit = torch.eye(len(right)).double()
        random = not any(torch.allclose(x, x[0, 0] * unit, atol=1e-3) for x in (a, b))
        return random and torch.equal(a == right, b == right)  # the same of their numbers are wrong


def _steady(products: torch.Tensor) -> float:
    """The number on the diagonal, to two digits; 0 if they are not all the same."""
    diagonal = products.diagonal()
    return float(f"{diagonal[0]:.1e}") if torch.allclose(diagonal, diagonal[0], rtol=1e-3, atol=1e-3) else 0.0


def _show(rows: int, cols: int, gain: float | None, seed: int, look: str) -> str:
    start = f"torch.zeros({rows}, {cols})"
    if look == "overwritten":
        start = f"torch.arange(1., {rows * cols + 1}).reshape({rows}, {cols})"
    start = f"torch.nn.Parameter({start})" if look == "parameter" else start
    call = "orthogonal_(weight)" if gain is None else f"orthogonal_(weight, gain={gain:g})"
    call, w = (f"w = {call}", "w") if look == "returned" else (call, "weight")
    result = f"{w} @ weight.T" if rows <= cols else f"{w}.T @ weight"
    if look == "repeats":
        call, result = f"{call}, eight times", "1 if all weights are the same, else 0"
    elif look in _MEANS:
        result = f"{_MEANS[look][1]} over {_MEANS[look][0]} draws"
    return f"weight = {start}; {call}; result = {result}"


def _draw(generator: torch.Generator) -> Case:
    rows, cols, seed, look = (int(torch.randint(2, high, (), generator=generator)) for high in (6, 6, 10**6, 22))
    gain = 0.5 + float(torch.rand((), generator=generator))
    looks = {2: "mean", 3: "fourth power", 4: "returned", 5: "parameter", 6: "overwritten"}
    return Case("a random size and gain", (rows, cols, gain, seed, looks.get(look, "weight")))


CASES = (
    _Case("a square weight", (2, 2, None, 1, "weight")),
    _Case("a gain of 3", (2, 2, 3.0, 2, "weight")),
    _Case("what is returned", (2, 2, 3.0, 3, "returned")),
    _Case("more columns than rows", (2, 3, 4.0, 4, "weight")),
    _Case("more rows than columns", (3, 2, 0.5, 5, "weight")),
    _Case("a weight with old numbers in it", (2, 2, None, 8, "overwritten")),
    _Case("a layer's weight, which tracks gradients", (2, 2, None, 9, "parameter")),
    _Case("a few draws", (2, 2, None, 10, "repeats")),
    _Case("the mean of many draws", (2, 2, None, 6, "mean")),
    _Case("the fourth power of many draws", (2, 2, None, 7, "fourth power")),
    _Case("the determinants of many draws", (2, 2, None, 11, "determinant")),
    _Case("the traces of many draws", (3, 3, None, 12, "trace")),
    _Case("many draws of a long row", (1, 50, None, 13, "fourth power")),
)

_DRAW = "torch.randn(max(rows, cols), min(rows, cols), dtype=weight.dtype)"
_PLAIN = "torch.randn(rows, cols, dtype=weight.dtype)"
_SIGNS = "q * r.diagonal().sign()"
_CHOICE = "(q if rows >= cols else q.T)"
_COPY = f"weight.copy_(gain * {_CHOICE})"
_GAIN = "gain * (q if"


def _scaled(factor: str) -> dict[str, str]:
    return {_GAIN: f"{factor} * (q if"}


def _square(make: Part) -> Answer:
    """A part of a square matrix, from a square Gaussian matrix and the identity."""

    def answer(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
        size = max(weight.shape)
        matrix = make(torch.randn(size, size), torch.eye(size))
        with torch.no_grad():
            return weight.copy_(gain * matrix[: len(weight), : weight.shape[1]])

    return answer


MISTAKES = {
    "not-in-place": Mistake(
        "weight is after the call what it was before: your matrix is not written into it.",
        "`weight = q` only gives a new tensor the name weight. Write into the caller's tensor: weight.copy_(q).",
        {"weight.copy_(gain": "(gain"},
    ),
    "returns-another": Mistake(
        "weight is filled well, but what you return is something else.",
        "Return weight itself, gain and all, as the functions of torch.nn.init do.",
        {f"return {_COPY}": f"{_COPY}; return q"},
        *({"return weight.copy_(": f"return {other} * weight.copy_("} for other in ("0", "-1", "gain", "(1 / gain)")),
        {f"return {_COPY}": f"{_COPY}; return weight.T"},
        {f"return {_COPY}": f"{_COPY}; return gaussian.reshape(rows, cols)"},
    ),
    "gain-ignored": Mistake(
        "your matrix is orthogonal, but gain is not used.",
        "Multiply the orthogonal matrix by gain: every row then has the length gain.",
        {_GAIN: "(q if"},
        _scaled("2**0.5"),
    ),
    "gain-on-result-only": Mistake(
        "what you return has the gain, but weight itself does not have it.",
        "`weight * gain` is a new tensor. Whoever calls you keeps weight: write gain times the matrix into it.",
        {"gain * (q if rows >= cols else q.T))": "(q if rows >= cols else q.T)) * gain"},
    ),
    "factors-weight": Mistake(
        "you factorize weight as it comes, and it comes empty.",
        "The random numbers have to come from you: factorize a Gaussian matrix of the same size, torch.randn.",
        {_DRAW: "weight.detach() if rows >= cols else weight.detach().T"},
    ),
    "gain-squared": Mistake(
        "your matrix is multiplied by gain² (or twice by gain).",
        "The rows should have the length gain, so that their products with themselves are gain²: multiply once.",
        _scaled("gain**2"),
    ),
    "gain-root": Mistake(
        "your matrix is multiplied by the root of gain.",
        "gain is the factor of the matrix itself, not that of its squares: multiply by gain.",
        _scaled("gain**0.5"),
    ),
    "gain-divides": Mistake(
        "your matrix is divided by gain.",
        "A larger gain means larger weights: multiply by it.",
        _scaled("1 / gain"),
    ),
    "scaled-by-size": Mistake(
        "your matrix is orthogonal, but it is also scaled by its size.",
        "A root of fan-in is for independent entries. Orthogonal rows have length 1 already.",
        *map(_scaled, ("gain / cols**0.5", "gain / rows**0.5", "gain * cols**0.5", "gain * rows**0.5")),
        *map(_scaled, ("gain * max(1, rows / cols) ** 0.5", "gain * (2 / (rows + cols)) ** 0.5")),
    ),
    "rows-normalized": Mistake(
        "your vectors are random and scaled to length 1, but they do not stand at right angles.",
        "Length alone is not enough: each row must have the product 0 with every other. QR does both.",
        *({_SIGNS: f"torch.nn.functional.normalize(gaussian, dim={dim})"} for dim in ("0", "1", "int(rows >= cols)")),
        {_SIGNS: "torch.nn.functional.normalize(gaussian, dim=int(rows < cols))"},
    ),
    "diagonal-for-sign": Mistake(
        "you multiply the columns of Q by R's diagonal itself.",
        "That gives them other lengths. Only its signs are wanted: r.diagonal().sign().",
        {".sign()": ""},
        {".sign()": ".abs()"},
        {".sign()": ".reciprocal()"},
    ),
    "signs-of-all-of-r": Mistake(
        "you use the signs of all of R, not only those of its diagonal.",
        "One sign for each column of Q: r.diagonal().sign(), and * instead of @, as it is not a matrix product.",
        {_SIGNS: "q @ r.sign()"},
        {_SIGNS: "q * r.sign()"},
    ),
    "not-orthogonal": Mistake(
        "your matrix is random, but it is not orthogonal.",
        "Its rows have other lengths, or do not stand at right angles: take the Q of a QR factorization.",
        {_SIGNS: "gaussian"},
        {_SIGNS: "gaussian", "torch.randn(": "torch.rand("},
        {_SIGNS: "gaussian.erf()"},
        {_SIGNS: "gaussian / gaussian.norm()"},
    ),
    "reshaped": Mistake(
        "your matrix is right where it is square or tall; for a wide weight you reshape Q.",
        "Reshaping cuts the columns of Q into pieces. Transpose it: q.T turns its columns into rows.",
        {"else q.T": "else q.reshape(rows, cols)"},
    ),
    "not-random": Mistake(
        "your matrix is orthogonal, but it is the same at every draw.",
        "Draw new numbers in each call, with torch.randn, and fix no seed inside: whoever calls you may do that.",
        {"rows, cols = weight.shape": "rows, cols = weight.shape; torch.manual_seed(0)"},
    ),
    "not-gaussian": Mistake(
        "your matrix is orthogonal and random, but its numbers do not come from a normal distribution.",
        "Only a normal distribution has no favourite direction: use torch.randn, not torch.rand.",
        {"torch.randn(": "torch.rand("},
        {"dtype=weight.dtype)": "dtype=weight.dtype).erf()"},
        {"torch.randn(": "torch.rand(", _SIGNS: "q"},
    ),
    "signs-not-random": Mistake(
        "your matrix is orthogonal, but some entries have the same sign at every draw.",
        "QR and SVD choose signs by a fixed rule. Multiply each column of Q by the sign of R's diagonal entry.",
        {" * r.diagonal().sign()": ""},
        {".diagonal()": ".diagonal().abs()"},
        {_SIGNS: "torch.linalg.svd(gaussian, full_matrices=False)[0]"},
        _square(lambda a, _: torch.linalg.eigh(a + a.mT)[1]),
    ),
    "not-all-alike": Mistake(
        "your matrix is orthogonal and random, but not every orthogonal matrix is equally likely.",
        "Half of them mirror (determinant −1), and few are near the identity. Take the Q of a Gaussian matrix, each "
        "column times the sign of R's diagonal.",
        _square(lambda a, _: torch.cat([orthogonal_(a)[:, :1] * a.det(), a[:, 1:]], dim=1)),
        {_SIGNS: "q * r.diagonal().prod().sign()"},
        _square(lambda a, one: one - 2 * torch.outer(a[0], a[0]) / a[0].dot(a[0])),
        _square(lambda a, _: (a - a.mT).matrix_exp()),
        _square(lambda a, _: (0.1 * (a - a.mT)).matrix_exp()),
        _square(lambda a, one: torch.linalg.solve(one + a - a.mT, one - a + a.mT)),
        _square(lambda _, one: one[torch.randperm(len(one))]),
        _square(lambda a, one: one[torch.randperm(len(one))] * a[0].sign()),
        _square(lambda a, one: one * a[0].sign()),
    ),
    "no-grad-missing": Mistake(
        "torch raises an error when you write into a layer's weight, because it tracks gradients.",
        "Filling it is not to be differentiated: write into it inside `with torch.no_grad():`.",
        {"with torch.no_grad():": "if True:"},
    ),
    "adds": Mistake(
        "your matrix is added to what weight held before.",
        "A layer's weight comes with numbers in it. Overwrite them: weight.copy_, not weight.add_ or +=.",
        {"weight.copy_(": "weight.add_("},
    ),
    "wide-not-transposed": Mistake(
        "your matrix is right where it is square or tall; for a wide weight, Q has another shape.",
        "Q of a matrix with fewer rows than columns is square. Factorize a tall one, and transpose its Q: q.T.",
        {_DRAW: _PLAIN, _CHOICE: "q"},
        {_DRAW: _PLAIN, f"return {_COPY}": "weight.data = gain * q\n        return weight"},
    ),
    "padded": Mistake(
        "your matrix is a small square one, filled up with zeros.",
        "Then a layer never sees some of its inputs. Make all columns random: QR of a tall matrix, transposed.",
        {
            "torch.randn(max(": "torch.randn(min(",
            f"return {_COPY}": "weight.zero_()[: len(q), : len(q)] = gain * q\n        return weight",
        },
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

SHORTCUTS = (torch.nn.init.orthogonal_,)

EXERCISE = Exercise(orthogonal_, ("result",), CASES, MISTAKES, HINTS, _draw, _use, _show, SHORTCUTS)
