"""Policies that were exported to TorchScript or ONNX: read as data, and run where they can harm nothing."""

from .export import Export
from .export_error import ExportError
from .reader import mlp_of, read_export
from .run import Played, run_export

__all__ = [
    "Export",
    "ExportError",
    "Played",
    "mlp_of",
    "read_export",
    "run_export",
]
