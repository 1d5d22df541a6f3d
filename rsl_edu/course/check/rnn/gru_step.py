"""Exercise ``gru_step``: take one step of a GRU."""

from typing import Any

import torch
from torch import tensor

from ..exercise import Answer, Case, Exercise, Mistake, Part
from ..verdict import text


def gru_step(
    x: torch.Tensor, h: torch.Tensor, w_ih: torch.Tensor, w_hh: torch.Tensor, b_ih: torch.Tensor, b_hh: torch.Tensor
) -> torch.Tensor:
    """One step of a GRU, with torch's layout of the weights: reset, update and new gate stacked in this order.

    ``x [envs, in]`` is the observation, ``h [envs, hidden]`` the memory; ``w_ih [3·hidden, in]``, ``w_hh [3·hidden,
    hidden]``, ``b_ih`` and ``b_hh`` [3·hidden] are the weights and biases. Returns the new memory [envs, hidden].
    """
    reset_x, update_x, new_x = (x @ w_ih.T + b_ih).chunk(3, dim=-1)  # [envs, hidden] each
    reset_h, update_h, new_h = (h @ w_hh.T + b_hh).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_h)  # how much of the memory the candidate sees
    update = torch.sigmoid(update_x + update_h)  # how much of the memory stays
    new = torch.tanh(new_x + reset * new_h)  # the candidate
    return (1 - update) * new + update * h


def _show(*inputs: torch.Tensor) -> str:
    x, h, w_ih, w_hh, b_ih, b_hh = map(text, inputs)
    lines = f"x={x}, h={h}", f"w_ih={w_ih}", f"w_hh={w_hh}", f"b_ih={b_ih}", f"b_hh={b_hh}"
    return "gru_step({})".format((",\n" + 21 * " ").join(lines))


def _draw(generator: torch.Generator) -> Case:
    shapes = (3, 4), (3, 5), (15, 4), (15, 5), (15,), (15,)
    return Case("random weights", tuple(torch.randn(shape, generator=generator) for shape in shapes), rtol=1e-3)


_ZERO = (0.0, 0.0, 0.0)
Triple = tuple[float, float, float]  # of the reset, the update and the new gate


def _one_unit(
    about: str, h: float, w_ih: Triple = _ZERO, w_hh: Triple = _ZERO, b_ih: Triple = _ZERO, b_hh: Triple = _ZERO
) -> Case:
    """A single unit, whose input is 1."""
    return Case.of(about, [[1.0]], [[h]], tensor([w_ih]).T, tensor([w_hh]).T, tensor(b_ih), tensor(b_hh))


CASES = (
    _one_unit("weights of zero: both gates are half open, the candidate is 0", 2.0),
    _one_unit("an update gate of 1, which keeps the memory", 3.0, w_ih=(0.0, 0.0, 100.0), b_hh=(0.0, 100.0, 0.0)),
    _one_unit("an update gate of 0, which takes the new", -2.0, w_ih=(0.0, 0.0, 100.0), b_ih=(0.0, -100.0, 0.0)),
    _one_unit(
        "a reset gate of 0 and an update gate of 0, both closed by the memory",
        3.0,
        w_ih=(0.0, 0.0, -100.0),
        w_hh=(-100.0, -100.0, 0.0),
        b_hh=(0.0, 0.0, 100.0),
    ),
    Case.of(
        "two units that read each other; the reset gate of the first is 1, of the second 0",
        [[1.0]],
        [[1.0, 2.0]],
        [[100.0], [-100.0], [-100.0], [-100.0], [0.0], [0.0]],
        [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 100.0], [100.0, 0.0]],
        torch.zeros(6),
        torch.zeros(6),
    ),
    Case.of(
        "two environments, two inputs, two units",
        [[1.0, -2.0], [0.5, 1.0]],
        [[-1.0, 0.5], [2.0, -0.5]],
        [[0.5, 0.1], [-1.0, 0.3], [0.2, -0.4], [1.0, 0.6], [-0.3, 0.8], [0.7, -0.9]],
        [[-0.2, 0.9], [0.4, -0.7], [1.0, 0.1], [-0.6, 0.5], [0.8, -0.3], [-0.5, 1.0]],
        [0.1, -0.2, 0.3, -0.4, 0.5, -0.6],
        [-0.7, 0.8, -0.9, 1.0, -0.2, 0.4],
    ),
    Case("three environments, four inputs, five units", _draw(torch.Generator().manual_seed(3)).inputs),
)


