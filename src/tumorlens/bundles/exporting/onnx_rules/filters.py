"""Operations that move a window over a picture ``(n, c, h, w)``, and the one that resizes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tumorlens.bundles.exporting.onnx_call import OnnxCall, OnnxRule
from tumorlens.bundles.exporting.windows import check_linear_resize, pool_window

__all__ = ["FILTERS"]


def _convolution(call: OnnxCall) -> str:
    return call.builder.emit("Conv", call.inputs, name=call.name, **_placement(call))


def _group_convolution(call: OnnxCall) -> str:
    """OpenVINO's kernel has the groups as an axis of its own: ``(g, out/g, in/g, kh, kw)``."""
    groups, out, into, *window = call.lengths(1, range(call.rank(1)))
    target = call.builder.ints(groups * out, into, *window)
    kernel = call.builder.emit("Reshape", [call.inputs[1], target], name=f"{call.name}/kernel")
    return call.builder.emit("Conv", [call.inputs[0], kernel], name=call.name, group=groups, **_placement(call))


def _placement(call: OnnxCall) -> dict[str, Any]:
    if str(call.setting("auto_pad")) in ("same_upper", "same_lower"):
        call.lengths(0, range(2, call.rank()))  # the padding is as it comes out for a fixed size
    begin, end = ([int(amount) for amount in call.setting(name)] for name in ("pads_begin", "pads_end"))
    strides, dilations = ([int(step) for step in call.setting(name)] for name in ("strides", "dilations"))
    return {"pads": begin + end, "strides": strides, "dilations": dilations}


def _max_pool(call: OnnxCall) -> str:
    window = pool_window(call)
    return call.builder.emit(
        "MaxPool",
        [call.inputs[0]],
        name=call.name,
        kernel_shape=list(window.kernel),
        strides=list(window.strides),
        dilations=list(window.dilations),
        pads=[*window.begin, *window.end],
    )


def _avg_pool(call: OnnxCall) -> str:
    """The sum in each window over the number of elements that count there, which the graph's sizes fix."""
    window = pool_window(call)
    everywhere = call.builder.emit(
        "AveragePool",
        [call.inputs[0]],
        name=f"{call.name}/mean" if window.shares is not None else call.name,
        kernel_shape=list(window.kernel),
        strides=list(window.strides),
        pads=[*window.begin, *window.end],
        count_include_pad=1,
    )
    if window.shares is None:
        return everywhere
    shares = call.builder.constant(window.shares[None, None].astype(call.type()), name=f"{call.name}/shares")
    return call.builder.emit("Mul", [everywhere, shares], name=call.name)


def _interpolate(call: OnnxCall) -> str:
    height, width = check_linear_resize(call)
    first = call.builder.emit("Shape", [call.inputs[0]], name=f"{call.name}/first", start=0, end=2)
    sizes = call.builder.emit(
        "Concat", [first, call.builder.constant(np.array([height, width], np.int64))], name=f"{call.name}/sizes", axis=0
    )
    return call.builder.emit(
        "Resize",
        [call.inputs[0], "", "", sizes],
        name=call.name,
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


FILTERS: dict[str, OnnxRule] = {
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "Interpolate": _interpolate,
}
"""OpenVINO's name of the operation, and what writes it."""
