"""Reads TorchScript files such as ``policy.pt``: a zip of a pickle, tensors and code, which is not run."""

from __future__ import annotations

import functools
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from .export import Export
from .export_error import ExportError
from .names import ACTIVATIONS, mlp_part, named_weights, only
from .pickled import Module, Storage, unpickle

_PICKLE, _CODE = 4 << 20, 1 << 20  # maximum size in bytes; real ones have a few KB
_NAMES, _DEPTH, _FILES = 20_000, 32, 500
_EPS = 1e-2  # rsl_rl's
_CLAMP = re.compile(
    r"torch\.(?P<name>clamp|clip|clamp_min|clamp_max|hardtanh)_?"
    r"\((?:.{1,200}?(?P<limits>(?:, -?\d{1,20}\.?\d{0,20}(?:e[+-]?\d{1,3})?){1,2})\))?"
)
_MOST_CLAMPS = 6
_STATES = ("hidden_state", "cell_state")


def read(path: Path) -> Export:
    """Read a TorchScript file.

    Raises:
        ExportError: The file is damaged, or refers to something that no exported policy needs.
    """
    with zipfile.ZipFile(path) as archive:
        root, tensors = _read(archive, path.stat().st_size)
        code = _code(archive)
    normalizer, attributes = None, dict(_values(root))
    for name, mean in tensors.items():
        part = name.removesuffix("_mean")
        if part != name and f"{part}_std" in tensors and normalizer is None:
            eps = attributes.get(f"{part}eps", _EPS)
            normalizer = mean.double().flatten(), tensors[f"{part}_std"].double().flatten() + float(eps)
    kinds = _around(root, mlp_part(tensors))
    return Export(
        path=path,
        format="TorchScript",
        made_by=root.kind,
        weights=named_weights(tensors),
        normalizer=normalizer,
        activation=_activation(kinds[0]),
        ending=kinds[1],
        program=path.read_bytes(),
        memory={name: x for name, x in tensors.items() if name.rpartition(".")[2] in _STATES},
        tensors=tensors,
        training=attributes.get("training") is True,
        has_reset=_has_reset(code, root),
        clamps=_clamps(code),
    )


def mlp(path: Path) -> tuple[str | None, list[tuple[int, ...]]]:
    """Return the activation of the hidden layers, or None, and the shapes of all layers, as far as they are known."""
    with zipfile.ZipFile(path) as archive:
        root, tensors = _read(archive, path.stat().st_size)
    layers = named_weights(tensors)
    shapes = [tuple(x.shape) for name, x in layers.items() if name.startswith("mlp.") and name.endswith(".weight")]
    return _activation(_around(root, mlp_part(tensors))[0]), shapes


def _read(archive: zipfile.ZipFile, size: int) -> tuple[Module, dict[str, torch.Tensor]]:
    """Return the root module, and all tensors by their dotted names."""
    names = archive.namelist()
    place = next((name for name in names if name.endswith("/data.pkl") and name.count("/") == 1), None)
    if place is None:
        raise ExportError("damaged: a TorchScript archive without data.pkl")
    folder = place.removesuffix("data.pkl")
    if f"{folder}byteorder" in names and _entry(archive, f"{folder}byteorder", 16) != b"little":
        raise ExportError("its numbers have a different byte order; expected little-endian")
    numbers = _Numbers(archive, folder, size)
    root = unpickle(_entry(archive, place, _PICKLE), numbers.of("data"))
    if not isinstance(root, Module):
        raise ExportError("it contains no module")
    tensors = {name: value for name, value in _values(root) if isinstance(value, torch.Tensor)}
    if f"{folder}constants.pkl" in names:  # the weights of a frozen module are there
        constants = unpickle(_entry(archive, f"{folder}constants.pkl", _PICKLE), numbers.of("constants"))
        listed = constants if isinstance(constants, (tuple, list)) else ()
        tensors |= {f"constants.c{i}": value for i, value in enumerate(listed) if isinstance(value, torch.Tensor)}
    return root, tensors


