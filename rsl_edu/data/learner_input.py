"""What a learner brings along: tensors, arrays and lists, checked and named where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def learner_tensor(name: str, value: Any) -> torch.Tensor:
    """Return a learner's own tensor, array or list as a tensor on the CPU, without its history of gradients."""
    if isinstance(value, np.ndarray):  # torch takes neither a reversed array nor another machine's order of bytes
        value = np.array(value, value.dtype.newbyteorder("="), order="C")
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"{type(value).__name__} ({str(error).splitlines()[0]})"
        raise TypeError(f"{name}: expected a tensor or an array of numbers, got {got}") from None
    if tensor.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {tensor.dtype}")
    return tensor


def finite_tensor(name: str, value: Any, *shapes: str) -> torch.Tensor:
    """Return a learner's own numbers as a tensor of one of some shapes.

    Args:
        name: Name of the argument, for the message.
        value: A tensor, an array or a list.
        shapes: The shapes that fit, as they are said: ``"[time, envs, features]"``. A name stands for any size but 0,
            a number for itself; words after the bracket explain: ``"[4], as x"``.

    Raises:
        TypeError: Something else than numbers.
        ValueError: Another shape, no numbers at all, or some that are not finite.
    """
    if value is None:
        raise ValueError(f"{name}: expected shape {' or '.join(shapes)}, got None")
    tensor = learner_tensor(name, value)
    if not any(_fits(tensor, shape) for shape in shapes):
        raise ValueError(f"{name}: expected shape {' or '.join(shapes)}, got {list(tensor.shape)}")
    if not tensor.isfinite().all():
        raise ValueError(f"{name}: expected finite values, got NaN or infinity")
    return tensor


def _fits(tensor: torch.Tensor, shape: str) -> bool:
    wanted = shape[1 : shape.index("]")].split(", ")
    if len(wanted) != tensor.dim() or 0 in tensor.shape:
        return False
    return all(not size.isdigit() or int(size) == got for size, got in zip(wanted, tensor.shape, strict=True))


def episode_ends(name: str, value: Any, times_and_envs: torch.Size) -> torch.Tensor:
    """Return where a learner's episodes ended as bool ``[time, envs]``.

    Args:
        name: Name of the argument, for the message.
        value: 0 and 1, or False and True, ``[time, envs]`` or ``[time, envs, 1]``.
        times_and_envs: The shape that it must have.

    Raises:
        TypeError: Something else than numbers.
        ValueError: Another shape, or other numbers.
    """
    if value is None:
        raise ValueError(f"{name}: expected shape [time, envs], here {list(times_and_envs)}, got None")
    dones = learner_tensor(name, value)
    if dones.shape not in (times_and_envs, (*times_and_envs, 1)):
        raise ValueError(f"{name}: expected shape [time, envs], here {list(times_and_envs)}, got {list(dones.shape)}")
    if not ((dones == 0) | (dones == 1)).all():
        raise ValueError(f"{name}: expected 0 and 1, or False and True, got other values")
    return dones.reshape(times_and_envs) == 1
