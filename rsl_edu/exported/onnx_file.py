"""Reads ONNX files such as ``policy.onnx``: a graph of known operations, with weights that may be in a second file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .export import Export
from .export_error import ExportError
from .onnx_graph import Graph

_MOST = 1 << 28  # maximum size of the weights in other files, in bytes


def read(path: Path) -> Export:
    """Read an ONNX file, and its weights if they are in a separate file.

    Raises:
        ExportError: The file is damaged, its weights are missing or outside its folder, or the package ``onnx`` is not
            installed.
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
    """Return the activation of the hidden layers, or None, and the shapes of all layers, without reading weights."""
    graph = Graph(_load(path).graph)
    return graph.activation(), graph.shapes()


def _load(path: Path) -> Any:
    try:
        import onnx
    except ImportError:
        raise ExportError(f"{path.name}: reading ONNX requires the package onnx: pip install 'rsl_edu[onnx]'") from None
    return onnx.load_model_from_string(path.read_bytes())


def _fetch_weights(path: Path, model: Any) -> None:
    """Copy weights from other files in the folder into the model."""
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
                f"its weights in {file.name} are incomplete: {tensor.name!r} ends at byte {offset + length:,}, but "
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
    """Return a file in the folder of the export; files outside it are not read."""
    file = path.parent / location
    folders = path.parent.resolve(), path.resolve().parent  # a downloaded folder may contain links to its files
    inside = any(file.resolve().is_relative_to(folder) for folder in folders)
    if not location or Path(location).is_absolute() or not inside:
        raise ExportError(f"it refers to weights in {location!r}, outside its folder, which are not read")
    if file.is_file():
        return file
    others = sorted(other.name for other in path.parent.glob("*.data"))
    found = f" The folder has {', '.join(others[:3])}: if that is the file, give it its old name." if others else ""
    raise ExportError(
        f"its weights are in {location}, which must be next to it under this name, but is not: without it, nothing "
        f"can load {path.name}.{found} Copy both files and rename neither, or export into one file with "
        "torch.onnx.export(..., external_data=False)"
    )


def _tensors(message: Any, depth: int = 0) -> Iterator[Any]:
    """Yield all tensors in a protobuf message: in the graph, in attributes of its operations, and in functions."""
    if depth > 60:
        raise ExportError("its graph is nested more deeply than any policy's")
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        repeated = value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
        for part in repeated:
            if part.DESCRIPTOR.name == "TensorProto":
                yield part
            else:
                yield from _tensors(part, depth + 1)
