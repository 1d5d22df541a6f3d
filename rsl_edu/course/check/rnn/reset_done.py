"""Exercise ``reset_done``: reset the hidden state of the environments whose episode has ended."""

import torch

from ..exercise import Case, Exercise, Mistake


def reset_done(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
    """Reset the hidden state of the environments whose episode ended.

    Args:
        hidden: Hidden state of all layers [layers, envs, hidden]. It is not changed, and may be part of a graph.
        dones: 1 if an environment's episode ended, else 0; integers [envs].

    Returns:
        A new hidden state [layers, envs, hidden]: zeros for the environments that are done, unchanged for the others.
    """
    done = dones.bool().unsqueeze(-1)  # [envs, 1]: a mask for all layers and units; integers would be used as indices
    return torch.where(done, 0.0, hidden)  # a new tensor


def _draw(generator: torch.Generator) -> Case:
    hidden = torch.randn(2, 6, 3, generator=generator)
    dones = (torch.rand(6, generator=generator) < 0.4).long()
    return Case("a random hidden state", (hidden, dones))


CASES = (
    Case.of("four environments, the third is done", [[[1.0], [2.0], [3.0], [4.0]]], [0, 0, 1, 0]),
    Case.of("two environments are done", [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]], [1, 0, 1]),
    Case.of("no environment is done", [[[1.0], [2.0]]], [0, 0]),
    Case.of("two layers, two environments, two units", [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]], [0, 1]),
    Case.of("all environments are done", [[[1.0, 2.0], [3.0, 4.0]]], [1, 1]),
    Case(
        "a hidden state that is part of a graph",
        (torch.arange(-5.5, 6.5).reshape(2, 3, 2), torch.tensor([0, 1, 1])),
        tracked=("hidden",),
    ),
)

_RESULT = "torch.where(done, 0.0, hidden)"

