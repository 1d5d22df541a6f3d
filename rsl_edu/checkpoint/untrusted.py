"""Reads files that anyone may have written: as plain tensors and data, and executes nothing in them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsl_edu.run_folder import CheckpointError, reason

_REAL_NUMBERS = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32)


def load(path: Path) -> dict[str, Any]:
    """Return what ``torch.save`` wrote, if it is a table of plain data that fits into memory.

    Raises:
        CheckpointError: The file is damaged, asks for code, or is something else; the message names it.
        OSError: The file cannot be read.
    """
    if not path.stat().st_size:
        raise CheckpointError(f"{path.name}: the file is empty (0 bytes)")
    with path.open("rb"):  # an OSError after this is one of a damaged file, which says where to look in it
        pass
    try:
        if zipfile.is_zipfile(path):
            _check_archive(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes torch raise nearly anything
        called = re.search(r"GLOBAL (\S+)", str(error))
        if called:
            what = (
                f"expected tensors and plain data, but it asks for {called[1]}; not loaded, as that could run any code"
            )
        else:
            what = f"damaged, or not written by torch.save ({reason(error)})"
        raise CheckpointError(f"{path.name}: {what}") from None
    if not isinstance(stored, dict):
        raise CheckpointError(f"{path.name}: expected a checkpoint of rsl_rl, got one {type(stored).__name__}")
    return _entries(stored)


def checked_tensors(path: Path, part: str, table: Any) -> dict[str, torch.Tensor]:
    """Return a state dict, checked to hold plain tensors that are not larger than their file.

    Args:
        path: The file.
        part: Name of the table in the file.
        table: What the file holds under this name.

    Raises:
        CheckpointError: Something else is in the table; the message names file, table and entry.
    """
    if not isinstance(table, dict):
        raise CheckpointError(f"{path.name}: expected names and tensors in {part}, got {type(table).__name__}")
    tensors: dict[str, torch.Tensor] = _entries(table)
    size, claimed = path.stat().st_size, 0
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise CheckpointError(f"{path.name}: expected names in {part}, got {name!r}")
        if not isinstance(tensor, torch.Tensor):
            raise CheckpointError(f"{path.name}: expected a tensor at {part}[{name!r}], got {type(tensor).__name__}")
        if not _is_plain(tensor):
            raise CheckpointError(f"{path.name}: expected a plain tensor of real numbers at {part}[{name!r}]")
        claimed += tensor.numel() * tensor.element_size()
    if claimed > size:
        raise CheckpointError(f"{path.name}: {part} claims {claimed:,} bytes of numbers in a file of {size:,}")
    return tensors


def _check_archive(path: Path) -> None:
    """Refuse the zip archives that ``torch.save`` does not write."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any("/code/" in entry.filename for entry in entries):
        raise CheckpointError(
            f"{path.name}: an exported policy (TorchScript); expected a checkpoint such as model_50.pt"
        )
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):  # what is compressed may not fit
        raise CheckpointError(f"{path.name}: a compressed archive, which torch.save does not write")


def _entries(table: dict[Any, Any]) -> dict[Any, Any]:
    """Copy a table without calling its methods: a file can replace those of an ``OrderedDict``."""
    return dict(dict.items(table))


def _is_plain(tensor: torch.Tensor) -> bool:
    """Tell whether a tensor is nothing but real numbers in memory: no methods, attributes or layout of its own."""
    if type(tensor) not in (torch.Tensor, nn.Parameter) or vars(tensor) or tensor.is_nested:
        return False
    in_memory = tensor.layout == torch.strided and tensor.device == torch.device("cpu")
    return in_memory and tensor.dtype in _REAL_NUMBERS
