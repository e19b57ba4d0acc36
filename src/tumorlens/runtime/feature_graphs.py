"""A backbone as a graph on disk, converted once and found again by digest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime.jobs import run_job
from tumorlens.workspace import atomic_directory, write_json

__all__ = ["GRAPH_VERSION", "FeatureGraph", "feature_graph"]

GRAPH_VERSION = 2
"""Raised whenever the same weights would give other features, so that cached ones are not met again."""

_GRAPH, _WEIGHTS, _FACTS = "graph.xml", "graph.bin", "graph.json"


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
    folder = cache / _folder_name(spec, weights, size)
    found = _load(folder)
    if found is None:
        with progress.task(f"Converting {spec.title}", total=1) as task:
            _convert(spec, weights, size=size, folder=folder)
            task.advance()
        found = _load(folder)
    assert found is not None
    return found


def _folder_name(spec: BackboneSpec, weights: Weights, size: int) -> str:
    facts = {"weights": weights.sha256, "version": GRAPH_VERSION, "preprocessing": asdict(spec.preprocessing)}
    return f"{spec.name}-{size}-{_digest(facts)[:16]}"


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _load(folder: Path) -> FeatureGraph | None:
    """The graph in ``folder`` if all of it is there."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        if any((folder / name).stat().st_size != size for name, size in facts.pop("bytes").items()):
            return None
        shape, notes = tuple(facts.pop("map_shape")), tuple(facts.pop("notes"))
        return FeatureGraph(path=folder / _GRAPH, map_shape=shape, notes=notes, **facts)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _convert(spec: BackboneSpec, weights: Weights, *, size: int, folder: Path) -> None:
    try:
        with atomic_directory(folder, replace=True) as target:
            with tempfile.TemporaryDirectory(dir=target, prefix="job-") as job:
                request = {
                    "backbone": spec.name,
                    "size": size,
                    "weights": str(weights.path.resolve()) if weights.path else None,
                }
                answer = run_job("convert_backbone", request, folder=Path(job), purpose=f"Converting {spec.title}")
                for name in (_GRAPH, _WEIGHTS):
                    (Path(job) / name).rename(target / name)
            write_json(target / _FACTS, _facts(spec, size, answer, target))
    except OSError:
        if _load(folder) is None:  # else another process was faster
            raise


def _facts(spec: BackboneSpec, size: int, answer: dict[str, Any], folder: Path) -> dict[str, Any]:
    identity = {
        "backbone": spec.name,
        "size": size,
        "weights_digest": answer["weights_digest"],
        "graph_version": GRAPH_VERSION,
    }
    return {
        **identity,
        "digest": _digest({**identity, "preprocessing": asdict(spec.preprocessing)}),
        "width": answer["map_shape"][-1],
        "map_shape": answer["map_shape"],
        "notes": answer["notes"],
        "bytes": {name: (folder / name).stat().st_size for name in (_GRAPH, _WEIGHTS)},
    }
