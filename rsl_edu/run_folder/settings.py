"""Reads the settings of a run from the files next to it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .agent import read_settings, training
from .errors import CheckpointError
from .network import contradiction
from .observation_terms import Term, deployed_terms, environment_terms, feature_names

_SETTINGS = ("params/agent.yaml", "agent.yaml", "cfgs.pkl", "config.yaml", "../params/agent.yaml", "../cfgs.pkl")
"""Possible paths of the settings of a training run, relative to its checkpoints. The checkpoints may have been copied
to a subfolder."""


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Settings of a run that are not in its checkpoints.

    Attributes:
        actor: The actor's configuration under the names of rsl_rl 5: ``activation``, ``cnn_cfg``, ``distribution_cfg``.
        source: The file with the settings, relative to the checkpoints: ``params/agent.yaml``; empty if there is none.
        init_std: Initial std of the actions, or None if unknown.
        schedule: Schedule of the learning rate, ``adaptive`` or ``fixed``, or None if unknown.
        learning_rate: The configured learning rate, or None if unknown.
        groups: The actor's observation groups in order; empty if unknown.
        folders: Folders in which ``params/env.yaml`` is searched for when names are requested.
        network: Settings of the actor that its weights show, too: ``hidden_dims``, ``recurrent``, ``std``.
        given: Whether the user gave the file; a file that the user gave must not belong to a different network.
        unread: For each file that could not be used, the reason. ``params/env.yaml`` is read only when names are
            requested.
        obs_normalization: Whether the actor has a normalizer, or None if unknown.
    """

    actor: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    source: str = ""
    init_std: float | None = None
    schedule: str | None = None
    learning_rate: float | None = None
    groups: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    network: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    given: bool = False
    unread: dict[str, str] = dataclasses.field(default_factory=dict)
    obs_normalization: bool | None = None

    def fitting(self, shown: Mapping[str, Any]) -> RunSettings:
        """Return these settings, or empty ones with the reason in ``unread`` if they belong to a different network.

        Args:
            shown: What the actor's weights show: ``hidden_dims``, ``recurrent`` and ``std``.

        Raises:
            CheckpointError: The settings belong to a different network, and the user gave their file.
        """
        wrong = contradiction(self.network, shown)
        if wrong and self.given:
            raise CheckpointError(f"{self.source}: {wrong}; give the file of this run, or none")
        return RunSettings(unread=self.unread | {self.source: wrong}) if wrong else self

    def feature_names(self, features: int, actions: int) -> tuple[str, ...]:
        """Return the names of the actor's features in order, or an empty tuple if the files do not determine them.

        Args:
            features: Number of the actor's features, without images.
            actions: Number of actions.

        Returns:
            Names such as ``joint_vel[3]``, or ``base_height`` if a term has one feature. In a history,
            ``joint_vel[3] (t-2)`` is the value two time steps ago.
        """
        return feature_names(self._terms[1], features, actions)

    @property
    def names_source(self) -> str:
        """The path of the file that names the features, such as ``params/env.yaml``; empty if there is none."""
        return self._terms[0]

    @functools.cached_property
    def _terms(self) -> tuple[str, tuple[Term, ...]]:
        """The file with the terms of the observations, and the terms."""
        deployed = self._terms_in("deploy.yaml", deployed_terms)
        source, terms = self._terms_in("env.yaml", environment_terms)
        if not terms:
            return deployed
        counts = {term.name: term.count for term in deployed[1] if not term.of}  # these widths are not in env.yaml
        return source, tuple(
            dataclasses.replace(term, count=counts[term.name], of="") if term.of and term.name in counts else term
            for term in terms
        )

    def _terms_in(
        self, file: str, read: Callable[[Any, tuple[str, ...]], tuple[Term, ...]]
    ) -> tuple[str, tuple[Term, ...]]:
        for folder, place in itertools.product(self.folders, ("params/", "", "../params/")):
            if terms := read(_read(folder, place + file, self.unread), self.groups):
                return place + file, terms
        return "", ()


def run_settings(run: str | Path, config: str | Path | None = None) -> RunSettings:
    """Read the settings next to a run: ``params/agent.yaml`` of Isaac Lab and mjlab, or ``cfgs.pkl`` of Genesis.

    Args:
        run: The run folder, or one of its checkpoints.
        config: A file to read instead, an ``agent.yaml`` or a ``cfgs.pkl``.

    Raises:
        CheckpointError: ``config`` is not a settings file. Unreadable files next to the run raise no error; they are
            listed in ``unread``.
        OSError: ``config`` cannot be opened.
    """
    run = Path(run)
    folder = run.parent if run.is_file() else run
    if config is not None:
        file = Path(config)
        said = training(read_settings(file))
        if said is None:
            raise CheckpointError(
                f"{file}: expected the settings of an actor, as in agent.yaml (actor: {{activation: elu}})"
            )
        return RunSettings(**vars(said), source=file.name, folders=(folder, file.parent), given=True)
    unread: dict[str, str] = {}
    for source in _SETTINGS:
        said = training(_read(folder, source, unread))
        if said is not None:
            return RunSettings(**vars(said), source=source, folders=(folder,), unread=unread)
    return RunSettings(folders=(folder,), unread=unread)


def _read(folder: Path, name: str, unread: dict[str, str]) -> Any:
    """Return the contents of a file, or None if it is missing or unreadable; add an unreadable file to ``unread``."""
    file = folder / name
    try:
        return read_settings(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except CheckpointError as error:
        unread[name] = str(error).removeprefix(f"{file}: ")
    except OSError as error:
        unread[name] = error.strerror or type(error).__name__
    return None
