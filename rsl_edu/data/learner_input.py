"""Converts and checks a learner's own tensors, arrays and lists; errors name the argument that does not fit."""

from __future__ import annotations

import copy
import warnings
from typing import Any, TypeVar

import numpy as np
import torch

N = TypeVar("N", bound=torch.nn.Module)


LARGEST = 1e12
"""The largest magnitude of a value in an explorer; squares and sums of larger values do not fit in float32."""
ROUGH = 0.03
"""The largest allowed rounding error, as a share of the std. With larger errors, an explorer no longer shows the
data."""
_COMMON = {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
}


def learner_tensor(name: str, value: Any) -> torch.Tensor:
    """Return a learner's own tensor, array or list as a detached tensor on the CPU.

    Args:
        name: Name of the argument, for the message.
        value: A tensor of any device, dtype and layout; an array, or an object that converts itself to one; a list of
            numbers; or a list of tensors or arrays of the same shape, which are stacked.

    Raises:
        TypeError: ``value`` does not consist of real numbers.
    """
    try:
        tensor = _on_cpu(value)
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"{type(value).__name__} ({str(error).splitlines()[0]})"
        raise TypeError(f"{name}: expected a tensor or an array of numbers, got {got}") from None
    if tensor.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {tensor.dtype}")
    return (
        tensor if tensor.dtype in _COMMON else tensor.double()
    )  # torch supports hardly any operation with float8 or uint16


