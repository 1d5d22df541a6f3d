"""Where in a checkpoint the actor is, and which releases of rsl_rl write it there: the names of the parameters tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import torch

from rsl_edu.run_folder import CheckpointError

from .untrusted import checked_tensors

_MODELS = ("actor_state_dict", "student_state_dict", "model_state_dict")
"""Names of the model that holds the actor: since rsl_rl 4, since 4 after a distillation, and before 4."""
_NORMALIZER = "obs_norm_state_dict"
"""Statistics of the actor's normaliser in rsl_rl 2, which keeps them outside of the model."""
_CRITIC_NORMALIZERS = ("critic_obs_norm_state_dict", "privileged_obs_norm_state_dict")
"""Statistics of the critic's normaliser in rsl_rl 2."""
_ACTOR = {  # the first word of a parameter's name, before rsl_rl 4 -> since rsl_rl 5
    "actor": "mlp",
    "actor_obs_normalizer": "obs_normalizer",
    "actor_cnns": "cnns",
    "memory_a": "rnn",
    "student": "mlp",
    "student_obs_normalizer": "obs_normalizer",
    "memory_s": "rnn",
    "std": "distribution.std_param",
    "log_std": "distribution.log_std_param",
} | {name: name for name in ("mlp", "obs_normalizer", "cnns", "rnn", "distribution")}
_CRITIC = ("critic", "critic_obs_normalizer", "critic_cnns", "memory_c")
_TEACHER = ("teacher", "teacher_obs_normalizer", "memory_t")


@dataclasses.dataclass(frozen=True)
class StoredActor:
    """The actor in a checkpoint, in the names of rsl_rl 5 whichever release wrote it.

    Attributes:
        releases: Major releases of rsl_rl that write such a file; several if the names leave it open.
        weights: Its parameters and statistics, by their names.
        unread: Names of parameters in the file's model that no model of rsl_rl has.
        critic_normalized: Whether the observations of the critic are normalised.
    """

    releases: tuple[int, ...]
    weights: dict[str, torch.Tensor]
    unread: tuple[str, ...]
    critic_normalized: bool


def find_actor(path: Path, stored: Mapping[str, Any]) -> StoredActor:
    """Find the actor in what a file holds.

    Args:
        path: The file, for messages.
        stored: What :func:`.untrusted.load` returned.

    Raises:
        CheckpointError: There is no actor, or its parameters are no plain tensors.
    """
    model = next((name for name in _MODELS if name in stored), None)
    if model is None:
        held = ", ".join(map(str, list(stored)[:6])) or "nothing"
        raise CheckpointError(
            f"{path.name}: expected a checkpoint of rsl_rl, with actor_state_dict or model_state_dict; it holds {held}"
        )
    parameters = checked_tensors(path, model, stored[model])
    heads = {name.partition(".")[0] for name in parameters}
    if heads.isdisjoint(("mlp", "actor", "student")):
        raise CheckpointError(
            f"{path.name}: expected an actor in {model} (mlp.0.weight or actor.0.weight), got "
            f"{', '.join(sorted(parameters)[:4]) or 'nothing'}"
        )
    if model == "model_state_dict":  # with the critic in it
        releases = _releases_of_joint_model(heads, stored)
        critic_normalized = "critic_obs_normalizer._mean" in parameters or any(
            name in stored for name in _CRITIC_NORMALIZERS
        )
        if _NORMALIZER in stored:
            statistics = checked_tensors(path, _NORMALIZER, stored[_NORMALIZER])
            parameters |= {f"obs_normalizer.{name}": tensor for name, tensor in statistics.items()}
    else:
        releases = _releases_of_own_model(heads)
        critic = stored.get("critic_state_dict")
        critic_normalized = isinstance(critic, Mapping) and "obs_normalizer._mean" in critic
    return StoredActor(releases, *_renamed(parameters), critic_normalized)


def learning_rate(stored: Mapping[str, Any]) -> float | None:
    """Return the learning rate of the optimiser, or None if what a file holds has none."""
    try:
        rate = stored["optimizer_state_dict"]["param_groups"][0]["lr"]
        return float(rate)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _releases_of_joint_model(heads: Set[str], stored: Mapping[str, Any]) -> tuple[int, ...]:
    """Tell rsl_rl 2 from 3, which have one model for actor and critic, by where the normalisers are."""
    if any("obs_normalizer" in head or head == "actor_cnns" for head in heads):
        return (3,)
    if any(name in stored for name in (_NORMALIZER, *_CRITIC_NORMALIZERS)):
        return (2,)
    return (2, 3)


def _releases_of_own_model(heads: Set[str]) -> tuple[int, ...]:
    """Tell rsl_rl 4 from 5, which have a model for the actor alone, by where its std is."""
    if "distribution" in heads:
        return (5,)
    if not heads.isdisjoint(("std", "log_std")):
        return (4,)
    return (4, 5)


def _renamed(parameters: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Return the actor's parameters by the names of rsl_rl 5, and the names that no model of rsl_rl has."""
    weights, unread = {}, []
    for name, tensor in parameters.items():
        head, dot, rest = name.partition(".")
        if head in _ACTOR:
            weights[_ACTOR[head] + dot + rest] = tensor
        elif head not in _CRITIC + _TEACHER:
            unread.append(name)
    return weights, tuple(unread)
