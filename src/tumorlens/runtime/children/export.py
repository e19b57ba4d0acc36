"""Turns a Keras model into an OpenVINO graph whose batch is free.

Keras' OpenVINO engine writes the batch it was traced with into some constants (the target shape of a reshape). The
model is therefore traced with a batch that occurs nowhere else, and that number is then set free.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.errors import TumorlensError
from tumorlens.runtime.children.turns import move_turns

__all__ = ["export_graph"]

_TRACED_BATCH = 6421  # a prime that is no network's width, size or kernel


def export_graph(model: keras.Model) -> ov.Model:
    """Convert ``model`` to a graph of the same input and output shapes with a free batch.

    Raises:
        TumorlensError: Some operation would still depend on the batch.
    """
    size = model.inputs[0].shape[1:]
    signature = [keras.InputSpec(shape=(_TRACED_BATCH, *size), dtype="float32")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.xml"
        model.export(str(path), format="openvino", verbose=False, input_signature=signature)
        graph = ov.Core().read_model(path)
        _free_batch(graph)
        graph.reshape({0: ov.PartialShape([-1, *size])})
        detached = graph.clone()
    move_turns(detached)
    _check(detached)
    return detached


def _free_batch(graph: ov.Model) -> None:
    for node in graph.get_ops():
        if node.get_type_name() == "Reshape":
            shape = node.input_value(1).get_node()
            if shape.get_type_name() == "Constant" and _TRACED_BATCH in shape.data:
                target = np.where(shape.data == _TRACED_BATCH, -1, shape.data).astype(np.int64)
                free = op.reshape(node.input_value(0), op.constant(target), special_zero=False)
                node.output(0).replace(free.output(0))


def _check(graph: ov.Model) -> None:
    for node in graph.get_ops():
        for output in node.outputs():
            if str(_TRACED_BATCH) in str(output.get_partial_shape()):
                raise TumorlensError(
                    f"The network cannot be converted for any batch: {node.get_type_name()} fixes it; "
                    "try another version of keras or openvino."
                )
