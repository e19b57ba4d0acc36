"""Child's side of export to TensorFlow Lite: a function of TensorFlow operations, converted. Imports TensorFlow."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tumorlens.bundles.exporting.tensorflow_rules import TENSORFLOW_RULES
from tumorlens.bundles.exporting.tensorflow_rules.held import hold, plain
from tumorlens.errors import TumorlensError
from tumorlens.runtime.operations import OperationGraph, read_operations
from tumorlens.training.child import Say

__all__ = ["GraphFunction", "run"]


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Write ``model.tflite`` to the job's folder.

    Raises:
        InputError: An operation has no translation.
        TumorlensError: TensorFlow Lite cannot hold the model.
    """
    function = GraphFunction(read_operations(Path(job["graph"])))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.traced], function)
    try:
        converted = converter.convert()
    except Exception as error:  # the converter has errors of many kinds, each a page long
        traceback.print_exc()
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise TumorlensError(f"TensorFlow Lite cannot hold this model ({first}): choose --format onnx.") from error
    (Path(job["folder"]) / "model.tflite").write_bytes(converted)
    return {}


class GraphFunction(tf.Module):
    """A graph as a function of its one input."""

    def __init__(self, graph: OperationGraph) -> None:
        """Trace it.

        Raises:
            InputError: It holds an operation that has no translation.
        """
        super().__init__()
        (pixels,) = [each for each in graph.operations if each.kind == "Parameter"]

        def compute(values: Any) -> dict[str, Any]:
            found = TENSORFLOW_RULES.translate(graph, None, given={pixels.name: hold(values)})
            return {name: tf.identity(plain(value), name=name) for name, value in found.items()}

        given = tf.TensorSpec(pixels.shapes[0], pixels.types[0], name=pixels.name)
        self.compute = tf.function(compute, input_signature=[given], autograph=False)
        self.traced = self.compute.get_concrete_function()
