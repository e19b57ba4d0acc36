"""A pretrained network with a head becomes a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.evaluation import Classifier
from tumorlens.features import FeatureSet, View, extract_features
from tumorlens.progress import Progress
from tumorlens.reports import RANDOM_WEIGHTS
from tumorlens.runtime import FeatureGraph, build_keras_bundle_model, feature_graph
from tumorlens.runtime.quantised_graphs import QuantisedGraph
from tumorlens.training import FittedHead
from tumorlens.types import Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HeadKind, head_probabilities
from tumorlens.workflows.map_check import fit_permuted_head
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.precision import choose_precision
from tumorlens.workflows.rules import FeaturesOf
from tumorlens.workflows.runs import MistakenConfig, RunConfig, RunRecord, find_finished
from tumorlens.workflows.trained import TrainedModel
from tumorlens.workflows.trained_networks import ROWS_FOR_SPREAD
from tumorlens.workflows.write_run import write_run
from tumorlens.workspace import Workspace

__all__ = ["Network", "backbone_facts", "fit_backbone", "prepare_network"]


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
            backbone=backbone_facts(network),
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


def _config(context: RunContext, network: Network, head: HeadKind) -> RunConfig:
    facts = {
        **context.config_facts(),
        "backbone": network.spec.name,
        "head": head.name,
        "weights": network.weights.kind,
        "weights_digest": network.graph.weights_digest,
        "graph_digest": network.graph.digest,
        "size": network.graph.size,
    }
    return RunConfig(**facts) if context.mistake is None else MistakenConfig(**facts, mistake=context.mistake)


def backbone_facts(network: Network) -> dict[str, object]:
    """Facts of the network for a bundle's card."""
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
