"""What the files beside a run say of it."""

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
"""Where the settings of a training lie, seen from its checkpoints; a checkpoint may have been copied a folder down."""


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What the files beside a run say of it, as far as a checkpoint does not.

    Attributes:
        actor: The actor's configuration in rsl_rl 5's names: ``activation``, ``cnn_cfg``, ``distribution_cfg``.
        source: The file that says so, seen from the checkpoints: ``params/agent.yaml``; empty if there is none.
        init_std: Std of the actions when the training began, or None.
        schedule: ``adaptive`` or ``fixed``, of the learning rate, or None.
        learning_rate: The one that was configured, or None.
        groups: Groups of observations that the actor sees, in their order; empty if no file says so.
        folders: Where ``params/env.yaml`` is looked for once names are asked for.
        network: What the settings say of the actor that its weights show, too: ``hidden_dims``, ``recurrent``, ``std``.
        given: Whether someone named the file: then it is an error if it is of another network.
        unread: Why a file that lies there could not be read, for each of these files; ``params/env.yaml`` is among them
            once names were asked for.
        obs_normalization: Whether the actor has a normalizer, or None.
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
        """Return these settings, or if they are of another network, no settings, with a note of it in ``unread``.

        Args:
            shown: What the weights say of the actor: ``hidden_dims``, ``recurrent`` and ``std``.

        Raises:
            CheckpointError: They are of another network, and someone named the file.
        """
        wrong = contradiction(self.network, shown)
        if wrong and self.given:
            raise CheckpointError(f"{self.source}: {wrong}; give the file of this run, or none")
        return RunSettings(unread=self.unread | {self.source: wrong}) if wrong else self

    def feature_names(self, features: int, actions: int) -> tuple[str, ...]:
        """Return the names of the actor's features, in their order, or nothing if the files do not settle them.

        Args:
            features: How many features the actor has, without images.
            actions: How many actions.

        Returns:
            ``joint_vel[3]``, or ``base_height`` if a term has one feature; of a history, ``joint_vel[3] (t-2)`` is what
            was two steps ago.
        """
        return feature_names(self._terms[1], features, actions)

    @property
    def names_source(self) -> str:
        """The path of the file that names the features, ``params/env.yaml`` for one; empty if there is none."""
        return self._terms[0]

    @functools.cached_property
    def _terms(self) -> tuple[str, tuple[Term, ...]]:
        """The file that has the terms of the observations, and these."""
        deployed = self._terms_in("deploy.yaml", deployed_terms)
        source, terms = self._terms_in("env.yaml", environment_terms)
        if not terms:
            return deployed
        counts = {term.name: term.count for term in deployed[1] if not term.of}  # more than an env.yaml says
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
    """Read what lies beside a run: ``params/agent.yaml`` of Isaac Lab and mjlab, ``cfgs.pkl`` of Genesis.

    Args:
        run: The run folder, or one of its checkpoints.
        config: A file to read instead of the one that is found: an ``agent.yaml``, or a ``cfgs.pkl``.

    Raises:
        CheckpointError: ``config`` cannot be read. What is found beside the run and cannot be read is noted instead.
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
    """Return what a file holds, or None if there is none or it cannot be read, which is noted."""
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
