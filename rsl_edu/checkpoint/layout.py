"""Finds the actor, the critic, and the possible releases of rsl_rl in a checkpoint, by the names of its parameters."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any

import torch

from rsl_edu.run_folder import CheckpointError, whose

from .names import groups, held, unwrapped
from .untrusted import checked_tensors, is_plain, readable_tensors, recording

_MODELS = ("actor_state_dict", "student_state_dict", "model_state_dict")
"""Names under which files store the model with the actor: since rsl_rl 4, since rsl_rl 4 after a distillation, and
before rsl_rl 4."""
_NORMALIZER = "obs_norm_state_dict"
"""Statistics of the actor's normalizer in rsl_rl 2, which stores them outside the model."""
_CRITIC_NORMALIZERS = ("critic_obs_norm_state_dict", "privileged_obs_norm_state_dict")
"""Statistics of the critic's normalizer in rsl_rl 2."""
_OTHERS = {"critic_state_dict": "critic's ", "teacher_state_dict": "teacher's "}
"""The other models since rsl_rl 4, and the prefix for the names of their parameters."""
NAMED = {*_MODELS, *_OTHERS, _NORMALIZER, *_CRITIC_NORMALIZERS}
"""The tables in a file from which :class:`StoredModels` takes its tensors."""
_ACTOR, _CRITIC, _TEACHER = "", "critic's ", "teacher's "
_PARTS = {  # first word of a parameter's name before rsl_rl 4 -> its owner, and the first word since rsl_rl 5
    "actor": (_ACTOR, "mlp"),
    "actor_obs_normalizer": (_ACTOR, "obs_normalizer"),
    "actor_cnns": (_ACTOR, "cnns"),
    "memory_a": (_ACTOR, "rnn"),
    "student": (_ACTOR, "mlp"),
    "student_obs_normalizer": (_ACTOR, "obs_normalizer"),
    "memory_s": (_ACTOR, "rnn"),
    "std": (_ACTOR, "distribution.std_param"),
    "log_std": (_ACTOR, "distribution.log_std_param"),
    "critic": (_CRITIC, "mlp"),
    "critic_obs_normalizer": (_CRITIC, "obs_normalizer"),
    "critic_cnns": (_CRITIC, "cnns"),
    "memory_c": (_CRITIC, "rnn"),
    "teacher": (_TEACHER, "mlp"),
    "teacher_obs_normalizer": (_TEACHER, "obs_normalizer"),
    "memory_t": (_TEACHER, "rnn"),
} | {name: (_ACTOR, name) for name in ("mlp", "obs_normalizer", "cnns", "rnn", "distribution")}
_LAYER = re.compile(r"(mlp|actor|student)\.\d{1,6}\.weight")
"""A layer of an actor."""


@dataclasses.dataclass(frozen=True)
class StoredModels:
    """The models in a checkpoint, under the names of rsl_rl 5, whichever release wrote it.

    Attributes:
        releases: Major releases of rsl_rl that write such a file; several if the names do not show which of them wrote
            it.
        actor: Parameters and statistics of the actor, by name.
        critic: Parameters and statistics of the critic, by name; empty if the file has no readable critic.
        unread: Names of parameters in the file's model that no rsl_rl model has.
        critic_normalized: Whether the critic's observations are normalized.
        named: All parameters and statistics, in the order of the file, by names that include the owner:
            ``mlp.0.weight``, ``critic's mlp.0.weight``.
    """

    releases: tuple[int, ...]
    actor: dict[str, torch.Tensor]
    critic: dict[str, torch.Tensor]
    unread: tuple[str, ...]
    critic_normalized: bool
    named: dict[str, torch.Tensor]


