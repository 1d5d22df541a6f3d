"""Reads the pickle in a TorchScript file as names, numbers and tensors, without calling anything in it."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .export_error import ExportError

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS_AND_TEXTS = (
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
)
_EMPTY: dict[str, type] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Module:
    """A module in the file.

    Attributes:
        kind: The module's class, such as ``torch.nn.modules.activation.ELU``.
        values: Its parameters, submodules and attributes, by name.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.values: dict[str, Any] = {}


class Storage(NamedTuple):
    """The location of a tensor's numbers in the file."""

    dtype: torch.dtype
    key: str
    length: int


def unpickle(pickled: bytes, tensor: Callable[..., torch.Tensor]) -> Any:
    """Return the contents of a pickle.

    Args:
        pickled: The pickle.
        tensor: Function that makes a tensor from a :class:`Storage`, an offset, a size and strides.

    Raises:
        ExportError: The pickle refers to a function or a class that no exported policy has.
    """
    reader = _Reader(tensor)
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "STOP":
            return reader.stack.pop()
        reader.obey(opcode.name, argument)
    raise ExportError("it ends too early")


class _Reader:
    """Runs the instructions of a pickle that only store data."""

    def __init__(self, tensor: Callable[..., torch.Tensor]) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._tensor = tensor

    def obey(self, name: str, argument: Any) -> None:
        """Run one instruction."""
        stack = self.stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _NUMBERS_AND_TEXTS:
            stack.append(argument)
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            module, _, kind = argument.partition(" ")
            stack.append(_named(module, kind, self._tensor))
        elif name == "BINPERSID":
            _, dtype, key, _, length = stack.pop()
            stack.append(Storage(dtype, key, length))
        elif name != "PROTO":
            self._compose(name)

    def _compose(self, name: str) -> None:
        """Run an instruction that combines several items into one."""
        stack = self.stack
        if name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments = stack.pop()
            stack.append(stack.pop()(*arguments))
        elif name in ("SETITEM", "SETITEMS"):
            items = self._since_mark() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            dict.update(stack[-1], zip(items[::2], items[1::2], strict=True))
        elif name in ("APPEND", "APPENDS"):
            items = self._since_mark() if name == "APPENDS" else [stack.pop()]
            list.extend(stack[-1], items)
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].values.update(state if isinstance(state, dict) else {"state": state})
        else:
            raise ExportError(f"it contains an unusual instruction, {name}")

    def _since_mark(self) -> list[Any]:
        """Remove and return the items that were added since the last mark."""
        start = self._marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken


def _named(module: str, name: str, tensor: Callable[..., torch.Tensor]) -> Any:
    """Return our own replacement for a class or a function that the file names."""
    if module.partition(".")[0] == "__torch__":
        parts = [part for part in (*module.split(".")[1:], name) if not part.startswith("___torch_mangle")]
        return lambda *_: Module(".".join(parts))
    if module == "torch" and name in _DTYPES:
        return _DTYPES[name]
    known: dict[str, Callable[..., Any]] = {
        "collections OrderedDict": lambda: {},
        "torch._utils _rebuild_tensor_v2": lambda storage, offset, size, strides, *_: tensor(
            storage, offset, size, strides
        ),
        "torch._utils _rebuild_parameter": lambda data, *_: data,
        "torch._utils _rebuild_qtensor": lambda *_: None,  # quantized: the numbers are not the weights
        "torch device": lambda *_: None,
    }
    if f"{module} {name}" in known:
        return known[f"{module} {name}"]
    if module == "torch.jit._pickle":  # typed lists
        return lambda value=None, *_: value
    raise ExportError(f"it refers to {module}.{name}, which no exported policy needs; not run")
