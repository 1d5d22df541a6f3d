"""Exercise ``orthogonal_``: draw orthogonal weights."""

import functools
from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def orthogonal_(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """Fill ``weight [out, in]`` in place with a random orthogonal matrix times ``gain``, and return it.

    The rows have length ``gain`` and are orthogonal to each other. If there are more rows than columns, this is
    true of the columns instead.
    """
    rows, cols = weight.shape
    gaussian = torch.randn(max(rows, cols), min(rows, cols), dtype=weight.dtype)  # tall, so columns can be orthogonal
    q, r = torch.linalg.qr(gaussian)  # the columns of q are orthonormal
    q = q * r.diagonal().sign()  # QR chooses the signs by a fixed rule; this makes them random
    with torch.no_grad():  # a layer's weight tracks gradients, but autograd must not record its initialization
        return weight.copy_(gain * (q if rows >= cols else q.T))  # into the caller's tensor


_MEANS = {  # number of draws; what is averaged, as text
    "mean": (400, "mean of weight"),
    "fourth power": (100, "mean of weight**4"),
    "determinant": (100, "mean of the sign of weight.det()"),
    "trace": (200, "mean of weight.trace()"),
}


def _use(answer: Answer, rows: int, cols: int, gain: float | None, seed: int, look: str) -> Any:
    """Return the quantity named by ``look``, which is the same for every right answer, whatever numbers it draws."""
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
                return right * 0  # the answer has written nothing
            raise
        if weight.shape != (rows, cols) and look in _MEANS:
            return weight
        if weight.shape != (rows, cols):
            raise ValueError(f"weight has the shape {list(weight.shape)} after the call; it had {[rows, cols]}")
        if not isinstance(returned, torch.Tensor) or returned.shape != (rows, cols):
            return returned
        drawn.append(weight.detach().double())
        if look in _MEANS and len(drawn) == 1 and not _orthogonal(drawn[0]):
            return right  # another case tests this
        if look in _MEANS and len(drawn) == 8 and all(map(drawn[0].equal, drawn)):
            return right  # the draws do not differ, so a mean makes no sense; another case tests this
    if look == "repeats":
        return all(map(drawn[0].equal, drawn))
    if look in _MEANS:
        value = _mean(torch.stack(drawn), look)
    else:  # from the returned tensor and weight, which should be the same
        other = returned.detach().double() if look == "returned" else drawn[0]
        value = other @ drawn[0].mT if rows <= cols else other.mT @ drawn[0]
    return torch.where((value - right).abs() < tolerance, right, value)


def _orthogonal(w: torch.Tensor) -> bool:
    """Whether the rows or the columns are orthogonal to each other and all have the same length."""
    products = w @ w.mT if len(w) <= w.shape[1] else w.mT @ w
    return torch.allclose(products, products[0, 0] * torch.eye(len(products)).double(), rtol=1e-3, atol=1e-3)


def _mean(w: torch.Tensor, look: str) -> torch.Tensor:
    """A mean over matrices ``w [draws, rows, cols]``, each scaled to the size of an orthogonal matrix."""
    w = w / w.square().sum((1, 2), keepdim=True).sqrt() * min(w.shape[1:]) ** 0.5
    if look == "determinant":
        return w.det().sign().mean()
    if look == "trace":
        return w.diagonal(dim1=1, dim2=2).sum(1).mean()
    return w.mean(0) if look == "mean" else w.square().square().mean()


@functools.cache
def _right(rows: int, cols: int, gain: float | None, look: str) -> tuple[torch.Tensor, float]:
    """The right result and its tolerance, which for means is at least six standard deviations."""
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
    """A case in which two wrong results count as equal if only their random numbers differ."""

    def close(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Whether two results count as equal."""
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
        return random and torch.equal(a == right, b == right)  # the same entries are wrong


def _steady(products: torch.Tensor) -> float:
    """The number on the diagonal, to two digits; 0 if the numbers there differ."""
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
        call, result = f"{call}, eight times", "1 if all weights are equal, else 0"
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
    _Case("the returned tensor", (2, 2, 3.0, 3, "returned")),
    _Case("more columns than rows", (2, 3, 4.0, 4, "weight")),
    _Case("more rows than columns", (3, 2, 0.5, 5, "weight")),
    _Case("a weight that already contains numbers", (2, 2, None, 8, "overwritten")),
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
    """Return an answer that fills the weight with a part of ``make(gaussian, identity)``, a square matrix."""

    def answer(weight: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
        size = max(weight.shape)
        matrix = make(torch.randn(size, size), torch.eye(size))
        with torch.no_grad():
            return weight.copy_(gain * matrix[: len(weight), : weight.shape[1]])

    return answer


MISTAKES = {
    "not-in-place": Mistake(
        "your call leaves weight unchanged: you do not write your matrix into it.",
        "`weight = q` only makes the name weight refer to a different tensor. Write into the caller's tensor: "
        "weight.copy_(q).",
        {"weight.copy_(gain": "(gain"},
    ),
    "returns-another": Mistake(
        "you fill weight correctly, but you return something else.",
        "Return weight itself, including the gain, as the functions of torch.nn.init do.",
        {f"return {_COPY}": f"{_COPY}; return q"},
        *({"return weight.copy_(": f"return {other} * weight.copy_("} for other in ("0", "-1", "gain", "(1 / gain)")),
        {f"return {_COPY}": f"{_COPY}; return weight.T"},
        {f"return {_COPY}": f"{_COPY}; return gaussian.reshape(rows, cols)"},
    ),
    "gain-ignored": Mistake(
        "your matrix is orthogonal, but you do not use gain.",
        "Multiply the orthogonal matrix by gain, so that every row has length gain.",
        {_GAIN: "(q if"},
        _scaled("2**0.5"),
    ),
    "gain-on-result-only": Mistake(
        "you apply gain to the tensor you return, but not to weight itself.",
        "`weight * gain` is a new tensor, but the caller uses weight: write gain times the matrix into it.",
        {"gain * (q if rows >= cols else q.T))": "(q if rows >= cols else q.T)) * gain"},
    ),
    "factors-weight": Mistake(
        "you factorize weight itself, which contains no random numbers yet.",
        "Draw the random numbers yourself: factorize a Gaussian matrix of the same size, from torch.randn.",
        {_DRAW: "weight.detach() if rows >= cols else weight.detach().T"},
    ),
    "gain-squared": Mistake(
        "you multiply your matrix by gain twice (or by gain²).",
        "Multiply only once. The rows should have length gain, so the product of a row with itself is gain².",
        _scaled("gain**2"),
    ),
    "gain-root": Mistake(
        "you multiply your matrix by the square root of gain.",
        "gain is the factor for the matrix itself, not for its squares: multiply by gain.",
        _scaled("gain**0.5"),
    ),
    "gain-divides": Mistake(
        "you divide your matrix by gain.",
        "A larger gain means larger weights: multiply by gain.",
        _scaled("1 / gain"),
    ),
    "scaled-by-size": Mistake(
        "your matrix is orthogonal, but you also scale it by its size.",
        "Scaling by a root of fan-in is for independent entries. Orthogonal rows already have length 1.",
        *map(_scaled, ("gain / cols**0.5", "gain / rows**0.5", "gain * cols**0.5", "gain * rows**0.5")),
        *map(_scaled, ("gain * max(1, rows / cols) ** 0.5", "gain * (2 / (rows + cols)) ** 0.5")),
    ),
    "rows-normalized": Mistake(
        "you scale random vectors to length 1, but they are not orthogonal to each other.",
        "The product of each row with every other row must be 0. Scaling does not achieve this, but QR does.",
        *({_SIGNS: f"torch.nn.functional.normalize(gaussian, dim={dim})"} for dim in ("0", "1", "int(rows >= cols)")),
        {_SIGNS: "torch.nn.functional.normalize(gaussian, dim=int(rows < cols))"},
    ),
    "diagonal-for-sign": Mistake(
        "you multiply the columns of Q by the diagonal of R itself.",
        "The diagonal changes the lengths of the columns. Multiply only by the signs, r.diagonal().sign().",
        {".sign()": ""},
        {".sign()": ".abs()"},
        {".sign()": ".reciprocal()"},
    ),
    "signs-of-all-of-r": Mistake(
        "you use the signs of all entries of R, not only those on its diagonal.",
        "Each column of Q needs one sign, r.diagonal().sign(). Multiply with *, because this is not a matrix product.",
        {_SIGNS: "q @ r.sign()"},
        {_SIGNS: "q * r.sign()"},
    ),
    "not-orthogonal": Mistake(
        "your matrix is random, but it is not orthogonal.",
        "Its rows have the wrong lengths or are not orthogonal to each other: take the Q of a QR factorization.",
        {_SIGNS: "gaussian"},
        {_SIGNS: "gaussian", "torch.randn(": "torch.rand("},
        {_SIGNS: "gaussian.erf()"},
        {_SIGNS: "gaussian / gaussian.norm()"},
    ),
    "reshaped": Mistake(
        "your matrix is right if the weight is square or tall, but if it is wide, you reshape Q.",
        "Reshaping cuts the columns of Q into pieces. Transpose it instead: q.T turns its columns into rows.",
        {"else q.T": "else q.reshape(rows, cols)"},
    ),
    "not-random": Mistake(
        "your matrix is orthogonal, but it is the same in every call.",
        "Draw new numbers in each call, with torch.randn. Do not set a seed inside the function; leave that to the "
        "caller.",
        {"rows, cols = weight.shape": "rows, cols = weight.shape; torch.manual_seed(0)"},
    ),
    "not-gaussian": Mistake(
        "your matrix is orthogonal and random, but its numbers do not come from a normal distribution.",
        "Only a normal distribution has no preferred direction: use torch.randn, not torch.rand.",
        {"torch.randn(": "torch.rand("},
        {"dtype=weight.dtype)": "dtype=weight.dtype).erf()"},
        {"torch.randn(": "torch.rand(", _SIGNS: "q"},
    ),
    "signs-not-random": Mistake(
        "your matrix is orthogonal, but some of its entries have the same sign in every draw.",
        "QR and SVD choose signs by a fixed rule. Multiply each column of Q by the sign of R's diagonal entry.",
        {" * r.diagonal().sign()": ""},
        {".diagonal()": ".diagonal().abs()"},
        {_SIGNS: "torch.linalg.svd(gaussian, full_matrices=False)[0]"},
        _square(lambda a, _: torch.linalg.eigh(a + a.mT)[1]),
    ),
    "not-all-alike": Mistake(
        "your matrix is orthogonal and random, but not every orthogonal matrix is equally likely.",
        "Half of all orthogonal matrices have determinant −1, and few are near the identity. Use QR "
        "of a Gaussian matrix, with the signs of R's diagonal.",
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
        "torch raises an error when you write into a layer's weight, because the weight tracks gradients.",
        "Autograd must not record the initialization: write into weight inside `with torch.no_grad():`.",
        {"with torch.no_grad():": "if True:"},
    ),
    "adds": Mistake(
        "you add your matrix to the numbers that weight already contains.",
        "A layer's weight comes with numbers in it. Overwrite them: use weight.copy_, not weight.add_ or +=.",
        {"weight.copy_(": "weight.add_("},
    ),
    "wide-not-transposed": Mistake(
        "your matrix is right if the weight is square or tall, but if it is wide, your Q has the wrong shape.",
        "The Q of a matrix with fewer rows than columns is square. Factorize a tall matrix and transpose its Q: q.T.",
        {_DRAW: _PLAIN, _CHOICE: "q"},
        {_DRAW: _PLAIN, f"return {_COPY}": "weight.data = gain * q\n        return weight"},
    ),
    "padded": Mistake(
        "you write a small square matrix into weight and fill up the rest with zeros.",
        "The layer then ignores some of its inputs. All columns must be random: apply QR to a tall matrix and "
        "transpose Q.",
        {
            "torch.randn(max(": "torch.randn(min(",
            f"return {_COPY}": "weight.zero_()[: len(q), : len(q)] = gain * q\n        return weight",
        },
    ),
}

HINTS = (
    "Which factor of a QR decomposition has orthonormal columns? Can a matrix that is wider than it is tall "
    "have orthonormal columns? Try `torch.linalg.qr` on a matrix of 5 rows and 3 columns, and on a matrix "
    "of 3 rows and 5 columns.",
    "Decompose a random normal matrix that is at least as tall as it is wide, and transpose the result if the "
    "weight is wide. QR chooses the signs by a fixed rule, and the diagonal of R shows which signs it chose, "
    "so you can undo this choice. Then copy the result into `weight`, which may track gradients.",
    "Start with `q, r = torch.linalg.qr(torch.randn(tall, short))`, where `tall` is the longer side of the "
    "weight and `short` the shorter one. Undo the choice of signs with `q = q * r.diagonal().sign()`, and take "
    "`q = q.T` if the weight has fewer rows than columns. Inside `with torch.no_grad():`, call "
    "`weight.copy_(gain * q)`. Return `weight`.",
)

SHORTCUTS = (torch.nn.init.orthogonal_,)

EXERCISE = Exercise(orthogonal_, ("result",), CASES, MISTAKES, HINTS, _draw, _use, _show, SHORTCUTS)
