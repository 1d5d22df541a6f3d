"""Reads the policy's settings from the settings of a training run with any release of rsl_rl."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import CheckpointError, reason
from .network import network
from .plain_pickle import NotPlainError, plain_pickle
from .plain_yaml import plain_yaml
from .regular import regular

_LARGEST = 4 << 20
"""Maximum size of a settings file in bytes; Isaac Lab's files have up to about 100,000."""
_OF_AN_ACTOR = {"activation", "hidden_dims", "actor_hidden_dims", "init_noise_std", "distribution_cfg"}
_OF_AN_ACTOR |= {"cnn_cfg", "actor_cnn_cfg", "state_dependent_std"}
"""Names in the settings of an actor; at least one of them is always there."""


@dataclasses.dataclass(frozen=True)
class Training:
    """The settings of a training run.

    Attributes:
        actor: The actor's configuration under the names of rsl_rl 5: ``activation``, ``cnn_cfg``,
            ``distribution_cfg``.
        init_std: Initial std of the actions, or None if it is not set.
        schedule: Schedule of the learning rate, ``adaptive`` or ``fixed``, or None if it is not set.
        learning_rate: The configured learning rate, or None if it is not set.
        groups: The actor's observation groups; empty if they are not set.
        obs_normalization: Whether the actor has a normalizer, or None if it is not set.
        network: Settings of the actor that its weights show, too, as for :func:`.network.contradiction`.
    """

    actor: Mapping[str, Any]
    init_std: float | None
    schedule: str | None
    learning_rate: float | None
    groups: tuple[str, ...]
    network: Mapping[str, Any]
    obs_normalization: bool | None = None


def read_settings(file: Path) -> Any:
    """Return the contents of a settings file as plain data. It can be YAML, or a pickle like those of Genesis.

    Raises:
        CheckpointError: The file is neither of the two; the message names the file.
        OSError: The file cannot be read.
    """
    if regular(file).stat().st_size > _LARGEST:
        raise CheckpointError(f"{file}: expected settings of at most {_LARGEST:,} bytes, got {file.stat().st_size:,}")
    content = file.read_bytes()
    pickled = content[:1] == b"\x80"  # since protocol 2; no text begins with this byte
    try:
        return plain_pickle(content) if pickled else plain_yaml(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise CheckpointError(f"{file}: expected YAML or a pickle of plain data, got neither") from None
    except NotPlainError as error:
        raise CheckpointError(f"{file}: expected a pickle of plain data, but it {error}") from None
    except Exception as error:  # malformed dates and numbers make yaml raise nearly anything
        what = "a pickle" if pickled else "YAML"
        raise CheckpointError(f"{file}: expected {what}, got {reason(error)}") from None


def training(settings: Any) -> Training | None:
    """Find the settings of a training run in the contents of a file, or return None.

    Args:
        settings: The result of :func:`read_settings`: an ``agent.yaml``; the list or tuple that Genesis pickles, in any
            order; or a file of Weights & Biases, which nests the settings in other dictionaries.
    """
    for part in _tables(settings):
        actor = next((part[name] for name in ("actor", "student", "policy") if _is_actor(part.get(name))), None)
        if actor is not None:
            algorithm = part.get("algorithm")
            algorithm = algorithm if isinstance(algorithm, Mapping) else {}
            distribution = actor.get("distribution_cfg")
            stds = distribution if isinstance(distribution, Mapping) and distribution else actor
            schedule = algorithm.get("schedule")
            return Training(
                actor=_actor(actor),
                init_std=_number(stds.get("init_std", stds.get("init_noise_std"))),
                schedule=schedule if isinstance(schedule, str) else None,
                learning_rate=_number(algorithm.get("learning_rate")),
                groups=_groups(part.get("obs_groups")),
                obs_normalization=_normalization(actor, part),
                network=network(actor),
            )
    return None


def _tables(settings: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all dictionaries in the contents of a file, the outer ones first."""
    queue, seen = collections.deque([settings]), set()
    while queue:
        part = queue.popleft()
        if (
            isinstance(part, (dict, list, tuple)) and id(part) not in seen
        ):  # with references, a few objects could look like many
            seen.add(id(part))
            if isinstance(part, dict):
                yield part
            queue.extend(part.values() if isinstance(part, dict) else part)


def _is_actor(part: Any) -> bool:
    return isinstance(part, dict) and not _OF_AN_ACTOR.isdisjoint(part)


def _actor(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an actor's configuration under the names of rsl_rl 5, without empty values (Isaac Lab's MISSING)."""
    config = {name: said[name] for name in ("activation", "cnn_cfg", "distribution_cfg") if said.get(name)}
    if isinstance(config.get("activation"), str):
        config["activation"] = config["activation"].lower()  # like rsl_rl
    if said.get("actor_cnn_cfg"):  # rsl_rl 3
        config["cnn_cfg"] = said["actor_cnn_cfg"]
    if said.get("state_dependent_std"):  # rsl_rl 3 and 4
        std_type = said.get("noise_std_type", "scalar")
        config["distribution_cfg"] = {"class_name": "HeteroscedasticGaussianDistribution", "std_type": std_type}
    return config


def _normalization(actor: Mapping[str, Any], part: Mapping[str, Any]) -> bool | None:
    """Return whether the actor has a normalizer, from the name that each release uses; None if not set."""
    said = (
        actor.get("obs_normalization"),  # rsl_rl 4 and 5
        actor.get("actor_obs_normalization"),  # 3
        part.get("empirical_normalization"),  # 2
    )
    return next((value for value in said if isinstance(value, bool)), None)


def _number(said: Any) -> float | None:
    """Return a finite number, including numbers that YAML reads as strings, such as ``1e-3``; otherwise None."""
    try:
        number = float(said)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(said, bool) else None


def _groups(said: Any) -> tuple[str, ...]:
    """Return the actor's observation groups, from the name that each release uses."""
    if not isinstance(said, dict):
        return ()
    groups = next((said[name] for name in ("actor", "student", "policy") if said.get(name)), ())
    return tuple(group for group in groups if isinstance(group, str)) if isinstance(groups, (list, tuple)) else ()
