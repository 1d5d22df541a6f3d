"""Recognizes files that are not checkpoints by their first bytes, and describes them."""

from __future__ import annotations

import codecs
import io
import pickletools
import re
from typing import BinaryIO

COMPARE = "to check an export against its checkpoint: rsl-edu compare CHECKPOINT EXPORT"
"""What to do with an exported policy."""
_NOT = "expected a checkpoint of rsl_rl, such as model_50.pt"
_UNPACK = "unpack it first, and give the folder or the file in it"
_ENGINE = f"an engine of TensorRT; {_NOT}, from which its ONNX file was exported"
_STARTS = {  # first bytes of a file
    b"\x89HDF\r\n\x1a\n": f"an HDF5 file, such as a data set of demonstrations; {_NOT}",
    b"\x93NUMPY": "an array of NumPy (.npy), such as a recording; give observations with --obs",
    b"\x1f\x8b": f"a compressed file (gzip); {_UNPACK}",
    b"7z\xbc\xaf'\x1c": f"a compressed file (7z); {_UNPACK}",
    b"\xfd7zXZ\0": f"a compressed file (xz); {_UNPACK}",
    b"(\xb5/\xfd": f"a compressed file (zstd); {_UNPACK}",
    b"BZh": f"a compressed file (bzip2); {_UNPACK}",
    b"Rar!\x1a\x07": f"a compressed file (rar); {_UNPACK}",
    b"ftrt": _ENGINE,
    b"ptrt": _ENGINE,
    b":W&B": "a log of Weights & Biases; download the run's model_N.pt from its page, under Files",
    b"PXR-USDC": f"a description of a robot or a scene (USD); {_NOT}",
    b"#usda": f"a description of a robot or a scene (USD); {_NOT}",
}
_PICKLES = {  # a name in a pickle
    b"brax": f"parameters of Brax (JAX); {_NOT}",
    b"joblib": f"a pickle of joblib, such as a motion; {_NOT}",
}
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of an ONNX model, and the encoding of each: 0 for a number, 2 for a length followed by the content."""
_GRAPH = 7
_MOST_FIELDS = 1000
"""Maximum number of fields before the graph; a file with more is not an ONNX model."""


def binary_kind(head: bytes, file: BinaryIO) -> str | None:
    """Describe a binary file, or return None if its kind is unknown.

    Args:
        head: Its first bytes.
        file: The open file; its position changes.
    """
    for start, said in _STARTS.items():
        if head.startswith(start):
            return said
    if head[12:13] == b"\x09" and b"brain.Event:" in head[:64]:
        return "a log of TensorBoard; the checkpoints, model_0.pt, model_50.pt, …, are in the same folder"
    if head[257:262] == b"ustar":
        return f"an archive (tar); {_UNPACK}"
    if head[4:8] == b"TFL3":
        return f"a TensorFlow Lite model; {_NOT}"
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 27:
        return f"tensors without settings (safetensors); {_NOT}"
    if is_onnx(file):
        return f"an exported policy (ONNX); {_NOT}; {COMPARE}"
    if re.match(rb"[\x81-\x8f\xde\xdf].{0,4}[\xa1-\xbf\xd9]\w", head, re.DOTALL):
        return f"parameters in msgpack, as Flax (JAX) saves them; {_NOT}"
    return _pickle_kind(head, file)


def text_kind(head: bytes) -> str | None:
    """Describe a text file, or return None if its first bytes are not text."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head).lstrip()
    except UnicodeDecodeError:
        return None
    if not text or any(letter < " " and letter not in "\t\n\r\f\x1b" for letter in text):
        return None
    if text.startswith("version https://git-lfs"):
        size = re.search(r"^size (\d{1,15})$", text, re.MULTILINE)
        of = f" to a file of {int(size[1]):,} bytes" if size else ""
        return f"a Git LFS pointer{of}; fetch the file with: git lfs pull (a ZIP from GitHub never contains it)"
    if re.match(r"<(!doctype html|html|head|script)\b", text, re.IGNORECASE):
        return (
            "a web page (HTML), not the file; download the file itself (on GitHub: Download raw file), or log in first"
        )
    if text.startswith("<"):
        robot = re.search(r"<(robot|mujoco|sdf)\b", text)
        what = "a description of a robot" if robot else "a text (XML), such as the answer of a server"
        return f"{what}; {_NOT}"
    if text[0] in "{[":
        return f"a text (JSON); {_NOT}"
    if re.match(r"(#.*\n)*[A-Za-z_][\w ]*:(\s.*)?\n", text):
        return "a text (YAML), such as agent.yaml; give the run folder, and this file with --config if it is needed"
    return f"a text, which begins {text[:40].splitlines()[0]!r}; {_NOT}"


def is_onnx(file: BinaryIO) -> bool:
    """Return whether a file consists of the fields of an ONNX model, including the graph."""
    end, seen = file.seek(0, io.SEEK_END), set()
    file.seek(0)
    for _ in range(_MOST_FIELDS):
        tag = _varint(file)
        field, wire = tag >> 3, tag & 7
        if _ONNX_FIELDS.get(field) != wire:
            return False
        number = _varint(file)
        if field == 1 and not 0 < number < 100:
            return False
        seen.add(field)
        if wire == 2:
            file.seek(min(number, end), io.SEEK_CUR)
        if field == _GRAPH:  # a file that is cut off in the graph is still an ONNX file
            return 1 in seen
    return False


def _pickle_kind(head: bytes, file: BinaryIO) -> str | None:
    if not re.match(rb"\x80[\x02-\x05]", head):
        file.seek(0)
        if head[0] not in b"(]}c" or not _ends_as_a_pickle(file.read(1 << 20)):
            return None
    for name, said in _PICKLES.items():
        if name in head:
            return said
    return "a pickle, not loaded because that could execute code; give model_N.pt, and a cfgs.pkl with --config"


def _ends_as_a_pickle(content: bytes) -> bool:
    """Return whether this is a complete pickle; with protocols 0 and 1, a pickle has no marker at the beginning."""
    try:
        return sum(1 for _ in pickletools.genops(content)) > 2
    except Exception:  # pickletools raises nearly anything
        return False


def _varint(file: BinaryIO) -> int:
    """Read a number in the encoding of protocol buffers: seven bits per byte, the lowest first."""
    number = 0
    for shift in range(0, 70, 7):
        byte = (file.read(1) or b"\0")[0]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return number
