"""Recognizes the parts of a policy in the graph of an ONNX file: normalizer, recurrent layers and linear layers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch

from .export_error import ExportError
from .names import named_weights, numbered, only

_MOST_NODES, _MOST_FOLDED = 5_000, 1 << 20
_PASSING = ("Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Constant", "Transpose")
"""Operations that do not change any numbers."""
_ACTIVATIONS = {
    ("Elu",): "elu",
    ("Selu",): "selu",
    ("Relu",): "relu",
    ("Celu",): "crelu",
    ("LeakyRelu",): "lrelu",
    ("Tanh",): "tanh",
    ("Sigmoid",): "sigmoid",
    ("Softplus",): "softplus",
    ("Greater", "Softplus", "Where"): "softplus",
    ("Gelu",): "gelu",
    ("Add", "Div", "Erf", "Mul"): "gelu",
    ("Mul", "Sigmoid"): "swish",
    ("Swish",): "swish",
    ("Mish",): "mish",
    ("Mul", "Softplus", "Tanh"): "mish",
    (): "identity",
}
"""Operations between two layers → name of the activation in rsl_rl's configuration."""
_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
"""The position of each gate among ONNX's gates, with the gates in torch's order."""
_FOLDED: dict[str, Any] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Identity": np.array,
}


class Graph:
    """A graph of operations.

    Args:
        graph: The graph as an object of the package ``onnx``.

    Attributes:
        tensors: All weights of the graph by name, except weights in a separate file that have not been read.
        inputs: The inputs by name, with their sizes; a size is None if any is allowed.
        outputs: The outputs by name, with their sizes.
    """

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        if len(graph.node) > _MOST_NODES:
            raise ExportError(f"its graph has {len(graph.node):,} operations, more than any policy's")
        self._constants: dict[str, Any] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        for tensor in graph.initializer:
            self._shapes[tensor.name] = tuple(tensor.dims)
            if not tensor.external_data:
                self._constants[tensor.name] = numpy_helper.to_array(tensor)
        self.tensors = {name: _tensor(array) for name, array in self._constants.items() if _is_number(array)}
        self.inputs = {value.name: _sizes(value) for value in graph.input if value.name not in self._shapes}
        self.outputs = {value.name: _sizes(value) for value in graph.output}
        self._nodes = self._needed(list(graph.node), {value.name for value in graph.output})
        for node in self._nodes:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type in _FOLDED and all(name in self._constants for name in node.input):
                given = [self._constants[name] for name in node.input]
                if math.prod(np.broadcast_shapes(*(array.shape for array in given))) <= _MOST_FOLDED:
                    self._constants[node.output[0]] = _FOLDED[node.op_type](*given)
            self._shapes |= {name: self._constants[name].shape for name in node.output if name in self._constants}
        self._layers = [place for place, node in enumerate(self._nodes) if self._weight_of(node) is not None]

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the parameters under the names of rsl_rl 5."""
        found = named_weights(self.tensors) | numbered(self._layer(self._nodes[place]) for place in self._layers)
        memories = [node for node in self._nodes if node.op_type in _GATES]
        for number, node in enumerate(memories):
            found |= {f"rnn.rnn.{name}_l{number}": x for name, x in self._memory(node).items()}
        return found

    def normalizer(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return mean and divisor of the normalizer, if the graph begins with one; otherwise None."""
        seen = set(self.inputs)
        difference, mean = "", None
        for node in self._nodes:
            given = [name for name in node.input if name in seen]
            if node.op_type in _PASSING and given:
                seen |= set(node.output)
            elif node.op_type == "Sub" and given and node.input[1] in self._constants:
                difference, mean = node.output[0], self._constants[node.input[1]]
            elif mean is not None and node.op_type in ("Div", "Mul") and difference in node.input:
                other = next((name for name in node.input if name != difference), "")
                if other in self._constants:
                    divisor = self._constants[other].astype(np.float64)
                    divisor = divisor if node.op_type == "Div" else 1 / divisor
                    flat = [np.asarray(x, np.float64).reshape(-1) for x in (mean, divisor)]
                    return torch.from_numpy(flat[0].copy()), torch.from_numpy(flat[1].copy())
        return None

    def activation(self) -> str | None:
        """Return the activation of all hidden layers under rsl_rl's name; None if it is unknown."""
        if not all(self._is_one(place) for place in self._layers):
            return None
        return only(self._activation(here, there) for here, there in itertools.pairwise(self._layers))

    def shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of each layer's weight in torch's layout, ``[outputs, inputs]``."""
        layers = [self._nodes[place] for place in self._layers]
        shapes = [self._shapes[self._weight_of(node) or ""] for node in layers]
        return [shape[::-1] if _is_turned(node) else shape for node, shape in zip(layers, shapes, strict=True)]

    def ending(self) -> tuple[str, ...]:
        """Return the operations after the last layer."""
        if not self._layers:
            return ()
        bias = self._bias_of(self._nodes[self._layers[-1]])[0]
        after = self._nodes[self._layers[-1] + 1 :]
        return tuple(node.op_type for node in after if node is not bias and node.op_type not in _PASSING)

    def clamps(self) -> tuple[str, ...]:
        """Return the clipping operations without duplicates, with their limits if these are constants."""
        found = []
        for node in self._nodes:
            if node.op_type == "Clip":
                limits = [self._constants[name] for name in node.input[1:] if name in self._constants]
                numbers = [f"{float(limit.reshape(-1)[0]):g}" for limit in limits if limit.size]
                found.append(f"Clip({', '.join(numbers)})" if numbers else "Clip")
        return tuple(dict.fromkeys(found))[:6]

    def state(self) -> dict[str, str]:
        """Return the inputs for the hidden state, each with the output whose value it gets in the next step."""
        found: dict[str, str] = {}
        recurrent = any(node.op_type in _GATES for node in self._nodes)
        for name, sizes in self.inputs.items():
            free = [other for other, its in self.outputs.items() if its == sizes and other not in found.values()]
            named = f"{name.removesuffix('_in')}_out"
            if name.endswith("_in") and named in self.outputs:
                found[name] = named
            elif recurrent and len(sizes) == 3 and free:
                found[name] = free[0]
        return found

    def _needed(self, nodes: list[Any], wanted: set[str]) -> list[Any]:
        """Return the nodes that the outputs need, in order."""
        kept = []
        for node in reversed(nodes):  # a graph is stored in an order in which it can be computed
            if wanted & set(node.output):
                kept.append(node)
                wanted |= set(node.input)
        return kept[::-1]

    def _weight_of(self, node: Any) -> str | None:
        """Return the name of a layer's weight; None if the node is not a linear layer."""
        if node.op_type not in ("Gemm", "MatMul") or len(self._shapes.get(node.input[1], ())) != 2:
            return None
        return None if node.input[0] in self._shapes else str(node.input[1])

    def _bias_of(self, node: Any) -> tuple[Any, str | None]:
        """Return the node that adds a layer's bias, if it is a separate node, and the name of the bias."""
        if node.op_type == "Gemm":
            return None, str(node.input[2]) if len(node.input) > 2 else None
        for other in self._nodes:
            if other.op_type == "Add" and node.output[0] in other.input:
                name = next((name for name in other.input if len(self._shapes.get(name, ())) == 1), None)
                return (other, str(name)) if name else (None, None)
        return None, None

    def _layer(self, node: Any) -> dict[str, torch.Tensor]:
        """Return weight and bias of a layer in torch's layout."""
        weight = self._constants.get(self._weight_of(node) or "")
        if weight is None:
            return {}
        layer = {"weight": _tensor(weight.T if _is_turned(node) else weight)}
        name = self._bias_of(node)[1]
        return layer | ({"bias": _tensor(self._constants[name])} if name in self._constants else {})

    def _memory(self, node: Any) -> dict[str, torch.Tensor]:
        """Return the weights of a recurrent layer, with the gates in torch's order."""
        order, found = _GATES[node.op_type], {}
        for name, given in zip(("weight_ih", "weight_hh"), node.input[1:3], strict=False):
            if given in self._constants:
                blocks = np.split(self._constants[given][0], len(order))
                found[name] = _tensor(np.concatenate([blocks[gate] for gate in order]))
        if len(node.input) > 3 and node.input[3] in self._constants:
            blocks = np.split(self._constants[node.input[3]][0], 2 * len(order))
            for name, half in (("bias_ih", blocks[: len(order)]), ("bias_hh", blocks[len(order) :])):
                found[name] = _tensor(np.concatenate([half[gate] for gate in order]))
        return found

    def _is_one(self, place: int) -> bool:
        """Return whether no other layer has this layer's input, because an actor's layers must form a single chain."""
        source = self._nodes[place].input[0]
        return [self._nodes[other].input[0] for other in self._layers].count(source) == 1

    def _activation(self, here: int, there: int) -> str | None:
        bias = self._bias_of(self._nodes[here])[0]
        between = [node for node in self._nodes[here + 1 : there] if node is not bias and node.op_type not in _PASSING]
        return _ACTIVATIONS.get(tuple(sorted({node.op_type for node in between})))


def _is_turned(node: Any) -> bool:
    """Return whether a layer stores its weight as ``[inputs, outputs]``."""
    given = {attribute.name: attribute for attribute in node.attribute}
    return node.op_type == "MatMul" or not ("transB" in given and given["transB"].i)


def _sizes(value: Any) -> tuple[int | None, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)


def _is_number(array: Any) -> bool:
    return array.dtype.kind in "fiu" or array.dtype.name == "bfloat16"


def _tensor(array: Any) -> torch.Tensor:
    if array.dtype.name == "bfloat16":  # NumPy has no such type
        return torch.from_numpy(array.astype(np.float32)).bfloat16()
    return torch.from_numpy(np.array(array, order="C"))
