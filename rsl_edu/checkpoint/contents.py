"""What of a training a checkpoint holds, said in words; a policy need not be rebuilt for that."""

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
"""Where the std is that depends on the state."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a checkpoint holds of each part of a training: an empty text if nothing.

    Attributes:
        path: The file.
        releases: Major releases of rsl_rl that write such files; several where the file leaves it open.
        distilled: Whether it is of a distillation: the actor is a student, and there is no critic.
        remembers: Whether actor or critic have a memory or a CNN, whose parameters each release orders differently.
        actor, std, critic: The networks, and the std of the actions.
        normalizer, critic_normalizer: Statistics of the observations of actor and critic.
        counted: Whether all statistics say how many samples they are of.
        optimizer: The optimizer with its moments, or what there is of it.
        moments: Whether there are moments of the optimizer.
        learning_rate: The learning rate of the optimizer.
        iteration: The number of the iteration in the file.
        renumbered: Whether the name of the file has another number.
        infos, rnd, teacher: Other parts of what rsl_rl stores.
        others: Parameters that no model of rsl_rl has.
        shown: What the actor shows of what its settings say, too, as for :meth:`.RunSettings.fitting`.
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
    """Read what a checkpoint holds. Nothing in the file is executed.

    Raises:
        CheckpointError: The file is no checkpoint of rsl_rl, or is damaged; the message names it.
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
    """Describe the optimizer, and tell whether it has moments."""
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
