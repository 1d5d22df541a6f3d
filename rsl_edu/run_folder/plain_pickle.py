"""Reads a pickle of plain data: its operations are followed one by one, and those that would call something refused."""

from __future__ import annotations

import pickletools
from typing import Any

_VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ARGUMENTS = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"} | {
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
}
_EMPTY: dict[str, type[Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME"}


class NotPlainError(ValueError):
    """A pickle that holds more than plain data."""


def plain_pickle(content: bytes) -> Any:
    """Return what a pickle holds: dictionaries, lists, tuples, texts, numbers, truth values and None, and nothing else.

    Args:
        content: As ``pickle.dump`` writes it by protocol 2 or later.

    Raises:
        NotPlainError: It holds something else; the message names it.
        Exception: Nearly any, if it is damaged.
    """
    machine = _Machine()
    for code, argument, _ in pickletools.genops(content):
        if code.name == "STOP":
            (result,) = machine.stack
            return result
        machine.step(code.name, argument)
    raise ValueError("no end")


class _Machine:
    """What a pickle does, as far as it is plain data; so it takes no more memory than the file's size allows."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Follow one operation."""
        stack, memo = self.stack, self._memo
        if name in _VALUES:
            stack.append(_VALUES[name])
        elif name in _ARGUMENTS:
            stack.append(argument)
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name in _TUPLES:
            stack.append(tuple(self._popped(len(stack) - _TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._popped(self._marks.pop())))
        elif name in ("APPEND", "APPENDS"):
            items = self._popped(len(stack) - 1 if name == "APPEND" else self._marks.pop())
            _expect(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._popped(len(stack) - 2 if name == "SETITEM" else self._marks.pop())
            for key, value in zip(items[::2], items[1::2], strict=True):
                _expect(key, str, int, float, type(None))  # the hash of tuples in tuples takes for ever
                _expect(stack[-1], dict)[key] = value
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name not in _IGNORED:
            raise NotPlainError(f"asks for {self._asked(name, argument)}; not loaded, as that could run any code")

    def _popped(self, start: int) -> list[Any]:
        """Take what is on the stack from a position on."""
        if not 0 <= start <= len(self.stack):
            raise ValueError("an operation without its arguments")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _asked(self, name: str, argument: Any) -> str:
        """Name what a refused operation would have loaded, or the operation."""
        if name == "STACK_GLOBAL" and all(isinstance(part, str) for part in self.stack[-2:]):
            return ".".join(self.stack[-2:])
        return str(argument).replace(" ", ".") if name == "GLOBAL" else name


def _expect(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds):
        raise ValueError(f"an operation of {kinds[0].__name__} on {type(value).__name__}")
    return value