MISTAKES = {
    "integer-index": Mistake(
        "you use dones as an index, so its numbers, 0 and 1, select environments 0 and 1.",
        "You need a boolean mask: dones.bool(). rsl_rl once had the same bug.",
        {"dones.bool()": "torch.zeros(len(dones)).index_fill(0, dones, 1).bool()"},
        {"dones.bool()": "torch.ones(len(dones)).index_fill(0, 1 - dones, 0).bool()"},  # of the environments to keep
    ),
    "inverted": Mistake(
        "you reset the environments that are still running, and keep those that are done.",
        "1 means done. Multiply by 1 - dones, or write zeros where dones is 1.",
        {"dones.bool()": "(dones == 0)"},
        {"done, 0.0, hidden": "done, hidden, 0.0"},
    ),
    "resets-all": Mistake(
        "you reset the hidden state of all environments.",
        "An episode ends in one environment while the others are still in the middle of theirs.",
        {".unsqueeze(-1)": ".any()"},
        {_RESULT: "torch.zeros_like(hidden)"},
    ),
    "resets-all-or-none": Mistake(
        "you reset all environments if all of them are done, and none otherwise.",
        "Episodes end independently in each environment. Do not use `if dones.all()`: write zeros where dones is 1.",
        {".unsqueeze(-1)": ".all()"},
    ),
    "resets-none": Mistake(
        "you return the hidden state unchanged.",
        "The hidden state must be zero where dones is 1. (hidden[:, done].zero_() has no effect, because it writes "
        "into a copy.)",
        {_RESULT: "hidden"},
    ),
    "bitwise-not": Mistake(
        "you negate integers with `~`, which turns 0 into −1 and 1 into −2.",
        "`~` negates truth values only if the type is bool: use ~dones.bool(), or 1 - dones.",
        {_RESULT: "hidden * (~dones).unsqueeze(-1)"},
        {"dones.bool()": "torch.zeros(len(dones)).index_fill(0, ~dones % len(dones), 1).bool()"},  # as an index
        {"dones.bool()": "torch.ones(len(dones)).index_fill(0, ~dones % len(dones), 0).bool()"},
    ),
    "first-done-only": Mistake(
        "you reset at most one environment, the first one that is done.",
        "Several episodes can end at the same step: use a mask, dones.bool(), not a single index. In a loop, "
        "return after the loop.",
        {"dones.bool()": "(dones.bool() & (dones.cumsum(0) == 1))"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.argmax())"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.nonzero()[0])"},  # raises if there is none
    ),
    "last-done-only": Mistake(
        "you reset at most one environment, the last one that is done.",
        "If you use a loop, copy the hidden state once, before the loop. A copy inside the loop starts again from "
        "the old hidden state.",
        {"dones.bool()": "(dones.bool() & (dones.flip(0).cumsum(0).flip(0) == 1))"},
        {"dones.bool()": "(torch.arange(len(dones)) == dones.nonzero()[-1])"},
    ),
    "first-environment-only": Mistake(
        "you check only the first environment, and leave the others unchanged.",
        "Go through all environments. If you use a loop, return after it, not inside it.",
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) == 0))"},
    ),
    "one-environment-left-out": Mistake(
        "you never reset the first environment, or never the last.",
        "Go through all environments: check where your loop or slice begins and ends.",
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) > 0))"},
        {"dones.bool()": "(dones.bool() & (torch.arange(len(dones)) < len(dones) - 1))"},
    ),
    "one-layer-only": Mistake(
        "you reset only one layer, and leave the others unchanged.",
        "Every layer has a hidden state: index all of them, hidden[:, done].",
        {"done = ": "done = (torch.arange(len(hidden)) == 0)[:, None, None] & "},
        {"done = ": "done = (torch.arange(len(hidden)) == len(hidden) - 1)[:, None, None] & "},
    ),
    "one-unit-only": Mistake(
        "you reset only one unit of the hidden state, and leave the others unchanged.",
        "Reset all units of an environment that is done: do not index the last dimension of [layers, envs, hidden].",
        {"where(done,": "where(done & (torch.arange(hidden.shape[2]) == 0),"},
        {"where(done,": "where(done & (torch.arange(hidden.shape[2]) == hidden.shape[2] - 1),"},
    ),
    "wrong-axis": Mistake(
        "you apply dones along the wrong dimension of the hidden state.",
        "Environments are the middle dimension of [layers, envs, hidden]. dones.unsqueeze(-1) is [envs, 1], so it "
        "broadcasts correctly.",
        {".unsqueeze(-1)": ""},
        {".unsqueeze(-1)": "[:, None, None]"},
        {".unsqueeze(-1)": "[: len(hidden), None, None]"},
    ),
    "other-value": Mistake(
        "you set the hidden state of the environments that are done to a value other than 0.",
        "A new episode begins with a hidden state of zeros.",
        {"0.0": "1.0"},
        {"0.0": "-1.0"},
        {"0.0": "hidden.mean(1, keepdim=True)"},
        {"0.0": "hidden[:, :1]"},
        {_RESULT: "hidden - dones.unsqueeze(-1)"},
    ),
    "drops-environments": Mistake(
        "you remove the environments that are done from the hidden state.",
        "Those environments start a new episode with a hidden state of zeros, so the shape stays [layers, envs, "
        "hidden].",
        {_RESULT: "hidden[:, dones == 0]"},
    ),
    "done-only": Mistake(
        "you return only the environments that are done, and lose the others.",
        "Return the complete hidden state [layers, envs, hidden], with zeros where dones is 1.",
        {_RESULT: "hidden[:, dones == 1]"},
        {_RESULT: "0 * hidden[:, dones == 1]"},
    ),
}

HINTS = (
    "What does `torch.arange(5)[torch.tensor([0, 0, 1, 0, 0])]` return? And which dimension of the hidden "
    "state corresponds to the environments?",
    "Make a boolean mask, and add a last dimension to it, so that it broadcasts to `[layers, envs, hidden]`. "
    "Then choose between zero and the old hidden state with a function that returns a new tensor, because "
    "`hidden` itself must not be changed.",
    "`done = dones.bool().unsqueeze(-1)` is `[envs, 1]`. `torch.where(done, 0.0, hidden)` writes zeros where "
    "it is True and returns a new tensor. `hidden.masked_fill(done, 0.0)` does the same.",
)

EXERCISE = Exercise(reset_done, ("hidden state",), CASES, MISTAKES, HINTS, _draw)
