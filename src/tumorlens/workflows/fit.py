"""One model of a comparison: a pretrained network with a head, or a CNN from scratch, becomes a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.evaluation import Classifier
from tumorlens.extras import require_extra
from tumorlens.features import FeatureSet, View, extract_features
from tumorlens.progress import Progress
from tumorlens.reports import RANDOM_WEIGHTS
from tumorlens.runtime import (
    FeatureGraph,
    Outputs,
    attach_head,
    build_keras_bundle_model,
    build_keras_scratch_model,
    compile_graph,
    convert_keras_file,
    feature_graph,
)
from tumorlens.runtime.quantised_graphs import QuantisedGraph
from tumorlens.training import DatasetSource, FittedHead, FittedScratch, fit_from_scratch
from tumorlens.types import Features, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HeadKind, head_probabilities
from tumorlens.workflows.map_check import fit_permuted_head
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.precision import choose_precision
from tumorlens.workflows.rules import FeaturesOf
from tumorlens.workflows.runs import MistakenConfig, RunConfig, RunRecord, find_finished
from tumorlens.workflows.write_run import TrainedModel, write_run
from tumorlens.workspace import Workspace

__all__ = ["ROWS_FOR_SPREAD", "SCRATCH", "Network", "fit_backbone", "fit_scratch", "prepare_network"]

SCRATCH = "scratch"
"""Name of the CNN from scratch in the place of a backbone's."""

ROWS_FOR_SPREAD = 256
"""How many scans' features are looked at to find constant ones."""

_BODY_OUTPUT = "map"


@dataclass(frozen=True)
class Network:
    """A pretrained network, converted and ready.

    Attributes:
        spec: What it is.
        weights: Its weights.
        graph: Its graph.
        conversion: What the conversion cost; next to nothing where the graph was there.
    """

    spec: BackboneSpec
    weights: Weights
    graph: FeatureGraph
    conversion: ResourceMeter

    @property
    def note(self) -> str | None:
        """What must be said beside its figures."""
        return " ".join(filter(None, (self.weights.note, *self.graph.notes))) or None


def prepare_network(
    spec: BackboneSpec, weights: Weights, *, size: int, workspace: Workspace, progress: Progress
) -> Network:
    """Convert a network, so that a size or a weights file that does not fit is refused before any scan is looked at.

    Raises:
        InputError: The size is too small for it, or the file's tensors are not the network's.
    """
    with ResourceMeter() as meter:
        graph = feature_graph(spec, weights, size=size, cache=workspace.graphs, progress=progress)
    return Network(spec, weights, graph, meter)


def fit_backbone(context: RunContext, network: Network, heads: Sequence[HeadKind]) -> list[RunRecord]:
    """Fit heads on a frozen network's features, or find the finished runs that did just this.

    The features of all heads take one pass over the scans; it counts to the first run that needs it.

    Args:
        context: Data set, split and workspace.
        network: The network.
        heads: Kinds of heads.

    Returns:
        The finished runs, in the order of the heads.
    """
    configs = [_config(context, network, head) for head in heads]
    found = [None if context.refit else find_finished(context.workspace, config) for config in configs]
    needed = [head.view for head, run in zip(heads, found, strict=True) if run is None]
    views: tuple[View, ...] = tuple(dict.fromkeys((*needed, "pooled")))  # novelty is measured on pooled features
    runs = []
    for head, config, run in zip(heads, configs, found, strict=True):
        if run is not None:
            context.progress.say(f"{network.spec.title}, {head.name} head: finished earlier, nothing to compute.")
        runs.append(run or _fit_head(context, network, head, config=config, views=views))
    return runs


def _fit_head(
    context: RunContext, network: Network, head: HeadKind, *, config: RunConfig, views: Sequence[View]
) -> RunRecord:
    fits: dict[str, _Fit] = {}

    def fit_on(graph: FeatureGraph) -> _Fit:
        if graph.digest not in fits:
            fits[graph.digest] = _fit_on(context, graph, head, views)
        return fits[graph.digest]

    with ResourceMeter(after=network.conversion) as meter:
        full = fit_on(network.graph)
        precision = choose_precision(
            context,
            network.graph.path,
            full.fitted.head,
            full.probabilities,
            title=network.spec.title,
            answers=lambda found: fit_on(_quantised(network.graph, found)).probabilities,
        )
        chosen = full if precision.graph is None else fit_on(_quantised(network.graph, precision.graph))
        graph, features, fitted = chosen.graph, chosen.extracted[head.view], chosen.fitted
        model = TrainedModel(
            classifier=Classifier(
                kind="backbone",
                backbone=network.spec.name,
                head=head.name,
                weights=network.weights.kind,
                loss_penalty=fitted.penalty or None,
                note=network.note,
                mistake=context.mistake,
            ),
            fitted=fitted,
            probabilities=chosen.probabilities,
            features=context.store.read(features.kind, features.digests[:ROWS_FOR_SPREAD]),
            pooled=_pooled(context, chosen.extracted["pooled"]),
            graph=graph.path,
            size=graph.size,
            backbone=_backbone_facts(network),
            marks=(RANDOM_WEIGHTS,) if network.weights.kind == "random" else (),
            save_keras=lambda path, calibration: build_keras_bundle_model(
                network.spec, network.weights, size=graph.size, head=fitted.head, calibration=calibration, out=path
            ),
            permuted_head=fit_permuted_head(context, features, fitted),
            precision=precision,
        )
        return write_run(context, config, model, meter)


