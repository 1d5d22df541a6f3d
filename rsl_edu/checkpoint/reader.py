"""Reads checkpoints and runs from their files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from rsl_edu.exported import mlp_of
from rsl_edu.modules.mlp import ACTIVATIONS
from rsl_edu.modules.validate import choice, whole
from rsl_edu.run_folder import (
    NUMBERED,
    CheckpointError,
    RunSettings,
    checkpoint_files,
    doubles,
    exports_beside,
    iteration_in_name,
    run_settings,
)

from .critic import Critic
from .layout import NAMED, StoredModels, find_models, learning_rate
from .optimizer import AdamState, read_optimizer
from .policy import Policy
from .rebuild import SettingError, mlp_shapes, rebuild_policy, shown_network
from .untrusted import is_finite, load, readable_tensors, refuse_changed

STEPS, SAMPLES = 1_000, 20_000_000
"""A file with more Adam steps or normalizer samples than this is not from the beginning of a training run: an iteration
of rsl_rl has 20 Adam steps by default, and 65,536 robots give 4,200,000 samples in 64 steps."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has been read.

    Attributes:
        path: The file.
        releases: Major releases of rsl_rl that write such files; several if the file does not show which of them wrote
            it.
        iteration: Iteration at which the file was saved: the number in its name or, if the name has none, the number
            in its contents; 0 if unknown.
        policy: The actor, in evaluation mode.
        learning_rate: Learning rate of the optimizer, or None if the file has none.
        critic_normalized: Whether the critic's observations are normalized.
        unread: Names of parameters in the file that no rsl_rl model has.
        critic: The critic, or None if the file has no readable critic.
        optimizer: The state of Adam, or None if the file has no readable state.
        broken: Names of everything in the file's models, normalizers and moments that contains NaN or infinity:
            ``mlp.0.weight``, ``critic's mlp.0.weight``, ``Adam's second moment of mlp.0.weight``.
        undated: Why the iteration is unknown, in words; empty if it is known.
    """

    path: Path
    releases: tuple[int, ...]
    iteration: int
    policy: Policy
    learning_rate: float | None
    critic_normalized: bool
    unread: tuple[str, ...]
    critic: Critic | None = None
    optimizer: AdamState | None = None
    broken: tuple[str, ...] = ()
    undated: str = ""

    @property
    def when(self) -> str:
        """The iteration in words, such as ``iteration 50``."""
        return f"iteration unknown ({self.undated})" if self.undated else f"iteration {self.iteration}"

    @property
    def trained(self) -> str:
        """The evidence that the file is not from the beginning of a training run, in words; empty if there is none."""
        return _trained(self.policy, self.optimizer)

    @property
    def layout(self) -> str:
        """The releases in words, such as ``rsl_rl 4 or 5``."""
        return f"rsl_rl {' or '.join(map(str, self.releases))}"


@dataclasses.dataclass(frozen=True)
class Run:
    """The checkpoints of one training run.

    Attributes:
        path: The folder, or the single file.
        checkpoints: The checkpoints in the order of their iterations; all have the same architecture.
        skipped: For each file that was not used, the reason.
        left_out: How many files were not read because there are too many.
        settings: The settings found in the files next to the run.
        activation_from: Where the activation comes from: a file, or ``you``; empty if it is a guess.
    """

    path: Path
    checkpoints: tuple[Checkpoint, ...]
    skipped: Mapping[Path, str]
    left_out: int = 0
    settings: RunSettings = dataclasses.field(default_factory=RunSettings)
    activation_from: str = ""


def read(
    path: str | Path,
    activation: str | None = None,
    config: Mapping[str, Any] | None = None,
    images: Mapping[str, tuple[int, int]] | None = None,
) -> Checkpoint:
    """Read a checkpoint and rebuild its policy, without executing anything in the file.

    The weights determine the sizes of the layers. Settings that the weights do not determine must be given.

    Args:
        path: A file that rsl_rl saved, such as ``model_50.pt``.
        activation: Activation of the hidden layers; None takes it from ``config``, or uses ``elu`` if ``config`` has
            none.
        config: The actor's configuration under the names of rsl_rl 5: ``activation``; ``distribution_cfg`` if the std
            depends on the state or the distribution is a Beta; ``cnn_cfg`` (``stride``, ``padding`` …) for a CNN.
        images: Height and width of each image observation, by its name.

    Raises:
        CheckpointError: The file is not an rsl_rl checkpoint, is damaged, or does not determine the policy; the message
            names the file.
        OSError: The file cannot be read.
    """
    checkpoint = _read(Path(path), activation, config, images)
    refuse_changed(checkpoint.path)
    return checkpoint


@torch.inference_mode(False)  # a caller may be in inference mode, and tensors made there cannot have gradients
def _read(
    path: Path,
    activation: str | None,
    config: Mapping[str, Any] | None,
    images: Mapping[str, tuple[int, int]] | None,
) -> Checkpoint:
    """Read a checkpoint without comparing its checksums, which takes as long as everything else."""
    config = dict(config or {})
    if activation is not None:
        config["activation"] = activation
    stored = load(path)
    models = find_models(path, stored)
    try:
        policy = rebuild_policy(models.actor, config, images or {})
    except CheckpointError as error:
        raise type(error)(f"{path.name}: {error}") from None
    optimizer, broken_moments = read_optimizer(path, stored.get("optimizer_state_dict"), models)
    iteration, undated = _iteration(path, stored, _trained(policy, optimizer), optimizer is not None)
    return Checkpoint(
        path=path,
        releases=models.releases,
        iteration=iteration,
        policy=policy,
        learning_rate=learning_rate(stored),
        critic_normalized=models.critic_normalized,
        unread=models.unread,
        critic=Critic(models.critic, config.get("activation", "elu")) if models.critic else None,
        optimizer=optimizer,
        broken=(*_broken(path, stored, models), *broken_moments),
        undated=undated,
    )


def read_run(
    path: str | Path,
    activation: str | None = None,
    config: RunSettings | Mapping[str, Any] | None = None,
    images: Mapping[str, tuple[int, int]] | None = None,
    most: int = 40,
) -> Run:
    """Read the checkpoints of a run folder (``model_0.pt``, ``model_50.pt``, …), or a single file.

    A file is skipped if it is unreadable, or if its architecture differs from the last file's. The reason is stored.
    The checksums are compared only for the last checkpoint, on which most findings are based.

    Args:
        path: The folder or the file.
        activation: As for :func:`read`; None also tries an exported policy next to the run.
        config: As for :func:`read`, or the result of :func:`.run_settings`; None reads the files next to the run.
        images: As for :func:`read`.
        most: Maximum number of files that are read; if there are more, those that are read are evenly spread.

    Raises:
        CheckpointError: There is no readable checkpoint.
        ValueError: There is no such activation.
        OSError: The folder cannot be read.
    """
    path = Path(path)
    if activation is not None:
        choice("activation", activation, ACTIVATIONS)
    files = checkpoint_files(path)
    chosen = _evenly(files, whole("most", most))
    if isinstance(config, RunSettings):
        settings = config
    else:
        settings = run_settings(path) if config is None else RunSettings(config, "you")
    layers, shown = _last_network(chosen)
    settings = settings.fitting(shown) if shown else settings
    said_by = "you" if activation is not None else settings.source if settings.actor.get("activation") else ""
    if not said_by:
        activation, said_by = _exported_activation(path, layers, settings.unread)
    found: list[Checkpoint] = []
    skipped = {file: f"{file.name}: same iteration as {kept.name}" for file, kept in doubles(path).items()}
    for file in reversed(chosen):
        try:
            checkpoint = (_read if found else read)(file, activation, settings.actor, images)  # read(): with checksums
            if found and (other := _difference(found[0].policy, checkpoint.policy)):
                raise CheckpointError(f"{file.name}: {other}, unlike {found[0].path.name}")
        except (CheckpointError, OSError) as error:
            skipped[file] = _why(file, error, settings.source)
        else:
            found.append(checkpoint)
    if not found:
        raise CheckpointError(skipped[chosen[-1]])
    return Run(
        path=path,
        checkpoints=tuple(reversed(found)),
        skipped=skipped,
        left_out=len(files) - len(chosen),
        settings=settings,
        activation_from=said_by,
    )


def _why(file: Path, error: CheckpointError | OSError, source: str) -> str:
    """Return why a file cannot be read; if the reason is a settings file, raise an error about that file instead."""
    if isinstance(error, SettingError) and source not in ("", "you"):
        raise CheckpointError(f"{source}: {str(error).removeprefix(f'{file.name}: ')}") from None
    return f"{file.name}: cannot be read ({error.strerror})" if isinstance(error, OSError) else str(error)


def _last_network(files: Sequence[Path]) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    """Return the last readable file's layer shapes, and what its actor shows about the settings; or empty values."""
    for file in reversed(files):
        try:
            models = find_models(file, load(file))
        except (CheckpointError, OSError):  # the error is raised later, when the file is read
            continue
        return mlp_shapes(models.actor), shown_network(models.actor, models.releases)
    return [], {}


