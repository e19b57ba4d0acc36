"""Operations that move elements and compute none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tumorlens.bundles.exporting.rule_table import unsupported
from tumorlens.bundles.exporting.slices import SliceStep, slice_steps, strided_slice_steps
from tumorlens.bundles.exporting.tensorflow_rules.held import (
    Held,
    TensorflowCall,
    TensorflowRule,
    arrange,
    hold,
    plain,
    turn,
)

__all__ = ["SHAPES"]


def _to_shape_of_output(call: TensorflowCall) -> Held:
    """Reshape, squeeze and unsqueeze: the graph knows the result's shape, but for one axis at most."""
    shape = call.operation.shapes[0]
    if shape.count(None) > 1:
        raise unsupported(call.operation, "more than one axis of its result is free")
    return hold(tf.reshape(plain(call.inputs[0]), [-1 if length is None else length for length in shape]))


def _transpose(call: TensorflowCall) -> Held:
    axes = [int(axis) for axis in call.numbers(1)] or [*reversed(range(call.rank()))]
    return turn(call.inputs[0], axes)


def _concat(call: TensorflowCall) -> Held:
    order = next((each.order for each in call.inputs if not isinstance(each.tensor, np.ndarray)), call.inputs[0].order)
    axis = int(call.setting("axis")) % call.rank()
    return Held(tf.concat([arrange(each, order) for each in call.inputs], order.index(axis)), order)


def _split(call: TensorflowCall) -> list[Held]:
    (axis,) = call.axes(1, rank=call.rank())
    lengths = [shape[axis] for shape in call.operation.shapes]
    if None in lengths:
        raise unsupported(call.operation, "it needs a fixed size")
    value = call.inputs[0]
    return [Held(part, value.order) for part in tf.split(value.tensor, lengths, value.order.index(axis))]


def _slice(call: TensorflowCall) -> Held:
    return hold(_taken(plain(call.inputs[0]), slice_steps(call)))


def _strided_slice(call: TensorflowCall) -> Held:
    plan = strided_slice_steps(call)
    tensor = _taken(plain(call.inputs[0]), plan.steps)
    if plan.dropped:
        tensor = tf.squeeze(tensor, plan.dropped)
    for place in plan.added:
        tensor = tf.expand_dims(tensor, place)
    return hold(tensor)


def _taken(tensor: Any, steps: Sequence[SliceStep]) -> Any:
    parts = [slice(None)] * len(tensor.shape)
    for each in steps:
        stop = each.stop if each.step > 0 or each.stop > -(2**30) else None
        parts[each.axis] = slice(each.start, stop, each.step)
    return tensor[tuple(parts)]


def _gather(call: TensorflowCall) -> Held:
    if int(call.operation.attributes.get("batch_dims", 0)):
        raise unsupported(call.operation, "it gathers batch by batch")
    (axis,) = call.axes(2, rank=call.rank())
    places = plain(call.inputs[1])
    length = call.shape(0)[axis]
    if length is not None and isinstance(places, np.ndarray):
        places = np.where(places < 0, places + length, places)
    return hold(tf.gather(plain(call.inputs[0]), places, axis=axis))


def _pad(call: TensorflowCall) -> Held:
    mode = str(call.setting("pad_mode")).lower()
    if mode not in ("constant", "reflect"):
        raise unsupported(call.operation, f"its padding is {mode}")
    value = call.inputs[0]
    amounts = np.stack([call.numbers(1), call.numbers(2)], axis=1)[list(value.order)].astype(np.int32)
    filling = call.numbers(3).item() if mode == "constant" and len(call.inputs) > 3 else 0
    return Held(tf.pad(value.tensor, amounts, mode=mode.upper(), constant_values=filling), value.order)


def _shape_of(call: TensorflowCall) -> Held:
    return hold(tf.shape(plain(call.inputs[0]), out_type=call.operation.types[0]))


def _broadcast(call: TensorflowCall) -> Held:
    if str(call.setting("mode")).lower() not in ("numpy", "bidirectional"):
        raise unsupported(call.operation, "it broadcasts along axes of its own")
    x, target = plain(call.inputs[0]), plain(call.inputs[1])
    if str(call.setting("mode")).lower() == "bidirectional":
        target = tf.broadcast_dynamic_shape(tf.shape(x, out_type=target.dtype), target)
    return hold(tf.broadcast_to(x, target))


def _tile(call: TensorflowCall) -> Held:
    rank = len(call.operation.shapes[0])
    repeats = [int(repeat) for repeat in call.numbers(1)]
    x = plain(call.inputs[0])
    for _ in range(rank - call.rank()):
        x = tf.expand_dims(x, 0)
    return hold(tf.tile(x, [1] * (rank - len(repeats)) + repeats))


SHAPES: dict[str, TensorflowRule] = {
    "Reshape": _to_shape_of_output,
    "Squeeze": _to_shape_of_output,
    "Unsqueeze": _to_shape_of_output,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "VariadicSplit": _split,
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Gather": _gather,
    "Pad": _pad,
    "ShapeOf": _shape_of,
    "Broadcast": _broadcast,
    "Tile": _tile,
}
"""OpenVINO's name of the operation, and what computes it."""