def _on_cpu(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        tensor = value.detach().cpu()
    elif _holds_arrays(value):  # such as a rollout that was collected step by step
        return torch.stack([_on_cpu(each) for each in value])
    elif hasattr(value, "__array__"):
        tensor = torch.as_tensor(_plain(value), device="cpu")
    else:
        tensor = torch.as_tensor(value, device="cpu")
        if tensor.is_floating_point():  # torch's default dtype may have a low precision
            tensor = torch.as_tensor(value, dtype=torch.float64, device="cpu")
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    return tensor.clone() if tensor.is_inference() or tensor.is_neg() else tensor  # such tensors cannot be modified


def _holds_arrays(value: Any) -> bool:
    """Return whether a list, or the first list in it, contains arrays or tensors."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return _holds_arrays(value[0]) or (hasattr(value[0], "__array__") and not isinstance(value[0], np.generic))


def _plain(value: Any) -> np.ndarray:
    """Return a copy that torch accepts: contiguous, in the native byte order, with NaN for masked values."""
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(float), np.nan)
    array = np.asarray(value)
    dtype = np.dtype(float) if array.dtype.char == "g" else array.dtype.newbyteorder("=")  # g: long double
    return np.array(array, dtype, order="C")


def finite_tensor(name: str, value: Any, *shapes: str) -> torch.Tensor:
    """Return a copy of a learner's own numbers as a tensor of one of the given shapes.

    Args:
        name: Name of the argument, for the message.
        value: As for :func:`learner_tensor`. The caller may change it afterwards, like the buffers of a training run.
        shapes: The allowed shapes, written as in ``"[time, envs, features]"``. A name allows any size except 0; a
            number allows only this size. Words after the bracket are an explanation: ``"[4], as x"``.

    Raises:
        TypeError: ``value`` does not consist of real numbers.
        ValueError: The shape is wrong, or a value is not finite or outside ±``LARGEST``.
    """
    if value is None:
        raise ValueError(f"{name}: expected shape {' or '.join(shapes)}, got None")
    tensor = learner_tensor(name, value)
    if not any(_fits(tensor, shape) for shape in shapes):
        raise ValueError(f"{name}: expected shape {' or '.join(shapes)}, got {list(tensor.shape)}")
    if not tensor.isfinite().all():
        raise ValueError(f"{name}: expected finite values, got NaN or infinity")
    largest = max(map(float, tensor.aminmax()), key=abs)
    if abs(largest) > LARGEST:
        raise ValueError(f"{name}: expected values from -1e12 to 1e12, got {largest:.6g}")
    if tensor.dtype == torch.float64:
        _warn_of_rounding(name, tensor)
    return tensor.clone()


def _warn_of_rounding(name: str, tensor: torch.Tensor) -> None:
    """Warn if values vary so little around a large mean that float32, which policies use, cannot resolve them."""
    rows = tensor.reshape(-1, tensor.shape[-1] if tensor.dim() > 1 else 1)
    spread = rows.std(0, correction=0)
    blurred = (rows - rows.float().double()).square().mean(0).sqrt() > ROUGH * spread
    blurred &= spread > 1e-12 * rows.abs().amax(0)  # smaller variations are rounding errors of float64
    if blurred.any():
        place = int(blurred.nonzero()[0])
        where = f" in column {place}" if rows.shape[1] > 1 else ""
        std, mean = float(spread[place]), float(rows[:, place].mean())
        warnings.warn(
            f"{name}: values{where} vary by {std:.2g} around {mean:.6g}, which float32 cannot resolve; "
            "subtract the mean in float64 first",
            stacklevel=5,  # the learner's own line
        )


def learner_network(name: str, network: N) -> N:
    """Return a copy of a learner's own network on the CPU, in float32.

    Args:
        name: Name of the argument, for the message.
        network: The network, of any device and dtype.

    Raises:
        ValueError: The network cannot be copied.
    """
    try:
        with torch.inference_mode(False):  # otherwise its weights could not be used to measure gradients
            return copy.deepcopy(network).cpu().float()
    except (RuntimeError, TypeError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(
            f"{name}: expected a network that can be copied to the CPU, got {type(network).__name__} ({why})"
        ) from error


def learner_names(name: str, value: Any, count: int, each: str) -> tuple[str, ...]:
    """Return a learner's own names, one for each of ``count`` items.

    Args:
        name: Name of the argument, for the message.
        value: A list, a tuple or an array of strings.
        count: Required number of names.
        each: What each name is for, for the message: ``"feature"``.

    Raises:
        TypeError: The names are not strings.
        ValueError: There are more or fewer than ``count`` names.
    """
    expected = f"{name}: expected {count} names, one for each {each}"
    try:
        names = () if isinstance(value, (str, bytes)) else tuple(value)
    except TypeError:
        names = ()
    if isinstance(value, (str, bytes)) or not all(isinstance(word, str) for word in names):
        raise TypeError(f"{expected}, got {value!r}")
    if len(names) != count:
        got = f"{len(names)}: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else repr(value)
        raise ValueError(f"{expected}, got {got}")
    return tuple(map(str, names))  # NumPy's strings have their own type


def _fits(tensor: torch.Tensor, shape: str) -> bool:
    wanted = shape[1 : shape.index("]")].split(", ")
    if len(wanted) != tensor.dim() or 0 in tensor.shape:
        return False
    return all(not size.isdigit() or int(size) == got for size, got in zip(wanted, tensor.shape, strict=True))


def episode_ends(name: str, value: Any, times_and_envs: torch.Size) -> torch.Tensor:
    """Return a bool tensor ``[time, envs]`` that is True where one of a learner's episodes ended.

    Args:
        name: Name of the argument, for the message.
        value: 0 and 1, or False and True, ``[time, envs]`` or ``[time, envs, 1]``.
        times_and_envs: The required shape.

    Raises:
        TypeError: ``value`` does not consist of numbers.
        ValueError: The shape is wrong, or there are other values.
    """
    if value is None:
        raise ValueError(f"{name}: expected shape [time, envs], here {list(times_and_envs)}, got None")
    dones = learner_tensor(name, value)
    if dones.shape not in (times_and_envs, (*times_and_envs, 1)):
        raise ValueError(f"{name}: expected shape [time, envs], here {list(times_and_envs)}, got {list(dones.shape)}")
    if not ((dones == 0) | (dones == 1)).all():
        raise ValueError(f"{name}: expected 0 and 1, or False and True, got other values")
    return dones.reshape(times_and_envs) == 1
