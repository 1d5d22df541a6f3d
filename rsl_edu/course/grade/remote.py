"""What stands here for something of a student's process: it asks there, and is never trusted."""

from __future__ import annotations

import builtins
import contextlib
import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from rsl_edu.course.check.failure import Failure
from rsl_edu.printable import printable

from .wire import OPERATIONS, TEXT

Ask = Callable[..., Any]
"""Asks a student's process: the kind of question, a name, arguments and options."""


class Result(torch.autograd.Function):
    """A result of a call that depends on its arguments: their gradients come from the student's process."""

    @staticmethod
    def forward(
        ctx: Any,
        result: tuple[torch.Tensor],
        gradients: Callable[[torch.Tensor], list[torch.Tensor | None]],
        *_: torch.Tensor,
    ) -> torch.Tensor:
        """Keep how the gradients are had; ``result`` is in a tuple, so that it is no input of the graph."""
        ctx.gradients = gradients
        return result[0]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Ask for the gradients."""
        return (None, None, *ctx.gradients(grad))


class _Object:
    """Stands for an object of the student's process.

    Only what the check has made, with a class that the student writes, has operators: what a function returns could be
    an object that equals everything.
    """

    _ask_: Ask
    _own_: list[Any]  # what it is called there, should it be an argument
    _made_ = False  # whether the check has made it

    def __getattr__(self, name: str) -> Any:
        if name == "__name__" and isinstance(text := self._ask_("get", name), str):
            return short_line(text)
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask_("get", name)

    def __repr__(self) -> str:
        return self._text_("repr")

    def __str__(self) -> str:
        return self._text_("str")

    def _text_(self, kind: str) -> str:
        text = self._ask_("operate", kind)
        return printable(text[:TEXT], "\ufffd", keep="\n\t") if isinstance(text, str) else object.__repr__(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._ask_("set", name, (value,))

    def __iter__(self) -> Iterator[Any]:
        iterator = self._ask_("operate", "iter")
        while items := iterator._ask_("next", ""):  # one of them, or none
            yield items[0]

    def __next__(self) -> Any:
        if not (items := self._ask_("next", "")):
            raise StopIteration
        return items[0]

    def __enter__(self) -> Any:
        return self._ask_("call", "__enter__")

    def __exit__(self, *_: Any) -> None:
        self._ask_("call", "__exit__", (None, None, None))

    __hash__ = object.__hash__


def _operation(name: str) -> Callable[..., Any]:
    def operate(self: _Object, *others: Any) -> Any:
        if name not in _ALWAYS and not self._made_:
            return NotImplemented
        return _made(self._ask_("operate", name, others))

    return operate


def _made(value: Any) -> Any:
    if isinstance(type(value), type) and issubclass(type(value), _Object):
        value._made_ = True
    return value


_ALWAYS = ("int", "float", "len", "getitem", "setitem", "delitem")  # what they give, the check compares by itself
for _name in OPERATIONS:
    if _name not in ("iter", "repr", "str"):
        setattr(_Object, f"__{_name}__", _operation(_name))


class _Callable(_Object):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._ask_("call", "", arguments, options)


class _Module(_Callable):
    """Passes for a module of torch, of which it has no more than what can be asked for."""

    __class__ = property(lambda self: type(type(self).__name__, (torch.nn.Module,), {}))


class _Class(type):
    """A class of the student's process: it is a class here too, and makes objects there."""

    _ask_: Ask

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return _made(cls.__dict__["_ask_"]("call", "", arguments, options))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return cls.__dict__["_ask_"]("get", name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(type(instance), type) and type(instance).__name__ == cls.__name__


def a_function(name: str, ask: Ask) -> Callable[..., Any]:
    """Return what stands for a function, called ``name`` in the notebook; ``ask`` asks the process about it."""

    def call(*arguments: Any, **options: Any) -> Any:
        return ask("call", "", arguments, options)

    call.__name__ = name
    vars(call)["_own_"] = ["name", name]
    return call


def a_class(name: str, is_module: bool, ask: Ask) -> type:
    """Return what stands for a class.

    Args:
        name: Its name in the notebook.
        is_module: Whether it is a module of torch.
        ask: Asks the process about this class.
    """
    bases = (_Object, torch.nn.Module) if is_module else (_Object,)
    return _Class(name, bases, {"_ask_": staticmethod(ask), "_own_": ["name", name]})


def an_object(place: int, name: str, can_be_called: bool, is_module: bool, ask: Ask) -> Any:
    """Return what stands for an object.

    Args:
        place: Its number in the process.
        name: Name of its class.
        can_be_called: Whether it is a function, or can be called like one.
        is_module: Whether it is a module of torch.
        ask: Asks the process about this object.
    """
    kind = _Module if is_module else _Callable if can_be_called else _Object
    made: Any = object.__new__(type(re.sub(r"\W", "", name)[:40] or "object", (kind,), {}))
    made._ask_, made._own_ = ask, ["own", place]
    return made


_NOT_EXPECTED = (Exception, StopIteration, StopAsyncIteration)  # these would end a loop of the check without a word


def an_error(name: str, base: str) -> type[Failure]:
    """Return what stands for a class of errors, which derives from a builtin one: a check can expect it."""
    return type(name, (_like(getattr(builtins, base, Exception)),), {"_own_": ["name", name]})


def failure(account: dict[str, Any], known: Mapping[str, type[Failure]] | None = None) -> Failure:
    """What a student's code has raised, as an error that is of the same builtin kind: a check can expect it.

    Args:
        account: What the process says of it.
        known: The student's own classes of errors, by their names.
    """
    kinds = ("not-answered", "library-answer", "stopped")
    kind = account.get("kind") if account.get("kind") in kinds else "exception"
    says, line, function = (short_line(account.get(part, "")) for part in ("says", "line", "function"))
    number = account.get("number")
    like = _like(getattr(builtins, str(account.get("is")), None)) if kind != "stopped" else Failure
    like = (known or {}).get(str(account.get("class")), like)
    error = like(str(kind), says, line, number if isinstance(number, int) else 0, function)
    if like is not Failure:
        error.args = (says.partition(": ")[2],)  # as the check expects it
    return error


def _like(raised: Any) -> type[Failure]:
    if not (isinstance(raised, type) and issubclass(raised, Exception)) or raised in _NOT_EXPECTED:
        return Failure
    try:
        return type(raised.__name__, (Failure, raised), {})
    except TypeError:  # some cannot be mixed
        return Failure


def short_line(text: Any, most: int = 200) -> str:
    """A text of a student's process on one line, without control characters."""
    return printable(str(text)[:most], " ")


def reference(value: Any, callbacks: list[Callable[..., Any]]) -> list[Any]:
    """Say what an argument is that is no plain data: something of the process, or a function or an iterator of here.

    Args:
        value: The argument.
        callbacks: What the process may call, by its place; a function is added, or what gives the next item.

    Raises:
        TypeError: If it is none of these.
    """
    if own := getattr(value, "_own_", None):
        return [*own]
    name = str(getattr(value, "__name__", None))
    if getattr(torch, name, None) is value:
        return ["torch", name]
    if isinstance(value, Iterator) and not isinstance(value, io.IOBase):  # a file is more than its lines
        callbacks.append(lambda: [*itertools.islice(value, 1)])
        return ["iterator", len(callbacks) - 1]
    if not callable(value):
        raise TypeError(f"value: {type(value).__name__} cannot be handed to an answer")
    callbacks.append(value)
    return ["callback", len(callbacks) - 1, name]


def overwrite(old: Any, new: Any) -> None:
    """Do to an argument what was done to its copy elsewhere."""
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        with contextlib.suppress(RuntimeError), torch.no_grad():
            old.set_(new.to(old.dtype))  # type: ignore[call-overload]
    elif isinstance(old, list) and isinstance(new, list):
        old[:] = new
    elif (isinstance(old, dict) and isinstance(new, dict)) or (isinstance(old, set) and isinstance(new, set)):
        old.clear()
        old.update(new)
    elif isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and old.shape == new.shape:
        old[...] = new
