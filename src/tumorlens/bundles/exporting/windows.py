"""Windows of pooling, and the resize: what OpenVINO's settings come to for the graph's sizes.

For both targets, so that padding, rounding and what counts in a mean are worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.bundles.exporting.rule_table import Call, unsupported

__all__ = ["PoolWindow", "check_linear_resize", "pool_window"]


@dataclass(frozen=True, eq=False)
class PoolWindow:
    """How a pooling window moves over ``(n, c, h, w)``.

    Attributes:
        kernel: Height and width of the window.
        strides: Its steps.
        dilations: Distance between the elements it takes.
        begin: Padding on top and left.
        end: Padding at the bottom and right, wide enough for the last window, so that rounding down gives every one.
        shares: ``(h', w')`` float64, of a mean: the window's area over the number of elements that count at each
            place; ``None``: 1 everywhere.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]
    shares: npt.NDArray[np.float64] | None


def pool_window(call: Call[Any, Any]) -> PoolWindow:
    """The window of a ``MaxPool`` or ``AvgPool``.

    Raises:
        InputError: The size of the picture is free, or a setting has no counterpart.
    """
    if call.rank() != 4:
        raise unsupported(call.operation, f"it pools {call.rank() - 2} axes, not 2")
    kernel, strides, begin, end = (
        tuple(int(each) for each in call.setting(name)) for name in ("kernel", "strides", "pads_begin", "pads_end")
    )
    dilations = tuple(int(each) for each in call.operation.attributes.get("dilations", (1, 1)))
    sizes = call.lengths(0, (2, 3))
    given = call.operation.shapes[0][2:]
    reach = [
        (int(places or 0) - 1) * stride + (side - 1) * dilation + 1
        for places, stride, side, dilation in zip(given, strides, kernel, dilations, strict=True)
    ]
    needed = tuple(
        max(after, whole - size - before) for whole, size, before, after in zip(reach, sizes, begin, end, strict=True)
    )
    shares = None
    if "exclude-pad" in call.operation.attributes:
        shares = _shares(call, sizes, kernel, strides, begin, end, needed)
    return PoolWindow(kernel, strides, dilations, begin, needed, shares)


def _shares(
    call: Call[Any, Any],
    sizes: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    begin: tuple[int, ...],
    end: tuple[int, ...],
    needed: tuple[int, ...],
) -> npt.NDArray[np.float64] | None:
    counts = []
    for size, side, stride, before, after, most in zip(sizes, kernel, strides, begin, end, needed, strict=True):
        counting = np.zeros(before + size + most)
        counting[before : before + size] = 1
        if not call.setting("exclude-pad"):  # padding counts, but not what a last window needs beyond it
            counting[: before + size + after] = 1
        places = np.arange(0, len(counting) - side + 1, stride)
        counts.append(np.array([counting[place : place + side].sum() for place in places]))
    shares = np.prod(kernel) / np.outer(*counts)
    return None if np.all(shares == 1) else shares


def check_linear_resize(call: Call[Any, Any]) -> tuple[int, int]:
    """Height and width that an ``Interpolate`` resizes ``(n, c, h, w)`` to.

    Raises:
        InputError: It is not the bilinear resize of whole pictures by half-pixel centres, without antialiasing.
    """
    known = call.operation.attributes
    wanted = {
        "mode": ("linear_onnx", "linear"),
        "shape_calculation_mode": ("sizes",),
        "coordinate_transformation_mode": ("half_pixel",),
        "antialias": (False,),
    }
    for name, values in wanted.items():
        if known[name] not in values:
            raise unsupported(call.operation, f"its {name} is {known[name]}")
    if any(known["pads_begin"]) or any(known["pads_end"]):
        raise unsupported(call.operation, "it pads")
    axes = call.axes(len(call.inputs) - 1, rank=call.rank()) if len(call.inputs) > 2 else ()
    if call.rank() != 4 or axes != (2, 3):
        raise unsupported(call.operation, f"it resizes the axes {axes}, not height and width")
    height, width = (int(each) for each in call.numbers(1))
    return height, width
