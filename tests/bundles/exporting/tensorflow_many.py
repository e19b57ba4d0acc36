"""A child process that translates the small graphs, and prints for each how far TensorFlow's answer is from OpenVINO's.

Usage: ``python tensorflow_many.py WAY``, the way being ``function`` (TensorFlow) or ``lite`` (converted to TensorFlow
Lite and run there). Prints one JSON object a line: ``graph``, ``difference`` as a share of the largest magnitude,
``shapes`` equal or not; at last ``unmet``: rules that no graph needed.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np
import small_graphs
import tensorflow as tf

from tumorlens.bundles.exporting.tensorflow_rules import TENSORFLOW_RULES
from tumorlens.bundles.exporting.tflite_task import GraphFunction
from tumorlens.runtime.operations import operations_of


def in_lite(function: GraphFunction) -> dict[str, Any]:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.traced], function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=converter.convert(), num_threads=1)
    return dict(interpreter.get_signature_runner()(x=small_graphs.NOISE))


def main(way: str) -> None:
    met: set[str] = set()
    for name, build in small_graphs.GRAPHS.items():
        graph, wanted = operations_of(build()), small_graphs.reference(build())
        met |= {each.kind for each in graph.operations}
        function = GraphFunction(graph)
        if way == "function":
            found = {key: value.numpy() for key, value in function.compute(small_graphs.NOISE).items()}
        else:
            found = in_lite(function)
        shapes = all(found[key].shape == values.shape for key, values in wanted.items())
        scales = {key: max(float(np.abs(values).max()), 1e-3) for key, values in wanted.items()}
        worst = max(float(np.abs(found[key] - wanted[key]).max()) / scales[key] for key in wanted) if shapes else None
        print(json.dumps({"graph": name, "difference": worst, "shapes": shapes}), flush=True)
    print(json.dumps({"unmet": sorted(set(TENSORFLOW_RULES.kinds) - met)}))


if __name__ == "__main__":
    main(sys.argv[1])
