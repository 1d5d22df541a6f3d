"""Lesson 3's exercises: one step of a GRU, forget when an episode ends, cut a rollout into trajectories and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch

from .exercise import Answer, Case, Exercise, Mistake
from .verdict import text

_t = torch.tensor
Tensors = Callable[..., Any]

# Exercise 1 -----------------------------------------------------------------------------------------------------------


def gru_step(
    x: torch.Tensor, h: torch.Tensor, w_ih: torch.Tensor, w_hh: torch.Tensor, b_ih: torch.Tensor, b_hh: torch.Tensor
) -> torch.Tensor:
    """One step of a GRU, with torch's layout of the weights: reset, update and new gate stacked in this order.

    ``x [envs, in]`` is the observation, ``h [envs, hidden]`` the memory; ``w_ih [3·hidden, in]``, ``w_hh [3·hidden,
    hidden]``, ``b_ih`` and ``b_hh`` [3·hidden] are the weights and biases. Returns the new memory [envs, hidden].
    """
    reset_x, update_x, new_x = (x @ w_ih.T + b_ih).chunk(3, dim=-1)  # [envs, hidden] each
    reset_h, update_h, new_h = (h @ w_hh.T + b_hh).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_h)  # 0: the candidate does not look at the memory
    update = torch.sigmoid(update_x + update_h)  # 1: the memory stays as it is
    new = torch.tanh(new_x + reset * new_h)  # the candidate
    return (1 - update) * new + update * h


class _Gates:
    """The quantities of the step, under short names, for writing its mistakes in a line each.

    ``r``, ``z``, ``n`` are the gates, ``rx``, ``rh`` … what they get from the input and from the memory, biases in.
    """

    def __init__(self, inputs: tuple[torch.Tensor, ...], order: tuple[int, ...], squash: Tensors) -> None:
        self.x, self.h, w_ih, w_hh, b_ih, b_hh = inputs
        xs, hs = (self.x @ w_ih.T + b_ih).chunk(3, dim=-1), (self.h @ w_hh.T + b_hh).chunk(3, dim=-1)
        self.rx, self.zx, self.nx = (xs[i] for i in order)
        self.rh, self.zh, self.nh = (hs[i] for i in order)
        self.w, self.b = w_hh.chunk(3)[order[2]], b_hh.chunk(3)[order[2]]  # what makes nh: h @ w.T + b
        self.r, self.z = squash(self.rx + self.rh), squash(self.zx + self.zh)
        self.n = torch.tanh(self.nx + self.r * self.nh)


Part = Callable[[_Gates], Any]


def _blend(g: _Gates) -> torch.Tensor:
    h: torch.Tensor = (1 - g.z) * g.n + g.z * g.h
    return h


def _gru(
    out: Part = _blend,
    n: Part = lambda g: g.n,
    r: Part = lambda g: g.r,
    z: Part = lambda g: g.z,
    order: tuple[int, ...] = (0, 1, 2),
    squash: Tensors = torch.sigmoid,
    inputs: Tensors = lambda *inputs: inputs,
) -> Answer:
    """A step with some part done wrong."""

    def answer(*right: torch.Tensor) -> Any:
        gates = _Gates(inputs(*right), order, squash)
        gates.r, gates.z = r(gates), z(gates)
        gates.n = torch.tanh(gates.nx + gates.r * gates.nh)
        gates.n = n(gates)
        return out(gates)

    return answer


def _update_inverted(g: _Gates) -> torch.Tensor:
    h: torch.Tensor = g.z * g.n + (1 - g.z) * g.h
    return h


def _reset_first(g: _Gates) -> torch.Tensor:
    return torch.tanh(g.nx + (g.r * g.h) @ g.w.T + g.b)


def _orders(*orders: tuple[int, ...]) -> tuple[Answer, ...]:
    """Orders of the gates, also with the conventions that other libraries have with them."""
    return tuple(
        _gru(out=out, n=n, order=order)
        for order in orders
        for out in (_blend, _update_inverted)
        for n in (lambda g: g.n, _reset_first)
    )


def _interleaved(w: torch.Tensor) -> torch.Tensor:
    return torch.cat([w[i::3] for i in range(3)])


def _show_gru(*inputs: torch.Tensor) -> str:
    x, h, w_ih, w_hh, b_ih, b_hh = map(text, inputs)
    lines = f"x={x}, h={h}", f"w_ih={w_ih}", f"w_hh={w_hh}", f"b_ih={b_ih}", f"b_hh={b_hh}"
    return "gru_step({})".format((",\n" + 21 * " ").join(lines))


def _draw_gru(generator: torch.Generator) -> Case:
    shapes = (3, 4), (3, 5), (15, 4), (15, 5), (15,), (15,)
    return Case("random weights", tuple(torch.randn(shape, generator=generator) for shape in shapes), rtol=1e-3)


GRU_STEP = Exercise(
    name="gru_step",
    reference=gru_step,
    outputs=("h",),
    cases=(
        Case(
            "weights of zero: both gates are half open, the candidate is 0",
            (_t([[1.0]]), _t([[2.0]]), torch.zeros(3, 1), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3)),
        ),
        Case(
            "an update gate of 1, which keeps the memory",
            (
                *(_t([[1.0]]), _t([[3.0]])),
                *(_t([[0.0], [0.0], [100.0]]), torch.zeros(3, 1)),
                *(torch.zeros(3), _t([0.0, 100.0, 0.0])),
            ),
        ),
        Case(
            "an update gate of 0, which takes the new",
            (
                *(_t([[1.0]]), _t([[-2.0]])),
                *(_t([[0.0], [0.0], [100.0]]), torch.zeros(3, 1)),
                *(_t([0.0, -100.0, 0.0]), torch.zeros(3)),
            ),
        ),
        Case(
            "a reset gate of 0 and an update gate of 0, both closed by the memory",
            (
                *(_t([[1.0]]), _t([[3.0]])),
                *(_t([[0.0], [0.0], [-100.0]]), _t([[-100.0], [-100.0], [0.0]])),
                *(torch.zeros(3), _t([0.0, 0.0, 100.0])),
            ),
        ),
        Case(
            "two units that read each other; the reset gate of the first is 1, of the second 0",
            (
                *(_t([[1.0]]), _t([[1.0, 2.0]])),
                *(_t([[100.0], [-100.0], [-100.0], [-100.0], [0.0], [0.0]]),),
                *(_t([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 100.0], [100.0, 0.0]]),),
                *(torch.zeros(6), torch.zeros(6)),
            ),
        ),
        Case(
            "two environments, two inputs, two units",
            (
                _t([[1.0, -2.0], [0.5, 1.0]]),
                _t([[-1.0, 0.5], [2.0, -0.5]]),
                _t([[0.5, 0.1], [-1.0, 0.3], [0.2, -0.4], [1.0, 0.6], [-0.3, 0.8], [0.7, -0.9]]),
                _t([[-0.2, 0.9], [0.4, -0.7], [1.0, 0.1], [-0.6, 0.5], [0.8, -0.3], [-0.5, 1.0]]),
                _t([0.1, -0.2, 0.3, -0.4, 0.5, -0.6]),
                _t([-0.7, 0.8, -0.9, 1.0, -0.2, 0.4]),
            ),
        ),
        Case("three environments, four inputs, five units", _draw_gru(torch.Generator().manual_seed(3)).inputs),
    ),
    mistakes=(
        Mistake(
            "reset-update-swapped",
            "you swap the reset and the update gate.",
            "torch stacks reset, update, new: the first third of the rows is the reset gate's. Keras has update first.",
            _orders((1, 0, 2)),
        ),
        Mistake(
            "gate-order",
            "you take the gates from the wrong thirds of the rows.",
            "torch stacks reset, update, new, in this order.",
            _orders((0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1)),
        ),
        Mistake(
            "gates-interleaved",
            "you take every third row for a gate.",
            "The rows of a gate stand together, as a block of `hidden` rows: .chunk(3, dim=-1).",
            (_gru(inputs=lambda x, h, *weights: (x, h, *map(_interleaved, weights))),),
        ),
        Mistake(
            "update-inverted",
            "your update gate works the other way round: 1 replaces the memory.",
            "In torch an update gate of 1 keeps it: (1 - update) * new + update * h. Papers write it both ways.",
            (_gru(out=_update_inverted),),
        ),
        Mistake(
            "reset-before-product",
            "your reset gate multiplies h before the weights do.",
            "The first GRU paper does so. torch and cuDNN multiply first, then reset: reset * (h @ w.T + b).",
            (_gru(n=_reset_first), _gru(n=lambda g: torch.tanh(g.nx + (g.r * g.h) @ g.w.T + g.r * g.b))),
        ),
        Mistake(
            "bias-outside-reset",
            "the hidden bias of your new gate escapes the reset gate.",
            "In torch the gate multiplies the bias too: reset * (h @ w.T + b). Hence there are two biases, not one.",
            (_gru(n=lambda g: torch.tanh(g.nx + g.r * (g.nh - g.b) + g.b)),),
        ),
        Mistake(
            "reset-on-input",
            "your reset gate multiplies what comes from the input.",
            "It decides how much of the memory is seen: only h @ w.T + b stands behind it, never x.",
            (
                _gru(n=lambda g: torch.tanh(g.r * g.nx + g.nh)),
                _gru(n=lambda g: torch.tanh(g.r * (g.nx + g.nh))),
            ),
        ),
        Mistake(
            "reset-unused",
            "your reset gate does nothing.",
            "It multiplies the memory's part of the new gate: tanh(new_x + reset * new_h).",
            (_gru(r=lambda g: torch.ones_like(g.r)),),
        ),
        Mistake(
            "reset-inverted",
            "your reset gate works the other way round: 1 hides the memory.",
            "The name misleads: a reset gate of 0 resets. Multiply by reset, not by 1 - reset.",
            (_gru(r=lambda g: 1 - g.r),),
        ),
        Mistake(
            "candidate-sigmoid",
            "your new gate has a sigmoid in the place of the tanh.",
            "The memory needs negative values too: tanh gives −1 to 1, a sigmoid only 0 to 1.",
            (_gru(n=lambda g: torch.sigmoid(g.nx + g.r * g.nh)),),
        ),
        Mistake(
            "candidate-unbounded",
            "your new gate has no tanh, so the memory can grow without bound.",
            "tanh(new_x + reset * new_h) keeps it between −1 and 1.",
            (_gru(n=lambda g: g.nx + g.r * g.nh), _gru(n=lambda g: torch.relu(g.nx + g.r * g.nh))),
        ),
        Mistake(
            "gates-not-squashed",
            "your gates do not stay between 0 and 1.",
            "A gate is a share: take the sigmoid of reset and update.",
            (
                _gru(squash=lambda gate: gate),
                _gru(squash=torch.tanh),
                _gru(z=lambda g: g.zx + g.zh),
                _gru(r=lambda g: g.rx + g.rh),
            ),
        ),
        Mistake(
            "gates-see-input-only",
            "your reset and update gates look at the input alone.",
            "Each adds its part of h @ w_hh.T + b_hh before the sigmoid.",
            (
                _gru(r=lambda g: torch.sigmoid(g.rx), z=lambda g: torch.sigmoid(g.zx)),
                _gru(z=lambda g: torch.sigmoid(g.zx)),
                _gru(r=lambda g: torch.sigmoid(g.rx)),
            ),
        ),
        Mistake(
            "biases-forgotten",
            "you leave out a bias.",
            "Both products have their own: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
            (
                _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, 0 * bx, 0 * bh)),
                _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, bx, 0 * bh)),
                _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, 0 * bx, bh)),
            ),
        ),
        Mistake(
            "biases-swapped",
            "you add b_hh to the input's side and b_ih to the memory's.",
            "The names say it: ih is input to hidden, hh hidden to hidden.",
            (_gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wx, wh, bh, bx)),),
        ),
        Mistake(
            "weights-swapped",
            "you multiply the input by w_hh and the memory by w_ih.",
            "The names say it: ih is input to hidden, hh hidden to hidden.",
            (
                _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wh, wx, bx, bh)),
                _gru(inputs=lambda x, h, wx, wh, bx, bh: (x, h, wh, wx, bh, bx)),
            ),
        ),
        Mistake(
            "weights-reshaped",
            "you reshape the weights where they must be transposed.",
            "reshape and view keep the numbers in their order, so rows are torn apart. Use x @ w_ih.T and h @ w_hh.T.",
            (
                _gru(inputs=lambda x, h, *w: (x, h, *(m.reshape(m.shape[::-1]).T for m in w[:2]), *w[2:])),
                _gru(inputs=lambda x, h, wx, wh, *b: (x, h, wx, wh.reshape(wh.shape[::-1]).T, *b)),
            ),
        ),
        Mistake(
            "returns-candidate",
            "you leave the old memory out of the result.",
            "The new gate alone remembers nothing. Blend the two: (1 - update) * new + update * h.",
            (_gru(out=lambda g: g.n), _gru(out=lambda g: g.z * g.n), _gru(out=lambda g: (1 - g.z) * g.n)),
        ),
        Mistake(
            "returns-old-memory",
            "you leave the new gate out of the result.",
            "The old memory alone learns nothing. Blend the two: (1 - update) * new + update * h.",
            (_gru(out=lambda g: g.h), _gru(out=lambda g: g.z * g.h)),
        ),
        Mistake(
            "not-a-blend",
            "you add the new gate to the memory; the two weights do not sum to 1.",
            "Where the new comes in, the old must go: (1 - update) * new + update * h.",
            (
                _gru(out=lambda g: g.n + g.z * g.h),
                _gru(out=lambda g: g.n + g.h),
                _gru(out=lambda g: g.h + g.z * g.n),
                _gru(out=lambda g: g.h + (1 - g.z) * g.n),
                _gru(out=lambda g: g.z * g.n + g.z * g.h),
            ),
        ),
        Mistake(
            "tanh-of-result",
            "you take the tanh of the result.",
            "The tanh belongs to the new gate. The memory itself is copied, or it would fade a little at every step.",
            (_gru(out=lambda g: torch.tanh(_blend(g))),),
        ),
    ),
    hints=(
        "Three gates, each with its own rows of the weights. Which of them looks at the memory through another gate?",
        "Compute `x @ w_ih.T + b_ih` and `h @ w_hh.T + b_hh`, and cut each into three parts with `.chunk(3, dim=-1)`. "
        "Reset and update add their two parts and take the sigmoid.",
        "`new = torch.tanh(new_x + reset * new_h)`, where `new_x` and `new_h` hold their biases; the new memory is "
        "`(1 - update) * new + update * h`.",
    ),
    draw=_draw_gru,
    show=_show_gru,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------


def reset_done(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
    """Forget the memory of the environments whose episode ended.

    Args:
        hidden: Memory of all layers [layers, envs, hidden]; it stays as it was.
        dones: 1 where an episode ended, else 0, as integers [envs].

    Returns:
        A new memory [layers, envs, hidden]: zeros for the environments that are done, all else as before.
    """
    done = dones.bool().unsqueeze(-1)  # [envs, 1]: a mask, the same for all layers and units
    return torch.where(done, 0.0, hidden)


def _zero(*where: Any) -> Answer:
    """Zeros at an index of a copy: from functions of (dones) for each dimension of [layers, envs, hidden]."""

    def answer(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
        new = hidden.clone()
        new[tuple(part(dones) if callable(part) else part for part in where)] = 0
        return new

    return answer


_ALL = slice(None)


def _first_done(dones: torch.Tensor) -> torch.Tensor:
    return dones.nonzero()[:1, 0]


def _draw_memory(generator: torch.Generator) -> Case:
    hidden = torch.randn(2, 6, 3, generator=generator)
    dones = (torch.rand(6, generator=generator) < 0.4).long()
    return Case("a random memory", (hidden, dones))


RESET_DONE = Exercise(
    name="reset_done",
    reference=reset_done,
    outputs=("hidden state",),
    cases=(
        Case("four environments, the third is done", (_t([[[1.0], [2.0], [3.0], [4.0]]]), _t([0, 0, 1, 0]))),
        Case("two environments are done", (_t([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]), _t([1, 0, 1]))),
        Case("no environment is done", (_t([[[1.0], [2.0]]]), _t([0, 0]))),
        Case(
            "two layers, two environments, two units",
            (_t([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]), _t([0, 1])),
        ),
    ),
    mistakes=(
        Mistake(
            "integer-index",
            "you use dones as an index: its numbers, 0 and 1, pick the environments 0 and 1.",
            "It needs a mask of True and False: dones.bool(). rsl_rl once had this very mistake.",
            (_zero(_ALL, lambda dones: dones),),
        ),
        Mistake(
            "inverted",
            "you forget the environments that are still running and keep those that are done.",
            "1 means done. Multiply by 1 - dones, or put zeros where dones is 1.",
            (_zero(_ALL, lambda dones: dones == 0),),
        ),
        Mistake(
            "resets-all",
            "you forget the memory of all environments.",
            "Each environment ends on its own; the others are in the middle of their episodes.",
            (
                lambda hidden, dones: torch.where(dones.any(), 0 * hidden, hidden),
                lambda hidden, dones: 0 * hidden,
            ),
        ),
        Mistake(
            "resets-none",
            "you return the memory as it was.",
            "Where dones is 1 it must be zero. (hidden[:, done].zero_() does not help: it writes into a copy.)",
            (lambda hidden, dones: hidden,),
        ),
        Mistake(
            "bitwise-not",
            "you negate integers with ~: ~0 is −1 and ~1 is −2.",
            "~ is a logical not for bool only: use ~dones.bool(), or 1 - dones.",
            (lambda hidden, dones: hidden * (~dones).unsqueeze(-1),),
        ),
        Mistake(
            "first-done-only",
            "you reset one environment at most, the first that is done.",
            "Several can end at the same step: take a mask, dones.bool(), not one index.",
            (
                _zero(_ALL, _first_done),
                _zero(_ALL, lambda dones: dones.argmax()),
            ),
        ),
        Mistake(
            "one-layer-only",
            "you reset one layer and leave the other as it was.",
            "Every layer has a memory: index all of them, hidden[:, done].",
            (_zero(0, lambda dones: dones == 1), _zero(-1, lambda dones: dones == 1)),
        ),
        Mistake(
            "one-unit-only",
            "you reset one unit of the memory and leave the others as they were.",
            "All units of a done environment forget: index [layers, envs] and leave the last dimension whole.",
            (_zero(_ALL, lambda dones: dones == 1, 0), _zero(_ALL, lambda dones: dones == 1, -1)),
        ),
        Mistake(
            "wrong-axis",
            "your dones run along the wrong dimension of the memory.",
            "Environments are the middle one of [layers, envs, hidden]: dones.unsqueeze(-1) is [envs, 1] and lines up.",
            (
                lambda hidden, dones: hidden * (1 - dones),
                lambda hidden, dones: hidden * (1 - dones)[:, None, None],
            ),
        ),
        Mistake(
            "drops-environments",
            "you take the environments that are done out of the memory.",
            "They start a new episode, with a memory of zeros: the shape stays [layers, envs, hidden].",
            (lambda hidden, dones: hidden[:, dones == 0],),
        ),
        Mistake(
            "done-only",
            "you return the memory of the environments that are done, and lose the others.",
            "Return the whole memory [layers, envs, hidden], with zeros where dones is 1.",
            (
                lambda hidden, dones: hidden[:, dones == 1],
                lambda hidden, dones: 0 * hidden[:, dones == 1],
            ),
        ),
    ),
    hints=(
        "`dones` holds numbers, 0 and 1. What does `hidden[:, dones]` pick when `dones` is a tensor of integers?",
        "Turn `dones` into a mask of True and False, and give it a last dimension, so that it lines up with "
        "[layers, envs, hidden]. Do not write into `hidden`.",
        "`done = dones.bool().unsqueeze(-1)` is [envs, 1]; `torch.where(done, 0.0, hidden)` puts zeros where it is "
        "True and makes a new tensor.",
    ),
    draw=_draw_memory,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


def split_and_pad(x: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a rollout where episodes end, and lay the pieces side by side, padded with zeros.

    ``x [time, envs, features]`` is the rollout; ``dones [time, envs]`` is 1 at the last step of an episode, else 0.
    The end of the rollout ends a trajectory too. Trajectories come environment by environment, each in order of time.

    Returns ``padded [longest, trajectories, features]`` and ``mask [longest, trajectories]``, True at real steps.
    """
    last = dones.bool().clone()  # [time, envs]
    last[-1] = True
    ends = last.T.flatten().nonzero().flatten()  # [trajectories], counted environment by environment
    lengths = ends.diff(prepend=torch.tensor([-1]))
    pieces = x.transpose(0, 1).flatten(0, 1).split(lengths.tolist())
    padded = torch.nn.utils.rnn.pad_sequence(pieces)  # [longest, trajectories, features]
    mask = torch.arange(len(padded)).unsqueeze(1) < lengths
    return padded, mask


