"""A data set and a graph become cached vectors: only what is missing is computed, and it is kept as it comes.

Decoding runs while the network works on the scans before; memory is bounded by the graph's queue. Stopping at any
moment, by Ctrl-C or a kill, loses the vectors since the last transaction and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tumorlens.datasets import Dataset
from tumorlens.features.kind import FeatureKind, View
from tumorlens.features.store import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime import FeatureGraph, compile_graph
from tumorlens.types import Features, Pixels

__all__ = ["FeatureSet", "extract_features", "feature_kind"]

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
    view: View = "pooled",
    threads: int | None = None,
    progress: Progress = SILENT,
) -> FeatureSet:
    """Compute the features of every distinct scan that has none yet.

    Args:
        dataset: The scans.
        graph: The network.
        store: Where vectors are kept.
        view: ``pooled`` or ``flat``.
        threads: CPU threads; all by default.
        progress: Told of every scan.

    Returns:
        Which vectors belong to which row.
    """
    kind = feature_kind(dataset, graph, view)
    digests = tuple(dataset.manifest["pixel_digest"])
    missing = store.missing(kind, digests)
    if missing:
        _compute(dataset, graph, store, kind, missing, threads=threads, progress=progress)
    return FeatureSet(kind, digests, len(missing))


def feature_kind(dataset: Dataset, graph: FeatureGraph, view: View) -> FeatureKind:
    """The kind of feature that ``graph`` gives for ``dataset``."""
    return FeatureKind(
        backbone=graph.backbone,
        weights_digest=graph.weights_digest,
        graph_version=graph.graph_version,
        size=graph.size,
        view=view,
        scan_steps=dataset.scan_steps,
        width=graph.width if view == "pooled" else int(np.prod(graph.map_shape)),
    )


def _compute(
    dataset: Dataset,
    graph: FeatureGraph,
    store: FeatureStore,
    kind: FeatureKind,
    missing: Sequence[str],
    *,
    threads: int | None,
    progress: Progress,
) -> None:
    output = "features" if kind.view == "pooled" else "map"
    network = compile_graph(
        graph.path,
        goal="throughput",
        outputs=[output],
        threads=threads,
        scan_size=_common_size(dataset, missing),
    )
    title = f"{graph.backbone}: features"
    with dataset.open_pixels() as pixels, progress.task(title, total=len(missing)) as task:

        def scans() -> Iterator[tuple[str, Pixels]]:
            for digest in missing:
                yield digest, pixels.get(digest)

        pending: list[tuple[str, Features]] = []
        last_commit = time.monotonic()
        try:
            for digest, answer in network.stream(scans()):
                pending.append((digest, answer[output].reshape(-1)))
                task.advance()
                if len(pending) * kind.width * 4 > _COMMIT_BYTES or time.monotonic() - last_commit > _COMMIT_SECONDS:
                    store.put_many(kind, pending)
                    pending, last_commit = [], time.monotonic()
        finally:
            if pending:
                store.put_many(kind, pending)


def _common_size(dataset: Dataset, digests: Sequence[str]) -> tuple[int, int] | None:
    """``(height, width)`` when all scans have it (a fixed shape is faster), else ``None``."""
    table: Any = dataset.manifest
    sizes = table.loc[table["pixel_digest"].isin(set(digests)), ["height", "width"]].drop_duplicates()
    if len(sizes) != 1:
        return None
    return int(sizes["height"].iloc[0]), int(sizes["width"].iloc[0])