def _exported_activation(path: Path, layers: list[tuple[int, ...]], unread: dict[str, str]) -> tuple[str | None, str]:
    """Return the activation of an exported policy next to a run, and the export's path relative to the run.

    Args:
        path: The run.
        layers: Shapes of the layers that the export must have.
        unread: Exports of a different network are added to this dictionary.

    Returns:
        None and an empty path if there is no such export.
    """
    folder = path.parent if path.is_file() else path
    for file in exports_beside(path):
        name, shapes = mlp_of(file)
        place = Path(os.path.relpath(file, folder)).as_posix()
        if name in ACTIVATIONS and shapes == layers:
            return name, place
        if name in ACTIVATIONS:
            unread[place] = "it contains a different network: the sizes of the layers differ"
    return None, ""


def _broken(path: Path, stored: Mapping[str, Any], models: StoredModels) -> tuple[str, ...]:
    """Return the names of all tensors in the file (except the optimizer's moments) that contain NaN or infinity."""
    others = {
        f"{name}'s {entry}": tensor
        for name, table in stored.items()
        if isinstance(name, str) and name.endswith("_dict") and name not in NAMED
        for entry, tensor in readable_tensors(path, table).items()
    }
    return tuple(name for name, tensor in (models.named | others).items() if not is_finite(tensor))