Pieces = list[torch.Tensor]  # [steps, features] each


def _cut(
    x: torch.Tensor,
    dones: torch.Tensor,
    after: int = 1,
    keep: Callable[[torch.Tensor, torch.Tensor], Any] = lambda piece, done: True,
    at_end: bool = True,
) -> Pieces:
    """The pieces of a rollout, environment by environment.

    ``after`` is 1 to cut after the done step, 0 before it; ``keep`` says whether a piece with its dones is one;
    ``at_end`` whether the end of the rollout is a cut.
    """
    if not at_end:
        x, dones = x.transpose(0, 1).reshape(-1, 1, x.shape[-1]), dones.T.reshape(-1, 1)
    pieces = []
    for steps, ends in zip(x.unbind(1), dones.unbind(1), strict=True):
        cuts = [0, *(ends.nonzero().flatten() + after).tolist(), len(x)]
        both = [(steps[start:end], ends[start:end]) for start, end in itertools.pairwise(cuts)]
        pieces += [piece for piece, done in both if keep(piece, done)]
    return pieces


def _whole(piece: torch.Tensor, done: torch.Tensor) -> bool:
    return len(piece) > 0


def _finished(piece: torch.Tensor, done: torch.Tensor) -> bool:
    return bool(done.any())


def _by_time(x: torch.Tensor, dones: torch.Tensor, key: int) -> list[int]:
    """Order of the trajectories by their first (key 0) or last (key 1) step, and where equal by environment."""
    marks = _cut(torch.arange(len(x)).reshape(-1, 1, 1).expand(-1, x.shape[1], 1), dones, keep=_whole)
    return sorted(range(len(marks)), key=lambda i: int(marks[i][-key]))


