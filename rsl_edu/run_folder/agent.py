"""What the settings of a training say of its policy, whichever release of rsl_rl they are for."""

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
"""Bytes of a file of settings; what Isaac Lab writes has up to some 100,000."""
_OF_AN_ACTOR = {"activation", "hidden_dims", "actor_hidden_dims", "init_noise_std", "distribution_cfg"}
_OF_AN_ACTOR |= {"cnn_cfg", "actor_cnn_cfg", "state_dependent_std"}
"""Names in the settings of an actor; one of them is there."""


@dataclasses.dataclass(frozen=True)
class Training:
    """What the settings of a training say.

    Attributes:
        actor: The actor's configuration in rsl_rl 5's names: ``activation``, ``cnn_cfg``, ``distribution_cfg``.
        init_std: Std of the actions when the training began, or None.
        schedule: Of the learning rate, ``adaptive`` or ``fixed``, or None.
        learning_rate: The one that was configured, or None.
        groups: Groups of observations that the actor sees; empty if this is not said.
        obs_normalization: Whether the actor has a normalizer, or None.
        network: What they say of the actor that its weights show, too, as for :func:`.network.contradiction`.
    """

    actor: Mapping[str, Any]
    init_std: float | None
    schedule: str | None
    learning_rate: float | None
    groups: tuple[str, ...]
    network: Mapping[str, Any]
    obs_normalization: bool | None = None


def read_settings(file: Path) -> Any:
    """Return what a file of settings holds, as plain data: YAML, or a pickle as Genesis writes it.

    Raises:
        CheckpointError: It is neither; the message names the file.
        OSError: It cannot be read.
    """
    if regular(file).stat().st_size > _LARGEST:
        raise CheckpointError(
            f"{file}: expected settings, got {file.stat().st_size:,} bytes; {_LARGEST:,} are the most"
        )
    content = file.read_bytes()
    pickled = content[:1] == b"\x80"  # from protocol 2 on; no text begins like this
    try:
        return plain_pickle(content) if pickled else plain_yaml(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise CheckpointError(f"{file}: expected YAML or a pickle of plain data, got neither") from None
    except NotPlainError as error:
        raise CheckpointError(f"{file}: expected a pickle of plain data, but it {error}") from None
    except Exception as error:  # what claims to be a date or a number makes yaml raise nearly anything
        what = "a pickle" if pickled else "YAML"
        raise CheckpointError(f"{file}: expected {what}, got {reason(error)}") from None


def training(settings: Any) -> Training | None:
    """Find the settings of a training in what a file holds, or return None.

    Args:
        settings: What :func:`read_settings` returned: an ``agent.yaml``, the list or tuple that Genesis pickles, in any
            order, or what Weights & Biases keeps, with the settings in a table of a table.
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
    """Yield the dictionaries in what a file holds, the outer ones first."""
    queue, seen = collections.deque([settings]), set()
    while queue:
        part = queue.popleft()
        if isinstance(part, (dict, list, tuple)) and id(part) not in seen:  # references make few look like many
            seen.add(id(part))
            if isinstance(part, dict):
                yield part
            queue.extend(part.values() if isinstance(part, dict) else part)


def _is_actor(part: Any) -> bool:
    return isinstance(part, dict) and not _OF_AN_ACTOR.isdisjoint(part)


def _actor(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an actor's configuration in rsl_rl 5's names. What is empty is not said: Isaac Lab's MISSING is ``{}``."""
    config = {name: said[name] for name in ("activation", "cnn_cfg", "distribution_cfg") if said.get(name)}
    if isinstance(config.get("activation"), str):
        config["activation"] = config["activation"].lower()  # as rsl_rl does
    if said.get("actor_cnn_cfg"):  # rsl_rl 3
        config["cnn_cfg"] = said["actor_cnn_cfg"]
    if said.get("state_dependent_std"):  # rsl_rl 3 and 4
        std_type = said.get("noise_std_type", "scalar")
        config["distribution_cfg"] = {"class_name": "HeteroscedasticGaussianDistribution", "std_type": std_type}
    return config


def _normalization(actor: Mapping[str, Any], part: Mapping[str, Any]) -> bool | None:
    """Return whether the actor has a normalizer, under the name that each release has for it, or None."""
    said = (
        actor.get("obs_normalization"),  # rsl_rl 4 and 5
        actor.get("actor_obs_normalization"),  # 3
        part.get("empirical_normalization"),  # 2
    )
    return next((value for value in said if isinstance(value, bool)), None)


def _number(said: Any) -> float | None:
    """Return a finite number, also if it is written as YAML takes it for a text: ``1e-3``."""
    try:
        number = float(said)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(said, bool) else None


def _groups(said: Any) -> tuple[str, ...]:
    """Return the groups of observations that the actor sees, under the name that each release has for it."""
    if not isinstance(said, dict):
        return ()
    groups = next((said[name] for name in ("actor", "student", "policy") if said.get(name)), ())
    return tuple(group for group in groups if isinstance(group, str)) if isinstance(groups, (list, tuple)) else ()
