"""What the files beside a run say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .agent import agent_config


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What the files beside a run say of it, as far as a checkpoint does not.

    Attributes:
        actor: The actor's configuration in rsl_rl 5's names: ``activation``, ``cnn_cfg``, ``distribution_cfg``.
        source: The file that says so: ``params/agent.yaml``; empty if there is none.
        init_std: Std of the actions when the training began, or None.
        schedule: ``adaptive`` or ``fixed``, of the learning rate, or None.
        learning_rate: The one that was configured, or None.
        names: Of the actor's features, in their order: ``joint_vel[3]``; empty if no file names them.
        names_source: The file that names them: ``params/env.yaml``.
        unread: Why a file that lies there could not be read, for each of these files.
    """

    actor: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    source: str = ""
    init_std: float | None = None
    schedule: str | None = None
    learning_rate: float | None = None
    names: tuple[str, ...] = ()
    names_source: str = ""
    unread: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def feature_names(self, features: int, actions: int) -> tuple[str, ...]:
        """Return the names of the actor's features if they are as many as ``features``, or else nothing."""
        return self.names if len(self.names) == features else ()


def run_settings(run: str | Path, config: str | Path | None = None) -> RunSettings:
    """Read what lies beside a run.

    Args:
        run: The run folder, or one of its checkpoints.
        config: A file to read instead of the one that is found: ``agent.yaml``.

    Raises:
        CheckpointError: ``config`` cannot be read. What is found beside the run and cannot be read is noted instead.
        OSError: ``config`` cannot be opened.
    """
    run = Path(run)
    folder = run.parent if run.is_file() else run
    file = folder / "params" / "agent.yaml" if config is None else Path(config)
    actor = agent_config(file)
    return RunSettings(actor, file.name if actor else "")
