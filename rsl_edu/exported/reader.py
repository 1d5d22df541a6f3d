"""Reads an exported policy of any format, after a look at what it is."""

from __future__ import annotations

from pathlib import Path

from rsl_edu.run_folder import export_format, regular, what_is

from . import onnx_file, torchscript
from .export import Export
from .export_error import ExportError

LARGEST = 1 << 28
"""Bytes of the largest file that is read."""


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
    size = regular(path).stat().st_size
    with path.open("rb"):  # an OSError after this is one of a damaged file
        pass
    if size > LARGEST:
        raise ExportError(f"{path.name}: {size >> 20:,} MB; a file of a policy has at most {LARGEST >> 20:,} MB")
    kind = export_format(path)
    if kind is None:
        got = (what_is(path) or "another file").partition("; expected")[0]
        raise ExportError(f"{path.name}: expected an exported policy, TorchScript or ONNX, got {got}")
    try:
        return torchscript.read(path) if kind == "TorchScript" else onnx_file.read(path)
    except ExportError as error:
        raise ExportError(str(error) if str(error).startswith(path.name) else f"{path.name}: {error}") from None
    except Exception as error:  # a damaged file raises nearly anything
        raise ExportError(f"{path.name}: damaged ({type(error).__name__}: {str(error)[:120]})") from None


def mlp_of(path: str | Path) -> tuple[str | None, list[tuple[int, ...]]]:
    """Return the activation of an exported policy's hidden layers, in rsl_rl's name, and the shapes of its layers.

    Args:
        path: Any file.

    Returns:
        The name, None if the file is no export, does not tell, or cannot be read here; and ``[outputs, inputs]`` of
        each layer of the MLP, nothing if they cannot be told.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            return None, []
        kind = export_format(path)
        if kind is None:
            return None, []
        return torchscript.mlp(path) if kind == "TorchScript" else onnx_file.mlp(path)
    except Exception:  # whatever is wrong with it, it is of no use here
        return None, []