def find_models(path: Path, stored: Mapping[str, Any]) -> StoredModels:
    """Find the actor and the critic in the contents of a file.

    Args:
        path: The file, for messages.
        stored: The result of :func:`.untrusted.load`.

    Raises:
        CheckpointError: There is no actor, or its parameters are not plain tensors.
    """
    model = next((name for name in _MODELS if name in stored), None)
    if model is None:
        expected = "a checkpoint of rsl_rl, with actor_state_dict or model_state_dict"
        raise _no_actor(path, stored, expected, held(stored))
    parameters = unwrapped(checked_tensors(path, model, stored[model]))
    if not any(map(_LAYER.fullmatch, parameters)):
        raise _no_actor(path, stored, f"an actor in {model}", groups(parameters) or "nothing", parameters)
    heads = {name.partition(".")[0] for name in parameters}
    owned = [(*_renamed(name), tensor) for name, tensor in parameters.items()]  # owner, name, tensor
    if model == "model_state_dict":  # which includes the critic
        releases = _releases_of_joint_model(heads, stored)
        if _NORMALIZER in stored:
            statistics = checked_tensors(path, _NORMALIZER, stored[_NORMALIZER])
            owned += [(_ACTOR, f"obs_normalizer.{name}", tensor) for name, tensor in statistics.items()]
        for part in _CRITIC_NORMALIZERS:
            statistics = readable_tensors(path, stored.get(part))
            owned += [(_CRITIC, f"obs_normalizer.{name}", tensor) for name, tensor in statistics.items()]
    else:
        releases = _releases_of_own_model(heads)
        for part, owner in _OTHERS.items():
            others = unwrapped(readable_tensors(path, stored.get(part)))
            owned += [(owner, name, tensor) for name, tensor in others.items()]
    actor, critic = ({name: x for whose_, name, x in owned if whose_ == owner} for owner in (_ACTOR, _CRITIC))
    return StoredModels(
        releases=releases,
        actor=actor,
        critic=critic | (_shared_normalizer(actor, critic) if _NORMALIZER in stored else {}),
        unread=tuple(name for owner, name, _ in owned if owner is None),
        critic_normalized="obs_normalizer._mean" in critic or any(name in stored for name in _CRITIC_NORMALIZERS),
        named={f"{owner or ''}{name}": tensor for owner, name, tensor in owned},
    )


def learning_rate(stored: Mapping[str, Any]) -> float | None:
    """Return the optimizer's learning rate, or None if the file has none."""
    try:
        rate = stored["optimizer_state_dict"]["param_groups"][0]["lr"]
        return float(rate)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _no_actor(
    path: Path, stored: Mapping[str, Any], expected: str, found: str, parameters: Iterable[str] = ()
) -> CheckpointError:
    """Return an error that says what a file without an rsl_rl actor contains."""
    names = parameters or [name for table in stored.values() if isinstance(table, dict) for name in dict.keys(table)]
    writer = whose(stored, [*stored, *names])
    if writer is not None:
        return CheckpointError(f"{path.name}: {writer}; the file contains {found}")
    if _is_recorded(stored):
        shapes = [f"{name} {list(tensor.shape)}" for name, tensor in stored.items()]
        return CheckpointError(f"{path.name}: {recording(path, '; '.join(shapes[:8]))}")
    if any(_LAYER.fullmatch(str(name)) for name in stored):
        key = "actor_state_dict" if any(str(name).startswith("mlp.") for name in stored) else _MODELS[-1]
        wrap = f'its names are those of rsl_rl, so wrap it: torch.save({{"{key}": state_dict}}, "model_0.pt")'
        return CheckpointError(f"{path.name}: expected {expected}; the file contains {found}; {wrap}")
    rename = "; if one of these networks is the policy, save its layers under the names that rsl_rl uses"
    return CheckpointError(
        f"{path.name}: expected {expected}; the file contains {found}{rename if '→' in found else ''}"
    )


def _is_recorded(stored: Mapping[str, Any]) -> bool:
    """Return whether a file contains only plain tensors and, judging by their names, no weights of layers."""
    plain = [name for name, value in stored.items() if is_plain(value)]
    return len(plain) == len(stored) > 0 and not any(re.search("weight|bias|std", str(name)) for name in plain)


def _renamed(name: str) -> tuple[str | None, str]:
    """Return the owner of a parameter, and its name in rsl_rl 5; the owner is None if no rsl_rl model has it."""
    head, dot, rest = name.partition(".")
    owner, renamed = _PARTS.get(head, (None, head))
    return owner, renamed + dot + rest


def _shared_normalizer(
    actor: Mapping[str, torch.Tensor], critic: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the actor's statistics if the critic's are empty. rsl_rl 2 saves this if both have the same features."""
    mean, statistics = critic.get("obs_normalizer._mean"), {n: x for n, x in actor.items() if n.startswith("obs_nor")}
    if mean is None or mean.any() or statistics.get("obs_normalizer._mean", mean).shape != mean.shape:
        return {}
    return statistics


def _releases_of_joint_model(heads: Set[str], stored: Mapping[str, Any]) -> tuple[int, ...]:
    """Distinguish rsl_rl 2 and 3, which have one model for actor and critic, by where the normalizers are."""
    if any("obs_normalizer" in head or head == "actor_cnns" for head in heads):
        return (3,)
    if any(name in stored for name in (_NORMALIZER, *_CRITIC_NORMALIZERS)):
        return (2,)
    return (2, 3)


def _releases_of_own_model(heads: Set[str]) -> tuple[int, ...]:
    """Distinguish rsl_rl 4 and 5, which have a separate model for the actor, by where its std is."""
    if "distribution" in heads:
        return (5,)
    if not heads.isdisjoint(("std", "log_std")):
        return (4,)
    return (4, 5)
