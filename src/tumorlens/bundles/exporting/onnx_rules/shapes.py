"""Operations that move elements and compute none."""

from __future__ import annotations

import numpy as np

from tumorlens.bundles.exporting.onnx_builder import element_type
from tumorlens.bundles.exporting.onnx_call import OnnxCall, OnnxRule
from tumorlens.bundles.exporting.rule_table import unsupported
from tumorlens.bundles.exporting.slices import slice_steps, strided_slice_steps

__all__ = ["SHAPES"]

_PADDING = ("constant", "reflect")


def _reshape(call: OnnxCall) -> str:
    """In OpenVINO a 0 keeps an axis only with ``special_zero``; so does ONNX' without ``allowzero``."""
    kept = int(not call.setting("special_zero"))
    target = call.builder.emit("Cast", [call.inputs[1]], name=f"{call.name}/target", to=element_type("int64"))
    return call.builder.emit("Reshape", [call.inputs[0], target], name=call.name, allowzero=kept or None)


def _transpose(call: OnnxCall) -> str:
    order = [int(axis) for axis in call.numbers(1)] or [*reversed(range(call.rank()))]
    return call.builder.emit("Transpose", [call.inputs[0]], name=call.name, perm=order)


def _squeeze(call: OnnxCall) -> str:
    if len(call.inputs) == 1:
        return call.builder.emit("Squeeze", call.inputs, name=call.name)
    axes = call.builder.ints(*call.axes(1, rank=call.rank()))
    return call.builder.emit("Squeeze", [call.inputs[0], axes], name=call.name)


def _unsqueeze(call: OnnxCall) -> str:
    axes = call.builder.ints(*call.axes(1, rank=len(call.operation.shapes[0])))
    return call.builder.emit("Unsqueeze", [call.inputs[0], axes], name=call.name)


def _concat(call: OnnxCall) -> str:
    return call.builder.emit("Concat", call.inputs, name=call.name, axis=int(call.setting("axis")))


def _split(call: OnnxCall) -> tuple[str, ...]:
    (axis,) = call.axes(1, rank=call.rank())
    parts = len(call.operation.shapes)
    return call.builder.emit_many(
        "Split", [call.inputs[0]], name=call.name, outputs=parts, axis=axis, num_outputs=parts
    )


def _split_unevenly(call: OnnxCall) -> tuple[str, ...]:
    (axis,) = call.axes(1, rank=call.rank())
    lengths = [int(length) for length in call.numbers(2)]
    if -1 in lengths:
        (whole,) = call.lengths(0, [axis])
        lengths[lengths.index(-1)] = whole - sum(length for length in lengths if length >= 0)
    sizes = call.builder.ints(*lengths)
    return call.builder.emit_many("Split", [call.inputs[0], sizes], name=call.name, outputs=len(lengths), axis=axis)


def _slice(call: OnnxCall) -> str:
    steps = slice_steps(call)
    rows = [[getattr(step, part) for step in steps] for part in ("start", "stop", "axis", "step")]
    return call.builder.emit("Slice", [call.inputs[0], *(call.builder.ints(*row) for row in rows)], name=call.name)


def _strided_slice(call: OnnxCall) -> str:
    plan = strided_slice_steps(call)
    rows = [[getattr(step, part) for step in plan.steps] for part in ("start", "stop", "axis", "step")]
    whole = call.builder.emit(
        "Slice", [call.inputs[0], *(call.builder.ints(*row) for row in rows)], name=f"{call.name}/slice"
    )
    if plan.dropped:
        whole = call.builder.emit("Squeeze", [whole, call.builder.ints(*plan.dropped)], name=f"{call.name}/dropped")
    if plan.added:
        whole = call.builder.emit("Unsqueeze", [whole, call.builder.ints(*plan.added)], name=f"{call.name}/added")
    return whole


def _gather(call: OnnxCall) -> str:
    if int(call.operation.attributes.get("batch_dims", 0)):
        raise unsupported(call.operation, "it gathers batch by batch")
    (axis,) = call.axes(2, rank=call.rank())
    return call.builder.emit("Gather", call.inputs[:2], name=call.name, axis=axis)


def _pad(call: OnnxCall) -> str:
    mode = str(call.setting("pad_mode")).lower()
    if mode not in _PADDING:
        raise unsupported(call.operation, f"its padding is {mode}")
    amounts = call.builder.ints(*(int(amount) for place in (1, 2) for amount in call.numbers(place)))
    value = [call.inputs[3]] if mode == "constant" and len(call.inputs) > 3 else []
    return call.builder.emit("Pad", [call.inputs[0], amounts, *value], name=call.name, mode=mode)


def _shape_of(call: OnnxCall) -> str:
    kind = call.operation.types[0]
    shape = call.builder.emit("Shape", [call.inputs[0]], name=f"{call.name}/shape")
    return call.builder.emit("Cast", [shape], name=call.name, to=element_type(kind))


def _broadcast(call: OnnxCall) -> str:
    """To the target as it is, or in both directions; both are what ONNX' Expand does."""
    if str(call.setting("mode")).lower() not in ("numpy", "bidirectional"):
        raise unsupported(call.operation, "it broadcasts along axes of its own")
    target = call.builder.emit("Cast", [call.inputs[1]], name=f"{call.name}/target", to=element_type("int64"))
    return call.builder.emit("Expand", [call.inputs[0], target], name=call.name)


def _tile(call: OnnxCall) -> str:
    repeats = [int(repeat) for repeat in call.numbers(1)]
    rank = len(call.operation.shapes[0])
    x = call.inputs[0]
    if call.rank() < rank:
        x = call.builder.emit(
            "Unsqueeze", [x, call.builder.ints(*range(rank - call.rank()))], name=f"{call.name}/raised"
        )
    repeats = [1] * (rank - len(repeats)) + repeats
    return call.builder.emit("Tile", [x, call.builder.constant(np.array(repeats, np.int64))], name=call.name)


SHAPES: dict[str, OnnxRule] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Split": _split,
    "VariadicSplit": _split_unevenly,
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Gather": _gather,
    "Pad": _pad,
    "ShapeOf": _shape_of,
    "Broadcast": _broadcast,
    "Tile": _tile,
}
"""OpenVINO's name of the operation, and what writes it."""
