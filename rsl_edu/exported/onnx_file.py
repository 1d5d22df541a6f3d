"""Reads ONNX files, ``policy.onnx``: a graph of known operations, and weights that may lie in a file next to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .export import Export
from .export_error import ExportError
from .onnx_graph import Graph

_MOST = 1 << 28  # bytes of all weights in other files


def read(path: Path) -> Export:
    """Read an ONNX file, and the weights that it keeps in another.

    Raises:
        ExportError: It is damaged, its weights are missing or elsewhere, or the package ``onnx`` is not installed.
    """
    model = _load(path)
    _fetch_weights(path, model)
    graph = Graph(model.graph)
    return Export(
        path=path,
        format="ONNX",
        made_by=f"{model.producer_name} {model.producer_version}".strip(),
        weights=graph.weights(),
        normalizer=graph.normalizer(),
        activation=graph.activation(),
        ending=graph.ending(),
        clamps=graph.clamps(),
        program=model.SerializeToString(),
        tensors=graph.tensors,
        inputs=graph.inputs,
        outputs=graph.outputs,
        state=graph.state(),
        metadata={entry.key: entry.value for entry in model.metadata_props},
    )


def mlp(path: Path) -> tuple[str | None, list[tuple[int, ...]]]:
    """Return the activation of the hidden layers, or None, and the shapes of all layers; no weights need be there."""
    graph = Graph(_load(path).graph)
    return graph.activation(), graph.shapes()


def _load(path: Path) -> Any:
    try:
        import onnx
    except ImportError:
        raise ExportError(f"{path.name}: reading ONNX takes the package onnx: pip install 'rsl_edu[onnx]'") from None
    return onnx.load_model_from_string(path.read_bytes())


def _fetch_weights(path: Path, model: Any) -> None:
    """Put the weights that lie in other files of the folder into the model."""
    left = _MOST
    for tensor in _tensors(model):
        if not tensor.external_data and tensor.data_location != tensor.EXTERNAL:
            continue
        entry = {item.key: item.value for item in tensor.external_data}
        file = _inside(path, entry.get("location", ""))
        size = file.stat().st_size
        offset = int(entry.get("offset", 0))
        length = int(entry.get("length", size - offset))
        if min(offset, length) < 0 or offset + length > size:
            raise ExportError(
                f"its weights in {file.name} are incomplete: {tensor.name!r} ends at byte {offset + length:,}, and "
                f"the file has {size:,}. Copy it again, together with {path.name}"
            )
        left -= length
        if left < 0:
            raise ExportError(f"its weights take more than {_MOST >> 20:,} MB")
        with file.open("rb") as data:
            data.seek(offset)
            tensor.raw_data = data.read(length)
        tensor.data_location = tensor.DEFAULT
        del tensor.external_data[:]


def _inside(path: Path, location: str) -> Path:
    """Return a file in the folder of the export; files elsewhere are not read."""
    file = path.parent / location
    if not location or Path(location).is_absolute() or not file.resolve().is_relative_to(path.parent.resolve()):
        raise ExportError(f"its weights are said to be in {location!r}, outside of its folder; not read")
    if file.is_file():
        return file
    others = sorted(other.name for other in path.parent.glob("*.data"))
    found = f" There is {', '.join(others[:3])}: if that was it, give it back its name." if others else ""
    raise ExportError(
        f"its weights are in {location}, which must lie next to it under this name, and does not: without it, nothing "
        f"can load {path.name}.{found} Copy both files and rename neither, or export into one file with "
        "torch.onnx.export(..., external_data=False)"
    )


def _tensors(message: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the tensors anywhere in a message: in the graph, in what its operations were given, in functions."""
    if depth > 60:
        raise ExportError("its graph nests deeper than that of any policy")
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        repeated = value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
        for part in repeated:
            if part.DESCRIPTOR.name == "TensorProto":
                yield part
            else:
                yield from _tensors(part, depth + 1)
