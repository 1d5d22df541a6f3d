"""Argument checks shared by the modules: each error names the argument, what is allowed, and what was passed."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch


def whole(name: str, value: Any, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name}: expected a whole number of at least {minimum}, got {number}")
    return number


def finite(name: str, value: Any) -> float:
    """Return ``value`` as a finite float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    if isinstance(value, str):
        raise TypeError(f"{name}: expected a number, got the string {value!r}")
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, got {value!r}")
    return number


def positive(name: str, value: Any, allow_zero: bool = False) -> float:
    """Return ``value`` as a finite float above zero, or of at least zero with ``allow_zero``."""
    number = finite(name, value)
    if number < 0 or (number == 0 and not allow_zero):
        raise ValueError(
            f"{name}: expected a finite number {'of at least' if allow_zero else 'above'} 0, got {value!r}"
        )
    return number


def flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool if it is a bool, 0, 1 or None."""
    if value not in (True, False, None):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def choice(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return ``value`` in lower case if it is one of ``allowed``."""
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}; got {value!r}")
    return value.lower()


def interval(name: str, value: Any) -> tuple[float, float]:
    """Return ``value`` as two floats, of which the first is not above the second; the second may be infinite."""
    try:
        low, high = (float(bound) for bound in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a pair (min, max) of numbers, got {value!r}") from None
    if not (math.isfinite(low) and low <= high):
        raise ValueError(f"{name}: expected (min, max) with min <= max, got {value!r}")
    return low, high


def items(value: Any) -> tuple[Any, ...] | None:
    """Return the items of a list, a tuple, an array or any other sequence, or None for a single value."""
    if isinstance(value, (str, bytes, Mapping, set, frozenset)):
        return None
    try:
        return tuple(value)
    except TypeError:
        return None


def per_layer(name: str, value: Any, layers: int) -> Sequence[Any]:
    """Return one value per layer, from a sequence or by repeating a single value."""
    return _one_or_each(name, value, layers, f"one for each of the {layers} layers")


def per_action(name: str, value: Any, actions: int) -> Sequence[Any]:
    """Return one value per dimension of the action, from a sequence or by repeating a single value."""
    return _one_or_each(name, value, actions, f"one for each of the {actions} dimensions of the action")


def _one_or_each(name: str, value: Any, count: int, each: str) -> Sequence[Any]:
    values = items(value)
    if values is None or (len(values) == 1 and isinstance(value, torch.Tensor)):
        return [value] * count
    if len(values) != count:
        raise ValueError(f"{name}: expected one value, or {each}; got {len(values)} values")
    return values


def traced(x: Any) -> bool:
    """Return whether torch is tracing the operations on ``x``, in which case its sizes may be unknown."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling() or isinstance(x, torch.fx.Proxy)


def recorded(tensor: torch.Tensor) -> bool:
    """Return whether torch is recording the operations on ``tensor`` to repeat them later without Python."""
    if torch.compiler.is_compiling():
        return True
    return tensor.is_cuda and torch.cuda.is_current_stream_capturing()  # a CUDA graph


def trailing_shape(name: str, tensor: Any, shape: tuple[int | str, ...], dims: int | None = None) -> None:
    """Raise an error unless the shape of ``tensor`` ends in ``shape`` (and has exactly ``dims`` dimensions).

    Named dimensions, as in ``(3, "height", "width")``, may have any size.
    """
    if isinstance(tensor, torch.Tensor) and not torch.jit.is_tracing():  # tracing would record a comparison
        got = tensor.shape
        if got[-len(shape) or len(got) :] == shape and dims in (None, len(got)):
            return
    if traced(tensor):
        return
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    last = got[-len(shape) or len(got) :]
    fits = len(last) == len(shape) and all(isinstance(s, str) or s == n for s, n in zip(shape, last, strict=True))
    if not fits or dims not in (None, len(got)):
        sizes = ", ".join(["batch" if dims == len(shape) + 1 else "...", *map(str, shape)])
        raise ValueError(f"{name}: expected shape [{sizes}], got {list(got)}")


def exact_shape(name: str, tensor: Any, *allowed: tuple[int, ...]) -> None:
    """Raise an error unless ``tensor`` has one of the ``allowed`` shapes."""
    if traced(tensor):
        return
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.shape not in allowed:
        shapes = " or ".join(str(list(shape)) for shape in allowed)
        raise ValueError(f"{name}: expected shape {shapes}, got {list(tensor.shape)}")


def tensor_pair(name: str, value: Any, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``value`` as two tensors ``[..., size]``; one of them may also be ``[..., 1]`` or ``[]``."""
    pair = value if isinstance(value, (tuple, list)) else items(value)
    if pair is None or len(pair) != 2:
        raise ValueError(f"{name}: expected two tensors [..., {size}], got {value!r}")
    first, second = pair
    last = [tensor.shape[-1:] if isinstance(tensor, torch.Tensor) else None for tensor in pair]
    if last[0] != (size,) or last[1] != (size,):
        for tensor, its, other in ((first, last[0], last[1]), (second, last[1], last[0])):
            if its not in ((), (1,)) or other != (size,):
                trailing_shape(name, tensor, (size,))
    return first, second