def _iteration(path: Path, stored: Mapping[str, Any], trained: str, dated: bool) -> tuple[int, str]:
    """Return the iteration, or 0 and why it is unknown; some libraries around rsl_rl save 0 in every file.

    Args:
        path: The file.
        stored: Its contents.
        trained: The evidence that the file is not from the beginning of a training run.
        dated: Whether the file contains Adam's number of steps, which would be such evidence.
    """
    number, iteration = NUMBERED.fullmatch(path.name), stored.get("iter")
    if number:
        return int(number[1]), ""
    whole_number = type(iteration) is int
    if isinstance(iteration, int) and whole_number and iteration > 0:
        return iteration, ""
    named = iteration_in_name(path)
    if named is not None and named > 1:  # the 1 in policy_1.pt is not an iteration
        return named, ""
    if whole_number and iteration == 0 and dated and not trained:
        return 0, ""
    said = f"iter is {iteration} in the file" if whole_number else "the file does not contain it"
    return 0, f"{said}, {trained}" if trained else said


def _trained(policy: Policy, adam: AdamState | None) -> str:
    """Return the evidence that a file is not from the beginning of a training run; empty if there is none."""
    if adam is not None and adam.step > STEPS:
        return f"Adam took {adam.step:,} steps"
    count = 0 if policy.normalizer is None else int(policy.normalizer.count)
    return f"the normalizer has seen {count:,} samples" if count > SAMPLES else ""


def _evenly(files: list[Path], most: int) -> list[Path]:
    """Return the files, or evenly spread files if there are more than ``most``; always include the last file."""
    if len(files) <= most:
        return files
    last = len(files) - 1
    kept = {last - i * last // max(1, most - 1) for i in range(most)}
    return [files[i] for i in sorted(kept)]


def _difference(one: Policy, other: Policy) -> str:
    """Describe how the architecture of another policy differs; return an empty string if it is the same."""
    shapes, others = ({name: list(t.shape) for name, t in policy.state_dict().items()} for policy in (one, other))
    names = [name for name in shapes | others if shapes.get(name) != others.get(name)]
    return f"its {names[0]} is {others.get(names[0], 'missing')}" if names else ""