class _Gates:
    """The quantities of the step, under short names, for writing its mistakes in a line each.

    ``r``, ``z``, ``n`` are the gates, ``rx``, ``rh`` … what they get from the input and from the memory, biases in.
    """

    def __init__(self, inputs: tuple[torch.Tensor, ...], order: tuple[int, ...], squash: Part) -> None:
        self.x, self.h, w_ih, w_hh, b_ih, b_hh = inputs
        xs, hs = (self.x @ w_ih.T + b_ih).chunk(3, dim=-1), (self.h @ w_hh.T + b_hh).chunk(3, dim=-1)
        self.rx, self.zx, self.nx = (xs[i] for i in order)
        self.rh, self.zh, self.nh = (hs[i] for i in order)
        self.w, self.b = w_hh.chunk(3)[order[2]], b_hh.chunk(3)[order[2]]  # what makes nh: h @ w.T + b
        self.r, self.z = squash(self.rx + self.rh), squash(self.zx + self.zh)
        self.n = torch.tanh(self.nx + self.r * self.nh)


def _blend(g: _Gates) -> Any:
    return (1 - g.z) * g.n + g.z * g.h


def _update_inverted(g: _Gates) -> Any:
    return g.z * g.n + (1 - g.z) * g.h


def _reset_first(g: _Gates) -> torch.Tensor:
    return torch.tanh(g.nx + (g.r * g.h) @ g.w.T + g.b)


def _gru(
    out: Part = _blend,
    n: Part = lambda g: g.n,
    r: Part = lambda g: g.r,
    z: Part = lambda g: g.z,
    order: tuple[int, ...] = (0, 1, 2),
    squash: Part = torch.sigmoid,
    inputs: Part = lambda *inputs: inputs,
) -> Answer:
    """A step with some part done wrong."""

    def answer(*right: torch.Tensor) -> Any:
        gates = _Gates(inputs(*right), order, squash)
        gates.r, gates.z = r(gates), z(gates)
        gates.n = torch.tanh(gates.nx + gates.r * gates.nh)
        gates.n = n(gates)
        return out(gates)

    return answer


def _orders(*orders: tuple[int, ...]) -> tuple[Answer, ...]:
    """Orders of the gates, also with the conventions that other libraries have with them."""
    conventions = [(out, n) for out in (_blend, _update_inverted) for n in (lambda g: g.n, _reset_first)]
    return tuple(_gru(out, n, order=order) for order in orders for out, n in conventions)


