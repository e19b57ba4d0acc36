r"""Joins a network and a classifier into one graph whose maps say where each logit came from.

Let :math:`m_p` be the map at position :math:`p`. The first dense layer is applied at every position,
:math:`P_p = m_p W_1` (a flat head has its own :math:`W_{1,p}` there), so that its input is the mean (pooled) or the
sum (flat) of :math:`P_p`, plus its bias. Behind it the head is piecewise linear: with the ReLU masks :math:`D_i` of
this scan, :math:`u = D_1 W_2 D_2 W_3 \dots` takes the first layer's values to the logits, and the class map is
:math:`P_p u`, channels times gradient: HiResCAM (Draelos, Carin, 2020, arXiv 2011.08891) in closed form, and for a
linear head the class activation map (Zhou et al., CVPR 2016, arXiv 1512.04150). Its mean (pooled) or sum (flat) over
the positions, plus the effective bias, is the logit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.errors import InputError
from tumorlens.runtime.calibration import UNCALIBRATED, Calibration
from tumorlens.runtime.graphs import named_result, take_results, write_graph
from tumorlens.runtime.heads import DenseLayer, Head

__all__ = ["attach_head"]


def attach_head(feature_ir: Path, head: Head, *, calibration: Calibration = UNCALIBRATED, out: Path) -> None:
    """Write the graph of network and classifier.

    Args:
        feature_ir: A graph with the outputs "map" and "features".
        head: The classifier; its input must fit the map.
        calibration: What is done to the logits before the softmax.
        out: Where the graph goes (.xml; the .bin beside it, in full float32 precision). Its input is that of
            ``feature_ir``; its outputs are "probabilities" ``(n, k)``, "map" ``(n, h, w, k)``: the class maps of the
            logits before the calibration, and "features" ``(n, c)``, all float32.

    Raises:
        InputError: The head does not fit the map, or the calibration has other classes than the head.
        StorageError: ``out`` cannot be written.
    """
    shifts = calibration.shifts(head.classes)
    graph = ov.Core().read_model(feature_ir)
    names = [output.get_any_name() for output in graph.outputs]
    parameters = graph.get_parameters()
    taken = dict(zip(names, take_results(graph), strict=True))
    feature_map, features = taken["map"], taken["features"]
    shape = feature_map.get_partial_shape()
    height, width, channels = (shape[i].get_length() for i in (1, 2, 3))
    _check_fit(head, positions=height * width, channels=channels)

    first, *rest = head.layers
    at_positions = _apply_at_positions(feature_map, first, height * width, channels, flat=head.input == "flat")
    logits, to_logits = _follow(_collect(at_positions, flat=head.input == "flat"), first, rest)
    class_map = at_positions if to_logits is None else op.matmul(at_positions, to_logits, False, False)
    class_map = op.reshape(class_map, _ints(-1, height, width, head.classes), special_zero=False)
    scaled = op.divide(logits, op.constant(np.float32(calibration.temperature)))
    probabilities = op.softmax(op.add(scaled, op.constant(shifts[None].astype(np.float32))), axis=1)

    results = [
        named_result(probabilities, "probabilities"),
        named_result(class_map, "map"),
        named_result(features, "features"),
    ]
    write_graph(ov.Model(results, parameters, "bundle"), out)


def _check_fit(head: Head, *, positions: int, channels: int) -> None:
    expected = channels * (positions if head.input == "flat" else 1)
    if head.inputs != expected:
        raise InputError(
            f"A head on {head.input} features of this network must take {expected} values, but it takes {head.inputs}: "
            "use the head with the network and size it was trained on."
        )


def _apply_at_positions(feature_map: Any, layer: DenseLayer, positions: int, channels: int, *, flat: bool) -> Any:
    """``(n, positions, j)``: the first layer, without bias, at each position."""
    rows = op.reshape(feature_map, _ints(-1, positions, channels), special_zero=False)
    if not flat:
        return op.matmul(rows, op.constant(layer.weight), False, False)
    by_position = op.constant(layer.weight.reshape(positions, channels, -1))
    product = op.matmul(op.transpose(rows, _ints(1, 0, 2)), by_position, False, False)
    return op.transpose(product, _ints(1, 0, 2))


def _collect(at_positions: Any, *, flat: bool) -> Any:
    reduce = op.reduce_sum if flat else op.reduce_mean
    return reduce(at_positions, _ints(1), keep_dims=False)


def _follow(collected: Any, first: DenseLayer, rest: list[DenseLayer]) -> tuple[Any, Any]:
    """The logits, and the matrix ``(n, j, k)`` from the first layer's values to them (``None``: identity)."""
    values = op.add(collected, op.constant(first.bias[None]))
    masks = []
    for before, layer in zip([first, *rest], rest, strict=False):
        masks.append(_mask(values, before))
        values = op.multiply(values, masks[-1]) if masks[-1] is not None else values
        values = op.add(op.matmul(values, op.constant(layer.weight), False, False), op.constant(layer.bias[None]))
    matrix: Any = None
    for layer, mask in zip(reversed(rest), reversed(masks), strict=True):
        weight = op.constant(layer.weight[None])
        matrix = weight if matrix is None else op.matmul(weight, matrix, False, False)
        if mask is not None:
            matrix = op.multiply(op.unsqueeze(mask, _ints(2)), matrix)
    return values, matrix


def _mask(values: Any, layer: DenseLayer) -> Any:
    """1 where the layer's ReLU lets a value through, else 0; ``None`` for a linear layer."""
    if layer.activation == "linear":
        return None
    return op.convert(op.greater(values, op.constant(np.float32(0))), ov.Type.f32)


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, np.int64))