def _in_order(order: Callable[[torch.Tensor, torch.Tensor, Pieces], list[int]]) -> Tensors:
    def cut(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
        pieces = _cut(x, dones, keep=_whole)
        return [pieces[i] for i in order(x, dones, pieces)]

    return cut


def _flat(last_row: bool) -> Tensors:
    """Cuts the rollout as it lies in memory, step by step, all environments in one row."""

    def cut(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
        ends = dones.clone()
        ends[-1] = 1 if last_row else ends[-1]
        return _cut(x.reshape(-1, 1, x.shape[-1]), ends.reshape(-1, 1), keep=_whole)

    return cut


def _without_done(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
    """The pieces without the steps that are done."""
    marked = torch.cat([x, dones.unsqueeze(-1)], dim=-1)
    return [piece[piece[:, -1] == 0, :-1] for piece in _cut(marked, dones, keep=_whole)]


def _pad(pieces: Pieces, time: int) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(pieces)


def _pad_to(length: Callable[[list[int], int], int], value: Callable[[torch.Tensor], Any] = lambda piece: 0) -> Tensors:
    """Padding to another length, or by another value than 0."""

    def pad(pieces: Pieces, time: int) -> torch.Tensor:
        to = length([len(piece) for piece in pieces], time)
        padded = [torch.cat([piece, piece.new_zeros(to, piece.shape[1]) + value(piece)])[:to] for piece in pieces]
        return torch.stack(padded, dim=1)

    return pad


def _pad_front(pieces: Pieces, time: int) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence([piece.flip(0) for piece in pieces]).flip(0)


def _mask(padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return torch.arange(len(padded)).unsqueeze(1) < lengths


def _split(
    cut: Tensors = lambda x, dones: _cut(x, dones, keep=_whole), pad: Tensors = _pad, mask: Tensors = _mask
) -> Answer:
    """Splitting with some part done wrong."""

    def answer(x: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pieces = cut(x, dones)
        padded = pad(pieces, len(x)) if pieces else x.new_zeros(0, 0, x.shape[-1])
        return padded, mask(padded, _t([len(piece) for piece in pieces]))

    return answer


def _or_raise(answer: Answer) -> tuple[Answer, Answer]:
    """A mistake that can leave no trajectory, as it is and as code that fails then."""

    def fails(x: torch.Tensor, dones: torch.Tensor) -> Any:
        padded, mask = answer(x, dones)
        if padded.numel() == 0:
            raise ValueError("no trajectories")
        return padded, mask

    return answer, fails


def _ramp(time: int, envs: int) -> torch.Tensor:
    """A rollout whose values say where they are from: 11, 12, 13 … for environment 1, 21, 22 … for environment 2."""
    return (10.0 * torch.arange(1, envs + 1) + torch.arange(1, time + 1).unsqueeze(1)).unsqueeze(-1)


def _draw_rollout(generator: torch.Generator) -> Case:
    time = int(torch.randint(2, 9, (), generator=generator))
    x = torch.randn(time, 3, 2, generator=generator)
    dones = (torch.rand(time, 3, generator=generator) < 0.25).long()
    return Case("a random rollout", (x, dones))


SPLIT_AND_PAD = Exercise(
    name="split_and_pad",
    reference=split_and_pad,
    outputs=("padded", "mask"),
    cases=(
        Case("one environment, an episode end after two steps", (_ramp(3, 1), _t([[0], [1], [0]]))),
        Case("two episode ends, the first at once", (_ramp(4, 1), _t([[1], [0], [1], [0]]))),
        Case("two environments", (_ramp(4, 2), _t([[0, 1], [0, 0], [1, 0], [0, 0]]))),
        Case("an episode that ends at the last step", (_ramp(3, 2), _t([[0, 0], [0, 1], [1, 1]]))),
        Case("no episode end", (_ramp(2, 3), _t([[0, 0, 0], [0, 0, 0]]))),
        Case("an observation of zero", (_t([[[0.0]], [[1.0]], [[2.0]], [[0.0]]]), _t([[1], [0], [0], [0]]))),
        Case(
            "two features",
            (torch.cat([_ramp(4, 2), -_ramp(4, 2)], dim=-1), _t([[1, 0], [1, 0], [0, 1], [0, 0]])),
        ),
    ),
    mistakes=(
        Mistake(
            "splits-before-done",
            "you cut before the step that is done: it starts the next trajectory.",
            "done says that this step was the last of its episode. Cut after it.",
            (
                _split(lambda x, dones: _cut(x, dones, after=0, keep=_whole)),
                _split(lambda x, dones: _cut(x, dones, after=0)),
            ),
        ),
        Mistake(
            "drops-done-step",
            "you lose the last step of each episode.",
            "The step that is done belongs to its episode: cut after it, x[start : t + 1].",
            (
                _split(_without_done),
                _split(lambda x, dones: [piece for piece in _without_done(x, dones) if len(piece)]),
            ),
        ),
        Mistake(
            "drops-rest",
            "you lose the steps after the last done.",
            "The end of the rollout ends a trajectory too: set the last step to done, in a copy.",
            _or_raise(_split(lambda x, dones: _cut(x, dones, keep=_finished))),
        ),
        Mistake(
            "crosses-environments",
            "your trajectories run from one environment into the next.",
            "The end of the rollout ends a trajectory in every environment: last = dones.clone(); last[-1] = 1.",
            (
                _split(lambda x, dones: _cut(x, dones, keep=_whole, at_end=False)),
                *_or_raise(_split(lambda x, dones: _cut(x, dones, keep=_finished, at_end=False))),
            ),
        ),
        Mistake(
            "flattened-by-time",
            "your trajectories mix the environments: steps of the same time stand one after another.",
            "x is [time, envs, features]: transpose(0, 1) first, so that the steps of an environment stand together.",
            (_split(_flat(last_row=True)), _split(_flat(last_row=False))),
        ),
        Mistake(
            "ordered-by-time",
            "your trajectories are in order of time, not of environment.",
            "All of environment 0 come first, in order of time, then all of environment 1: unpad relies on it.",
            (
                _split(_in_order(lambda x, dones, pieces: _by_time(x, dones, 1))),
                _split(_in_order(lambda x, dones, pieces: _by_time(x, dones, 0))),
            ),
        ),
        Mistake(
            "ordered-by-length",
            "your trajectories are sorted by length.",
            "Nothing here needs it, and unpad could not undo it: keep environment 0 first, then time.",
            (
                _split(_in_order(lambda x, dones, pieces: sorted(range(len(pieces)), key=lambda i: -len(pieces[i])))),
                _split(_in_order(lambda x, dones, pieces: sorted(range(len(pieces)), key=lambda i: len(pieces[i])))),
            ),
        ),
        Mistake(
            "not-split",
            "you do not cut at the episode ends: each environment is one trajectory.",
            "A done ends a trajectory; the next step starts another one.",
            (_split(lambda x, dones: _cut(x, 0 * dones)),),
        ),
        Mistake(
            "cuts-all",
            "the end of one robot's episode cuts the trajectories of all robots.",
            "Each environment ends on its own: look at its own column of dones.",
            (_split(lambda x, dones: _cut(x, dones.any(1, keepdim=True).expand_as(dones), keep=_whole)),),
        ),
        Mistake(
            "cuts-once",
            "you cut each environment at its first done only.",
            "An episode can end several times in one rollout: each done ends a trajectory.",
            (_split(lambda x, dones: _cut(x, dones * (dones.cumsum(0) == 1), keep=_whole)),),
        ),
        Mistake(
            "empty-trajectory",
            "you make a trajectory of no steps where an episode ends with the rollout.",
            "The last step is an end once, done or not: set it to done instead of adding a further end.",
            (_split(_cut),),
        ),
        Mistake(
            "padded-to-rollout",
            "you pad to the length of the rollout.",
            "rsl_rl does so, and it is not wrong there. Here the longest trajectory is enough: less to compute.",
            (_split(pad=_pad_to(lambda lengths, time: time)),),
        ),
        Mistake(
            "cut-to-shortest",
            "you cut all trajectories to the length of the shortest.",
            "No step may be lost: pad the short ones to the longest.",
            (_split(pad=_pad_to(lambda lengths, time: min(lengths))),),
        ),
        Mistake(
            "padded-in-front",
            "your padding stands before the steps.",
            "A trajectory starts at step 0, with the memory it began with; the padding comes after its end.",
            (_split(pad=_pad_front),),
        ),
        Mistake(
            "padding-not-zero",
            "your padding is not zero.",
            "Fill up with zeros: padding that looks like a step is easily taken for one.",
            (
                _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: piece[-1])),
                _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: -1)),
                _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: torch.nan)),
            ),
        ),
        Mistake(
            "trajectories-first",
            "your result is [trajectories, time, features].",
            "Time comes first, as torch's recurrent networks take it: transpose(0, 1).",
            (_split(pad=lambda pieces, time: _pad(pieces, time).transpose(0, 1)),),
        ),
        Mistake(
            "mask-inverted",
            "your mask is True at the padding.",
            "Here True says that a step is real. (key_padding_mask of torch's attention has it the other way.)",
            (_split(mask=lambda padded, lengths: ~_mask(padded, lengths)),),
        ),
        Mistake(
            "mask-all-true",
            "your mask takes the padding for real steps.",
            "It is True up to the length of a trajectory, False after it: arange(longest).unsqueeze(1) < lengths.",
            (_split(mask=lambda padded, lengths: torch.ones(padded.shape[:2], dtype=torch.bool)),),
        ),
        Mistake(
            "mask-from-values",
            "your mask takes an observation of zero for padding.",
            "A real step can be zero. Make the mask from the lengths, not from the values.",
            (
                _split(mask=lambda padded, lengths: (padded != 0).any(-1)),
                _split(mask=lambda padded, lengths: padded.sum(-1) != 0),
                _split(mask=lambda padded, lengths: (padded != 0).all(-1)),
            ),
        ),
        Mistake(
            "mask-one-off",
            "your mask is one step too short or too long.",
            "A trajectory of 2 steps has the steps 0 and 1: True where the step is less than the length.",
            (
                _split(mask=lambda padded, lengths: _mask(padded, lengths - 1)),
                _split(mask=lambda padded, lengths: _mask(padded, lengths + 1)),
            ),
        ),
        Mistake(
            "mask-transposed",
            "your mask is [trajectories, time].",
            "It has the first two dimensions of padded: [time, trajectories].",
            (_split(mask=lambda padded, lengths: _mask(padded, lengths).T),),
        ),
    ),
    hints=(
        "Draw the rollout of two environments with time to the right, and a bar after each done. Where else must a bar "
        "stand, so that no piece runs from one environment into the next?",
        "Set the last step of every environment to done, in a copy. Go through the environments one by one; each done "
        "ends a piece, and belongs to it. Then pad the pieces to the longest.",
        "With `last` the dones and `last[-1] = True`: `ends = last.T.flatten().nonzero().flatten()`, their differences "
        "are the lengths; split `x.transpose(0, 1).flatten(0, 1)` by them, and use `torch.nn.utils.rnn.pad_sequence`. "
        "The mask is `torch.arange(longest).unsqueeze(1) < lengths`.",
    ),
    draw=_draw_rollout,
)

