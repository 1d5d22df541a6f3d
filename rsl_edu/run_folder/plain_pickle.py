"""Reads a pickle of plain data by following its operations one by one, refusing those that would call something."""

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
    """The pickle contains more than plain data."""


def plain_pickle(content: bytes) -> Any:
    """Return the contents of a pickle that has only dictionaries, lists, tuples, strings, numbers, bools and None.

    Args:
        content: The output of ``pickle.dump`` with protocol 2 or later.

    Raises:
        NotPlainError: The pickle contains something else; the message names it.
        Exception: Nearly any exception, if the pickle is damaged.
    """
    machine = _Machine()
    for code, argument, _ in pickletools.genops(content):
        if code.name == "STOP":
            (result,) = machine.stack
            return result
        machine.step(code.name, argument)
    raise ValueError("no end")


class _Machine:
    """A machine that runs the operations of a pickle for plain data; its memory is bounded by the file's size."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Run one operation."""
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
                _expect(key, str, int, float, type(None))  # hashing deeply nested tuples takes forever
                _expect(stack[-1], dict)[key] = value
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name not in _IGNORED:
            asked = self._asked(name, argument)
            raise NotPlainError(f"refers to {asked}; it is not loaded because that could execute code")

    def _popped(self, start: int) -> list[Any]:
        """Remove and return the items on the stack from a position on."""
        if not 0 <= start <= len(self.stack):
            raise ValueError("an operation without its arguments")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _asked(self, name: str, argument: Any) -> str:
        """Return the name of the object that a refused operation would have loaded, or else the operation's name."""
        if name == "STACK_GLOBAL" and all(isinstance(part, str) for part in self.stack[-2:]):
            return ".".join(self.stack[-2:])
        return str(argument).replace(" ", ".") if name == "GLOBAL" else name


def _expect(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds):
        raise ValueError(f"an operation of {kinds[0].__name__} on {type(value).__name__}")
    return value
