"""Plain data between the grader and a student's process: JSON and the bytes of tensors, which are never executed.

A frame consists of two lengths, a JSON header and the bytes of its tensors. Frames from a student's process are read
with small limits on size, depth and shape, because everything in them may be forged.
"""

from __future__ import annotations

import collections
import json
import math
import operator
import os
import select
import struct
import sys
from collections.abc import Callable, Sized
from typing import Any

import numpy as np
import torch

HEADER, BODY, DEPTH, ITEMS = 1 << 22, 1 << 26, 8, 1 << 17
"""Limits of a frame from a student's process: bytes of JSON, bytes of tensors, list depth, number of values."""

TEXT = 1 << 13
"""Largest number of characters of printed output, or of an object's text, from the other process."""

_FEW = 1 << 12

OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in ("lt", "le", "eq", "ne", "gt", "ge")},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")},
    "radd": lambda a, b: b + a,
    "rsub": lambda a, b: b - a,
    "rmul": lambda a, b: b * a,
    "rtruediv": lambda a, b: b / a,
    **{name: getattr(operator, name) for name in ("getitem", "setitem", "delitem")},
    **{"int": int, "float": float, "len": len, "iter": iter},
    "repr": lambda value: repr(value)[:TEXT],
    "str": lambda value: str(value)[:TEXT],
}
"""Operations on an object, by the name between the underscores of its method."""

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}
_LENGTHS = struct.Struct("<II")


class MalformedError(ValueError):
    """Raised for a frame that an unmodified worker would not send."""


# Writing --------------------------------------------------------------------------------------------------------------


def send(
    file: int,
    value: Any,
    refer: Callable[[Any], Any] | None = None,
    wait: Callable[[], None] | None = None,
    track: Callable[[torch.Tensor], Any] | None = None,
) -> None:
    """Write a frame.

    Args:
        file: File descriptor.
        value: None, numbers, texts, tensors, parameters with their gradients, arrays, functions of torch, and lists,
            tuples, named tuples and dictionaries of these. A subclass arrives as its base class.
        refer: Function that returns a JSON reference for any other value. By default, other values are refused.
        wait: Called at least every tenth of a second until everything is written; it raises to give up.
        track: Function that returns JSON data about a tensor that requires a gradient. By default, such a tensor
            arrives as a plain one unless it is a parameter.

    Raises:
        TypeError: If there is a value of any other type; nothing is written then.
        BrokenPipeError: If the other process has ended.
    """
    blobs: list[bytes] = []
    header = json.dumps(_encode(value, blobs, refer, track)).encode()
    data = memoryview(b"".join([_LENGTHS.pack(len(header), sum(map(len, blobs))), header, *blobs]))
    while data:
        while wait is not None and not select.select([], [file], [], 0.1)[1]:
            wait()
        data = data[os.write(file, data[: select.PIPE_BUF]) :]  # writes of this size do not block


def _encode(
    value: Any,
    blobs: list[bytes],
    refer: Callable[[Any], Any] | None,
    track: Callable[[torch.Tensor], Any] | None,
) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if isinstance(value, (int, str)):
        return int(value) if isinstance(value, int) else str.__str__(value)
    if isinstance(value, float) and not isinstance(value, np.generic):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if track is not None and isinstance(value, torch.Tensor) and value.requires_grad:
        return {"tracked": [*_store(value, blobs), track(value)]}
    if isinstance(value, torch.nn.Parameter):
        stored = _store(value, blobs)
        if value.grad is not None:
            _store(value.grad, blobs)
        return {"parameter": [*stored, value.requires_grad, value.grad is not None]}
    if isinstance(value, torch.Tensor):
        return {"tensor": _store(value, blobs)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return {"array": _store(torch.from_numpy(np.array(value)), blobs)}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_encode(item, blobs, refer, track) for item in value]
        fields = getattr(value, "_fields", None) or getattr(value, "__match_args__", None)  # the latter for torch's own
        if fields and isinstance(value, tuple):
            return {"named": [[str(field) for field in fields], items]}
        return {"list" if isinstance(value, list) else "tuple" if isinstance(value, tuple) else "set": items}
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is range:
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, (torch.dtype, torch.device)):
        return {kind.__name__: str(value).removeprefix("torch.")}
    if isinstance(value, dict):
        return {"dict": [[_encode(part, blobs, refer, track) for part in item] for item in value.items()]}
    if refer is not None:
        return {"object": refer(value)}
    name = str(getattr(value, "__name__", None))
    if getattr(torch, name, None) is value:
        return {"torch": name}
    raise TypeError(f"value: {kind.__name__} is not plain data")


