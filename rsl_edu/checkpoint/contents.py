"""A description in words of what a checkpoint contains, without rebuilding its policy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rsl_edu.number_format import counted, short
from rsl_edu.run_folder import NUMBERED

from .layout import StoredModels, find_models, learning_rate
from .names import groups
from .optimizer import read_optimizer
from .rebuild import shown_network
from .untrusted import load

OUTPUTS = "outputs of the network"
"""The words that are shown for a std that depends on the state."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """The parts of a training run that a checkpoint contains, in words; a string is empty if its part is missing.

    Attributes:
        path: The file.
        releases: Major releases of rsl_rl that write such files; several if the file does not show which of them wrote
            it.
        distilled: Whether the file is from a distillation: its actor is a student, and it has no critic.
        remembers: Whether the actor or critic has an RNN or a CNN, whose parameters the releases order differently.
        actor, std, critic: The networks, and the std of the actions.
        normalizer, critic_normalizer: Normalizer statistics of actor and critic.
        counted: Whether all of these statistics include their number of samples.
        optimizer: The optimizer and its number of steps, as far as the file contains them.
        moments: Whether the optimizer's moments are in the file.
        learning_rate: The learning rate of the optimizer.
        iteration: The number of the iteration in the file.
        renumbered: Whether the file's name contains a different iteration number.
        infos, rnd, teacher: Other parts that rsl_rl stores.
        others: Parameters that no rsl_rl model has.
        shown: What the actor's weights show about its settings, as for :meth:`.RunSettings.fitting`.
    """

    path: Path
    releases: tuple[int, ...]
    distilled: bool
    remembers: bool
    actor: str
    std: str
    critic: str
    normalizer: str
    critic_normalizer: str
    counted: bool
    optimizer: str
    moments: bool
    learning_rate: str
    iteration: str
    renumbered: bool
    infos: str
    rnd: str
    teacher: str
    others: str
    shown: Mapping[str, Any]


def read_contents(path: str | Path) -> Contents:
    """Read what a checkpoint contains, without executing anything in the file.

    Raises:
        CheckpointError: The file is not an rsl_rl checkpoint, or it is damaged; the message names it.
        OSError: The file cannot be read.
    """
    path = Path(path)
    stored = load(path)
    models = find_models(path, stored)
    owner = "teacher's "
    teacher = {name.removeprefix(owner): x for name, x in models.named.items() if name.startswith(owner)}
    optimizer, moments = _optimizer(path, stored, models)
    rate, iteration, number = learning_rate(stored), stored.get("iter"), NUMBERED.fullmatch(path.name)
    numbered = type(iteration) is int
    named = [models.actor, models.critic]
    return Contents(
        path=path,
        releases=models.releases,
        distilled=bool(teacher) or "student_state_dict" in stored,
        remembers=any(name.startswith(("rnn.", "cnns.")) for weights in named for name in weights),
        actor=_network(models.actor),
        std=_std(models.actor),
        critic=_network(models.critic),
        normalizer=_statistics(models.actor),
        critic_normalizer=_statistics(models.critic),
        counted=all("obs_normalizer.count" in weights for weights in named if "obs_normalizer._mean" in weights),
        optimizer=optimizer,
        moments=moments,
        learning_rate="" if rate is None else short(rate),
        iteration=f"{iteration:,}" if numbered else "",
        renumbered=isinstance(iteration, int) and number is not None and abs(int(number[1]) - iteration) > 1,
        infos=("yes" if stored["infos"] else "empty") if "infos" in stored else "",
        rnd="yes" if "rnd_state_dict" in stored else "",
        teacher=_network(teacher),
        others=counted(len(models.unread), "parameter") if models.unread else "",
        shown=shown_network(models.actor, models.releases),
    )


def _optimizer(path: Path, stored: Mapping[str, Any], models: StoredModels) -> tuple[str, bool]:
    """Describe the optimizer, and return whether it has moments."""
    state, _ = read_optimizer(path, stored.get("optimizer_state_dict"), models)
    if state is not None:
        return f"Adam, {state.step:,} steps", True
    kept = stored.get("optimizer_state_dict")
    if not isinstance(kept, dict):
        return "", False
    return ("not Adam", True) if dict.get(kept, "state") else ("settings, no moments", False)


def _network(weights: Mapping[str, torch.Tensor]) -> str:
    return groups({name: x for name, x in weights.items() if not name.startswith(("obs_normalizer", "distribution"))})


def _std(actor: Mapping[str, torch.Tensor]) -> str:
    for name, kind in (("distribution.std_param", "std"), ("distribution.log_std_param", "log std")):
        if name in actor and actor[name].numel():
            low, high = short(float(actor[name].min())), short(float(actor[name].max()))
            return f"{kind} {low}" if low == high else f"{kind} {low} to {high}"
    return OUTPUTS


def _statistics(weights: Mapping[str, torch.Tensor]) -> str:
    mean, count = weights.get("obs_normalizer._mean"), weights.get("obs_normalizer.count")
    if mean is None:
        return ""
    features = counted(mean.numel(), "feature")
    return f"{features}, {int(count):,} samples" if count is not None and count.numel() == 1 else features