# Exercise 4 -----------------------------------------------------------------------------------------------------------


def unpad(padded: torch.Tensor, mask: torch.Tensor, time: int) -> torch.Tensor:
    """Lay padded trajectories back into a rollout: the inverse of split_and_pad.

    Args:
        padded: Trajectories [longest, trajectories, features], environment by environment; after the end of a
            trajectory stands padding, which need not be zero.
        mask: True at real steps, False at padding [longest, trajectories].
        time: Steps of the rollout.

    Returns:
        The rollout [time, envs, features].
    """
    steps = padded.transpose(0, 1)[mask.T]  # [envs · time, features], environment by environment
    return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)


def _steps(padded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return padded.transpose(0, 1)[mask.T]  # [steps, features], trajectory by trajectory


def _lay(steps: Tensors, short: bool = False) -> Answer:
    """Right but for the steps; ``short`` drops those that are too many."""

    def answer(padded: torch.Tensor, mask: torch.Tensor, time: int) -> torch.Tensor:
        picked: torch.Tensor = steps(padded, mask)
        if short:
            picked = picked[: int(mask.sum())]
        return picked.reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    return answer


def _padded(x: torch.Tensor, dones: list[list[int]], padding: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, int]:
    padded, mask = split_and_pad(x, _t(dones))
    return torch.where(mask.unsqueeze(-1), padded, padding), mask, len(x)


def _draw_padded(generator: torch.Generator) -> Case:
    x, dones = _draw_rollout(generator).inputs
    return Case("random trajectories", _padded(x, dones.tolist(), padding=7.0))


UNPAD = Exercise(
    name="unpad",
    reference=unpad,
    outputs=("rollout",),
    cases=(
        Case("two environments, the episode of the second ends at once", _padded(_ramp(2, 2), [[0, 1], [0, 0]])),
        Case("trajectories that are all shorter than the rollout", _padded(_ramp(4, 1), [[0], [1], [0], [0]])),
        Case("padding that is not zero", _padded(_ramp(2, 2), [[0, 1], [0, 0]], padding=9.0)),
        Case("observations of zero", _padded(_ramp(2, 2) - _t([[[11.0], [0.0]], [[12.0], [0.0]]]), [[0, 1], [0, 0]])),
        Case("trajectories of many lengths", _padded(_ramp(4, 2), [[0, 1], [0, 0], [1, 0], [0, 0]], padding=9.0)),
        Case(
            "two features",
            _padded(torch.cat([_ramp(4, 2), -_ramp(4, 2)], dim=-1), [[1, 0], [1, 0], [0, 1], [0, 0]], padding=9.0),
        ),
    ),
    mistakes=(
        Mistake(
            "keeps-padding",
            "you take the padding along.",
            "Only the steps where mask is True are real: pick them, trajectory by trajectory.",
            (
                _lay(lambda padded, mask: padded.transpose(0, 1).flatten(0, 1), short=True),
                _lay(lambda padded, mask: (padded * mask.unsqueeze(-1)).transpose(0, 1).flatten(0, 1), short=True),
                _lay(lambda padded, mask: padded.transpose(0, 1).flatten(0, 1)),
                lambda padded, mask, time: padded,
                lambda padded, mask, time: padded * mask.unsqueeze(-1),
            ),
        ),
        Mistake(
            "mixes-order",
            "you pick the steps of all trajectories at time 0 first, then at time 1, and so on.",
            "padded[mask] goes row by row. Put the trajectories first: padded.transpose(0, 1)[mask.T].",
            (
                _lay(lambda padded, mask: padded[mask]),
                lambda padded, mask, time: padded[mask].reshape(time, -1, padded.shape[-1]),
            ),
        ),
        Mistake(
            "environments-first",
            "your result is [envs, time, features].",
            "Time comes first: transpose(0, 1) at the end.",
            (lambda padded, mask, time: unpad(padded, mask, time).transpose(0, 1),),
        ),
        Mistake(
            "reshaped-by-time",
            "you reshape to [time, envs] where the steps of one environment stand together.",
            "Reshape to [envs, time, features], as the steps lie, then transpose(0, 1).",
            (lambda padded, mask, time: _steps(padded, mask).reshape(time, -1, padded.shape[-1]),),
        ),
        Mistake(
            "flat",
            "you return the real steps one after another.",
            "They are [envs · time, features]: reshape them to [envs, time, features], then transpose(0, 1).",
            (
                lambda padded, mask, time: _steps(padded, mask),
                lambda padded, mask, time: padded[mask],
            ),
        ),
        Mistake(
            "longest-for-time",
            "you take the longest trajectory for the length of the rollout.",
            "padded is only as long as the longest trajectory. The rollout has `time` steps.",
            (lambda padded, mask, time: unpad(padded, mask, len(padded)),),
        ),
        Mistake(
            "mask-inverted",
            "you keep the padding and drop the real steps.",
            "mask is True at real steps: pick with mask, not with ~mask.",
            (
                _lay(lambda padded, mask: _steps(padded, ~mask)),
                _lay(lambda padded, mask: padded[~mask]),
            ),
        ),
        Mistake(
            "zeros-as-padding",
            "you take zeros for padding.",
            "A real step can be zero, and padding need not be. Only mask knows.",
            (
                _lay(lambda padded, mask: _steps(padded, (padded != 0).any(-1))),
                _lay(lambda padded, mask: _steps(padded, mask & (padded != 0).any(-1))),
            ),
        ),
        Mistake(
            "drops-features",
            "you lose the dimension of the features.",
            "A step is a vector of features, even of one: the result is [time, envs, features].",
            (
                lambda padded, mask, time: unpad(padded, mask, time)[..., 0],
                lambda padded, mask, time: unpad(padded, mask, time).squeeze(-1),
                lambda padded, mask, time: unpad(padded, mask, time).squeeze(),
                lambda padded, mask, time: unpad(padded, mask, time).flatten(1),
            ),
        ),
        Mistake(
            "reversed-time",
            "your steps run backwards in time.",
            "The first step of a trajectory is its first row; nothing needs a flip.",
            (lambda padded, mask, time: unpad(padded, mask, time).flip(0),),
        ),
    ),
    hints=(
        "`mask` says which steps are real. In which order does `padded[mask]` give them: trajectory by trajectory, or "
        "step by step?",
        "Put the trajectories first, `padded.transpose(0, 1)`, and pick with `mask.T`: the real steps come environment "
        "by environment, `time` of them for each.",
        "`steps = padded.transpose(0, 1)[mask.T]` is [envs · time, features]; reshape it to [envs, time, features], "
        "then transpose to [time, envs, features].",
    ),
    draw=_draw_padded,
)

EXERCISES: tuple[Exercise, ...] = (GRU_STEP, RESET_DONE, SPLIT_AND_PAD, UNPAD)
