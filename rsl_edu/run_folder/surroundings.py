"""Describes a folder without checkpoints and what is around it, to help users who gave the wrong folder."""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .archives import archive_kind, is_recording
from .candidates import ENDS, NUMBERED, may_be_checkpoint
from .exports import exports_beside
from .foreign import what_is
from .signatures import COMPARE

_DEEPEST, _FOLDERS, _ENTRIES = 6, 1000, 100_000
"""The limits of the search for runs: its depth, and the numbers of folders and names that it reads."""
_SHOWN = 3
"""Maximum number of runs that a message names, and of files of other kinds."""
_TRIED = 20
"""Maximum number of files whose kind is examined."""
_TELLING = re.compile(
    r".*\.(pt|pth|ckpt|jit|zip|npz|h5|hdf5|safetensors|msgpack|pb|tflite|engine|wandb|gz|tar|7z)|events\.out\.tfevents.*"
)
"""Names of files whose kind shows what the folder is."""


def surroundings(path: Path, files: Sequence[Path]) -> str:
    """Describe in one line that a folder has no checkpoint, what it contains instead, and where runs are.

    Args:
        path: The folder.
        files: The files in it.

    Raises:
        OSError: The folder cannot be read.
    """
    said = "no checkpoint (model_0.pt, model_50.pt, …) in this folder"
    if what := what_is(path):
        return f"{said}: it is {what}"
    runs, searched = _runs_below(path)
    if runs:
        latest = ", ".join(map(str, runs[:_SHOWN])) + (", …" if len(runs) > _SHOWN else "")
        return f"{said}; give " + (
            f"one of the {len(runs):,} runs in it: {latest}" if runs[1:] else f"the run in it: {latest}"
        )
    above = path.parent if path.name not in ("", "..") else path / ".."
    if _look(above, _ENTRIES).saved is not None:
        said += f"; its parent folder has some: {above}"
    else:
        said += f", nor in {searched}"
    exports = [file for file in exports_beside(path) if ".." not in file.relative_to(path).parts]
    if exports:
        return f"{said}; {exports[0]} is an exported policy; {COMPARE}"
    tried = [file for file in files if _TELLING.fullmatch(file.name)][:_TRIED]
    kinds = [f"{file.name} is {kind.partition(';')[0]}" for file in tried if (kind := _kind(file))]
    return "; ".join([said, *kinds[:_SHOWN]])


def _kind(file: Path) -> str | None:
    try:
        if archive_kind(file) == "torch.save" and is_recording(file):
            return "a recording (give it with --obs)"
        return what_is(file)
    except OSError:
        return None


def _runs_below(path: Path) -> tuple[list[Path], str]:
    """Return the subfolders with checkpoints, the latest first, and a description of the folders that were searched."""
    queue, runs = collections.deque([(path, 0)]), []
    folders = entries = 0
    deeper = False
    while queue and folders < _FOLDERS and entries < _ENTRIES:
        folder, depth = queue.popleft()
        seen = _look(folder, _ENTRIES - entries)
        folders, entries = folders + 1, entries + seen.entries
        if seen.saved is not None:
            runs.append((int(seen.saved // 60), str(folder), folder))  # in a clone, all files have the same minute
        if depth < _DEEPEST:
            queue += [(inner, depth + 1) for inner in seen.folders]
        deeper = deeper or (depth == _DEEPEST and bool(seen.folders))
    searched = f"its subfolders, {_DEEPEST} levels deep" if deeper else "its subfolders"
    searched = f"its first {_FOLDERS:,} subfolders" if queue else searched
    return [folder for *_, folder in sorted(runs, reverse=True)], searched


class _Seen(NamedTuple):
    saved: float | None  # time at which the last checkpoint was written, if there is one
    folders: list[Path]
    entries: int


def _look(folder: Path, most: int) -> _Seen:
    """Read the names in a folder once."""
    numbered: dict[int, Path] = {}
    others: list[Path] = []
    folders: list[Path] = []
    count = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, most):
            count += 1
            if entry.is_dir(follow_symlinks=False):  # a link could lead back up
                folders += [] if entry.name.startswith((".", "__")) else [folder / entry.name]
            elif (match := NUMBERED.fullmatch(entry.name)) and entry.is_file():
                numbered[int(match[1])] = folder / entry.name
            elif entry.name.endswith(ENDS):
                others.append(folder / entry.name)
    last = numbered[max(numbered)] if numbered else next(filter(may_be_checkpoint, sorted(others)[:_TRIED]), None)
    saved = None
    if last is not None:
        with contextlib.suppress(OSError):  # a link to nowhere
            saved = last.stat().st_mtime
    return _Seen(saved, sorted(folders), count)
