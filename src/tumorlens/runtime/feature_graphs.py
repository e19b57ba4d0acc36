"""A backbone as a graph on disk, converted once and found again by digest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime.graph_cache import GRAPH_FILE, cached_graph, facts_digest

__all__ = ["GRAPH_VERSION", "FeatureGraph", "feature_graph", "graph_folder"]

GRAPH_VERSION = 2
"""Raised whenever the same weights would give other features, so that cached ones are not met again."""


@dataclass(frozen=True)
class FeatureGraph:
    """A converted backbone.

    Attributes:
        path: The OpenVINO graph (.xml, full float32 precision; its .bin lies beside it). Input "pixels":
            ``(n, h, w, 3)`` uint8 of any size. Outputs "map": ``(n, h, w, c)`` float32, and "features":
            ``(n, c)`` float32, the mean of the map over its positions.
        backbone: Name of the network.
        size: Edge length in pixels to which the graph resizes.
        width: Length of the feature vector.
        map_shape: ``(h, w, c)`` of the map.
        weights_digest: SHA-256 of the weight tensors.
        graph_version: Version of the arithmetic around the network.
        digest: SHA-256 over everything that decides the features.
        notes: Sentences to show beside every result.
    """

    path: Path
    backbone: str
    size: int
    width: int
    map_shape: tuple[int, int, int]
    weights_digest: str
    graph_version: int
    digest: str
    notes: tuple[str, ...] = ()


def feature_graph(
    spec: BackboneSpec, weights: Weights, *, size: int = 240, cache: Path, progress: Progress = SILENT
) -> FeatureGraph:
    """The graph of ``spec`` with ``weights``, from ``cache`` if it is there, else converted in a child process.

    Args:
        spec: The network.
        weights: Its weights, from :func:`tumorlens.backbones.resolve_weights`.
        size: Edge length in pixels that the network is built for.
        cache: Where converted networks are kept. Concurrent and killed conversions leave it whole.
        progress: Told when a conversion starts.

    Raises:
        InputError: ``size`` is too small for the network, or the weights file's tensors are not the network's.
        TumorlensError: The conversion failed.
        StorageError: ``cache`` cannot be written.
    """
    if size < spec.minimum_size:
        raise InputError(
            f"{spec.title} needs scans of at least {spec.minimum_size} pixels, but the size is {size}: "
            "give a larger --size."
        )
    purpose = f"Converting {spec.title}"
    request = {
        "backbone": spec.name,
        "size": size,
        "weights": str(weights.path.resolve()) if weights.path else None,
    }
    folder = cache / graph_folder(spec, weights, size=size)
    facts = cached_graph(folder, "convert_backbone", lambda job: request, purpose=purpose, progress=progress)
    identity = {
        "backbone": spec.name,
        "size": size,
        "weights_digest": facts["weights_digest"],
        "graph_version": GRAPH_VERSION,
    }
    height, width, channels = facts["map_shape"]
    return FeatureGraph(
        path=folder / GRAPH_FILE,
        width=channels,
        map_shape=(height, width, channels),
        digest=facts_digest({**identity, "preprocessing": asdict(spec.preprocessing)}),
        notes=tuple(facts["notes"]),
        **identity,
    )


def graph_folder(spec: BackboneSpec, weights: Weights, *, size: int) -> str:
    """Name of the folder that a network's graph is kept in."""
    facts = {"weights": weights.sha256, "version": GRAPH_VERSION, "preprocessing": asdict(spec.preprocessing)}
    return f"{spec.name}-{size}-{facts_digest(facts)[:16]}"
