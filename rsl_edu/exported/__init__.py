"""Reading policies that were exported to TorchScript or ONNX as data, and running them in a sandbox."""

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
