"""Recognizes the kind of a zip archive by the names in its table of contents, without loading anything in it."""

from __future__ import annotations

import pickletools
import re
import zipfile
from pathlib import Path

from .regular import regular

LEGACY_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first bytes of a ``torch.save`` file before torch 1.6, when it was not an archive."""
_CONTENTS = {  # kind of archive -> a name in it; the order matters, because TorchScript has a data.pkl, too
    "Stable-Baselines3": r"_stable_baselines3_version|policy\.pth|parameter_list",
    "TorchScript": r"[^/]+/(constants\.pkl|code/.*)",
    "torch.export": r"([^/]+/)?(archive_format|serialized_exported_program\.json)",
    "torch.save": r"[^/]+/(data\.pkl|data/\d+|byteorder)",
    "Keras": r"model\.weights\.h5",
    "run": r"(.*/)?[^/]+\.(pt|pth)",
}
_LARGEST = 1 << 20
"""Maximum size in bytes of a pickle that is searched for names; such a pickle is small, because it has no weights."""


def archive_kind(path: Path) -> str | None:
    """Return the kind of a zip archive, or None if the file is not a zip archive.

    Returns:
        ``torch.save``, ``TorchScript``, ``torch.export``, ``Stable-Baselines3``, ``Keras`` or ``NumPy``; ``run`` if it
        contains checkpoints; ``damaged`` if its table of contents is damaged; ``zip`` for any other archive.

    Raises:
        OSError: The file cannot be read.
    """
    with regular(path).open("rb") as file:
        if file.read(4) not in (b"PK\3\4", b"PK\5\6"):
            return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # a damaged table of contents makes zipfile raise nearly anything
        return "damaged"
    for kind, pattern in _CONTENTS.items():
        if any(re.fullmatch(pattern, name) for name in names):
            return kind
    return "NumPy" if names and all(name.endswith(".npy") for name in names) else "zip"


def texts_in(path: Path) -> list[str]:
    """Return all strings in a ``torch.save`` file without loading it; an empty list if the file is damaged."""
    try:
        return [arg for code, arg, _ in pickletools.genops(_pickle(path)) if isinstance(arg, str)]
    except Exception:  # a damaged pickle makes pickletools raise nearly anything
        return []


def is_recording(path: Path) -> bool:
    """Return whether a ``torch.save`` file contains tensors but, judging by their names, no weights of layers.

    Args:
        path: A file of the kind ``torch.save``.
    """
    try:
        content = _pickle(path)
    except Exception:  # the error is raised later, when the file is read
        return False
    return b"_rebuild_tensor" in content and not re.search(rb"weight|bias|state_dict|std", content)


def _pickle(path: Path) -> bytes:
    """Return the pickle in a ``torch.save`` file, which does not include the numbers of its tensors."""
    with zipfile.ZipFile(path) as archive:
        (entry,) = (entry for entry in archive.infolist() if re.fullmatch(r"[^/]+/data\.pkl", entry.filename))
        if entry.file_size > _LARGEST or entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"a pickle of {entry.file_size:,} bytes")
        return archive.read(entry)


def module_in(path: Path) -> str | None:
    """Return the class of a complete module that ``torch.save`` wrote, or None if the file contains something else.

    Args:
        path: A file of the kind ``torch.save``.
    """
    try:
        operations = pickletools.genops(_pickle(path))
        next(operations)  # the protocol, followed by a dictionary or by the function that makes the object
        first, made, _ = next(operations)
        classes = [str(arg) for code, arg, _ in operations if code.name == "GLOBAL"]
    except Exception:  # a damaged pickle makes pickletools raise nearly anything
        return None
    whole = first.name == "GLOBAL" and any(name.startswith("torch.nn.modules.") for name in [str(made), *classes])
    return str(made).replace(" ", ".") if whole else None
