"""Find the lessons that come with the package, and copy them into a learner's folder without overwriting work."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rsl_edu import __version__

MANIFEST = ".rsl_edu.json"
"""The hidden file in the learner's folder with the hash that each lesson had when it was copied."""


@dataclass(frozen=True)
class Copy:
    """What happened to one lesson.

    Attributes:
        path: Path of the lesson, relative to the learner's folder.
        action: ``new``; ``updated``: the learner had not changed it; ``beside``: a newer version was copied next to
            the learner's; ``kept``: the learner changed it, and there is no newer version; ``same``: nothing to do.
    """

    path: Path
    action: Literal["new", "updated", "beside", "kept", "same"]


def source() -> Path:
    """Return the folder of the lessons: inside an installed package, or ``notebooks`` in a clone.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_lessons", here.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation of rsl_edu has no lessons in or next to {here}; install rsl_edu again")


def copy_lessons(target: Path, lessons: Path | None = None, version: str = __version__) -> list[Copy]:
    """Copy the lessons into the learner's folder, but never over a lesson that the learner changed.

    A lesson counts as changed if it differs from the copy that was made, or if there is no record of that copy. A newer
    version is then copied next to it, as ``4_normalization.v0.2.0.ipynb``.

    Args:
        target: The learner's folder; made if it does not exist.
        lessons: The folder of the lessons. Default: the lessons of the package.
        version: The version for the file name of a lesson that is copied next to a changed one.

    Returns:
        What was done with each lesson; empty if ``target`` is the folder of the lessons itself.

    Raises:
        OSError: If ``target`` is a file, or not writable.
    """
    lessons = lessons or source()
    if target.resolve() == lessons.resolve():
        return []
    target.mkdir(parents=True, exist_ok=True)
    copied = _read_manifest(target / MANIFEST)
    done = [_copy(relative, lessons, target, copied, version) for relative in _files(lessons)]
    (target / MANIFEST).write_text(json.dumps({"version": version, "copied": copied}, indent=1) + "\n", "utf-8")
    return done


def _copy(relative: Path, lessons: Path, target: Path, copied: dict[str, str], version: str) -> Copy:
    content = (lessons / relative).read_bytes()
    fresh = _hash(content)
    for candidate in _places(relative, version):
        path, before = target / candidate, copied.get(candidate.as_posix())
        now = _hash(path.read_bytes()) if path.is_file() else None
        if now == fresh:
            copied[candidate.as_posix()] = fresh
            return Copy(candidate, "same")
        if not path.exists() or (now and now == before):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            copied[candidate.as_posix()] = fresh
            if now:
                return Copy(candidate, "updated")
            return Copy(candidate, "new" if candidate == relative else "beside")
        if before == fresh:
            return Copy(candidate, "kept")
    raise AssertionError("there is always another file name")


def _places(relative: Path, version: str) -> Iterator[Path]:
    """Yield possible file names of a lesson: ``a.ipynb``, ``a.v0.2.0.ipynb``, ``a.v0.2.0-2.ipynb`` …."""
    yield relative
    versioned = f"{relative.stem}.v{version}"
    yield relative.with_name(f"{versioned}{relative.suffix}")
    for number in itertools.count(2):
        yield relative.with_name(f"{versioned}-{number}{relative.suffix}")


def _files(folder: Path) -> list[Path]:
    """Return the visible files below a folder, relative to it, without the assignments, which contain solutions."""
    relative = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    visible = (path for path in relative if not any(part.startswith((".", "__")) for part in path.parts))
    return sorted(path for path in visible if path.parts[0] != "assignments")


def _read_manifest(path: Path) -> dict[str, str]:
    """Return the stored hashes. Without a valid manifest there are none, so every lesson counts as changed."""
    try:
        copied = json.loads(path.read_text("utf-8"))["copied"]
        return {str(name): str(digest) for name, digest in copied.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
