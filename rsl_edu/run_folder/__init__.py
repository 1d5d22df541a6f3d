"""Reading run folders: checkpoints and the files next to them. No module imports torch, to report errors fast."""

from .archives import texts_in
from .candidates import NUMBERED, iteration_in_name
from .errors import CheckpointError, reason
from .exports import export_format, exports_beside
from .files import checkpoint_files, doubles
from .foreign import what_is
from .libraries import whose
from .regular import regular
from .settings import RunSettings, run_settings

__all__ = [
    "NUMBERED",
    "CheckpointError",
    "RunSettings",
    "checkpoint_files",
    "doubles",
    "export_format",
    "exports_beside",
    "iteration_in_name",
    "reason",
    "regular",
    "run_settings",
    "texts_in",
    "what_is",
    "whose",
]
