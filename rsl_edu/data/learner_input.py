"""What a learner brings along."""

from __future__ import annotations

from typing import Any

import torch


def plain(name: str, value: Any) -> torch.Tensor:
    """Return a learner's own tensor, array or list as a tensor on the CPU, without its history of gradients."""
    try:
        return torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name}: expected a tensor or an array of numbers, got {type(value).__name__}") from None
