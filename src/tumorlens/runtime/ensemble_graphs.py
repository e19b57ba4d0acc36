r"""Joins the graphs of several bundles into one that answers with the weighted mean of their probabilities.

All members take the same pixels, and each resizes them for itself. What they have in common, such as one network under
two heads, is computed once. With weights :math:`w_i` that sum to 1 the outputs are

- "probabilities": :math:`\sum_i w_i p_i`, then the ensemble's own calibration
  :math:`\mathrm{softmax}(\log p / T + s)`;
- "map": :math:`\sum_i w_i M_i / T_i` on the finest grid of the members. :math:`M_i` is a member's map, scaled so that
  its mean over the cells is the logits' part that is not bias, and :math:`T_i` its temperature. A coarser map is laid
  on the finer grid by the area that cells share, which keeps its mean. The result is the weighted mean of the members'
  evidence; the logarithm of a mean of probabilities has no exact decomposition over cells.
- "features": the members' features, each divided by its length and multiplied by :math:`\sqrt{w_i}`, one behind the
  other, so that the cosine of two scans is the weighted mean of the members' cosines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import openvino.opset13 as op

from tumorlens.errors import InputError
from tumorlens.runtime.calibration import UNCALIBRATED, Calibration
from tumorlens.runtime.graphs import named_result, read_graph, take_results, write_graph

__all__ = ["GraphMember", "ensemble_graph", "shared_area", "write_ensemble_graph"]

_SMALLEST = np.finfo(np.float32).tiny  # below it a probability has no logarithm


@dataclass(frozen=True)
class GraphMember:
    """One bundle's graph and what it counts.

    Attributes:
        graph: The graph's path, or one in memory, which is used up; see :func:`~tumorlens.runtime.attach_head`.
        weight: Its share of the answer, above 0.
        temperature: What its logits are divided by, which its map is not.
        map_adds_up: Whether its logits are the sum of its map's cells, as for a head on the whole map, not their mean.
    """

    graph: Path | ov.Model
    weight: float
    temperature: float = 1.0
    map_adds_up: bool = False


def write_ensemble_graph(members: Sequence[GraphMember], *, calibration: Calibration = UNCALIBRATED, out: Path) -> None:
    """Write the joined graph, in full float32 precision, to ``out`` (.xml) and the .bin beside it.

    Raises:
        InputError: As :func:`ensemble_graph`.
        IntegrityError: A member's graph cannot be read.
        StorageError: ``out`` cannot be written.
    """
    write_graph(ensemble_graph(members, calibration=calibration), out)


def ensemble_graph(members: Sequence[GraphMember], *, calibration: Calibration = UNCALIBRATED) -> ov.Model:
    """The joined graph in memory; its input and outputs are those of a single bundle's graph.

    Args:
        members: At least one, of the same classes.
        calibration: What is done to the logarithms of the mean probabilities before the softmax.

    Raises:
        InputError: There is no member, weights are not above 0 with the sum 1, or classes differ.
        IntegrityError: A member's graph cannot be read.
    """
    _check_weights(members)
    pixels = op.parameter(ov.PartialShape([-1, -1, -1, 3]), ov.Type.u8, name="pixels")
    pixels.output(0).set_names({"pixels"})
    outputs = [_outputs(member, place, pixels) for place, member in enumerate(members)]
    classes = {_length(each["probabilities"], 1) for each in outputs}
    if len(classes) != 1:
        raise InputError(f"Members of an ensemble must know the same classes, got {sorted(classes)} of them.")
    probabilities = _weighted_sum([each["probabilities"] for each in outputs], [member.weight for member in members])
    results = [
        named_result(_calibrated(probabilities, calibration, classes.pop()), "probabilities"),
        named_result(_joined_map([each["map"] for each in outputs], members), "map"),
        named_result(_joined_features([each["features"] for each in outputs], members), "features"),
    ]
    graph = ov.Model(results, [pixels], "ensemble")
    _compute_once(graph)
    return graph


def _check_weights(members: Sequence[GraphMember]) -> None:
    weights = [member.weight for member in members]
    if not weights or min(weights) <= 0 or abs(sum(weights) - 1.0) > 1e-6:
        raise InputError(f"An ensemble needs members with weights above 0 that sum to 1, got {weights}.")


def _outputs(member: GraphMember, place: int, pixels: Any) -> dict[str, ov.Output]:
    """A member's outputs by name, computed from ``pixels``."""
    graph = member.graph if isinstance(member.graph, ov.Model) else read_graph(member.graph)
    for node in graph.get_ordered_ops():
        node.set_friendly_name(f"{place}/{node.get_friendly_name()}")
    names = [output.get_any_name() for output in graph.outputs]
    taken = dict(zip(names, take_results(graph), strict=True))
    (own,) = graph.get_parameters()
    own.output(0).set_names(set())
    own.output(0).replace(pixels.output(0))
    return taken


