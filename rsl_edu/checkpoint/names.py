"""Names of parameters: without what wraps them, and described so that a reader sees what a file holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import torch

from .untrusted import is_plain

_MOST = 8
"""Groups of parameters that a message names."""


def unwrapped(parameters: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return parameters without the prefixes that ``torch.compile`` and ``DistributedDataParallel`` put before names."""
    named = {re.sub(r"(?<![^.])_orig_mod\.", "", name): tensor for name, tensor in parameters.items()}
    while named and all(name.startswith("module.") for name in named):
        named = {name.removeprefix("module."): tensor for name, tensor in named.items()}
    return named


def groups(parameters: Mapping[Any, Any]) -> str:
    """Describe the tensors of a table by groups: ``actor.backbone: 48 → 512 → 12; std [12]``; other entries are left out.

    A group are the layers of one network; without linear layers that follow each other, the shapes of its weights stand
    for it.
    """
    grouped: dict[str, list[list[int]]] = {}
    for name, tensor in parameters.items():
        if isinstance(name, str) and is_plain(tensor):
            *path, last = name.split(".")
            while path and path[-1].isdigit():
                path.pop()
            grouped.setdefault(".".join(path) if "." in name else last, []).append(list(tensor.shape))
    return _listed([_described(name[:60], shapes) for name, shapes in grouped.items()], "; ")


def held(stored: Mapping[Any, Any]) -> str:
    """Describe what a file holds: its own tensors, and its entries with the groups of tensors in them."""
    own = groups(stored)
    entries = [
        f"{str(name)[:60]} ({inside})" if isinstance(table, dict) and (inside := groups(dict(dict.items(table)))) else str(name)[:60]
        for name, table in stored.items()
        if not isinstance(table, torch.Tensor)
    ]
    return ", ".join(filter(None, [own, _listed(entries, ", ")])) or "nothing"


def _described(name: str, shapes: list[list[int]]) -> str:
    weights = [shape for shape in shapes if len(shape) > 1]
    if weights and all(len(shape) == 2 for shape in weights):
        if all(after[1] == before[0] for before, after in itertools.pairwise(weights)):
            return f"{name}: {' → '.join(map(str, [weights[0][1], *(shape[0] for shape in weights)]))}"
    return f"{name} {', '.join(map(str, (weights or shapes)[:3]))}{' …' if len(weights or shapes) > 3 else ''}"


def _listed(words: list[str], between: str) -> str:
    more = f"{between}and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return between.join(words[:_MOST]) + more