MISTAKES = {
    "reset-update-swapped": Mistake(
        "you swap the reset and the update gate.",
        "torch stacks reset, update, new: the first third of the rows is the reset gate's. Keras has update first.",
        *_orders((1, 0, 2)),
    ),
    "gate-order": Mistake(
        "you take the gates from the wrong thirds of the rows.",
        "torch stacks reset, update, new, in this order.",
        *_orders((0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1)),
    ),
    "gates-interleaved": Mistake(
        "you take every third row for a gate.",
        "The rows of a gate stand together, as a block of `hidden` rows: .chunk(3, dim=-1).",
        _gru(inputs=lambda x, h, *ws: (x, h, *(torch.cat([w[i::3] for i in range(3)]) for w in ws))),
    ),
    "update-inverted": Mistake(
        "your update gate works the other way round: 1 replaces the memory.",
        "In torch an update gate of 1 keeps it: (1 - update) * new + update * h. Papers write it both ways.",
        _gru(out=_update_inverted),
    ),
    "reset-before-product": Mistake(
        "your reset gate multiplies h before the weights do.",
        "The first GRU paper does so. torch and cuDNN multiply first, then reset: reset * (h @ w.T + b).",
        _gru(n=_reset_first),
        _gru(n=lambda g: torch.tanh(g.nx + (g.r * g.h) @ g.w.T + g.r * g.b)),
    ),
    "bias-outside-reset": Mistake(
        "the hidden bias of your new gate escapes the reset gate.",
        "In torch the gate multiplies the bias too: reset * (h @ w.T + b). Hence there are two biases, not one.",
        _gru(n=lambda g: torch.tanh(g.nx + g.r * (g.nh - g.b) + g.b)),
    ),
    "reset-on-input": Mistake(
        "your reset gate multiplies what comes from the input.",
        "It decides how much of the memory is seen: only h @ w.T + b stands behind it, never x.",
        _gru(n=lambda g: torch.tanh(g.r * g.nx + g.nh)),
        _gru(n=lambda g: torch.tanh(g.r * (g.nx + g.nh))),
    ),
    "reset-unused": Mistake(
        "your reset gate does nothing.",
        "It multiplies the memory's part of the new gate: tanh(new_x + reset * new_h).",
        _gru(r=lambda g: torch.ones_like(g.r)),
    ),
    "reset-inverted": Mistake(
        "your reset gate works the other way round: 1 hides the memory.",
        "The name misleads: a reset gate of 0 resets. Multiply by reset, not by 1 - reset.",
        _gru(r=lambda g: 1 - g.r),
    ),
    "candidate-sigmoid": Mistake(
        "your new gate has a sigmoid in the place of the tanh.",
        "The memory needs negative values too: tanh gives −1 to 1, a sigmoid only 0 to 1.",
        _gru(n=lambda g: torch.sigmoid(g.nx + g.r * g.nh)),
    ),
    "candidate-unbounded": Mistake(
        "your new gate has no tanh, so the memory can grow without bound.",
        "tanh(new_x + reset * new_h) keeps it between −1 and 1.",
        _gru(n=lambda g: g.nx + g.r * g.nh),
        _gru(n=lambda g: torch.relu(g.nx + g.r * g.nh)),
    ),
    "gates-not-squashed": Mistake(
        "your gates do not stay between 0 and 1.",
        "A gate is a share: take the sigmoid of reset and update.",
        _gru(squash=lambda gate: gate),
        _gru(squash=torch.tanh),
        _gru(z=lambda g: g.zx + g.zh),
        _gru(r=lambda g: g.rx + g.rh),
    ),
    "gates-see-input-only": Mistake(
        "your reset and update gates look at the input alone.",
        "Each adds its part of h @ w_hh.T + b_hh before the sigmoid.",
        _gru(r=lambda g: torch.sigmoid(g.rx), z=lambda g: torch.sigmoid(g.zx)),
        _gru(z=lambda g: torch.sigmoid(g.zx)),
        _gru(r=lambda g: torch.sigmoid(g.rx)),
    ),
    "biases-forgotten": Mistake(
        "you leave out a bias.",
        "Both products have their own: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, 0 * bx, 0 * bh)),
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, bx, 0 * bh)),
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, 0 * bx, bh)),
    ),
    "biases-swapped": Mistake(
        "you add b_hh to the input's side and b_ih to the memory's.",
        "The names say it: ih is input to hidden, hh hidden to hidden.",
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, bh, bx)),
    ),
    "weights-swapped": Mistake(
        "you multiply the input by w_hh and the memory by w_ih.",
        "The names say it: ih is input to hidden, hh hidden to hidden.",
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wh, wx, bx, bh)),
        _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wh, wx, bh, bx)),
    ),
    "weights-reshaped": Mistake(
        "you reshape the weights where they must be transposed.",
        "reshape and view keep the numbers in their order, so rows are torn apart. Use x @ w_ih.T and h @ w_hh.T.",
        _gru(inputs=lambda x, h, *w: (x, h, *(m.reshape(m.shape[::-1]).T for m in w[:2]), *w[2:])),
        _gru(inputs=lambda x, h, wx, wh, *b: (x, h, wx, wh.reshape(wh.shape[::-1]).T, *b)),
    ),
    "returns-candidate": Mistake(
        "you leave the old memory out of the result.",
        "The new gate alone remembers nothing. Blend the two: (1 - update) * new + update * h.",
        _gru(out=lambda g: g.n),
        _gru(out=lambda g: g.z * g.n),
        _gru(out=lambda g: (1 - g.z) * g.n),
    ),
    "returns-old-memory": Mistake(
        "you leave the new gate out of the result.",
        "The old memory alone learns nothing. Blend the two: (1 - update) * new + update * h.",
        _gru(out=lambda g: g.h),
        _gru(out=lambda g: g.z * g.h),
    ),
    "not-a-blend": Mistake(
        "you add the new gate to the memory; the two weights do not sum to 1.",
        "Where the new comes in, the old must go: (1 - update) * new + update * h.",
        _gru(out=lambda g: g.n + g.z * g.h),
        _gru(out=lambda g: g.n + g.h),
        _gru(out=lambda g: g.h + g.z * g.n),
        _gru(out=lambda g: g.h + (1 - g.z) * g.n),
        _gru(out=lambda g: g.z * g.n + g.z * g.h),
    ),
    "tanh-of-result": Mistake(
        "you take the tanh of the result.",
        "The tanh belongs to the new gate. The memory itself is copied, or it would fade a little at every step.",
        _gru(out=lambda g: torch.tanh(_blend(g))),
    ),
}

HINTS = (
    "How many matrix products do you need? Each of them gives the numbers of all three gates at once. Write down its "
    "shape.",
    "Compute `x @ w_ih.T + b_ih` and `h @ w_hh.T + b_hh`, and cut each into three blocks of size hidden with "
    "`.chunk(3, dim=-1)`. The reset gate and the update gate each add their two blocks and take the sigmoid. The "
    "candidate differs: its block of the memory, bias included, is first multiplied by the reset gate.",
    "`reset = torch.sigmoid(reset_x + reset_h)`, and the same for `update`; `new = torch.tanh(new_x + reset * new_h)`, "
    "where both blocks include their biases. Where `update` is 1, the old memory stays: return `(1 - update) * new + "
    "update * h`.",
)

EXERCISE = Exercise(gru_step, ("h",), CASES, MISTAKES, HINTS, _draw, show=_show)
