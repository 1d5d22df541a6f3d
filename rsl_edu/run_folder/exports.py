"""Which exported policies lie beside a run."""

from __future__ import annotations

from pathlib import Path

from .archives import archive_kind
from .candidates import NUMBERED
from .signatures import is_onnx

_PLACES = ("exported", ".", "../exported", "../exported/policies")
"""Folders of exports, seen from the checkpoints: of Isaac Lab, of mjlab, of a copied checkpoint, and of legged_gym."""
_NAMES = (".pt", ".jit", ".onnx")
"""Ends of their names, those last that take another package to read."""
_MOST = 100
"""Files of a folder that are looked at."""


def exports_beside(run: str | Path) -> list[Path]:
    """Return the exported policies beside a run, TorchScript or ONNX by their content, the most likely ones first.

    Those in the run's own folder ``exported`` are the first; the last ones are where legged_gym puts them, a folder up,
    where another run may have written them.

    Args:
        run: The run folder, or one of its checkpoints.
    """
    run = Path(run)
    folder = run.parent if run.is_file() else run
    found: dict[Path, Path] = {}  # by what each is, as two of these places can be the same
    for place in _PLACES:
        for file in _files(folder / place, among_checkpoints=place == "."):
            if export_format(file):
                found.setdefault(file.resolve(), file)
    found.pop(run.resolve(), None)
    return list(found.values())


def _files(folder: Path, among_checkpoints: bool) -> list[Path]:
    """Return the files in a folder that are called like exports."""
    try:
        files = [file for file in folder.iterdir() if file.suffix in _NAMES]
    except OSError:
        return []
    if among_checkpoints:
        files = [file for file in files if not NUMBERED.fullmatch(file.name)]
    return sorted(files, key=lambda file: (_NAMES.index(file.suffix), file.name))[:_MOST]


def export_format(file: Path) -> str | None:
    """Tell by its content whether a file is an exported policy: ``TorchScript``, ``ONNX``, or None if it is neither."""
    try:
        if archive_kind(file) == "TorchScript":
            return "TorchScript"
        with file.open("rb") as opened:
            return "ONNX" if is_onnx(opened) else None
    except OSError:
        return None
