"""A cache on disk for recordings. They are mapped into memory, so that all kernels of a machine share one copy."""

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
    """Return a recording from the cache; if it is not there, make it and cache it.

    Changes to its tensors affect only this process. The versions of the simulator are added to the name.

    Args:
        name: A name that distinguishes it from other recordings.
        kind: Its dataclass, with fields of tensors, numbers and strings.
        record: Function that makes it.
    """
    # The versions are not read from the modules, because importing the simulator would take a second and 30 MB.
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
    """Map a recording into memory; return None if there is none or the file is damaged."""
    try:
        return kind(**torch.load(file, weights_only=True, mmap=True))
    except (OSError, EOFError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError):
        return None


def _store(file: Path, recorded: Any) -> bool:
    """Write a recording atomically, so that another kernel never reads an incomplete file.

    Returns:
        Whether it was written; a full disk or a read-only folder raises no error.
    """
    values = {field.name: getattr(recorded, field.name) for field in dataclasses.fields(recorded)}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            torch.save(values, part)
            part.chmod(0o644)  # so that a class can share its recordings
    except (OSError, RuntimeError):  # torch raises RuntimeError if the disk is full
        return False
    return True
