r"""Computes a Keras network as Keras does, in less time: normalisation is folded into convolutions. Child process only.

Batch normalisation in inference mode behind a convolution is :math:`s (w * x + b - \mu) + \beta` with
:math:`s = \gamma / \sqrt{\sigma^2 + \epsilon}`, which is the convolution with the kernel :math:`s w` and the bias
:math:`s (b - \mu) + \beta`. Both are made anew in every step from the same weights, so values and gradients are those
of the two layers, but scaling passes over a small kernel instead of all activations. Convolutions of one pixel are
matrix products. Every other layer is called as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

__all__ = ["FoldedForward"]


class FoldedForward:
    """A functional model in inference mode.

    Args:
        model: Any functional model; models inside it are folded too.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._instead = _replacements(model)

    def __call__(self, *inputs: Any, **_: Any) -> Any:
        """The model's outputs of its inputs, one tensor each; masks and the like are not looked at."""
        outputs = self._model._run_through_graph(list(inputs), operation_fn=self._operation)
        return outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else outputs

    def _operation(self, operation: Any) -> Callable[..., Any]:
        instead = self._instead.get(id(operation))
        return _as_it_is(operation) if instead is None else instead


def _replacements(model: Any) -> Mapping[int, Callable[..., Any]]:
    """What is called instead of an operation, by its identity."""
    nodes = [node for same_depth in model._nodes_by_depth.values() for node in same_depth]
    calls = Counter(id(node.operation) for node in nodes)
    uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    uses.update(id(tensor) for tensor in model._outputs)
    maker = {id(tensor): node.operation for node in nodes for tensor in node.outputs}
    found: dict[int, Callable[..., Any]] = {}
    for node in nodes:
        layer = node.operation
        if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth"):
            found[id(layer)] = FoldedForward(layer)
        elif _is_convolution(layer):
            found.setdefault(id(layer), partial(_convolve, layer, None))
        elif isinstance(layer, layers.BatchNormalization):
            before = maker.get(id(node.input_tensors[0]))
            alone = uses[id(node.input_tensors[0])] == calls[id(layer)] == calls[id(before)] == 1
            if alone and _is_convolution(before) and _is_linear(before) and _is_last_axis(layer):
                found[id(before)] = partial(_convolve, before, layer)
                found[id(layer)] = _unchanged
    return found


def _as_it_is(operation: Any) -> Callable[..., Any]:
    if "training" in getattr(operation, "_call_context_args", ()):
        return partial(operation, training=False)
    return operation


def _unchanged(values: Any, **_: Any) -> Any:
    return values


def _is_convolution(layer: Any) -> bool:
    return type(layer) in (layers.Conv2D, layers.DepthwiseConv2D) and layer.data_format == "channels_last"


def _is_linear(convolution: Any) -> bool:
    return convolution.activation in (None, keras.activations.linear)


def _is_last_axis(normalisation: Any) -> bool:
    return normalisation.axis in (-1, 3) and not getattr(normalisation, "renorm", False)


def _convolve(layer: Any, normalisation: Any, values: Any) -> Any:
    kernel, bias = tf.convert_to_tensor(layer.kernel), layer.bias if layer.use_bias else None
    if normalisation is not None:
        factor, shift = _factor_and_shift(normalisation)
        kernel *= tf.reshape(factor, kernel.shape[2:]) if isinstance(layer, layers.DepthwiseConv2D) else factor
        bias = shift if bias is None else shift + bias * factor
    outputs = _apply_kernel(layer, kernel, values)
    if bias is not None:
        outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(bias))
    return outputs if _is_linear(layer) else layer.activation(outputs)


def _factor_and_shift(layer: Any) -> tuple[Any, Any]:
    """``(c,)`` each: what batch normalisation multiplies by, and adds."""
    factor = tf.math.rsqrt(tf.convert_to_tensor(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        factor *= tf.convert_to_tensor(layer.gamma)
    shift = -factor * tf.convert_to_tensor(layer.moving_mean)
    return factor, shift + tf.convert_to_tensor(layer.beta) if layer.center else shift


def _apply_kernel(layer: Any, kernel: Any, values: Any) -> Any:
    if isinstance(layer, layers.DepthwiseConv2D):
        return keras.ops.depthwise_conv(
            values, kernel, strides=layer.strides, padding=layer.padding, dilation_rate=layer.dilation_rate
        )
    if layer.kernel_size == (1, 1) and layer.strides == (1, 1) and layer.groups == 1:
        rows = tf.reshape(values, [-1, kernel.shape[2]])
        shape = tf.concat([tf.shape(values)[:3], [kernel.shape[3]]], axis=0)
        return tf.ensure_shape(
            tf.reshape(tf.matmul(rows, tf.reshape(kernel, kernel.shape[2:])), shape),
            [*values.shape[:3], kernel.shape[3]],
        )
    return layer.convolution_op(values, kernel)
