"""Finds the exported policies next to a run."""

from __future__ import annotations

from pathlib import Path

from .archives import archive_kind
from .candidates import NUMBERED
from .signatures import is_onnx

_PLACES = ("exported", ".", "../exported", "../exported/policies")
"""Folders of exports, relative to the checkpoints: in Isaac Lab, in mjlab, next to a copied checkpoint, and in
legged_gym."""
_NAMES = (".pt", ".jit", ".onnx")
"""File extensions of exports; formats that need an additional package come last."""
_MOST = 100
"""Maximum number of files in a folder that are examined."""


def exports_beside(run: str | Path) -> list[Path]:
    """Return the exported policies next to a run, TorchScript or ONNX by their content, the most likely ones first.

    Exports in the run's own folder ``exported`` come first. Exports one folder up, where legged_gym puts them, come
    last, because a different run may have written them.

    Args:
        run: The run folder, or one of its checkpoints.
    """
    run = Path(run)
    folder = run.parent if run.is_file() else run
    found: dict[Path, Path] = {}  # by resolved path, because two of these places can be the same
    for place in _PLACES:
        for file in _files(folder / place, among_checkpoints=place == "."):
            if export_format(file):
                found.setdefault(file.resolve(), file)
    found.pop(run.resolve(), None)
    return list(found.values())


def _files(folder: Path, among_checkpoints: bool) -> list[Path]:
    """Return the files in a folder that have the names of exports."""
    try:
        files = [file for file in folder.iterdir() if file.suffix in _NAMES]
    except OSError:
        return []
    if among_checkpoints:
        files = [file for file in files if not NUMBERED.fullmatch(file.name)]
    return sorted(files, key=lambda file: (_NAMES.index(file.suffix), file.name))[:_MOST]


def export_format(file: Path) -> str | None:
    """Return the format of an exported policy, ``TorchScript`` or ``ONNX`` by its content; None for other files."""
    try:
        if archive_kind(file) == "TorchScript":
            return "TorchScript"
        with file.open("rb") as opened:
            return "ONNX" if is_onnx(opened) else None
    except OSError:
        return None
