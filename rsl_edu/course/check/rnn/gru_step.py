"""Exercise ``gru_step``: take one step of a GRU."""

import torch
from torch import tensor

from ..exercise import Case, Exercise, Mistake
from ..verdict import text


def gru_step(
    x: torch.Tensor, h: torch.Tensor, w_ih: torch.Tensor, w_hh: torch.Tensor, b_ih: torch.Tensor, b_hh: torch.Tensor
) -> torch.Tensor:
    """Compute one step of a GRU.

    ``x [envs, in]`` is the observation and ``h [envs, hidden]`` the hidden state. ``w_ih [3·hidden, in]``,
    ``w_hh [3·hidden, hidden]``, ``b_ih`` and ``b_hh`` [3·hidden] are the weights and biases in torch's layout: the
    blocks of the reset gate, the update gate and the candidate, in this order. Returns the new hidden state
    [envs, hidden].
    """
    reset_x, update_x, new_x = (x @ w_ih.T + b_ih).chunk(3, dim=-1)  # [envs, hidden] each
    reset_h, update_h, new_h = (h @ w_hh.T + b_hh).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_h)  # how much of the old hidden state enters the candidate
    update = torch.sigmoid(update_x + update_h)  # how much of the old hidden state is kept
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
Triple = tuple[float, float, float]  # for the reset gate, the update gate and the candidate


def _one_unit(
    about: str, h: float, w_ih: Triple = _ZERO, w_hh: Triple = _ZERO, b_ih: Triple = _ZERO, b_hh: Triple = _ZERO
) -> Case:
    """A case with a single unit and an input of 1."""
    return Case.of(about, [[1.0]], [[h]], tensor([w_ih]).T, tensor([w_hh]).T, tensor(b_ih), tensor(b_hh))


