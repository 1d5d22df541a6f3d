"""Recognizes the format of an exported policy, and reads the policy."""

from __future__ import annotations

from pathlib import Path

from rsl_edu.run_folder import export_format, regular, what_is

from . import onnx_file, torchscript
from .export import Export
from .export_error import ExportError

LARGEST = 1 << 28
"""Bytes of the largest file that is read."""


def read_export(path: str | Path) -> Export:
    """Read an exported policy, without executing anything in the file.

    Args:
        path: A TorchScript file such as ``policy.pt``, or an ONNX file such as ``policy.onnx``, with its
            ``policy.onnx.data`` next to it if it has one.

    Raises:
        ExportError: The file has neither format, is damaged, or is incomplete; the message names the file.
        OSError: The file cannot be read.
    """
    path = Path(path)
    size = regular(path).stat().st_size
    with path.open("rb"):  # later OSErrors come from damaged files
        pass
    if size > LARGEST:
        raise ExportError(f"{path.name}: expected a policy of at most {LARGEST >> 20:,} MB, got {size >> 20:,} MB")
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
    """Return the activation of an exported policy's hidden layers, under rsl_rl's name, and the shapes of its layers.

    Args:
        path: Any file.

    Returns:
        The name of the activation, or None if the file is not an export, does not show the activation, or cannot be
        read here; and the shape ``[outputs, inputs]`` of each layer of the MLP, or an empty list if the shapes are
        unknown.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            return None, []
        kind = export_format(path)
        if kind is None:
            return None, []
        return torchscript.mlp(path) if kind == "TorchScript" else onnx_file.mlp(path)
    except Exception:  # an export is optional here, so all errors are ignored
        return None, []