def _store(tensor: torch.Tensor, blobs: list[bytes]) -> list[Any]:
    tensor = tensor.detach().as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg()
    tensor = tensor.clone(
        memory_format=torch.contiguous_format
    )  # contiguous() would keep unusual strides of a single value
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise TypeError(f"value: a tensor of {tensor.dtype} is not plain data")
    blobs.append(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return [name, list(tensor.shape)]


# Reading --------------------------------------------------------------------------------------------------------------


def receive(
    file: int,
    dereference: Callable[[Any], Any],
    wait: Callable[[int], None] | None = None,
    trusted: bool = False,
    tracked: Callable[[torch.Tensor, Any], torch.Tensor] | None = None,
    size: Callable[[int, int], None] = lambda header, body: None,
) -> Any:
    """Read a frame.

    Args:
        file: File descriptor.
        dereference: Function that returns the value for a reference made by ``refer`` of :func:`send`.
        wait: Called at least every tenth of a second until the frame is complete, with the number of bytes that have
            arrived; it raises to give up.
        trusted: Whether the frame comes from the grader, so that no limits apply.
        tracked: Function that makes a tensor require a gradient again, from its values and the data from ``track`` of
            :func:`send`. By default, such tensors are refused.
        size: Called with the sizes of the header and of the tensors in bytes; it raises to refuse the frame.

    Raises:
        EOFError: If the other process has ended.
        MalformedError: If there is anything unusual in the frame.
    """
    try:
        got = _LENGTHS.size
        header, body = _LENGTHS.unpack(_read(file, got, wait, 0))
        if not trusted and (header > HEADER or body > BODY):
            raise MalformedError(f"a reply of {header + body:,} bytes")
        size(header, body)
        text, blob = _read(file, header, wait, got), _read(file, body, wait, got + header)
        reader = _Reader(blob, dereference, trusted, tracked)
        value = reader.decode(json.loads(text), DEPTH)
        if reader.place != len(blob):
            raise MalformedError("a reply with bytes left over")
    except (MalformedError, EOFError):
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, RuntimeError) as error:
        raise MalformedError(f"a reply that cannot be read ({type(error).__name__})") from None
    return value


def _read(file: int, length: int, wait: Callable[[int], None] | None, before: int) -> bytearray:
    data = bytearray()
    while len(data) < length:
        while wait is not None and not select.select([file], [], [], 0.1)[0]:
            wait(before + len(data))
        if wait is not None:
            wait(before + len(data))
        part = os.read(file, min(length - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return data


class _Reader:
    def __init__(
        self,
        blob: bytearray,
        dereference: Callable[[Any], Any],
        trusted: bool,
        tracked: Callable[[torch.Tensor, Any], torch.Tensor] | None,
    ) -> None:
        self.blob, self.dereference, self.trusted, self.tracked = blob, dereference, trusted, tracked
        self.place, self.items = 0, sys.maxsize if trusted else ITEMS

    def decode(self, value: Any, depth: int) -> Any:
        self.items -= 1
        if depth < 0 or self.items < 0:
            raise MalformedError("a reply that is nested too deeply, or too long")
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        ((kind, content),) = value.items()
        if kind == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]
        if kind == "tensor":
            return self.load(*content)
        if kind == "tracked" and self.tracked is not None:
            *stored, known = content
            return self.tracked(self.load(*stored), known)
        if kind == "parameter":
            *stored, requires_grad, has_grad = content
            parameter = torch.nn.Parameter(self.load(*stored), requires_grad)
            parameter.grad = self.load(*stored) if has_grad else None
            return parameter
        if kind == "array":
            return self.load(*content).numpy()[()]
        if kind in ("list", "tuple", "set"):
            items = [self.decode(item, depth - 1) for item in content]
            self.must_be_few(items if kind == "set" else ())
            return {"list": list, "tuple": tuple, "set": set}[kind](items)
        if kind == "complex":
            return complex(*content)
        if kind == "bytes":
            return bytes.fromhex(content)
        if kind == "range":
            values = range(*content)
            self.must_be_few(values[:ITEMS])
            return values
        if kind == "dict":
            self.must_be_few(content)
            return {self.decode(key, 0): self.decode(item, depth - 1) for key, item in content}
        if kind == "named":
            fields, items = content
            self.must_be_few(fields)
            named = collections.namedtuple("Named", [str(field)[:80] for field in fields], rename=True)  # type: ignore[misc]
            return named(*[self.decode(item, depth - 1) for item in items])
        if kind == "dtype":
            return _DTYPES[content]
        if kind == "device":
            return torch.device(content)
        if kind == "torch" and self.trusted:
            return getattr(torch, content)
        if kind == "object":
            return self.dereference(content)
        raise MalformedError("a reply with a value of an unknown kind")

    def must_be_few(self, items: Sized) -> None:
        """Refuse large sets and dictionaries, because chosen keys can all collide and make them very slow."""
        if len(items) > _FEW and not self.trusted:
            raise MalformedError("a reply with a large set, dictionary or range")

    def load(self, name: str, shape: list[int]) -> torch.Tensor:
        dtype = _DTYPES[name]
        if len(shape) > 16 or any(type(size) is not int or size < 0 for size in shape):
            raise MalformedError("a tensor of an impossible shape")
        if math.prod(max(size, 1) for size in shape) > BODY and not self.trusted:
            raise MalformedError(
                "a tensor of an impossible shape"
            )  # a tensor without elements can still become a list of billions
        size = math.prod(shape) * dtype.itemsize
        data = self.blob[self.place : self.place + size]
        if len(data) != size:
            raise MalformedError("a tensor that is shorter than its shape")
        self.place += size
        return torch.frombuffer(data, dtype=dtype).reshape(shape) if size else torch.empty(shape, dtype=dtype)
