"""A network that was trained itself, from scratch or further, becomes what a run is made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.evaluation import Classifier
from tumorlens.runtime import Outputs, attach_head, build_keras_scratch_model, compile_graph, convert_keras_file
from tumorlens.training import FittedNetwork
from tumorlens.types import Features, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.precision import choose_precision
from tumorlens.workflows.trained import TrainedModel

__all__ = ["ROWS_FOR_SPREAD", "network_model"]

ROWS_FOR_SPREAD = 256
"""How many scans' features are looked at to find constant ones."""

_BODY_OUTPUT = "map"


def network_model(
    context: RunContext,
    fitted: FittedNetwork,
    *,
    folder: Path,
    classifier: Classifier,
    backbone: Mapping[str, Any],
    marks: tuple[str, ...] = (),
) -> TrainedModel:
    """Convert a trained network and let it answer every scan.

    Args:
        context: Data set and split.
        fitted: The network.
        folder: For its graph; must stay until the run is written.
        classifier: What its row is about.
        backbone: Facts of the network for the bundle; ``title`` names it.
        marks: What must be said with it.
    """
    graph = folder / "body.xml"
    convert_keras_file(fitted.body, out=graph, output_layer=_BODY_OUTPUT)
    title = str(backbone["title"])
    probabilities, features = _answers(context, graph, fitted, folder, title=title)
    precision = choose_precision(context, graph, fitted.head, probabilities, title=title)
    if precision.graph is not None:
        graph = precision.graph.path
        probabilities, features = _answers(context, graph, fitted, folder, title=title)
    return TrainedModel(
        classifier=classifier,
        fitted=fitted,
        probabilities=probabilities,
        features=features[:ROWS_FOR_SPREAD],
        pooled=features.__getitem__,
        graph=graph,
        size=fitted.size,
        backbone=backbone,
        marks=marks,
        save_keras=lambda path, calibration: build_keras_scratch_model(
            fitted.body, output_layer=_BODY_OUTPUT, head=fitted.head, calibration=calibration, out=path
        ),
        precision=precision,
    )


def _answers(
    context: RunContext, graph: Path, fitted: FittedNetwork, folder: Path, *, title: str
) -> tuple[Probabilities, Features]:
    """Probabilities and pooled features of all rows from the finished graph, which each distinct scan passes once."""
    attach_head(graph, fitted.head, out=folder / "model.xml")
    network = compile_graph(
        folder / "model.xml", goal="throughput", outputs=["probabilities", "features"], threads=context.threads
    )
    digests = context.dataset.manifest["pixel_digest"]
    distinct = digests.drop_duplicates()
    answers: dict[str, Outputs] = {}
    with (
        context.dataset.open_pixels() as pixels,
        context.progress.task(f"{title}: answers", total=len(distinct)) as task,
    ):
        for digest, outputs in network.stream((digest, pixels.get(digest)) for digest in distinct):
            answers[digest] = outputs
            task.advance()
    probabilities = np.concatenate([answers[digest]["probabilities"] for digest in digests]).astype(np.float64)
    return probabilities, np.concatenate([answers[digest]["features"] for digest in digests])
