"""Reads untrusted files as plain tensors and data, without executing anything in them."""

from __future__ import annotations

import collections
import math
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsl_edu.run_folder import CheckpointError, reason, regular, texts_in, what_is, whose

_REAL_NUMBERS = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32)


def load(path: Path) -> dict[str, Any]:
    """Return the contents of a file that ``torch.save`` wrote, if it is a dictionary of plain data.

    Raises:
        CheckpointError: The file is damaged, needs code to load, or is something else; the message says what it is.
        OSError: The file cannot be read.
    """
    with regular(path).open("rb"):  # later OSErrors come from damaged files: torch seeks to positions outside of them
        pass
    try:
        if zipfile.is_zipfile(path):
            _refuse_compressed(path)
        with warnings.catch_warnings():  # torch warns about pickles that it did not write; they are refused anyway
            warnings.simplefilter("ignore")
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes torch raise nearly anything
        raise CheckpointError(f"{path.name}: {_refusal(path, error)}") from None
    if isinstance(stored, torch.Tensor):
        raise CheckpointError(f"{path.name}: {recording(path, f'a single tensor {list(stored.shape)}')}")
    if not isinstance(stored, dict):
        raise CheckpointError(f"{path.name}: expected a checkpoint of rsl_rl, got type {type(stored).__name__}")
    return _entries(stored)


def refuse_changed(path: Path) -> None:
    """Refuse an archive in which numbers changed after they were saved, because torch does not compare checksums.

    Args:
        path: A file that :func:`load` could read.

    Raises:
        CheckpointError: The file was changed on the disk or during a transfer.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if entry.file_size]
        changed = [entry.filename for entry in entries if not _unchanged(archive, entry)]
    if changed and len(changed) < len(entries):  # torch can be configured to write no checksums; then none matches
        raise CheckpointError(
            f"{path.name}: damaged; copy or download it again, or take an earlier checkpoint (the checksum of "
            f"{changed[0]} does not match, so its numbers are not those that were saved)"
        )


def recording(path: Path, found: str) -> str:
    """Describe a file that is a recording, and what to do with it."""
    return f"a recording of {found}; to show it to a policy: rsl-edu xray RUN --obs {path.name}"


def checked_tensors(path: Path, part: str, table: Any) -> dict[str, torch.Tensor]:
    """Check that a state dict contains only plain tensors that are not larger than their file, and return it.

    Args:
        path: The file.
        part: Name of the state dict in the file.
        table: The file's entry under this name.

    Raises:
        CheckpointError: The state dict contains something else; the message names file, state dict and entry.
    """
    if not isinstance(table, dict):
        raise CheckpointError(f"{path.name}: expected names and tensors in {part}, got {type(table).__name__}")
    tensors: dict[str, torch.Tensor] = _entries(table)
    views: collections.Counter[tuple[Any, ...]] = collections.Counter()
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise CheckpointError(f"{path.name}: expected names in {part}, got {name!r}")
        if not isinstance(tensor, torch.Tensor):
            raise CheckpointError(f"{path.name}: expected a tensor at {part}[{name!r}], got {type(tensor).__name__}")
        if not is_plain(tensor):
            raise CheckpointError(f"{path.name}: expected a plain tensor of real numbers at {part}[{name!r}]")
        numbers = tensor.numel() * tensor.element_size()
        views[tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), numbers] += 1
    # A tensor may have two names, because actor and critic can share it. With more names, a small file could become a
    # large network, in which each name is a separate layer.
    claimed = sum(view[-1] * ((names + 1) // 2) for view, names in views.items())
    size = path.stat().st_size
    if claimed > size:
        raise CheckpointError(f"{path.name}: {part} declares {claimed:,} bytes of numbers, but the file has {size:,}")
    return tensors


def readable_tensors(path: Path, table: Any) -> dict[str, torch.Tensor]:
    """Return a state dict if it passes :func:`checked_tensors`; otherwise return an empty dictionary."""
    try:
        return checked_tensors(path, "", table)
    except CheckpointError:
        return {}


def is_plain(tensor: Any) -> bool:
    """Return whether an object is a tensor of real numbers without methods, attributes or a layout of its own."""
    if type(tensor) not in (torch.Tensor, nn.Parameter) or vars(tensor) or tensor.is_nested:
        return False
    in_memory = tensor.layout == torch.strided and tensor.device == torch.device("cpu")
    return in_memory and tensor.dtype in _REAL_NUMBERS


def is_finite(tensor: torch.Tensor) -> bool:
    """Return whether a tensor contains only finite values; usually in one pass and without a copy."""
    return math.isfinite(float(tensor.sum())) or bool(tensor.isfinite().all())


def _refuse_compressed(path: Path) -> None:
    """Refuse compressed archives, which ``torch.save`` does not write, before unpacking anything."""
    with zipfile.ZipFile(path) as archive:
        compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    if compressed:  # the contents may not fit into memory
        what = what_is(path) or "a compressed archive, which torch.save does not write"
        raise CheckpointError(f"{path.name}: {what}")


def _unchanged(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as opened:
            while opened.read(1 << 20):
                pass
    except Exception:  # a damaged entry makes zipfile raise nearly anything
        return False
    return True


def _refusal(path: Path, error: Exception) -> str:
    """Describe a file that ``torch.load`` refused."""
    what = what_is(path)
    if what is not None:
        return what
    texts = texts_in(path)
    if not any(text.endswith("_state_dict") for text in texts) and (writer := whose((), texts)):
        return writer
    called = re.search(r"GLOBAL (\S+)", str(error))
    if called:
        return (
            f"expected tensors and plain data, but the file refers to {called[1]}; it is not loaded because that could "
            "execute code"
        )
    with path.open("rb") as file:
        begins_as_torch = file.read(4) in (b"PK\3\4", b"\x80\2\x8a\n")  # a zip archive, or the format before torch 1.6
    if begins_as_torch:
        return f"damaged; copy or download it again, or take an earlier checkpoint ({reason(error)})"
    return f"not written by torch.save; expected a checkpoint such as model_50.pt ({reason(error)})"


def _entries(table: dict[Any, Any]) -> dict[Any, Any]:
    """Copy a dictionary without calling its methods, because a file can replace the methods of an ``OrderedDict``."""
    return dict(dict.items(table))
