"""Operations that compute each element from the elements at the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tumorlens.bundles.exporting.rule_table import unsupported
from tumorlens.bundles.exporting.tensorflow_rules.held import Held, TensorflowCall, TensorflowRule, align, hold

__all__ = ["ELEMENTWISE"]

_ERF_FACTORS = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def _of(function: Callable[..., Any]) -> TensorflowRule:
    """``function`` computes it from all inputs."""

    def rule(call: TensorflowCall) -> Held:
        if call.operation.attributes.get("auto_broadcast", "numpy") not in ("numpy", "none"):
            raise unsupported(call.operation, "its broadcasting is not NumPy's")
        tensors, order = align(call.inputs)
        return Held(function(*tensors), order)

    return rule


def _constant(call: TensorflowCall) -> Held:
    assert call.operation.constant is not None
    return hold(call.operation.constant)


def _convert(call: TensorflowCall) -> Held:
    (value,) = call.inputs
    if isinstance(value.tensor, np.ndarray):
        return Held(value.tensor.astype(call.operation.types[0]), value.order)
    return Held(tf.cast(value.tensor, call.operation.types[0]), value.order)


def _clamp(call: TensorflowCall) -> Held:
    low, high = float(call.setting("min")), float(call.setting("max"))
    x = call.inputs[0].tensor
    clipped = tf.nn.relu6(x) if (low, high) == (0.0, 6.0) else tf.minimum(tf.maximum(x, _like(x, low)), _like(x, high))
    return Held(clipped, call.inputs[0].order)


def _hard_sigmoid(call: TensorflowCall) -> Held:
    alpha, beta = (float(call.numbers(place).item()) for place in (1, 2))
    x = call.inputs[0].tensor
    risen = x * _like(x, alpha) + _like(x, beta)
    return Held(tf.minimum(tf.maximum(risen, _like(x, 0.0)), _like(x, 1.0)), call.inputs[0].order)


def _gelu(call: TensorflowCall) -> Held:
    x, approximate = call.inputs[0].tensor, call.operation.attributes.get("approximation_mode") == "TANH"
    if approximate:
        inner = tf.tanh(_like(x, np.sqrt(2 / np.pi)) * x * (1 + _like(x, 0.044715) * x * x))
    else:
        inner = _erf(x * _like(x, np.sqrt(0.5)))
    return Held(x * (_like(x, 0.5) * (1 + inner)), call.inputs[0].order)


def _elu(call: TensorflowCall) -> Held:
    x = call.inputs[0].tensor
    below = _like(x, float(call.setting("alpha"))) * (tf.exp(tf.minimum(x, _like(x, 0.0))) - 1)
    return Held(tf.where(x > 0, x, below), call.inputs[0].order)


def _fake_quantise(call: TensorflowCall) -> Held:
    """Clipped to the input range, rounded to one of the levels, and laid on the output range."""
    (x, low, high, out_low, out_high), order = align(call.inputs)
    steps = np.float32(call.setting("levels") - 1)
    level = tf.round((tf.minimum(tf.maximum(x, low), high) - low) / ((high - low) / steps))
    return Held(level / steps * (out_high - out_low) + out_low, order)


def _like(x: Any, value: float) -> Any:
    return np.asarray(value, x.dtype if isinstance(x, np.ndarray) else x.dtype.as_numpy_dtype)


def _erf(x: Any) -> Any:
    """The error function in operations that TensorFlow Lite has, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26)."""
    size = tf.abs(x)
    t = 1 / (1 + _like(x, 0.3275911) * size)
    sum_of_powers = _like(x, _ERF_FACTORS[-1])
    for factor in reversed(_ERF_FACTORS[:-1]):
        sum_of_powers = sum_of_powers * t + _like(x, factor)
    return tf.sign(x) * (1 - sum_of_powers * t * tf.exp(-size * size))


def _swish(x: Any, beta: Any = None) -> Any:
    return x * tf.sigmoid(x if beta is None else x * beta)


ELEMENTWISE: dict[str, TensorflowRule] = {
    "Constant": _constant,
    "Convert": _convert,
    "Clamp": _clamp,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Elu": _elu,
    "FakeQuantize": _fake_quantise,
    **{
        kind: _of(function)
        for kind, function in {
            "Swish": _swish,
            "HSwish": lambda x: x * (tf.nn.relu6(x + _like(x, 3.0)) * _like(x, 1 / 6)),
            "HSigmoid": lambda x: tf.nn.relu6(x + _like(x, 3.0)) * _like(x, 1 / 6),
            "Relu": tf.nn.relu,
            "Sigmoid": tf.sigmoid,
            "Tanh": tf.tanh,
            "Erf": _erf,
            "Exp": tf.exp,
            "Log": tf.math.log,
            "Sqrt": tf.sqrt,
            "Abs": tf.abs,
            "Floor": tf.floor,
            "SoftPlus": tf.math.softplus,
            "Negative": tf.negative,
            "Add": tf.add,
            "Subtract": tf.subtract,
            "Multiply": tf.multiply,
            "Divide": tf.divide,
            "Power": tf.pow,
            "SquaredDifference": tf.math.squared_difference,
            "Maximum": tf.maximum,
            "Minimum": tf.minimum,
            "Greater": tf.greater,
            "GreaterEqual": tf.greater_equal,
            "Less": tf.less,
            "LessEqual": tf.less_equal,
            "Equal": tf.equal,
            "NotEqual": tf.not_equal,
            "LogicalNot": tf.logical_not,
            "LogicalAnd": tf.logical_and,
            "LogicalOr": tf.logical_or,
            "Select": tf.where,
        }.items()
    },
}
"""OpenVINO's name of the operation, and what computes it."""
