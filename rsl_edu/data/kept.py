"""Recordings are kept on disk, and mapped into memory from there, so that all kernels of a machine share one copy."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from rsl_edu.atomic_write import atomic_write
from rsl_edu.folders import caches

Recording = TypeVar("Recording")


def kept(name: str, kind: type[Recording], record: Callable[[], Recording]) -> Recording:
    """Return a recording from the cache; if it is not there, make it and keep it.

    A change of its tensors stays in this process. The name need not say which versions of the simulator it was made
    with.

    Args:
        name: What tells it apart from other recordings.
        kind: Its dataclass, of tensors, numbers and words.
        record: Makes it.
    """
    # Not from the modules: to import the simulator costs a second and 30 MB, and a kept recording needs none of it.
    versions = "".join(f"-{package}{importlib.metadata.version(package)}" for package in ("gymnasium", "mujoco"))
    file = f"{name}{versions}.pt".replace("/", "_")
    for folder in caches():
        recorded = _load(folder / file, kind)
        if recorded is not None:
            return recorded
    recorded = record()
    for folder in caches(write=True):
        if _store(folder / file, recorded):
            break
    return recorded


def _load(file: Path, kind: type[Recording]) -> Recording | None:
    """Map a recording into memory; None where there is none or the file is damaged."""
    try:
        return kind(**torch.load(file, weights_only=True, mmap=True))
    except (OSError, EOFError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError):
        return None


def _store(file: Path, recorded: Any) -> bool:
    """Write a recording in one move, so that another kernel never reads half a file.

    Returns:
        Whether it was written; a full disk, or a folder that cannot be written, is no error.
    """
    values = {field.name: getattr(recorded, field.name) for field in dataclasses.fields(recorded)}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            torch.save(values, part)
            part.chmod(0o644)  # a class may share its recordings
    except (OSError, RuntimeError):  # torch's own, for a disk that is full
        return False
    return True
