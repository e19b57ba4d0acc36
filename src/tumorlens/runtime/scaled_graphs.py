"""A converted backbone that sees darker pixels: what happens when a caller normalises before the network does.

For teaching alone; nothing that should work is made with it. The graph is another one, with another digest, so no
feature of it is ever taken for a right one.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.runtime.feature_graphs import FeatureGraph
from tumorlens.runtime.graphs import save_graph
from tumorlens.workspace import atomic_directory

__all__ = ["scaled_graph"]

_GRAPH = "graph.xml"


def scaled_graph(graph: FeatureGraph, *, factor: float, cache: Path) -> FeatureGraph:
    """The graph of ``graph`` with every pixel multiplied before the network's own preprocessing.

    Args:
        graph: A converted backbone.
        factor: What pixels are multiplied by; ``1 / 255`` for those who scale to 0..1 too early.
        cache: Where converted networks are kept.

    Returns:
        The other graph, with a digest of its own.

    Raises:
        StorageError: ``cache`` cannot be written.
    """
    digest = hashlib.sha256(f"{graph.digest} pixels * {factor!r}".encode()).hexdigest()
    folder = cache / f"{graph.backbone}-{graph.size}-scaled-{digest[:16]}"
    if not (folder / _GRAPH).is_file():
        with atomic_directory(folder, replace=True) as target:
            save_graph(_scaled(ov.Core().read_model(graph.path), factor), target / _GRAPH)
    return replace(graph, path=folder / _GRAPH, digest=digest)


def _scaled(model: ov.Model, factor: float) -> ov.Model:
    """Multiply what comes out of the conversion from uint8 to float, the graph's first step."""
    (pixels,) = model.get_parameters()
    (converted,) = [target.get_node().output(0) for target in pixels.output(0).get_target_inputs()]
    followers = list(converted.get_target_inputs())
    scaled = op.multiply(converted, op.constant(np.float32(factor)))
    for follower in followers:
        follower.replace_source_output(scaled.output(0))
    return model
