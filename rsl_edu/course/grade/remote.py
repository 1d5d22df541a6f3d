"""Proxies for objects in a student's process: they send requests there, and never trust the replies."""

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
"""Function that sends a request to a student's process; it takes the kind of request, a name, arguments and options."""


class Result(torch.autograd.Function):
    """A call's result that depends on the arguments; the student's process computes the arguments' gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        result: tuple[torch.Tensor],
        gradients: Callable[[torch.Tensor], list[torch.Tensor | None]],
        *_: torch.Tensor,
    ) -> torch.Tensor:
        """Store the function that gets the gradients; ``result`` is in a tuple to keep it out of the graph's inputs."""
        ctx.gradients = gradients
        return result[0]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Request the gradients of the arguments."""
        return (None, None, *ctx.gradients(grad))


class _Object:
    """Proxy for an object in the student's process.

    Only objects that the check itself creates from a student's class have operators, because an object that a function
    returns could claim to equal everything.
    """

    _ask_: Ask
    _own_: list[Any]  # reference to the object, for use as an argument
    _made_ = False  # whether the check created it

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
        while items := iterator._ask_("next", ""):  # a list of one item, or an empty list
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


_ALWAYS = ("int", "float", "len", "getitem", "setitem", "delitem")  # the check compares their results itself
for _name in OPERATIONS:
    if _name not in ("iter", "repr", "str"):
        setattr(_Object, f"__{_name}__", _operation(_name))


class _Callable(_Object):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._ask_("call", "", arguments, options)


class _Module(_Callable):
    """Proxy that counts as a torch module, but has only attributes that can be requested."""

    __class__ = property(lambda self: type(type(self).__name__, (torch.nn.Module,), {}))


class _Class(type):
    """Proxy for a class in the student's process; the proxy is also a class, and creates objects in that process."""

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
    """Return a proxy for the function ``name`` of the notebook; ``ask`` sends requests about it."""

    def call(*arguments: Any, **options: Any) -> Any:
        return ask("call", "", arguments, options)

    call.__name__ = name
    vars(call)["_own_"] = ["name", name]
    return call


def a_class(name: str, is_module: bool, ask: Ask) -> type:
    """Return a proxy for a class.

    Args:
        name: Name of the class in the notebook.
        is_module: Whether it is a torch module.
        ask: Sends requests about this class.
    """
    bases = (_Object, torch.nn.Module) if is_module else (_Object,)
    return _Class(name, bases, {"_ask_": staticmethod(ask), "_own_": ["name", name]})


def an_object(place: int, name: str, can_be_called: bool, is_module: bool, ask: Ask) -> Any:
    """Return a proxy for an object.

    Args:
        place: Number of the object in its process.
        name: Name of its class.
        can_be_called: Whether it can be called.
        is_module: Whether it is a torch module.
        ask: Sends requests about this object.
    """
    kind = _Module if is_module else _Callable if can_be_called else _Object
    made: Any = object.__new__(type(re.sub(r"\W", "", name)[:40] or "object", (kind,), {}))
    made._ask_, made._own_ = ask, ["own", place]
    return made


_NOT_EXPECTED = (
    Exception,
    StopIteration,  # this would silently end a loop of the check
    StopAsyncIteration,
    getattr(builtins, "ExceptionGroup", Exception),  # since Python 3.11; it cannot be created from a text
)


def an_error(name: str, base: str) -> type[Failure]:
    """Return a proxy for a class of errors that derives from a built-in one, so that a check can expect it."""
    return type(name, (_like(getattr(builtins, base, Exception)),), {"_own_": ["name", name]})


def failure(account: dict[str, Any], known: Mapping[str, type[Failure]] | None = None) -> Failure:
    """Return the error that a student's code raised, with the same built-in type, so that a check can expect it.

    Args:
        account: Description of the error from the process.
        known: The student's own classes of errors, by name.
    """
    kinds = ("not-answered", "library-answer", "stopped")
    kind = account.get("kind") if account.get("kind") in kinds else "exception"
    says, line, function = (short_line(account.get(part, "")) for part in ("says", "line", "function"))
    number = account.get("number")
    like = _like(getattr(builtins, str(account.get("is")), None)) if kind != "stopped" else Failure
    like = (known or {}).get(str(account.get("class")), like)
    error = like(str(kind), says, line, number if isinstance(number, int) else 0, function)
    if like is not Failure:
        error.args = (says.partition(": ")[2],)  # the text that the check expects
    return error


def _like(raised: Any) -> type[Failure]:
    if not (isinstance(raised, type) and issubclass(raised, Exception)) or raised in _NOT_EXPECTED:
        return Failure
    try:
        return type(raised.__name__, (Failure, raised), {"__str__": Exception.__str__})
    except TypeError:  # some types cannot be combined
        return Failure


def short_line(text: Any, most: int = 200) -> str:
    """Return text from a student's process on one line, without control characters."""
    return printable(str(text)[:most], " ")


def reference(value: Any, callbacks: list[Callable[..., Any]]) -> list[Any]:
    """Return a reference for an argument that is not plain data: a proxy, or a function or iterator of this process.

    Args:
        value: The argument.
        callbacks: Functions that the student's process may call, by index. If the argument is a function or an
            iterator, the function or the iterator's next is added.

    Raises:
        TypeError: If the argument is of any other kind.
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
        raise TypeError(f"value: {type(value).__name__} cannot be passed to an answer")
    callbacks.append(value)
    return ["callback", len(callbacks) - 1, name]


def overwrite(old: Any, new: Any) -> None:
    """Apply to an argument the changes made to its copy in the student's process."""
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
