"""Describes files and folders that are not rsl_rl checkpoints, by their first bytes and the names in them."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

from .archives import LEGACY_TORCH, archive_kind, module_in
from .regular import regular
from .signatures import COMPARE, binary_kind, text_kind

_HEAD = 4096
"""The number of first bytes that are read."""
_ARCHIVES = {
    "damaged": "damaged: the table of contents at its end is missing or broken; copy or download it again, or take an "
    "earlier checkpoint if the disk was full when it was saved",
    "TorchScript": f"an exported policy (TorchScript); expected a checkpoint such as model_50.pt; {COMPARE}",
    "torch.export": "an exported program (torch.export, .pt2); expected a checkpoint such as model_50.pt",
    "Stable-Baselines3": "a model of Stable-Baselines3, which is another library; expected a checkpoint of rsl_rl",
    "Keras": "a model of Keras; expected a checkpoint of rsl_rl, such as model_50.pt",
    "NumPy": "arrays of NumPy (.npz), such as a motion or a recording; give observations with --obs",
    "run": "a zip archive with checkpoints in it; unpack it and give the folder",
    "zip": "a zip archive without a checkpoint; expected a checkpoint such as model_50.pt",
}
_FOLDERS = {  # a name in a folder that another library wrote
    "rllib_checkpoint.json": "a checkpoint of RLlib, which is another library; expected a run of rsl_rl",
    "algorithm_state.pkl": "a checkpoint of RLlib, which is another library; expected a run of rsl_rl",
    ".metadata": "a distributed checkpoint of torch; convert it to a single file with: "
    "python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model_0.pt",
    "saved_model.pb": "a TensorFlow model; expected a run of rsl_rl",
} | dict.fromkeys(
    ("ppo_network_config.json", "_CHECKPOINT_METADATA", "manifest.ocdbt", "orbax.checkpoint"),
    "a checkpoint of JAX (Orbax), as Brax saves it; expected a run of rsl_rl, with model_0.pt, model_50.pt, …",
)


def what_is(path: str | Path) -> str | None:
    """Describe in one line a file or folder that is not an rsl_rl checkpoint, and what to do with it.

    Nothing is loaded: only the first bytes and, for an archive, the names in its table of contents are read.

    Args:
        path: A file that could not be read as a checkpoint, or a folder without checkpoints.

    Returns:
        The description, such as ``a Git LFS pointer to a file of 3,628 bytes; fetch the file with: git lfs pull``. None
        if the kind is unknown, and for files of ``torch.save``.

    Raises:
        OSError: The file or folder cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path) or _folder(_last_step(path))
    if path.name.endswith(".onnx.data"):
        return f"the weights of an exported policy (ONNX), which belong to {path.stem} next to it; {COMPARE}"
    with regular(path).open("rb") as file:
        head = file.read(_HEAD)
        if not head:
            return "an empty file (0 bytes); copy or download it again"
        if not any(head):
            return "damaged: it begins with zeros, as after a crash or with a full disk; copy or download it again"
        if head.startswith(LEGACY_TORCH):
            return None
        kind = archive_kind(path)
        if kind is None:
            return binary_kind(head, file) or text_kind(head)
    if kind == "TorchScript" and re.search("actuator|anydrive", "/".join(path.absolute().parts[-2:])):
        return "an actuator network (TorchScript), judging by its name; expected a checkpoint such as model_50.pt"
    if kind == "torch.save" and (module := module_in(path)):
        return (
            f"a complete module ({module}), which could execute code when it is loaded; save its state_dict() instead, "
            "or export it with torch.jit.script(module).save(...)"
        )
    return _ARCHIVES.get(kind)


def _folder(path: Path | None) -> str | None:
    names = _names(path) if path else set()
    for name, said in _FOLDERS.items():
        if name in names and (name != ".metadata" or any(other.endswith(".distcp") for other in names)):
            return said
    return None


def _last_step(path: Path) -> Path | None:
    """Return the last of the folders that Brax writes, one for each step; None if there is none."""
    steps = [path / name for name in sorted(_names(path)) if name.isdecimal()]
    return steps[-1] if steps and steps[-1].is_dir() else None


def _names(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in itertools.islice(entries, _HEAD)}
