"""Exercise ``gru_step``: take one step of a GRU."""

import torch
from torch import tensor

from ..exercise import Case, Exercise, Mistake
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


_X, _H = "reset_x, update_x, new_x", "reset_h, update_h, new_h"
_BLEND = "(1 - update) * new + update * h"
_CANDIDATE = "new_x + reset * new_h"


def _in_order(x: str = "reset update new", h: str = "reset update new") -> dict[str, str]:
    """Another order of the gates in what comes from the input, and in what comes from the memory."""
    of = {_X: ", ".join(f"{gate}_x" for gate in x.split()), _H: ", ".join(f"{gate}_h" for gate in h.split())}
    return {old: new for old, new in of.items() if old != new}


MISTAKES = {
    "reset-update-swapped": Mistake(
        "you swap the reset and the update gate.",
        "torch stacks reset, update, new: the first third of the rows is the reset gate's. Keras has update first.",
        _in_order("update reset new", "update reset new"),
    ),
    "update-inverted": Mistake(
        "your update gate works the other way round: 1 replaces the memory.",
        "In torch an update gate of 1 keeps it: (1 - update) * new + update * h. Papers write it both ways.",
        {"update = ": "update = 1 - "},
    ),
    "reset-before-product": Mistake(
        "your reset gate multiplies h before the weights do.",
        "The first GRU paper does so. torch and cuDNN multiply first, then reset: reset * (h @ w.T + b).",
        {"reset * new_h": "(reset * h) @ w_hh.chunk(3)[2].T + b_hh.chunk(3)[2]"},
    ),
    "bias-outside-reset": Mistake(
        "the hidden bias of your new gate is added after the reset gate, which should multiply it.",
        "In torch the gate multiplies the bias too: reset * (h @ w.T + b). That is why there are two biases.",
        {"reset * new_h": "reset * (new_h - b_hh.chunk(3)[2]) + b_hh.chunk(3)[2]"},
    ),
    "bias-inside-reset": Mistake(
        "your reset gate multiplies the input's bias of the new gate.",
        "It multiplies what comes from the memory only: reset * (h @ w.T + b_hh). b_ih stays with x.",
        {_CANDIDATE: "new_x - b_ih.chunk(3)[2] + reset * (new_h + b_ih.chunk(3)[2])"},
    ),
    "reset-on-input": Mistake(
        "your reset gate multiplies what comes from the input.",
        "It decides how much of the memory is seen: multiply only h @ w.T + b with it, never x.",
        {_CANDIDATE: "reset * (new_x + new_h)"},
        {_CANDIDATE: "reset * new_x + new_h"},
        {f"torch.tanh({_CANDIDATE})": "reset * torch.tanh(new_x + new_h)"},
    ),
    "reset-unused": Mistake(
        "your reset gate does nothing.",
        "It multiplies the memory's part of the new gate: tanh(new_x + reset * new_h).",
        {"reset * new_h": "new_h"},
    ),
    "reset-inverted": Mistake(
        "your reset gate works the other way round: 1 hides the memory.",
        "The name misleads: a reset gate of 0 resets. Multiply by reset, not by 1 - reset.",
        {"reset = ": "reset = 1 - "},
    ),
    "reset-on-old-memory": Mistake(
        "your reset gate also multiplies the old memory in the result.",
        "The reset gate belongs inside the new gate. The update gate alone decides how much of h stays: update * h.",
        {"update * h": "update * reset * h"},
    ),
    "candidate-without-memory": Mistake(
        "your new gate does not look at the memory.",
        "Add the memory's part of the new gate, times the reset gate: tanh(new_x + reset * new_h).",
        {" + reset * new_h": ""},
    ),
    "candidate-without-weights": Mistake(
        "your new gate takes the memory itself, without its weights and bias.",
        "The reset gate multiplies the memory's third block, h @ w.T + b, not h.",
        {"reset * new_h": "reset * h"},
    ),
    "gates-confused": Mistake(
        "you use one gate where the other belongs.",
        "The reset gate multiplies the memory's part of the new gate; the update gate blends new and old memory.",
        {_BLEND: "(1 - reset) * new + reset * h"},
        {"reset * new_h": "update * new_h"},
    ),
    "candidate-sigmoid": Mistake(
        "your new gate has a sigmoid instead of the tanh.",
        "The memory needs negative values too: tanh gives −1 to 1, a sigmoid only 0 to 1.",
        {"torch.tanh": "torch.sigmoid"},
    ),
    "candidate-unbounded": Mistake(
        "your new gate has no tanh, so the memory can grow without bound.",
        "tanh(new_x + reset * new_h) keeps it between −1 and 1.",
        {"torch.tanh": ""},
        {"torch.tanh": "torch.relu"},
    ),
    "squashed-apart": Mistake(
        "you squash the input's part and the memory's part of a gate one by one.",
        "Add the two parts first, then squash the sum: sigmoid(reset_x + reset_h).",
        *(
            {f"torch.sigmoid({gate}_x + {gate}_h)": both.format(gate) for gate in ("reset", "update")}
            for both in ("{0}_x.sigmoid() + {0}_h.sigmoid()", "{0}_x.sigmoid() * {0}_h.sigmoid()")
        ),
        {f"torch.tanh({_CANDIDATE})": "new_x.tanh() + reset * new_h.tanh()"},
    ),
    "parts-multiplied": Mistake(
        "you multiply the two parts of a gate, that of the input and that of the memory.",
        "A gate adds them before the sigmoid: sigmoid(reset_x + reset_h).",
        {"reset_x + reset_h": "reset_x * reset_h", "update_x + update_h": "update_x * update_h"},
    ),
    "gates-not-squashed": Mistake(
        "your gates do not stay between 0 and 1.",
        "A gate is a share: take the sigmoid of reset and update.",
        *(
            {"torch.sigmoid(reset": f"{squash}(reset", "torch.sigmoid(update": f"{squash}(update"}
            for squash in ("", "torch.tanh", "torch.relu")
        ),
        {"torch.sigmoid(update": "(update"},
        {"torch.sigmoid(reset": "(reset"},
    ),
    "sigmoid-inverted": Mistake(
        "your sigmoid falls where it should rise.",
        "The sigmoid is 1 / (1 + exp(−x)): the minus is missing.",
        {"torch.sigmoid(reset": "torch.sigmoid(-reset", " + reset_h": " - reset_h"}
        | {"torch.sigmoid(update": "torch.sigmoid(-update", " + update_h": " - update_h"},
    ),
    "softmax-for-sigmoid": Mistake(
        "your gates compete: over the units, they sum to 1.",
        "A softmax divides one share among all units. Each unit has gates of its own: take the sigmoid.",
        {"torch.sigmoid(reset_x + reset_h": "torch.softmax(reset_x + reset_h, -1"}
        | {"torch.sigmoid(update_x + update_h": "torch.softmax(update_x + update_h, -1"},
    ),
    "gates-rounded": Mistake(
        "your gates are either 0 or 1, with nothing in between.",
        "A gate is a share, such as 0.3: take the sigmoid as it is, without rounding or comparing.",
        {"reset_h)": "reset_h).round()", "update_h)": "update_h).round()"},
    ),
    "gates-see-input-only": Mistake(
        "your reset gate, your update gate or both look at the input alone.",
        "Each adds its part of h @ w_hh.T + b_hh before the sigmoid.",
        {" + reset_h": "", " + update_h": ""},
        {" + update_h": ""},
        {" + reset_h": ""},
    ),
    "gates-see-memory-only": Mistake(
        "your reset gate, your update gate or both look at the memory alone.",
        "Each adds its part of x @ w_ih.T + b_ih before the sigmoid.",
        {"reset_x + ": "", "update_x + ": ""},
        {"update_x + ": ""},
        {"reset_x + ": ""},
    ),
    "biases-forgotten": Mistake(
        "you leave out a bias.",
        "Both products have their own: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
        {" + b_ih": "", " + b_hh": ""},
        {" + b_hh": ""},
        {" + b_ih": ""},
        {"reset * new_h": "reset * (new_h - b_hh.chunk(3)[2])"},
    ),
    "biases-swapped": Mistake(
        "you add b_hh to the input's side and b_ih to the memory's.",
        "The names say it: ih is input to hidden, hh hidden to hidden.",
        {"b_ih)": "b_hh)", "b_hh)": "b_ih)"},
    ),
    "one-bias-twice": Mistake(
        "you add the same bias to both sides.",
        "Each product has a bias of its own: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
        {"b_hh)": "b_ih)"},
        {"b_ih)": "b_hh)"},
    ),
    "weights-swapped": Mistake(
        "you multiply the input by w_hh and the memory by w_ih.",
        "The names say it: ih is input to hidden, hh hidden to hidden.",
        {"x @ w": "h @ w", "h @ w": "x @ w"},
        {"w_ih.T": "w_hh.T", "w_hh.T": "w_ih.T"},
        {"w_ih.T + b_ih": "w_hh.T + b_hh", "w_hh.T + b_hh": "w_ih.T + b_ih"},
    ),
    "weights-reshaped": Mistake(
        "you reshape the weights where they must be transposed.",
        "reshape and view keep the numbers in their order, so rows are torn apart. Use x @ w_ih.T and h @ w_hh.T.",
        {"w_ih.T": "w_ih.reshape(w_ih.shape[::-1])", "w_hh.T": "w_hh.reshape(w_hh.shape[::-1])"},
        {"w_hh.T": "w_hh.reshape(w_hh.shape[::-1])"},
        {"w_ih.T": "w_ih.reshape(w_ih.shape[::-1])"},
    ),
    "returns-candidate": Mistake(
        "you leave the old memory out of the result.",
        "The new gate alone remembers nothing. Blend the two: (1 - update) * new + update * h.",
        {_BLEND: "new"},
        {" + update * h": ""},
        {_BLEND: "update * new"},
    ),
    "returns-old-memory": Mistake(
        "you leave the new gate out of the result.",
        "The old memory alone learns nothing. Blend the two: (1 - update) * new + update * h.",
        {_BLEND: "h"},
        {"(1 - update) * new + ": ""},
    ),
    "not-a-blend": Mistake(
        "in your result the shares of the new gate and of the old memory do not sum to 1.",
        "Where the new comes in, the old must go: (1 - update) * new + update * h.",
        {"(1 - update) * new": "new"},
        {_BLEND: "new + h"},
        {_BLEND: "update * new + h"},
        {"update * h": "h"},
        {"(1 - update) * new": "update * new"},
    ),
    "fixed-blend": Mistake(
        "you average the new gate and the old memory, whatever the update gate says.",
        "The update gate decides, for each unit: (1 - update) * new + update * h.",
        {_BLEND: "(new + h) / 2"},
    ),
    "tanh-of-result": Mistake(
        "you take the tanh of the result.",
        "The tanh belongs to the new gate. The memory itself is copied, or it would fade a little at every step.",
        {"return ": "return torch.tanh(", "update * h": "update * h)"},
    ),
    "gate-order": Mistake(
        "you take the gates from the wrong thirds of the rows.",
        "torch stacks reset, update, new, in this order, in the weights and biases of both sides.",
        *(
            _in_order(order, order)
            for order in ("reset new update", "new update reset", "new reset update", "update new reset")
        ),
        _in_order(x="update reset new"),
        _in_order(h="update reset new"),
        {"new_x + ": "update_x + ", "new_h)": "update_h)"},
    ),
    "gates-interleaved": Mistake(
        "you take every third row for a gate.",
        "The rows of a gate stand together, as a block of `hidden` rows: .chunk(3, dim=-1).",
        {
            ".chunk(3, dim=-1)  #": ".unflatten(-1, (-1, 3)).unbind(-1)  #",
            ".chunk(3, dim=-1)\n    reset": ".unflatten(-1, (-1, 3)).unbind(-1)\n    reset",
        },
    ),
    "environments-mixed": Mistake(
        "your blocks mix the environments.",
        "Cut along the last dimension, .chunk(3, dim=-1); after a reshape or .T, check that a row is still one robot.",
        {
            ".chunk(3, dim=-1)  #": ".T.reshape(3, len(x), -1)  #",
            ".chunk(3, dim=-1)\n    reset": ".T.reshape(3, len(x), -1)\n    reset",
        },
        {
            ".chunk(3, dim=-1)  #": ".reshape(3, len(x), -1)  #",
            ".chunk(3, dim=-1)\n    reset": ".reshape(3, len(x), -1)\n    reset",
        },
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

SHORTCUTS = (torch.gru_cell, torch.gru)

EXERCISE = Exercise(gru_step, ("h",), CASES, MISTAKES, HINTS, _draw, show=_show, shortcuts=SHORTCUTS)
