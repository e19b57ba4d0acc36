"""Operations that sum over axes: products of matrices, means, normalisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tumorlens.bundles.exporting.tensorflow_rules.held import Held, TensorflowCall, TensorflowRule, hold, plain

__all__ = ["SUMS"]

_SMALLEST_SQUARE = 1e-12


def _matmul(call: TensorflowCall) -> Held:
    left, right = (plain(value) for value in call.inputs)
    turned = {
        "transpose_a": bool(call.setting("transpose_a")) and call.rank(0) > 1,
        "transpose_b": bool(call.setting("transpose_b")) and call.rank(1) > 1,
    }
    if call.rank(0) == 1:
        left = tf.expand_dims(left, 0)
    if call.rank(1) == 1:
        right = tf.expand_dims(right, 1)
    product = tf.matmul(left, right, **turned)
    if call.rank(1) == 1:
        product = tf.squeeze(product, -1)
    return hold(tf.squeeze(product, -1 if call.rank(1) == 1 else -2) if call.rank(0) == 1 else product)


def _reduce(function: Callable[..., Any]) -> TensorflowRule:
    def rule(call: TensorflowCall) -> Held:
        (value, keep) = call.inputs[0], bool(call.setting("keep_dims"))
        gone = call.axes(1, rank=call.rank())
        summed = function(value.tensor, axis=[value.order.index(axis) for axis in gone], keepdims=keep)
        if keep:
            return Held(summed, value.order)
        left = [axis for axis in range(call.rank()) if axis not in gone]
        return Held(summed, tuple(left.index(axis) for axis in value.order if axis not in gone))

    return rule


def _softmax(function: Callable[..., Any]) -> TensorflowRule:
    def rule(call: TensorflowCall) -> Held:
        value = call.inputs[0]
        axis = int(call.setting("axis")) % call.rank()
        return Held(function(value.tensor, axis=value.order.index(axis)), value.order)

    return rule


def _normalise_length(call: TensorflowCall) -> Held:
    """Divided by the root of the sum of squares, which ``eps`` is added to or keeps from being smaller.

    TensorFlow Lite makes this an operation of its own, whose smallest length is 1e-6. Where the graph's is smaller, the
    values are first brought to a largest one of 1, so that no length lies below it.
    """
    value = call.inputs[0]
    axes = [value.order.index(axis) for axis in call.axes(1, rank=call.rank())]
    x, smallest = value.tensor, np.float32(call.setting("eps"))
    largest = str(call.setting("eps_mode")).lower() == "max"
    if largest and smallest < _SMALLEST_SQUARE:
        x = x / tf.maximum(tf.reduce_max(tf.abs(x), axis=axes, keepdims=True), np.finfo(np.float32).tiny)
    squares = tf.reduce_sum(tf.square(x), axis=axes, keepdims=True)
    return Held(x / tf.sqrt(tf.maximum(squares, smallest) if largest else squares + smallest), value.order)


def _mean_variance(call: TensorflowCall) -> Held:
    value = call.inputs[0]
    axes = [value.order.index(axis) for axis in call.axes(1, rank=call.rank())]
    centred = value.tensor - tf.reduce_mean(value.tensor, axis=axes, keepdims=True)
    if not call.setting("normalize_variance"):
        return Held(centred, value.order)
    variance, smallest = tf.reduce_mean(tf.square(centred), axis=axes, keepdims=True), np.float32(call.setting("eps"))
    inside = str(call.setting("eps_mode")).lower() == "inside_sqrt"
    deviation = tf.sqrt(variance + smallest) if inside else tf.sqrt(variance) + smallest
    return Held(centred / deviation, value.order)


SUMS: dict[str, TensorflowRule] = {
    "MatMul": _matmul,
    "Softmax": _softmax(tf.nn.softmax),
    "LogSoftmax": _softmax(tf.nn.log_softmax),
    "NormalizeL2": _normalise_length,
    "MVN": _mean_variance,
    "ReduceMean": _reduce(tf.reduce_mean),
    "ReduceSum": _reduce(tf.reduce_sum),
    "ReduceMax": _reduce(tf.reduce_max),
    "ReduceMin": _reduce(tf.reduce_min),
    "ReduceProd": _reduce(tf.reduce_prod),
    "ReduceL2": _reduce(lambda x, axis, keepdims: tf.sqrt(tf.reduce_sum(tf.square(x), axis=axis, keepdims=keepdims))),
}
"""OpenVINO's name of the operation, and what computes it."""
