"""Reads a checkpoint's optimizer state: sums of Adam's moments, and which moments are NaN or infinite."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import torch

from .layout import StoredModels
from .untrusted import checked_tensors, is_finite

_STATISTICS = ("_mean", "_var", "_std", "count", "running_mean", "running_var", "num_batches_tracked")
"""Last words of the names of statistics, which are not parameters of the optimizer."""
_MOMENTS = {"exp_avg": "first moment", "exp_avg_sq": "second moment"}
"""Adam's state for each parameter: running means of its gradient and of the squared gradient."""


@dataclasses.dataclass(frozen=True)
class Moments:
    """A summary of Adam's moments of one parameter. The moments themselves are twice as large as the parameter.

    Attributes:
        name: Name of the parameter: ``mlp.0.weight``, ``critic's mlp.0.weight``; or ``parameter 3`` if the models in
            the file do not have the parameters that Adam updates.
        owner: ``actor``, ``critic``, or empty.
        size: Number of elements of the parameter; 0 if Adam never updated the parameter.
        step: Number of Adam steps on the parameter; 0 if there were none.
        square: Sum of the second moment, with bias correction: the squared norm of the gradient after clipping,
            averaged over about the last 1,000 steps.
    """

    name: str
    owner: str
    size: int = 0
    step: int = 0
    square: float = 0.0


@dataclasses.dataclass(frozen=True)
class AdamState:
    """The state of Adam in a checkpoint.

    Attributes:
        moments: Summary of the moments of each parameter, in Adam's order.
        eps: The number that Adam adds to the root of a second moment.
    """

    moments: tuple[Moments, ...]
    eps: float

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return max(moments.step for moments in self.moments)

    def square(self, owner: str) -> float:
        """Return the sum of all second moments of the actor or the critic: the squared norm of its gradient."""
        return sum(moments.square for moments in self.moments if moments.owner == owner)

    def size(self, owner: str) -> int:
        """Return how many elements of the actor's or the critic's parameters Adam updated."""
        return sum(moments.size for moments in self.moments if moments.owner == owner)


def read_optimizer(path: Path, stored: Any, models: StoredModels) -> tuple[AdamState | None, tuple[str, ...]]:
    """Read the state of the optimizer; a damaged state, or the state of an optimizer other than Adam, raises no error.

    Args:
        path: The file.
        stored: The file's ``optimizer_state_dict``.
        models: Actor and critic in the file.

    Returns:
        Adam's state, or None if the file has no readable moments; and the names of the moments that contain NaN or
        infinity.
    """
    try:
        group, order = _settings(stored)
        entries = _entries(path, stored["state"])
        if not entries or not entries.keys() <= set(order):
            return None, ()
        names = _names(order, entries, models)
        beta, eps = float(group["betas"][1]), float(group["eps"])
        moments = tuple(_moments(names[index], entries.get(index), beta, models) for index in dict.fromkeys(order))
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        RuntimeError,
        OverflowError,
    ):  # the state may contain anything
        return None, ()
    broken = tuple(
        f"Adam's {moment} of the {names[index]}" if "'s " in names[index] else f"Adam's {moment} of {names[index]}"
        for index, entry in entries.items()
        for key, moment in _MOMENTS.items()
        if not is_finite(entry[key])
    )
    return AdamState(moments, eps), broken


def _settings(stored: Any) -> tuple[dict[str, Any], list[int]]:
    """Return Adam's first group of parameters, and the numbers of all parameters in order."""
    groups = [dict(dict.items(group)) for group in stored["param_groups"]]
    if not all(type(group["params"]) is list for group in groups):  # a tensor could declare any length
        raise TypeError("parameters without numbers")
    order = [index for group in groups for index in group["params"]]
    if not all(type(index) is int for index in order):
        raise TypeError("parameters without numbers")
    return groups[0], order


def _entries(path: Path, state: Any) -> dict[int, dict[str, torch.Tensor]]:
    """Return the moments and the steps of each parameter, by its number.

    Raises:
        ValueError: The entries do not pass the checks of :func:`.checked_tensors`.
    """
    named = {
        (index, key): torch.tensor(float(value)) if type(value) in (int, float) else value
        for index, entry in dict.items(state)
        for key, value in dict.items(entry)
        if key in ("step", *_MOMENTS)
    }
    checked = checked_tensors(path, "", {f"{index} {key}": tensor for (index, key), tensor in named.items()})
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for (index, key), tensor in zip(named, checked.values(), strict=True):
        entries.setdefault(index, {})[key] = tensor
    return entries


def _names(order: list[int], entries: dict[int, dict[str, torch.Tensor]], models: StoredModels) -> dict[int, str]:
    """Return the names of the parameters by their numbers, which follow the order of the parameters in the file."""
    learned = {name: x for name, x in models.named.items() if name.rpartition(".")[2] not in _STATISTICS}
    if len(learned) == len(order) and all(
        index not in entries or entries[index]["exp_avg"].shape == x.shape
        for index, x in zip(order, learned.values(), strict=True)
    ):
        return dict(reversed(list(zip(order, learned, strict=True))))  # a shared part gets the actor's name
    return {index: f"parameter {index}" for index in order}


def _moments(name: str, entry: dict[str, torch.Tensor] | None, beta: float, models: StoredModels) -> Moments:
    critic = name.startswith("critic's ") and name.removeprefix("critic's ") in models.critic
    owner = "critic" if critic else "actor" if name in models.actor else ""
    if entry is None:
        return Moments(name, owner)
    steps, square = float(entry["step"]), entry["exp_avg_sq"]
    if not 0 <= steps < 2**53 or square.shape != entry["exp_avg"].shape:
        raise ValueError("not a state of Adam")
    correction = 1 - beta**steps or 1.0
    total = float(square.sum())
    total = total if math.isfinite(total) else float(square.double().sum())
    return Moments(name, owner, square.numel(), int(steps), total / correction)
