"""Exercise ``reset_done``: clear the memory of the robots whose episode has ended."""

import torch

from ..exercise import Case, Exercise, Mistake


def reset_done(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
    """Forget the memory of the environments whose episode ended.

    Args:
        hidden: Memory of all layers [layers, envs, hidden]; it stays as it was, and may be part of a graph.
        dones: 1 where an episode ended, else 0, as integers [envs].

    Returns:
        A new memory [layers, envs, hidden]: zeros for the environments that are done, all else as before.
    """
    done = dones.bool().unsqueeze(-1)  # [envs, 1]: a mask for all layers and units; integers would be indices
    return torch.where(done, 0.0, hidden)  # a new tensor


def _draw(generator: torch.Generator) -> Case:
    hidden = torch.randn(2, 6, 3, generator=generator)
    dones = (torch.rand(6, generator=generator) < 0.4).long()
    return Case("a random memory", (hidden, dones))


CASES = (
    Case.of("four environments, the third is done", [[[1.0], [2.0], [3.0], [4.0]]], [0, 0, 1, 0]),
    Case.of("two environments are done", [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]], [1, 0, 1]),
    Case.of("no environment is done", [[[1.0], [2.0]]], [0, 0]),
    Case.of("two layers, two environments, two units", [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]], [0, 1]),
    Case.of("all environments are done", [[[1.0, 2.0], [3.0, 4.0]]], [1, 1]),
    Case(
        "a memory that is part of a graph",
        (torch.arange(-5.5, 6.5).reshape(2, 3, 2), torch.tensor([0, 1, 1])),
        tracked=("hidden",),
    ),
)

_RESULT = "torch.where(done, 0.0, hidden)"

