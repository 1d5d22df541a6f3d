"""Names of parameters: without the prefixes of wrappers, and summarized to describe the contents of a file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import torch

from .untrusted import is_plain

_MOST = 8
"""Maximum number of parameter groups that a message names."""


def unwrapped(parameters: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return parameters without the prefixes that ``torch.compile`` and ``DistributedDataParallel`` add to names."""
    named = {re.sub(r"(?<![^.])_orig_mod\.", "", name): tensor for name, tensor in parameters.items()}
    while named and all(name.startswith("module.") for name in named):
        named = {name.removeprefix("module."): tensor for name, tensor in named.items()}
    return named


def groups(parameters: Mapping[Any, Any]) -> str:
    """Describe the tensors of a table, network by network: ``actor.backbone: 48 → 512 → 12; std [12]``.

    If a network has layers that are not linear, the shapes of its weights are listed. Entries that are not tensors are
    left out.
    """
    grouped: dict[str, list[list[int]]] = {}
    for name, tensor in parameters.items():
        if isinstance(name, str) and is_plain(tensor):
            *path, last = name.split(".")
            if path and path[-1].isdigit():
                path.pop()
            grouped.setdefault(".".join(path) if "." in name else last, []).append(list(tensor.shape))
    return _listed([_described(name[:60], shapes) for name, shapes in grouped.items()], "; ")


def held(stored: Mapping[Any, Any]) -> str:
    """Describe the contents of a file: its tensors, and its other entries with the networks in them."""
    entries = []
    for name, table in stored.items():
        if not isinstance(table, torch.Tensor):
            inside = groups(dict(dict.items(table))) if isinstance(table, dict) else ""
            entries.append(str(name)[:60] + (f" ({inside})" if inside else ""))
    return ", ".join(filter(None, [groups(stored), _listed(entries, ", ")])) or "nothing"


def _described(name: str, shapes: list[list[int]]) -> str:
    weights = [shape for shape in shapes if len(shape) > 1]
    linear = bool(weights) and all(len(shape) == 2 for shape in weights)
    if linear and all(after[1] == before[0] for before, after in itertools.pairwise(weights)):
        sizes = " → ".join(map(str, [weights[0][1], *(shape[0] for shape in weights)]))
        return f"{name}: {sizes}" if name else sizes
    told = weights or shapes
    return f"{name} {', '.join(map(str, told[:3]))}{' …' if len(told) > 3 else ''}"


def _listed(words: list[str], between: str) -> str:
    more = f"{between}and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return between.join(words[:_MOST]) + more