@dataclass(frozen=True, eq=False)
class _Fit:
    """A head on the features of one graph, and the probabilities ``(n, k)`` that the two give for all rows."""

    graph: FeatureGraph
    extracted: Mapping[View, FeatureSet]
    fitted: FittedHead
    probabilities: Probabilities


def _fit_on(context: RunContext, graph: FeatureGraph, head: HeadKind, views: Sequence[View]) -> _Fit:
    extracted = extract_features(
        context.dataset, graph, context.store, views=views, threads=context.threads, progress=context.progress
    )
    fitted = head.fit(context, extracted[head.view])
    return _Fit(graph, extracted, fitted, head_probabilities(context, fitted, extracted[head.view]))


def _quantised(graph: FeatureGraph, found: QuantisedGraph) -> FeatureGraph:
    return replace(graph, path=found.path, digest=found.digest)


def _pooled(context: RunContext, features: FeatureSet) -> FeaturesOf:
    return lambda rows: context.store.read(features.kind, [features.digests[row] for row in rows])


def fit_scratch(context: RunContext, *, size: int) -> RunRecord:
    """Train the small CNN from random weights, or find the finished run that did just this.

    Args:
        context: Data set, split and workspace.
        size: Side of its square input in pixels.

    Returns:
        The finished run.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    config = _scratch_config(context, size)
    finished = None if context.refit else find_finished(context.workspace, config)
    if finished is not None:
        context.progress.say("CNN from scratch: finished earlier, nothing to compute.")
        return finished
    require_extra("train", purpose="A CNN from scratch")
    with ResourceMeter() as meter, context.training_folder(config.name) as folder:
        fitted = _train_scratch(context, size, folder)
        graph = folder / "body.xml"
        convert_keras_file(fitted.body, out=graph, output_layer=_BODY_OUTPUT)
        probabilities, features = _graph_answers(context, graph, fitted, folder)
        precision = choose_precision(context, graph, fitted.head, probabilities, title="CNN from scratch")
        if precision.graph is not None:
            graph = precision.graph.path
            probabilities, features = _graph_answers(context, graph, fitted, folder)
        model = TrainedModel(
            classifier=Classifier(
                kind="scratch",
                backbone=SCRATCH,
                head="scratch",
                loss_penalty=fitted.penalty or None,
            ),
            fitted=fitted,
            probabilities=probabilities,
            features=features[:ROWS_FOR_SPREAD],
            pooled=features.__getitem__,
            graph=graph,
            size=size,
            backbone={"name": SCRATCH, "title": "CNN from scratch", "weights": "none"},
            marks=(),
            save_keras=lambda path, calibration: build_keras_scratch_model(
                fitted.body, output_layer=_BODY_OUTPUT, head=fitted.head, calibration=calibration, out=path
            ),
            precision=precision,
        )
        return write_run(context, config, model, meter)


def _train_scratch(context: RunContext, size: int, folder: Path) -> FittedScratch:
    return fit_from_scratch(
        DatasetSource(context.dataset.pixel_folder, tuple(context.dataset.manifest["pixel_digest"])),
        labels=context.dataset.labels,
        train_rows=context.split.rows("train"),
        val_rows=context.split.rows("validation"),
        n_classes=len(context.dataset.classes),
        folder=folder,
        size=size,
        seed=context.seed,
        threads=context.threads,
        progress=context.progress,
    )


def _graph_answers(
    context: RunContext, graph: Path, fitted: FittedScratch, folder: Path
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
        context.progress.task("CNN from scratch: answers", total=len(distinct)) as task,
    ):
        for digest, outputs in network.stream((digest, pixels.get(digest)) for digest in distinct):
            answers[digest] = outputs
            task.advance()
    probabilities = np.concatenate([answers[digest]["probabilities"] for digest in digests]).astype(np.float64)
    return probabilities, np.concatenate([answers[digest]["features"] for digest in digests])


def _config(context: RunContext, network: Network, head: HeadKind) -> RunConfig:
    facts = {
        **_shared_config(context),
        "backbone": network.spec.name,
        "head": head.name,
        "weights": network.weights.kind,
        "weights_digest": network.graph.weights_digest,
        "graph_digest": network.graph.digest,
        "size": network.graph.size,
    }
    return RunConfig(**facts) if context.mistake is None else MistakenConfig(**facts, mistake=context.mistake)


def _scratch_config(context: RunContext, size: int) -> RunConfig:
    return RunConfig(
        **_shared_config(context),
        backbone=SCRATCH,
        head="scratch",
        weights="none",
        weights_digest="",
        graph_digest="",
        size=size,
    )


def _shared_config(context: RunContext) -> dict[str, Any]:
    return {
        "dataset": context.dataset.name,
        "manifest_digest": context.dataset.digest,
        "split_digest": context.split.digest,
        "protocol": context.split.protocol,
        "seed": context.seed,
        "operating_point": "" if context.wish is None else f"{context.wish.kind}={context.wish.value:g}",
        "carries_neighbours": context.carry_neighbours,
        "precision": context.precision,
        "tumorlens": version("tumorlens"),
    }


def _backbone_facts(network: Network) -> dict[str, object]:
    spec, weights = network.spec, network.weights
    return {
        "name": spec.name,
        "title": spec.title,
        "licence": spec.licence,
        "paper": f"{spec.paper.citation}; arXiv:{spec.paper.arxiv}",
        "weights": {
            "kind": weights.kind,
            "sha256": weights.sha256,
            "tensors": network.graph.weights_digest,
            "note": network.note,
        },
    }