MISTAKES = {
    "integer-index": Mistake(
        "you use dones as an index: its numbers, 0 and 1, pick the environments 0 and 1.",
        "It needs a mask of True and False: dones.bool(). rsl_rl once had this very mistake.",
        {"dones.bool()": "torch.zeros(len(dones)).index_fill(0, dones, 1).bool()"},
        {"dones.bool()": "torch.ones(len(dones)).index_fill(0, 1 - dones, 0).bool()"},  # those to keep
    ),
    "inverted": Mistake(
        "you forget the environments that are still running and keep those that are done.",
        "1 means done. Multiply by 1 - dones, or put zeros where dones is 1.",
        {"dones.bool()": "(dones == 0)"},
        {"done, 0.0, hidden": "done, hidden, 0.0"},
    ),
    "resets-all": Mistake(
        "you forget the memory of all environments.",
        "Each environment ends on its own; the others are in the middle of their episodes.",
        {".unsqueeze(-1)": ".any()"},
        {_RESULT: "torch.zeros_like(hidden)"},
    ),
    "resets-all-or-none": Mistake(
        "you forget the memory of all environments if all are done, and else that of none.",
        "Each environment ends on its own. Do not ask `if dones.all()`: put zeros where dones is 1.",
        {".unsqueeze(-1)": ".all()"},
    ),
    "resets-none": Mistake(
        "you return the memory as it was.",
        "Where dones is 1 it must be zero. (hidden[:, done].zero_() does not help: it writes into a copy.)",
        {_RESULT: "hidden"},
    ),
    "bitwise-not": Mistake(
        "you negate integers with ~: ~0 is −1 and ~1 is −2.",
        "~ is a logical not for bool only: use ~dones.bool(), or 1 - dones.",
        {_RESULT: "hidden * (~dones).unsqueeze(-1)"},
        {"dones.bool()": "torch.zeros(len(dones)).index_fill(0, ~dones % len(dones), 1).bool()"},  # as an index
        {"dones.bool()": "torch.ones(len(dones)).index_fill(0, ~dones % len(dones), 0).bool()"},
    ),
    "first-done-only": Mistake(
        "you reset one environment at most, the first that is done.",
        "Several can end at the same step: take a mask, dones.bool(), not one index. In a loop, return after its end.",
        {"dones.bool()": "(dones.bool() & (dones.cumsum(0) == 1))"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.argmax())"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.nonzero()[0])"},  # raises if there is none
    ),
    "last-done-only": Mistake(
        "you reset one environment at most, the last that is done.",
        "In a loop, copy the memory once, before it: a copy inside starts from the old memory again.",
        {"dones.bool()": "(dones.bool() & (dones.flip(0).cumsum(0).flip(0) == 1))"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.nonzero()[-1])"},
    ),
    "first-environment-only": Mistake(
        "you look at the first environment only, and leave the others as they were.",
        "Go through all of them. In a loop, return after its end, not inside it.",
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) == 0))"},
    ),
    "one-environment-left-out": Mistake(
        "you never reset the first environment, or never the last.",
        "Go through all of them: look at where your loop or slice begins and ends.",
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) > 0))"},
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) < len(dones) - 1))"},
    ),
    "one-layer-only": Mistake(
        "you reset one layer and leave the others as they were.",
        "Every layer has a memory: index all of them, hidden[:, done].",
        {"done = ": "done = (torch.arange(len(hidden)) == 0)[:, None, None] & "},
        {"done = ": "done = (torch.arange(len(hidden)) == len(hidden) - 1)[:, None, None] & "},
    ),
    "one-unit-only": Mistake(
        "you reset one unit of the memory and leave the others as they were.",
        "All units of a done environment forget: index [layers, envs] and leave the last dimension whole.",
        {"where(done,": "where(done & (torch.arange(hidden.shape[2]) == 0),"},
        {"where(done,": "where(done & (torch.arange(hidden.shape[2]) == hidden.shape[2] - 1),"},
    ),
    "wrong-axis": Mistake(
        "your dones run along the wrong dimension of the memory.",
        "Environments are the middle one of [layers, envs, hidden]: dones.unsqueeze(-1) is [envs, 1] and lines up.",
        {".unsqueeze(-1)": ""},
        {".unsqueeze(-1)": "[:, None, None]"},
        {".unsqueeze(-1)": "[: len(hidden), None, None]"},
    ),
    "other-value": Mistake(
        "you set the memory of the environments that are done to another value than 0.",
        "A new episode begins with a memory of zeros.",
        {"0.0": "1.0"},
        {"0.0": "-1.0"},
        {"0.0": "hidden.mean(1, keepdim=True)"},
        {"0.0": "hidden[:, :1]"},
        {_RESULT: "hidden - dones.unsqueeze(-1)"},
    ),
    "drops-environments": Mistake(
        "you take the environments that are done out of the memory.",
        "They start a new episode, with a memory of zeros: the shape stays [layers, envs, hidden].",
        {_RESULT: "hidden[:, dones == 0]"},
    ),
    "done-only": Mistake(
        "you return the memory of the environments that are done, and lose the others.",
        "Return the whole memory [layers, envs, hidden], with zeros where dones is 1.",
        {_RESULT: "hidden[:, dones == 1]"},
        {_RESULT: "0 * hidden[:, dones == 1]"},
    ),
}

HINTS = (
    "What does `torch.arange(5)[torch.tensor([0, 0, 1, 0, 0])]` give? And which axis of the memory is that of the "
    "environments?",
    "Make a mask of booleans, and give it a last dimension, so that it broadcasts to `[layers, envs, hidden]`. Then "
    "choose between zero and the old memory, with a function that returns a new tensor: `hidden` itself must stay as "
    "it is.",
    "`done = dones.bool().unsqueeze(-1)` is `[envs, 1]`. `torch.where(done, 0.0, hidden)` puts zeros where it is True "
    "and returns a new tensor; `hidden.masked_fill(done, 0.0)` does the same.",
)

EXERCISE = Exercise(reset_done, ("hidden state",), CASES, MISTAKES, HINTS, _draw)
