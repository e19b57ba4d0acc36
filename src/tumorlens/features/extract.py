"""A data set and a graph become cached vectors: only what is missing is computed, and it is kept as it comes.

Decoding runs while the network works on the scans before; memory is bounded by the graph's queue. Stopping at any
moment, by Ctrl-C or a kill, loses the vectors since the last transaction and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.datasets import Dataset
from tumorlens.features.kind import FeatureKind, StoredFeature, View
from tumorlens.features.store import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime import FeatureGraph, compile_graph
from tumorlens.types import Features

__all__ = ["FeatureSet", "common_size", "extract_features", "feature_kind", "store_as_it_comes"]

_OUTPUTS: dict[View, str] = {"pooled": "features", "flat": "map"}
_COMMIT_SECONDS = 1.0
_COMMIT_BYTES = 32 << 20


@dataclass(frozen=True)
class FeatureSet:
    """Cached vectors of a data set.

    Attributes:
        kind: What they were made with.
        digests: Pixel digest of every row of the manifest; copies repeat.
        computed: How many vectors this call computed (the rest were cached).
    """

    kind: FeatureKind
    digests: tuple[str, ...]
    computed: int

    def matrix(self, store: FeatureStore) -> Features:
        """All rows, ``(n, width)`` float32."""
        return store.read(self.kind, self.digests)


def extract_features(
    dataset: Dataset,
    graph: FeatureGraph,
    store: FeatureStore,
    *,
    views: Sequence[View] = ("pooled",),
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[View, FeatureSet]:
    """Compute the features of every distinct scan that has none yet; several views take one pass.

    Args:
        dataset: The scans.
        graph: The network.
        store: Where vectors are kept.
        views: ``pooled``, ``flat`` or both.
        threads: CPU threads; all by default.
        progress: Told of every scan.

    Returns:
        For each view, which vectors belong to which row.
    """
    kinds = {view: feature_kind(dataset, graph, view) for view in views}
    digests = tuple(dataset.manifest["pixel_digest"])
    lacking = {digest for kind in kinds.values() for digest in store.missing(kind, digests)}
    missing = [digest for digest in dict.fromkeys(digests) if digest in lacking]
    if missing:
        _compute(dataset, graph, store, list(kinds.values()), missing, threads=threads, progress=progress)
    return {view: FeatureSet(kind, digests, len(missing)) for view, kind in kinds.items()}


def feature_kind(dataset: Dataset, graph: FeatureGraph, view: View) -> FeatureKind:
    """The kind of feature that ``graph`` gives for ``dataset``."""
    return FeatureKind(
        backbone=graph.backbone,
        graph_digest=graph.digest,
        size=graph.size,
        view=view,
        scan_steps=dataset.scan_steps,
        width=graph.width if view == "pooled" else int(np.prod(graph.map_shape)),
    )


def _compute(
    dataset: Dataset,
    graph: FeatureGraph,
    store: FeatureStore,
    kinds: Sequence[FeatureKind],
    missing: Sequence[str],
    *,
    threads: int | None,
    progress: Progress,
) -> None:
    network = compile_graph(
        graph.path,
        goal="throughput",
        outputs=[_OUTPUTS[kind.view] for kind in kinds],
        threads=threads,
        scan_size=common_size(dataset, missing),
    )
    with (
        dataset.open_pixels() as pixels,
        progress.task(f"{graph.backbone}: features", total=len(missing)) as task,
        closing(network.stream((digest, pixels.get(digest)) for digest in missing)) as answers,
    ):
        vectors = ((digest, [(kind, outputs[_OUTPUTS[kind.view]]) for kind in kinds]) for digest, outputs in answers)
        store_as_it_comes(vectors, store, advance=task.advance)


def store_as_it_comes(
    answers: Iterable[tuple[str, Sequence[tuple[StoredFeature, npt.NDArray[Any]]]]],
    store: FeatureStore,
    *,
    advance: Callable[[], None],
) -> None:
    """Store vectors in transactions of at most a second or 32 MB; what came before an error or a stop is kept.

    Args:
        answers: Pixel digest and the vectors of that scan by kind, of any shape.
        store: Where to.
        advance: Called after each scan.
    """
    pending: dict[StoredFeature, list[tuple[str, npt.NDArray[Any]]]] = {}
    size, last_commit = 0, time.monotonic()
    try:
        for digest, vectors in answers:
            for kind, vector in vectors:
                pending.setdefault(kind, []).append((digest, vector.reshape(-1)))
                size += vector.nbytes
            advance()
            if size > _COMMIT_BYTES or time.monotonic() - last_commit > _COMMIT_SECONDS:
                _commit(store, pending)
                pending, size, last_commit = {}, 0, time.monotonic()
    finally:
        _commit(store, pending)


def _commit(store: FeatureStore, pending: Mapping[StoredFeature, list[tuple[str, npt.NDArray[Any]]]]) -> None:
    for kind, vectors in pending.items():
        store.put_many(kind, vectors)


def common_size(dataset: Dataset, digests: Sequence[str]) -> tuple[int, int] | None:
    """``(height, width)`` when all scans have it (a fixed shape is faster), else ``None``."""
    table: Any = dataset.manifest
    sizes = table.loc[table["pixel_digest"].isin(set(digests)), ["height", "width"]].drop_duplicates()
    if len(sizes) != 1:
        return None
    return int(sizes["height"].iloc[0]), int(sizes["width"].iloc[0])
