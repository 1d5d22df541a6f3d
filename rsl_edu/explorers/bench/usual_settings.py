"""The usual settings of torch and NumPy. With them, results depend only on the input, not on the learner's settings."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch

C = TypeVar("C", bound=Callable[..., Any])

_settings = threading.RLock()  # the default dtype and the random state are shared by all threads
_here = threading.local()


@contextlib.contextmanager
def usual_settings() -> Iterator[None]:
    """Run a block with the initial settings of torch and NumPy, and restore the learner's settings afterwards.

    The settings are float32, the CPU, gradients enabled, no inference mode, no autocast, no anomaly detection, and
    NumPy's handling of overflow. Torch's random state on the CPU is restored too. Only one thread at a time can run
    a block under these settings. In a nested call, the settings stay as they are.
    """
    if getattr(_here, "inside", False):
        yield
        return
    with _settings, contextlib.ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        stack.callback(torch.default_generator.set_state, torch.default_generator.get_state())
        torch.set_default_dtype(torch.float32)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(torch.autograd.set_detect_anomaly(False))
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.get_default_device().type != "cpu":  # only if needed, because this slows down every call of torch
            stack.enter_context(torch.device("cpu"))
        _here.inside = True
        try:
            yield
        finally:
            _here.inside = False


def under_usual_settings(function: C) -> C:
    """Make a function always run under :func:`usual_settings`."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        with usual_settings():
            return function(*arguments, **named)

    return call  # type: ignore[return-value]