class _Numbers:
    """Reads the numbers of the tensors in an archive.

    Args:
        archive: The archive.
        folder: The single folder in the archive.
        left: Number of bytes that may still be read; the numbers cannot take more bytes than the file has.
    """

    def __init__(self, archive: zipfile.ZipFile, folder: str, left: int) -> None:
        self._archive, self._folder, self._left = archive, folder, left
        self._read: dict[str, torch.Tensor] = {}

    def of(self, part: str) -> Callable[..., torch.Tensor]:
        """Return a function that makes a tensor from a :class:`Storage`, an offset, a shape and strides."""
        return functools.partial(self._tensor, part)

    def _tensor(self, part: str, storage: Storage, offset: int, shape: Any, strides: Any) -> torch.Tensor:
        name = f"{self._folder}{part}/{storage.key}"
        if name not in self._read:
            data = _entry(self._archive, name, self._left)
            self._left -= len(data)
            self._read[name] = torch.frombuffer(bytearray(data), dtype=storage.dtype) if data else torch.empty(0)
        numbers = self._read[name]
        last = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
        if min((0, offset, *shape, *strides)) < 0 or math.prod(shape) > len(numbers):
            raise ExportError(f"damaged: a tensor of shape {list(shape)[:8]}, but {len(numbers)} numbers in the file")
        if math.prod(shape) and last >= len(numbers):
            raise ExportError(f"damaged: a tensor of shape {list(shape)[:8]} extends beyond the file")
        return numbers.as_strided(shape, strides, offset)


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read an entry of at most ``most`` bytes. Refuse a larger entry before it is unpacked completely."""
    try:
        with archive.open(name) as file:
            data = file.read(most + 1)
    except KeyError:
        raise ExportError(f"damaged: {name} is missing") from None
    if len(data) > most:
        raise ExportError(f"{name} is larger than in any exported policy")
    return data


def _values(root: Module) -> Iterator[tuple[str, Any]]:
    """Yield all tensors and attributes, by their dotted names."""
    waiting: list[tuple[str, Module, int]] = [("", root, 0)]
    seen = 0
    while waiting:
        place, module, depth = waiting.pop(0)
        for name, value in module.values.items():
            seen += 1
            if seen > _NAMES or depth > _DEPTH:
                raise ExportError("it has more nested modules than any policy")
            if isinstance(value, Module):
                waiting.append((f"{place}{name}.", value, depth + 1))
            else:
                yield f"{place}{name}", value


def _around(root: Module, part: str | None) -> tuple[list[str], tuple[str, ...]]:
    """Return the classes of the modules between the layers of the MLP, and of the modules after the last layer."""
    module: Any = root
    outside: Mapping[str, Any] = root.values
    for word in [] if part is None else part.split(".")[:-1]:
        outside, module = module.values, module.values[word]
    if part is None:
        return [], ()
    inside = [value for value in module.values.values() if isinstance(value, Module)]
    linear = [place for place, value in enumerate(inside) if _is_linear(value)]
    between = [value.kind for place, value in enumerate(inside) if linear[0] < place < linear[-1]]
    between = [kind for kind in between if kind.rpartition(".")[2] != "Linear"]
    others = [value for value in outside.values() if isinstance(value, Module) and value.kind.endswith("Output")]
    return between, tuple(value.kind.rpartition(".")[2] for value in inside[linear[-1] + 1 :] + others)


def _is_linear(module: Module) -> bool:
    weight = module.values.get("weight")
    return isinstance(weight, torch.Tensor) and weight.dim() == 2


def _activation(between: list[str]) -> str | None:
    return only(ACTIVATIONS.get(kind.rpartition(".")[2]) for kind in between)


def _code(archive: zipfile.ZipFile) -> list[str]:
    """Return the code of all classes."""
    entries = [name for name in archive.namelist() if "/code/__torch__" in name and name.endswith(".py")]
    return [_entry(archive, name, _CODE).decode(errors="replace") for name in entries[:_FILES]]


def _has_reset(code: list[str], root: Module) -> bool:
    """Return whether the code of the root module has a method that resets the hidden state."""
    name = root.kind.rpartition(".")[2]
    own = next((text for text in code if f"class {name}(Module)" in text), "")
    return "def reset(" in own or "def reset_memory(" in own


def _clamps(code: list[str]) -> tuple[str, ...]:
    """Return the clipping operations without duplicates, with their limits if these are plain numbers."""
    found = [_CLAMP.finditer(text) for text in code]
    return tuple(dict.fromkeys(_clamp(match) for matches in found for match in matches))[:_MOST_CLAMPS]


def _clamp(match: re.Match[str]) -> str:
    limits = [f"{float(number):g}" for number in (match["limits"] or "").split(", ")[1:]]
    return f"{match['name']}({', '.join(limits)})" if limits else match["name"]
