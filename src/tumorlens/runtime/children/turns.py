"""Puts the layers of a graph next to each other, so that OpenVINO computes what follows a convolution together with it.

Keras' graphs turn the axes before and after every convolution and normalisation. Each turn is a pass over memory, and
keeps normalisations out of the weights and convolutions from computing in 8-bit integers. Here turns are moved towards
the outputs, where two that meet become one or none. The results stay the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import openvino.opset13 as op
from openvino._offline_transformations import apply_moc_transformations

__all__ = ["move_turns"]

_Order = npt.NDArray[np.int64]

_UNARY = ("Clamp", "Elu", "Gelu", "HSigmoid", "HSwish", "Relu", "Sigmoid", "Swish", "Tanh")
_BINARY = ("Add", "Divide", "Multiply", "Subtract")
_RANK = 4


def move_turns(model: ov.Model) -> None:
    """Rewrite ``model`` in place; its inputs and outputs keep their layout."""
    apply_moc_transformations(model, True)  # splits normalisations into factor and summand
    for node in model.get_ordered_ops():
        rewrite = _REWRITES.get(node.get_type_name())
        if rewrite is not None:
            rewrite(node)
    model.validate_nodes_and_infer_types()


def _turned(value: Any) -> tuple[Any, _Order] | None:
    """What ``value`` was before its axes were turned, and their order; ``None`` where they were not."""
    node = value.get_node()
    if node.get_type_name() != "Transpose" or not _is_constant(node.input_value(1)):
        return None
    order = np.array(node.input_value(1).get_node().data, np.int64)
    return (node.input_value(0), order) if order.size == _RANK and order[0] == 0 else None


def _is_constant(value: Any) -> bool:
    return bool(value.get_node().get_type_name() == "Constant")


def _turn(value: Any, order: _Order) -> Any:
    return op.transpose(value, op.constant(order)).output(0)


def _give_instead(node: Any, value: Any) -> None:
    """Let all who take the output of ``node`` take ``value``."""
    for taker in list(node.output(0).get_target_inputs()):
        taker.replace_source_output(value)


def _turn_after(node: Any, order: _Order) -> None:
    """Turn what ``node``, whose inputs have changed, gives to all who take it."""
    node.constructor_validate_and_infer_types()
    takers = list(node.output(0).get_target_inputs())
    turned = _turn(node.output(0), order)
    for taker in takers:
        taker.replace_source_output(turned)


def _join_turns(node: Any) -> None:
    before, own = _turned(node.input_value(0)), _turned(node.output(0))
    if before is not None and own is not None:
        value, order = before[0], before[1][own[1]]
        _give_instead(node, value if (order == np.arange(_RANK)).all() else _turn(value, order))


def _pass_unary(node: Any) -> None:
    before = _turned(node.input_value(0))
    if before is not None:
        node.input(0).replace_source_output(before[0])
        _turn_after(node, before[1])


def _pass_binary(node: Any) -> None:
    values = node.input_values()
    before = next(filter(None, map(_turned, values)), None)
    if before is None:
        return
    order = before[1]
    operands = [_operand(value, order) for value in values]
    if all(operand is not None for operand in operands):
        for place, operand in enumerate(operands):
            node.input(place).replace_source_output(operand)
        _turn_after(node, order)


def _operand(value: Any, order: _Order) -> Any:
    """What gives ``value`` once turned to ``order``; ``None`` where that cannot be said."""
    before = _turned(value)
    if before is not None and (before[1] == order).all():
        return before[0]
    back = np.argsort(order)
    if _is_constant(value):
        data = np.array(value.get_node().data)
        if data.size == 1 or data.ndim > _RANK:
            return value if data.size == 1 else None
        return op.constant(data.reshape((1,) * (_RANK - data.ndim) + data.shape).transpose(back)).output(0)
    shape = value.get_partial_shape()
    return _turn(value, back) if shape.rank.is_static and len(shape) == _RANK else None


def _pass_mean(node: Any) -> None:
    before, axes = _turned(node.input_value(0)), node.input_value(1)
    if before is None or not _is_constant(axes):
        return
    value, order = before
    reduced = np.ravel(axes.get_node().data) % _RANK
    keeps = bool(node.get_attributes()["keep_dims"])
    if keeps or (np.diff(np.delete(order, reduced)) > 0).all():
        node.input(0).replace_source_output(value)
        node.input(1).replace_source_output(op.constant(order[reduced]).output(0))
        if keeps:
            _turn_after(node, order)


def _pass_pad(node: Any) -> None:
    before, pads = _turned(node.input_value(0)), [node.input_value(place) for place in (1, 2)]
    if before is None or not all(map(_is_constant, pads)):
        return
    value, order = before
    node.input(0).replace_source_output(value)
    for place, pad in enumerate(pads, start=1):
        widths = np.array(pad.get_node().data, np.int64)[np.argsort(order)]
        node.input(place).replace_source_output(op.constant(widths).output(0))
    _turn_after(node, order)


def _pass_concat(node: Any) -> None:
    before = [_turned(value) for value in node.input_values()]
    orders = [found[1].tolist() for found in before if found is not None]
    if len(orders) == len(before) and all(order == orders[0] for order in orders):
        order = np.array(orders[0], np.int64)
        joined = op.concat(
            [found[0] for found in before if found is not None], int(order[node.get_attributes()["axis"]])
        )
        _give_instead(node, _turn(joined.output(0), order))


_REWRITES: dict[str, Callable[[Any], None]] = {
    "Transpose": _join_turns,
    "ReduceMean": _pass_mean,
    "Pad": _pass_pad,
    "Concat": _pass_concat,
    **dict.fromkeys(_UNARY, _pass_unary),
    **dict.fromkeys(_BINARY, _pass_binary),
}
