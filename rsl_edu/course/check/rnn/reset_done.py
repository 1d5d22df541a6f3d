"""Exercise ``reset_done``: clear the memory of the robots whose episode has ended."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake


def reset_done(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
    """Forget the memory of the environments whose episode ended.

    Args:
        hidden: Memory of all layers [layers, envs, hidden]; it stays as it was.
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
)

_ALL = slice(None)


def _zero(*where: Any) -> Answer:
    """Zeros at an index of a copy: from functions of (dones) for each dimension of [layers, envs, hidden]."""

    def answer(hidden: torch.Tensor, dones: torch.Tensor) -> torch.Tensor:
        new = hidden.clone()
        new[tuple(part(dones) if callable(part) else part for part in where)] = 0
        return new

    return answer


MISTAKES = {
    "integer-index": Mistake(
        "you use dones as an index: its numbers, 0 and 1, pick the environments 0 and 1.",
        "It needs a mask of True and False: dones.bool(). rsl_rl once had this very mistake.",
        _zero(_ALL, lambda dones: dones),
    ),
    "inverted": Mistake(
        "you forget the environments that are still running and keep those that are done.",
        "1 means done. Multiply by 1 - dones, or put zeros where dones is 1.",
        _zero(_ALL, lambda dones: dones == 0),
    ),
    "resets-all": Mistake(
        "you forget the memory of all environments.",
        "Each environment ends on its own; the others are in the middle of their episodes.",
        lambda hidden, dones: torch.where(dones.any(), 0 * hidden, hidden),
        lambda hidden, dones: 0 * hidden,
    ),
    "resets-none": Mistake(
        "you return the memory as it was.",
        "Where dones is 1 it must be zero. (hidden[:, done].zero_() does not help: it writes into a copy.)",
        lambda hidden, dones: hidden,
    ),
    "bitwise-not": Mistake(
        "you negate integers with ~: ~0 is −1 and ~1 is −2.",
        "~ is a logical not for bool only: use ~dones.bool(), or 1 - dones.",
        lambda hidden, dones: hidden * (~dones).unsqueeze(-1),
    ),
    "first-done-only": Mistake(
        "you reset one environment at most, the first that is done.",
        "Several can end at the same step: take a mask, dones.bool(), not one index.",
        _zero(_ALL, lambda dones: dones.nonzero()[:1, 0]),
        _zero(_ALL, lambda dones: dones.argmax()),
    ),
    "one-layer-only": Mistake(
        "you reset one layer and leave the other as it was.",
        "Every layer has a memory: index all of them, hidden[:, done].",
        _zero(0, lambda dones: dones == 1),
        _zero(-1, lambda dones: dones == 1),
    ),
    "one-unit-only": Mistake(
        "you reset one unit of the memory and leave the others as they were.",
        "All units of a done environment forget: index [layers, envs] and leave the last dimension whole.",
        _zero(_ALL, lambda dones: dones == 1, 0),
        _zero(_ALL, lambda dones: dones == 1, -1),
    ),
    "wrong-axis": Mistake(
        "your dones run along the wrong dimension of the memory.",
        "Environments are the middle one of [layers, envs, hidden]: dones.unsqueeze(-1) is [envs, 1] and lines up.",
        lambda hidden, dones: hidden * (1 - dones),
        lambda hidden, dones: hidden * (1 - dones)[:, None, None],
    ),
    "drops-environments": Mistake(
        "you take the environments that are done out of the memory.",
        "They start a new episode, with a memory of zeros: the shape stays [layers, envs, hidden].",
        lambda hidden, dones: hidden[:, dones == 0],
    ),
    "done-only": Mistake(
        "you return the memory of the environments that are done, and lose the others.",
        "Return the whole memory [layers, envs, hidden], with zeros where dones is 1.",
        lambda hidden, dones: hidden[:, dones == 1],
        lambda hidden, dones: 0 * hidden[:, dones == 1],
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
