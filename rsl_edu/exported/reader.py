"""Reads an exported policy of any format, after a look at what it is."""

from __future__ import annotations

import zipfile
from pathlib import Path

from . import onnx_file, torchscript
from .export import Export
from .export_error import ExportError

LARGEST = 1 << 28
"""Bytes of the largest file that is read."""


def is_torchscript(path: Path) -> bool:
    """Tell whether a file is TorchScript, by the names in its archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") or "/code/__torch__" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def is_onnx(path: Path) -> bool:
    """Tell whether a file begins as an ONNX file does: with a version from 3 to 20, then the program that wrote it."""
    try:
        with path.open("rb") as file:
            begin = file.read(3)
    except OSError:
        return False
    return len(begin) == 3 and begin[0] == 0x08 and 3 <= begin[1] <= 20 and begin[2] in (0x12, 0x1A, 0x3A, 0x42)


def read_export(path: str | Path) -> Export:
    """Read an exported policy. Nothing in the file is executed.

    Args:
        path: A TorchScript file, ``policy.pt``, or an ONNX file, ``policy.onnx``, with its ``policy.onnx.data`` next to
            it, if it has one.

    Raises:
        ExportError: Neither, damaged, or incomplete; the message names the file.
        OSError: The file cannot be read.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb"):  # an OSError after this is one of a damaged file
        pass
    if size > LARGEST:
        raise ExportError(f"{path.name}: {size >> 20:,} MB; a file of a policy has at most {LARGEST >> 20:,} MB")
    torch_file, onnx_model = is_torchscript(path), is_onnx(path)
    if not torch_file and not onnx_model:
        raise ExportError(f"{path.name}: expected an exported policy, TorchScript (policy.pt) or ONNX (policy.onnx)")
    try:
        return torchscript.read(path) if torch_file else onnx_file.read(path)
    except ExportError as error:
        raise ExportError(str(error) if str(error).startswith(path.name) else f"{path.name}: {error}") from None
    except Exception as error:  # a damaged file raises nearly anything
        raise ExportError(f"{path.name}: damaged ({type(error).__name__}: {str(error)[:120]})") from None


def activation_of(path: str | Path) -> str | None:
    """Return the activation of an exported policy's hidden layers, in rsl_rl's name.

    Args:
        path: Any file.

    Returns:
        The name; None if the file is no export, does not tell, or cannot be read here.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            return None
        if is_torchscript(path):
            return torchscript.activation(path)
        return onnx_file.activation(path) if is_onnx(path) else None
    except Exception:  # whatever is wrong with it, it is of no use here
        return None
