"""A bundle's graph for a larger input: the same weights, a finer map.

The resize inside the graph gets another size, and the two shapes that the head's part holds follow. Padding that a
network holds as plain numbers stays that of the size it was built for, so such a network's cells may lie up to half a
cell beside those that it would have when built anew. Knows nothing about what the map is of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.errors import InputError
from tumorlens.runtime.graphs import read_graph

__all__ = ["resized_graph"]

_MAP = "map"


def resized_graph(bundle_graph: Path, *, size: int) -> ov.Model:
    """The graph of a bundle with another input size; its file stays as it is.

    Args:
        bundle_graph: A graph that :func:`~tumorlens.runtime.attach_head` wrote, of a head on pooled features.
        size: Side in pixels to which scans are resized inside it.

    Returns:
        A graph with the same input and outputs; "map" has the grid that the network gives at this size, and its mean
        over the cells is still the logits' part that is not bias.

    Raises:
        InputError: The head is not on pooled features, or the network fits one size only.
        IntegrityError: The graph cannot be read.
    """
    model = read_graph(bundle_graph)
    class_maps, rows = _head_reshapes(model)
    feature_map = rows.input_value(0)
    before = _grid(feature_map)
    resize = next(node for node in model.get_ordered_ops() if node.get_type_name() == "Interpolate")
    built_for = int(resize.input_value(1).get_node().data[0])
    resize.input(1).replace_source_output(_ints(size, size))
    try:
        network = ov.Model([op.result(feature_map)], model.get_parameters(), "network")
        network.validate_nodes_and_infer_types()
        after = _grid(network.output(0))
        if any(new < (old - 1) * size / built_for - 1 for old, new in zip(before, after, strict=True)):
            raise _one_size_only(built_for)
        for node, target in ((rows, (-1, after[0] * after[1])), (class_maps, (-1, *after))):
            last = int(node.input_value(1).get_node().data[-1])
            node.input(1).replace_source_output(_ints(*target, last))
        model.validate_nodes_and_infer_types()
    except RuntimeError as error:
        raise _one_size_only(built_for) from error
    return model


def _head_reshapes(model: ov.Model) -> tuple[Any, Any]:
    """The reshape that ends in the class maps, and the one from the network's map to rows of positions."""
    class_maps = model.output(_MAP).get_node().input_value(0).get_node()
    node = class_maps.input_value(0).get_node()
    while node.get_type_name() == "MatMul":
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Reshape":
        raise InputError(
            "A finer map needs a head on pooled features, but this model's head takes the map as a whole: "
            "leave --heatmap-size out or train with --head linear."
        )
    return class_maps, node


def _grid(feature_map: Any) -> tuple[int, int]:
    shape = feature_map.get_partial_shape()
    return shape[1].get_length(), shape[2].get_length()


def _one_size_only(size: int) -> InputError:
    return InputError(f"This model's network fits scans of {size} pixels only: leave --heatmap-size out.")


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, np.int64)).output(0)
