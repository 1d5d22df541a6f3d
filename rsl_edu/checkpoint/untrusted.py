"""Reads files that anyone may have written: as plain tensors and data, and executes nothing in them."""

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
    """Return what ``torch.save`` wrote, if it is a table of plain data that fits into memory.

    Raises:
        CheckpointError: The file is damaged, asks for code, or is something else; the message says what it is.
        OSError: The file cannot be read.
    """
    with regular(path).open("rb"):  # an OSError after this is one of a damaged file, which says where to look in it
        pass
    try:
        if zipfile.is_zipfile(path):
            _refuse_compressed(path)
        with warnings.catch_warnings():  # torch warns of pickles that it did not write, which are refused anyway
            warnings.simplefilter("ignore")
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes torch raise nearly anything
        raise CheckpointError(f"{path.name}: {_refusal(path, error)}") from None
    if isinstance(stored, torch.Tensor):
        raise CheckpointError(f"{path.name}: {recording(path, f'one tensor {list(stored.shape)}')}")
    if not isinstance(stored, dict):
        raise CheckpointError(f"{path.name}: expected a checkpoint of rsl_rl, got one {type(stored).__name__}")
    return _entries(stored)


def refuse_changed(path: Path) -> None:
    """Refuse an archive of which some numbers changed after they were written: torch does not look at the checksums.

    Args:
        path: A file that :func:`load` could read.

    Raises:
        CheckpointError: It was changed, on the disk or on its way.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if entry.file_size]
        changed = [entry.filename for entry in entries if not _unchanged(archive, entry)]
    if changed and len(changed) < len(entries):  # torch can be told to write no checksums, and then none fits
        raise CheckpointError(
            f"{path.name}: damaged; copy or download it again, or take an earlier checkpoint (the checksum of "
            f"{changed[0]} does not fit, so its numbers are not those that were saved)"
        )


def recording(path: Path, found: str) -> str:
    """Say of what a file is a recording, and what to do with it."""
    return f"a recording of {found}; it is shown to a policy by: rsl-edu xray RUN --obs {path.name}"


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
    # What actor and critic share has two names. Of more names than two, each could ask for another layer of a network.
    claimed = sum(view[-1] * ((names + 1) // 2) for view, names in views.items())
    size = path.stat().st_size
    if claimed > size:
        raise CheckpointError(f"{path.name}: {part} claims {claimed:,} bytes of numbers in a file of {size:,}")
    return tensors


def readable_tensors(path: Path, table: Any) -> dict[str, torch.Tensor]:
    """Return a state dict, checked as by :func:`checked_tensors`, or an empty one if it does not pass the checks."""
    try:
        return checked_tensors(path, "", table)
    except CheckpointError:
        return {}


def is_plain(tensor: Any) -> bool:
    """Tell whether something is a tensor of real numbers in memory: no methods, attributes or layout of its own."""
    if type(tensor) not in (torch.Tensor, nn.Parameter) or vars(tensor) or tensor.is_nested:
        return False
    in_memory = tensor.layout == torch.strided and tensor.device == torch.device("cpu")
    return in_memory and tensor.dtype in _REAL_NUMBERS


def is_finite(tensor: torch.Tensor) -> bool:
    """Tell whether there is neither NaN nor infinity in a tensor; mostly in one pass and without a copy."""
    return math.isfinite(float(tensor.sum())) or bool(tensor.isfinite().all())


def _refuse_compressed(path: Path) -> None:
    """Refuse compressed archives, which ``torch.save`` does not write, before anything in them is unpacked."""
    with zipfile.ZipFile(path) as archive:
        compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    if compressed:  # what is in it may not fit into memory
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
    """Say what a file is that ``torch.load`` refused."""
    what = what_is(path)
    if what is not None:
        return what
    texts = texts_in(path)
    if not any(text.endswith("_state_dict") for text in texts) and (writer := whose((), texts)):
        return writer
    called = re.search(r"GLOBAL (\S+)", str(error))
    if called:
        return f"expected tensors and plain data, but it asks for {called[1]}; not loaded, as that could run any code"
    with path.open("rb") as file:
        begins_as_torch = file.read(4) in (b"PK\3\4", b"\x80\2\x8a\n")  # a zip archive, and what was before torch 1.6
    if begins_as_torch:
        return f"damaged; copy or download it again, or take an earlier checkpoint ({reason(error)})"
    return f"not written by torch.save; expected a checkpoint such as model_50.pt ({reason(error)})"


def _entries(table: dict[Any, Any]) -> dict[Any, Any]:
    """Copy a table without calling its methods: a file can replace those of an ``OrderedDict``."""
    return dict(dict.items(table))
