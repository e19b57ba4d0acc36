"""Operations that move a window over a picture, and the one that resizes it; pictures lie channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tumorlens.bundles.exporting.rule_table import unsupported
from tumorlens.bundles.exporting.tensorflow_rules.held import (
    CHANNELS_LAST,
    Held,
    TensorflowCall,
    TensorflowRule,
    arrange,
)
from tumorlens.bundles.exporting.windows import check_linear_resize, pool_window

__all__ = ["FILTERS"]


def _convolution(call: TensorflowCall) -> Held:
    kernel = arrange(call.inputs[1], (2, 3, 1, 0))  # (out, in, kh, kw) to (kh, kw, in, out)
    return _filtered(call, lambda x, **how: tf.nn.conv2d(x, kernel, **how), window=call.lengths(1, (2, 3)))


def _group_convolution(call: TensorflowCall) -> Held:
    """A kernel ``(g, out/g, in/g, kh, kw)``: depthwise where each group has one channel, else group by group."""
    groups, _, into = call.lengths(1, (0, 1, 2))
    window = call.lengths(1, (3, 4))
    strides = [int(step) for step in call.setting("strides")]
    if into == 1 and strides[0] == strides[1]:
        depthwise = tf.squeeze(arrange(call.inputs[1], (3, 4, 0, 1, 2)), -1)  # (kh, kw, channel, multiplier)
        return _filtered(
            call,
            lambda x, strides, **how: tf.nn.depthwise_conv2d(x, depthwise, [1, *strides, 1], **how),
            window=window,
        )
    kernels = tf.unstack(arrange(call.inputs[1], (0, 3, 4, 2, 1)))

    def each_group(x: Any, **how: Any) -> Any:
        parts = tf.split(x, groups, -1)
        return tf.concat([tf.nn.conv2d(part, kernel, **how) for part, kernel in zip(parts, kernels, strict=True)], -1)

    return _filtered(call, each_group, window=window)


def _filtered(call: TensorflowCall, convolve: Any, *, window: Sequence[int]) -> Held:
    """Convolve with the graph's padding, by the target's own where that is the same."""
    if call.rank() != 4:
        raise unsupported(call.operation, f"it moves over {call.rank() - 2} axes, not 2")
    x = arrange(call.inputs[0], CHANNELS_LAST)
    strides, dilations, begin, end = (
        [int(each) for each in call.setting(name)] for name in ("strides", "dilations", "pads_begin", "pads_end")
    )
    sizes = call.lengths(0, (2, 3))
    reach = [(side - 1) * dilation + 1 for side, dilation in zip(window, dilations, strict=True)]
    if [begin, end] == _same_padding(sizes, strides, reach):
        padding = "SAME"
    else:
        padding = "VALID"
        x = _padded(x, begin, end, filling=0.0)
    return Held(convolve(x, strides=strides, dilations=dilations, padding=padding), CHANNELS_LAST)


def _same_padding(sizes: Sequence[int], strides: Sequence[int], reach: Sequence[int]) -> list[list[int]]:
    """What TensorFlow's "SAME" adds before and after each axis."""
    whole = [
        max((-(-size // stride) - 1) * stride + side - size, 0)
        for size, stride, side in zip(sizes, strides, reach, strict=True)
    ]
    return [[amount // 2 for amount in whole], [amount - amount // 2 for amount in whole]]


def _padded(x: Any, begin: Sequence[int], end: Sequence[int], *, filling: float) -> Any:
    if not any(begin) and not any(end):
        return x
    amounts = [[0, 0], *([before, after] for before, after in zip(begin, end, strict=True)), [0, 0]]
    return tf.pad(x, amounts, constant_values=np.float32(filling))


def _max_pool(call: TensorflowCall) -> Held:
    window = pool_window(call)
    if window.dilations != (1, 1):
        raise unsupported(call.operation, "its window is dilated")
    lowest = float(np.finfo(np.float32).min)
    x = _padded(arrange(call.inputs[0], CHANNELS_LAST), window.begin, window.end, filling=lowest)
    return Held(tf.nn.max_pool2d(x, window.kernel, window.strides, "VALID"), CHANNELS_LAST)


def _avg_pool(call: TensorflowCall) -> Held:
    window = pool_window(call)
    x = _padded(arrange(call.inputs[0], CHANNELS_LAST), window.begin, window.end, filling=0.0)
    means = tf.nn.avg_pool2d(x, window.kernel, window.strides, "VALID")
    if window.shares is not None:
        means *= window.shares[None, :, :, None].astype(np.float32)
    return Held(means, CHANNELS_LAST)


def _interpolate(call: TensorflowCall) -> Held:
    size = check_linear_resize(call)
    x = arrange(call.inputs[0], CHANNELS_LAST)
    return Held(tf.raw_ops.ResizeBilinear(images=x, size=size, half_pixel_centers=True), CHANNELS_LAST)


FILTERS: dict[str, TensorflowRule] = {
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "Interpolate": _interpolate,
}
"""OpenVINO's name of the operation, and what computes it."""