def _calibrated(probabilities: Any, calibration: Calibration, classes: int) -> Any:
    shifts = calibration.shifts(classes)
    if calibration == UNCALIBRATED:
        return probabilities
    logits = op.log(op.maximum(probabilities, op.constant(_SMALLEST)))
    scaled = op.divide(logits, op.constant(np.float32(calibration.temperature)))
    return op.softmax(op.add(scaled, op.constant(shifts[None].astype(np.float32))), axis=1)


def _joined_map(maps: Sequence[ov.Output], members: Sequence[GraphMember]) -> Any:
    grids = [(_length(each, 1), _length(each, 2)) for each in maps]
    finest = (max(height for height, _ in grids), max(width for _, width in grids))
    laid = [_laid_on(each, grid, finest) for each, grid in zip(maps, grids, strict=True)]
    shares = [
        member.weight / member.temperature * (height * width if member.map_adds_up else 1)
        for member, (height, width) in zip(members, grids, strict=True)
    ]
    return _weighted_sum(laid, shares)


def _laid_on(class_map: Any, grid: tuple[int, int], finest: tuple[int, int]) -> Any:
    """``(n, h, w, k)`` on another grid over the same scan, by shared area."""
    if grid == finest:
        return class_map
    by_class = op.transpose(class_map, _ints(0, 3, 1, 2))
    down, across = (op.constant(shared_area(old, new)) for old, new in zip(grid, finest, strict=True))
    moved = op.matmul(op.matmul(down, by_class, False, False), across, False, True)
    return op.transpose(moved, _ints(0, 2, 3, 1))


def shared_area(old: int, new: int) -> npt.NDArray[np.float32]:
    """``(new, old)``: the share of each new cell of a side that lies in each old one; rows sum to 1."""
    starts, before = np.arange(new)[:, None] / new, np.arange(old)[None, :] / old
    overlap = np.minimum(starts + 1 / new, before + 1 / old) - np.maximum(starts, before)
    return (np.clip(overlap, 0.0, None) * new).astype(np.float32)


def _joined_features(features: Sequence[ov.Output], members: Sequence[GraphMember]) -> Any:
    parts = [
        op.multiply(
            op.normalize_l2(each, _ints(1), float(_SMALLEST), "max"), op.constant(np.float32(np.sqrt(member.weight)))
        )
        for each, member in zip(features, members, strict=True)
    ]
    return op.concat(parts, 1)


def _weighted_sum(values: Sequence[Any], weights: Sequence[float]) -> Any:
    total, *others = (
        op.multiply(value, op.constant(np.float32(weight))) for value, weight in zip(values, weights, strict=True)
    )
    for other in others:
        total = op.add(total, other)
    return total


def _compute_once(graph: ov.Model) -> None:
    """Let what is the same operation on the same values be computed once."""
    first: dict[Hashable, Any] = {}
    for node in graph.get_ordered_ops():
        if node.get_type_name() in ("Parameter", "Result"):
            continue
        known = first.setdefault(_identity(node), node)
        if known.get_friendly_name() != node.get_friendly_name():
            for mine, other in zip(node.outputs(), known.outputs(), strict=True):
                mine.replace(other)


def _identity(node: Any) -> Hashable:
    """Equal for two nodes that give the same values."""
    sources = tuple((value.get_node().get_friendly_name(), value.get_index()) for value in node.input_values())
    content = hashlib.sha256(node.data.tobytes()).hexdigest() if node.get_type_name() == "Constant" else ""
    return node.get_type_name(), repr(sorted(node.get_attributes().items())), sources, content


def _length(output: Any, axis: int) -> int:
    value = output if isinstance(output, ov.Output) else output.output(0)
    return value.get_partial_shape()[axis].get_length()


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, np.int64))
