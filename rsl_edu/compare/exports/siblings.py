"""Other checkpoints of a run, which may have been exported instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from rsl_edu.checkpoint import Checkpoint, Policy, read, read_run
from rsl_edu.run_folder import CheckpointError, RunSettings, checkpoint_files

Wanted = Callable[[Policy], bool]


@dataclasses.dataclass(frozen=True)
class Siblings:
    """The other checkpoints of a run that were read.

    Attributes:
        checkpoints: Checkpoints with the same architecture. For a long run, an evenly spaced selection, and the
            checkpoints that ``wanted`` asks for.
        unread: Number of files that were not read.
        damaged: Names of files that could not be read or have a different architecture.
    """

    checkpoints: Sequence[Checkpoint] = ()
    unread: int = 0
    damaged: Sequence[str] = ()


def siblings(
    ours: Checkpoint,
    activation: str | None,
    settings: RunSettings,
    images: Mapping[str, tuple[int, int]],
    wanted: Sequence[Wanted] = (),
) -> Siblings:
    """Read the other checkpoints in the folder of a checkpoint.

    Args:
        ours: The checkpoint.
        activation: As for :func:`.read_run`.
        settings: Settings from the files next to the run.
        images: As for :func:`.read_run`.
        wanted: Tests of a policy's tensors, such as whether its network is the export's. Files are read until each test
            has found a checkpoint. Without tests, only some files of a long run are read.
    """
    folder, files = ours.path.parent, []
    try:
        files = [file for file in checkpoint_files(folder) if file.name != ours.path.name]
        if not files:
            return Siblings()
        run = read_run(folder, activation, settings, images)
    except (CheckpointError, OSError):
        return Siblings(unread=len(files))
    shapes = _shapes(ours.policy)
    found = [it for it in run.checkpoints if it.path.name != ours.path.name and _shapes(it.policy) == shapes]
    damaged = [file.name for file in run.skipped]
    seen = {it.path.name for it in run.checkpoints} | set(damaged)
    rest = [file for file in files if file.name not in seen]
    missing = [fits for fits in wanted if not any(fits(it.policy) for it in (ours, *found))]
    while rest and missing:
        file = rest.pop()
        try:
            other = read(file, activation, settings.actor, images)
        except (CheckpointError, OSError):
            damaged.append(file.name)
            continue
        if _shapes(other.policy) == shapes and any(fits(other.policy) for fits in missing):
            found.append(other)
            missing = [fits for fits in missing if not fits(other.policy)]
    return Siblings(found, 0 if wanted else len(rest), damaged)


def _shapes(policy: Policy) -> dict[str, object]:
    return {name: tensor.shape for name, tensor in policy.state_dict().items()}
