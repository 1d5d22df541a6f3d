"""Finds the checkpoints in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .candidates import NUMBERED, in_order, may_be_checkpoint
from .errors import CheckpointError
from .regular import regular
from .surroundings import surroundings


def checkpoint_files(path: Path) -> list[Path]:
    """Return the checkpoints in a run folder in the order of their iterations, or ``path`` itself if it is a file.

    Their usual names are ``model_0.pt``, ``model_50.pt``, …. A folder without such names can contain a single
    checkpoint under any name, or several whose names differ only in a number: ``model_8k.pt``, ``model_10k.pt``.
    Exported policies do not count as checkpoints.

    Raises:
        CheckpointError: The folder contains no checkpoint; the message says what it contains, and where runs are. Or it
            contains several checkpoints, but their names do not show their order.
        OSError: The folder does not exist or cannot be read, or ``path`` is a pipe or a device.
    """
    if not path.exists():
        raise FileNotFoundError(2, "no such file or folder", str(path))
    if regular(path).is_file():
        return [path]
    with os.scandir(path) as entries:
        names = {entry.name: entry.is_file() for entry in entries}
    numbered = _numbered(names)
    if any(names[name] for name in numbered.values()):  # others with such a name are skipped later, with the reason
        return [path / numbered[number] for number in sorted(numbered)]
    files = [path / name for name in sorted(names) if names[name]]
    others = [file for file in files if may_be_checkpoint(file)]
    ordered = others if len(others) == 1 else in_order(others)
    if ordered:
        return ordered
    if others:
        named = ", ".join(file.name for file in others[:6]) + (", …" if len(others) > 6 else "")
        raise CheckpointError(
            f"{path}: {len(others)} files may be checkpoints, but their names do not show their order ({named}); "
            f"give one of them: {others[0]}"
        )
    for name in sorted(numbered.values()):
        if (path / name).exists():
            regular(path / name)
    raise CheckpointError(f"{path}: {surroundings(path, files)}")


def doubles(path: Path) -> dict[Path, Path]:
    """Return the files that are not read because another file has the same iteration, each with that other file.

    For example, ``model_050.pt`` is not read if there is a ``model_50.pt``.
    """
    if not path.is_dir():
        return {}
    names = sorted(file.name for file in path.iterdir())
    numbered = _numbered(names)
    found = {name: numbered[int(match[1])] for name in names if (match := NUMBERED.fullmatch(name))}
    return {path / name: path / kept for name, kept in found.items() if name != kept}


def _numbered(names: Iterable[str]) -> dict[int, str]:
    """Return the names of checkpoints by iteration. If several names have the same iteration, use the shortest one."""
    ordered = sorted(names, key=len, reverse=True)
    return {int(found[1]): name for name in ordered if (found := NUMBERED.fullmatch(name))}
