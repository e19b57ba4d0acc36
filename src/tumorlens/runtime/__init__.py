"""Networks as compiled graphs: the only place that calls OpenVINO. Knows nothing about data sets or labels.

Imports no Keras: what needs it runs in a child process.
"""

from tumorlens.runtime.boundary_graphs import BoundaryGraph, boundary_graph
from tumorlens.runtime.bundle_graphs import attach_head
from tumorlens.runtime.calibration import UNCALIBRATED, Calibration, calibrate, uncalibrate
from tumorlens.runtime.compiled import CompiledGraph, Goal, Outputs, compile_graph
from tumorlens.runtime.feature_graphs import GRAPH_VERSION, FeatureGraph, feature_graph
from tumorlens.runtime.heads import DenseLayer, Head, head_logits
from tumorlens.runtime.keras_files import (
    build_keras_bundle_model,
    build_keras_scratch_model,
    convert_keras_file,
)

__all__ = [
    "GRAPH_VERSION",
    "UNCALIBRATED",
    "BoundaryGraph",
    "Calibration",
    "CompiledGraph",
    "DenseLayer",
    "FeatureGraph",
    "Goal",
    "Head",
    "Outputs",
    "attach_head",
    "boundary_graph",
    "build_keras_bundle_model",
    "build_keras_scratch_model",
    "calibrate",
    "compile_graph",
    "convert_keras_file",
    "feature_graph",
    "head_logits",
    "uncalibrate",
]
