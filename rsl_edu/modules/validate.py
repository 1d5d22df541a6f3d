"""Argument checks shared by the modules: each error names the argument, what it got and what is allowed."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Sequence
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


def positive(name: str, value: Any, allow_zero: bool = False) -> float:
    """Return ``value`` as a finite float above zero (or not below it)."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    if isinstance(value, str):
        raise TypeError(f"{name}: expected a number, got the text {value!r}")
    if not math.isfinite(number) or number < 0 or (number == 0 and not allow_zero):
        raise ValueError(
            f"{name}: expected a finite number {'of at least' if allow_zero else 'above'} 0, got {value!r}"
        )
    return number


def flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool if it is one, or 0 or 1."""
    if value not in (True, False):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def choice(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return ``value`` in lower case if it is one of ``allowed``."""
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}; got {value!r}")
    return value.lower()


def interval(name: str, value: Any) -> tuple[float, float]:
    """Return ``value`` as a pair of floats, the first not above the second; the second may be infinite."""
    try:
        low, high = (float(bound) for bound in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a pair (min, max) of numbers, got {value!r}") from None
    if not (math.isfinite(low) and low <= high):
        raise ValueError(f"{name}: expected (min, max) with min <= max, got {value!r}")
    return low, high


def per_layer(name: str, value: Any, layers: int) -> Sequence[Any]:
    """Return one value per layer: a list or tuple as it is, anything else repeated."""
    if not isinstance(value, (list, tuple)):
        return [value] * layers
    if len(value) != layers:
        raise ValueError(f"{name}: expected one value, or one for each of the {layers} layers; got {len(value)} values")
    return value


def trailing_shape(name: str, tensor: Any, shape: tuple[int, ...], dims: int | None = None) -> None:
    """Raise unless ``tensor`` ends in the dimensions ``shape`` (and has exactly ``dims`` dimensions)."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if torch.jit.is_tracing():  # there a comparison of sizes would be recorded, and warned of
        return
    got = tensor.shape
    if got[-len(shape) or len(got) :] != shape or (dims is not None and len(got) != dims):
        sizes = ", ".join(["batch" if dims == len(shape) + 1 else "...", *map(str, shape)])
        raise ValueError(f"{name}: expected shape [{sizes}], got {list(got)}")


def exact_shape(name: str, tensor: Any, *allowed: tuple[int, ...]) -> None:
    """Raise unless ``tensor`` has one of the shapes ``allowed``."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.shape not in allowed:
        shapes = " or ".join(str(list(shape)) for shape in allowed)
        raise ValueError(f"{name}: expected shape {shapes}, got {list(tensor.shape)}")


def tensor_pair(name: str, value: Any, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``value`` as two tensors ``[..., size]``."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"{name}: expected two tensors [..., {size}], got {value!r}")
    for tensor in value:
        trailing_shape(name, tensor, (size,))
    return value[0], value[1]