CASES = (
    _one_unit("all weights zero: both gates are 0.5, the candidate is 0", 2.0),
    _one_unit("an update gate of 1, which keeps the hidden state", 3.0, w_ih=(0.0, 0.0, 100.0), b_hh=(0.0, 100.0, 0.0)),
    _one_unit("an update gate of 0, which takes the candidate", -2.0, w_ih=(0.0, 0.0, 100.0), b_ih=(0.0, -100.0, 0.0)),
    _one_unit(
        "a reset gate and an update gate that are both 0 because of the hidden state",
        3.0,
        w_ih=(0.0, 0.0, -100.0),
        w_hh=(-100.0, -100.0, 0.0),
        b_hh=(0.0, 0.0, 100.0),
    ),
    Case.of(
        "two units whose candidates depend on each other; the first reset gate is 1, the second 0",
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
    """The edit that changes the order of the blocks in the input's product and in the hidden state's product."""
    of = {_X: ", ".join(f"{gate}_x" for gate in x.split()), _H: ", ".join(f"{gate}_h" for gate in h.split())}
    return {old: new for old, new in of.items() if old != new}


MISTAKES = {
    "reset-update-swapped": Mistake(
        "you swap the reset gate and the update gate.",
        "torch stacks the blocks in the order reset, update, new: the first third of the rows belongs to the reset "
        "gate. (Keras starts with the update gate.)",
        _in_order("update reset new", "update reset new"),
    ),
    "update-inverted": Mistake(
        "you invert the update gate, so that 1 replaces the hidden state.",
        "In torch, an update gate of 1 keeps the hidden state: (1 - update) * new + update * h. Papers use both "
        "conventions.",
        {"update = ": "update = 1 - "},
    ),
    "reset-before-product": Mistake(
        "you multiply h by the reset gate before you multiply it by the weights.",
        "The original GRU paper uses this order, but torch and cuDNN apply the weights first: reset * (h @ w.T + b).",
        {"reset * new_h": "(reset * h) @ w_hh.chunk(3)[2].T + b_hh.chunk(3)[2]"},
    ),
    "bias-outside-reset": Mistake(
        "you add the candidate's hidden bias after the reset gate has been applied.",
        "In torch, the reset gate multiplies b_hh too: reset * (h @ w.T + b_hh). This is why torch has two biases.",
        {"reset * new_h": "reset * (new_h - b_hh.chunk(3)[2]) + b_hh.chunk(3)[2]"},
    ),
    "bias-inside-reset": Mistake(
        "you multiply the candidate's input bias by the reset gate.",
        "The reset gate multiplies only the part from the hidden state: reset * (h @ w.T + b_hh). b_ih belongs to x.",
        {_CANDIDATE: "new_x - b_ih.chunk(3)[2] + reset * (new_h + b_ih.chunk(3)[2])"},
    ),
    "reset-on-input": Mistake(
        "you multiply the part from the input by the reset gate.",
        "The reset gate controls how much of the hidden state is used: apply it only to h @ w.T + b, never to x.",
        {_CANDIDATE: "reset * (new_x + new_h)"},
        {_CANDIDATE: "reset * new_x + new_h"},
        {f"torch.tanh({_CANDIDATE})": "reset * torch.tanh(new_x + new_h)"},
    ),
    "reset-unused": Mistake(
        "your reset gate has no effect.",
        "The reset gate should multiply the candidate's part from the hidden state: tanh(new_x + reset * new_h).",
        {"reset * new_h": "new_h"},
    ),
    "reset-inverted": Mistake(
        "you invert the reset gate, so that 1 removes the hidden state.",
        "The name is misleading: a gate value of 0 resets. Multiply by reset, not by 1 - reset.",
        {"reset = ": "reset = 1 - "},
    ),
    "reset-on-old-memory": Mistake(
        "you also multiply the old hidden state in the result by the reset gate.",
        "The reset gate is only used in the candidate. How much of h is kept depends only on the update gate: "
        "update * h.",
        {"update * h": "update * reset * h"},
    ),
    "candidate-without-memory": Mistake(
        "your candidate does not depend on the hidden state.",
        "Add the part from the hidden state, multiplied by the reset gate: tanh(new_x + reset * new_h).",
        {" + reset * new_h": ""},
    ),
    "candidate-without-weights": Mistake(
        "your candidate uses the hidden state itself, without its weights and bias.",
        "The reset gate multiplies the third block of h @ w.T + b, not h.",
        {"reset * new_h": "reset * h"},
    ),
    "gates-confused": Mistake(
        "you use one gate instead of the other.",
        "The reset gate multiplies the candidate's part from the hidden state. The update gate blends the "
        "candidate and the old hidden state.",
        {_BLEND: "(1 - reset) * new + reset * h"},
        {"reset * new_h": "update * new_h"},
    ),
    "candidate-sigmoid": Mistake(
        "you use a sigmoid instead of tanh for the candidate.",
        "The hidden state needs negative values too: tanh ranges from −1 to 1, a sigmoid only from 0 to 1.",
        {"torch.tanh": "torch.sigmoid"},
    ),
    "candidate-unbounded": Mistake(
        "your candidate has no tanh, so the hidden state can grow without bound.",
        "tanh(new_x + reset * new_h) keeps the candidate between −1 and 1.",
        {"torch.tanh": ""},
        {"torch.tanh": "torch.relu"},
    ),
    "squashed-apart": Mistake(
        "you apply the sigmoid or tanh to the input's part and to the hidden state's part separately.",
        "Add the two parts first, then apply the function to the sum: sigmoid(reset_x + reset_h).",
        *(
            {f"torch.sigmoid({gate}_x + {gate}_h)": both.format(gate) for gate in ("reset", "update")}
            for both in ("{0}_x.sigmoid() + {0}_h.sigmoid()", "{0}_x.sigmoid() * {0}_h.sigmoid()")
        ),
        {f"torch.tanh({_CANDIDATE})": "new_x.tanh() + reset * new_h.tanh()"},
    ),
    "parts-multiplied": Mistake(
        "you multiply the two parts of a gate, the part from the input and the part from the hidden state.",
        "Add the two parts, then apply the sigmoid: sigmoid(reset_x + reset_h).",
        {"reset_x + reset_h": "reset_x * reset_h", "update_x + update_h": "update_x * update_h"},
    ),
    "gates-not-squashed": Mistake(
        "your gates are not limited to values between 0 and 1.",
        "A gate is a fraction: apply the sigmoid to both reset and update.",
        *(
            {"torch.sigmoid(reset": f"{squash}(reset", "torch.sigmoid(update": f"{squash}(update"}
            for squash in ("", "torch.tanh", "torch.relu")
        ),
        {"torch.sigmoid(update": "(update"},
        {"torch.sigmoid(reset": "(reset"},
    ),
    "sigmoid-inverted": Mistake(
        "your sigmoid decreases, but it should increase.",
        "The sigmoid is 1 / (1 + exp(−x)): you left out the minus sign.",
        {"torch.sigmoid(reset": "torch.sigmoid(-reset", " + reset_h": " - reset_h"}
        | {"torch.sigmoid(update": "torch.sigmoid(-update", " + update_h": " - update_h"},
    ),
    "softmax-for-sigmoid": Mistake(
        "you apply a softmax to the gates, so they sum to 1 over the units.",
        "Each unit has its own gates, independent of the other units: use the sigmoid.",
        {"torch.sigmoid(reset_x + reset_h": "torch.softmax(reset_x + reset_h, -1"}
        | {"torch.sigmoid(update_x + update_h": "torch.softmax(update_x + update_h, -1"},
    ),
    "gates-rounded": Mistake(
        "your gates are exactly 0 or 1, with nothing in between.",
        "A gate is a fraction, such as 0.3: use the sigmoid unchanged. Do not round it or compare it.",
        {"reset_h)": "reset_h).round()", "update_h)": "update_h).round()"},
    ),
    "gates-see-input-only": Mistake(
        "your reset gate, your update gate or both depend only on the input.",
        "Before the sigmoid, add each gate's block of h @ w_hh.T + b_hh.",
        {" + reset_h": "", " + update_h": ""},
        {" + update_h": ""},
        {" + reset_h": ""},
    ),
    "gates-see-memory-only": Mistake(
        "your reset gate, your update gate or both depend only on the hidden state.",
        "Before the sigmoid, add each gate's block of x @ w_ih.T + b_ih.",
        {"reset_x + ": "", "update_x + ": ""},
        {"update_x + ": ""},
        {"reset_x + ": ""},
    ),
    "biases-forgotten": Mistake(
        "you leave out a bias.",
        "Both products have their own bias: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
        {" + b_ih": "", " + b_hh": ""},
        {" + b_hh": ""},
        {" + b_ih": ""},
        {"reset * new_h": "reset * (new_h - b_hh.chunk(3)[2])"},
    ),
    "biases-swapped": Mistake(
        "you add b_hh to the input's product and b_ih to the hidden state's product.",
        "The names tell you which is which: ih means input to hidden, hh means hidden to hidden.",
        {"b_ih)": "b_hh)", "b_hh)": "b_ih)"},
    ),
    "one-bias-twice": Mistake(
        "you add the same bias to both products.",
        "Each product has its own bias: x @ w_ih.T + b_ih and h @ w_hh.T + b_hh.",
        {"b_hh)": "b_ih)"},
        {"b_ih)": "b_hh)"},
    ),
    "weights-swapped": Mistake(
        "you multiply the input by w_hh and the hidden state by w_ih.",
        "The names tell you which is which: ih means input to hidden, hh means hidden to hidden.",
        {"x @ w": "h @ w", "h @ w": "x @ w"},
        {"w_ih.T": "w_hh.T", "w_hh.T": "w_ih.T"},
        {"w_ih.T + b_ih": "w_hh.T + b_hh", "w_hh.T + b_hh": "w_ih.T + b_ih"},
    ),
    "weights-reshaped": Mistake(
        "you reshape the weights instead of transposing them.",
        "reshape and view keep the numbers in their order, which breaks up the rows. Use x @ w_ih.T and h @ w_hh.T.",
        {"w_ih.T": "w_ih.reshape(w_ih.shape[::-1])", "w_hh.T": "w_hh.reshape(w_hh.shape[::-1])"},
        {"w_hh.T": "w_hh.reshape(w_hh.shape[::-1])"},
        {"w_ih.T": "w_ih.reshape(w_ih.shape[::-1])"},
    ),
    "returns-candidate": Mistake(
        "you leave the old hidden state out of the result.",
        "The candidate alone does not keep what came before. Blend it with h: (1 - update) * new + update * h.",
        {_BLEND: "new"},
        {" + update * h": ""},
        {_BLEND: "update * new"},
    ),
    "returns-old-memory": Mistake(
        "you leave the candidate out of the result.",
        "The old hidden state alone takes in nothing new. Blend it with the candidate: (1 - update) * new + update * "
        "h.",
        {_BLEND: "h"},
        {"(1 - update) * new + ": ""},
    ),
    "not-a-blend": Mistake(
        "in your result, the factors of the candidate and of the old hidden state do not sum to 1.",
        "The more of the candidate comes in, the less of the old state stays: (1 - update) * new + update * h.",
        {"(1 - update) * new": "new"},
        {_BLEND: "new + h"},
        {_BLEND: "update * new + h"},
        {"update * h": "h"},
        {"(1 - update) * new": "update * new"},
    ),
    "fixed-blend": Mistake(
        "you average the candidate and the old hidden state, and ignore the update gate.",
        "The update gate sets the proportions for each unit: (1 - update) * new + update * h.",
        {_BLEND: "(new + h) / 2"},
    ),
    "tanh-of-result": Mistake(
        "you take the tanh of the result.",
        "tanh belongs to the candidate only. Applied to the result, it would shrink the hidden state a little at "
        "every step.",
        {"return ": "return torch.tanh(", "update * h": "update * h)"},
    ),
    "gate-order": Mistake(
        "you use the wrong thirds of the rows for the gates.",
        "torch stacks the blocks in the order reset, update, new, in the weights and biases of both products.",
        *(
            _in_order(order, order)
            for order in ("reset new update", "new update reset", "new reset update", "update new reset")
        ),
        _in_order(x="update reset new"),
        _in_order(h="update reset new"),
        {"new_x + ": "update_x + ", "new_h)": "update_h)"},
    ),
    "gates-interleaved": Mistake(
        "you use every third row for a gate.",
        "The rows of a gate are contiguous, in a block of `hidden` rows: .chunk(3, dim=-1).",
        {
            ".chunk(3, dim=-1)  #": ".unflatten(-1, (-1, 3)).unbind(-1)  #",
            ".chunk(3, dim=-1)\n    reset": ".unflatten(-1, (-1, 3)).unbind(-1)\n    reset",
        },
    ),
    "environments-mixed": Mistake(
        "your blocks mix the environments.",
        "Split along the last dimension, .chunk(3, dim=-1). After a reshape or .T, check that each row is still "
        "one environment.",
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
    "How many matrix products do you need? Each product gives the numbers for all three blocks, the two gates "
    "and the candidate. Write down the shape of a product.",
    "Compute `x @ w_ih.T + b_ih` and `h @ w_hh.T + b_hh`, and split each into three blocks of the hidden size with "
    "`.chunk(3, dim=-1)`. For each of the two gates, add its block from the input and its block from the hidden "
    "state, and take the sigmoid of the sum. The candidate is different: its block from the hidden state, "
    "including the bias, is first multiplied by the reset gate.",
    "Compute `reset = torch.sigmoid(reset_x + reset_h)`, and `update` in the same way. The candidate is `new = "
    "torch.tanh(new_x + reset * new_h)`, where both blocks include their biases. If `update` is 1, the old "
    "hidden state stays: return `(1 - update) * new + update * h`.",
)

SHORTCUTS = (torch.gru_cell, torch.gru)

EXERCISE = Exercise(gru_step, ("h",), CASES, MISTAKES, HINTS, _draw, show=_show, shortcuts=SHORTCUTS)
