"""The network of multilingual E5 small as an ONNX graph whose matrices have 8 bits a number.

The released numbers have 4 bits, with a scale for every 32; multiplied as they are they take twice as long for a text
of 14 tokens. Activations are rounded to 8 bits too, by the largest of all tokens, so a text is looked at alone: its
vector must not depend on its neighbours in a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from persrv.text.meaning.e5.packed import PackedModel

_OPSET, _IR_VERSION = 20, 9
_RUNTIME = "com.microsoft"
_LARGEST = 127


def network(packed: PackedModel) -> onnx.ModelProto:
    """Return the graph from ``tokens``, shape (1, length, width), to ``mean``, shape (1, width).

    ``tokens`` are sums of word, position and type vectors; ``mean`` is over a text's tokens, not of unit length.

    Raises:
        ValueError: A tensor is missing or has another size.
    """
    return _Graph(packed).model()


@dataclass(slots=True)
class _Graph:
    packed: PackedModel
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def model(self) -> onnx.ModelProto:
        shape = self.packed.shape
        self._constant("thirds", np.full(3, shape.width, np.int64))
        self._constant("length", np.array([1], np.int64))
        x = self._node("LayerNormalization", ["tokens", *self._norm("emb.ln")], epsilon=shape.epsilon)
        for number in range(shape.layers):
            x = self._layer(x, f"l{number}.")
        self._node("ReduceMean", [x, "length"], outputs=["mean"], keepdims=0)
        graph = helper.make_graph(
            self.nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "length", shape.width])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, shape.width])],
            self.constants,
        )
        versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_RUNTIME, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=_IR_VERSION)

    def _layer(self, x: str, prefix: str) -> str:
        shape = self.packed.shape
        thirds = [f"{prefix}{name}" for name in ("query", "key", "value")]
        projected = self._product(x, [f"{prefix}{name}" for name in "qkv"], shape.width, shape.width)
        self._node("Split", [projected, "thirds"], outputs=thirds, axis=2)
        attended = self._node("MultiHeadAttention", thirds, _RUNTIME, num_heads=shape.heads)
        x = self._added(x, self._product(attended, [f"{prefix}ao"], shape.width, shape.width), f"{prefix}aln")
        inner = self._node("Gelu", [self._product(x, [f"{prefix}fi"], shape.inner, shape.width)])
        return self._added(x, self._product(inner, [f"{prefix}fo"], shape.width, shape.inner), f"{prefix}oln")

    def _product(self, x: str, names: list[str], rows: int, columns: int) -> str:
        """Return ``x`` times the transposed matrices of those names, one below the other, plus their biases."""
        matrix = np.concatenate([self.packed.matrix(f"{name}.w", columns).rows() for name in names])
        bias = np.concatenate([self.packed.values(f"{name}.b") for name in names])
        if not len(matrix) == len(bias) == rows * len(names):
            raise ValueError(f"{names[0]} has not {rows} rows")
        scales = np.maximum(np.abs(matrix).max(axis=1) / _LARGEST, np.finfo(np.float32).tiny)
        numbers = np.rint(matrix / scales[:, None]).astype(np.int8)
        constants = [
            self._constant(f"{names[0]}.numbers", numbers.T),
            self._constant(f"{names[0]}.scales", scales),
            "",
            self._constant(f"{names[0]}.bias", bias),
        ]
        return self._node("DynamicQuantizeMatMul", [x, *constants], _RUNTIME)

    def _added(self, x: str, change: str, norm: str) -> str:
        epsilon = self.packed.shape.epsilon
        return self._node("SkipLayerNormalization", [x, change, *self._norm(norm)], _RUNTIME, epsilon=epsilon)

    def _norm(self, name: str) -> tuple[str, str]:
        gain, shift = self.packed.values(f"{name}.w"), self.packed.values(f"{name}.b")
        if len(gain) != self.packed.shape.width or len(shift) != len(gain):
            raise ValueError(f"{name} has not {self.packed.shape.width} numbers")
        return self._constant(f"{name}.gain", gain), self._constant(f"{name}.shift", shift)

    def _node(
        self, operator: str, inputs: list[str], domain: str = "", outputs: list[str] | None = None, **attributes: Any
    ) -> str:
        named = outputs or [f"{operator}.{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, inputs, named, domain=domain, **attributes))
        return named[0]

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
