"""What the frozen part of a network makes of scans and their views, computed once and kept in half precision.

Only what is missing is computed. How much disk that takes is known beforehand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tumorlens.datasets import Dataset
from tumorlens.errors import StorageError
from tumorlens.features.extract import common_size, store_as_it_comes
from tumorlens.features.kind import BoundaryKind
from tumorlens.features.store import FeatureStore
from tumorlens.features.views import ViewSettings, cached_view
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime import BoundaryGraph, compile_graph
from tumorlens.scans import apply_view
from tumorlens.types import Pixels

__all__ = ["BoundarySet", "bytes_missing", "cache_boundary"]

_RESERVE = 1.1
"""The store takes a little more than its values."""


@dataclass(frozen=True)
class BoundarySet:
    """Cached outputs of the frozen part.

    Attributes:
        kinds: One a view; the first is of the scans as they are.
        digests: Pixel digest of every row of the manifest.
        computed: How many outputs this call computed.
    """

    kinds: tuple[BoundaryKind, ...]
    digests: tuple[str, ...]
    computed: int


def cache_boundary(
    dataset: Dataset,
    graph: BoundaryGraph,
    store: FeatureStore,
    *,
    rows: Sequence[int],
    augmented_rows: Sequence[int] = (),
    views: int = 0,
    settings: ViewSettings | None = None,
    folder: Path,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> BoundarySet:
    """Compute what is missing.

    Args:
        dataset: The scans.
        graph: The frozen part.
        store: Where outputs are kept.
        rows: Rows of the manifest that are needed as they are.
        augmented_rows: Rows of which views are needed too.
        views: How many views of each.
        settings: What views are like.
        folder: Where the store lies: its disk must have room.
        threads: CPU threads; all by default.
        progress: Told of the disk needed, and of every output.

    Raises:
        StorageError: The disk has not enough room for what is missing.
    """
    chosen = settings or ViewSettings()
    digests = tuple(dataset.manifest["pixel_digest"])
    kinds = tuple(_kind(dataset, graph, variant, chosen) for variant in range(views + 1))
    wanted = {kind: [digests[row] for row in (augmented_rows if kind.variant else rows)] for kind in kinds}
    missing = {kind: store.missing(kind, needed) for kind, needed in wanted.items()}
    count = sum(len(digests_of) for digests_of in missing.values())
    if count:
        _check_room(folder, bytes_missing(missing), progress)
        with progress.task(f"{graph.backbone}: frozen part up to {graph.layer}", total=count) as task:
            for kind, lacking in missing.items():
                _compute(dataset, graph, store, kind, lacking, settings=chosen, threads=threads, advance=task.advance)
    return BoundarySet(kinds, digests, count)


def bytes_missing(missing: Mapping[BoundaryKind, Sequence[str]]) -> int:
    """Disk space that outputs still to be computed take, bytes."""
    return int(_RESERVE * sum(2 * kind.width * len(digests) for kind, digests in missing.items()))


def _check_room(folder: Path, needed: int, progress: Progress) -> None:
    free = shutil.disk_usage(folder).free
    progress.say(f"Outputs of the frozen part take {needed / 1e9:.2f} GB of disk; {free / 1e9:.1f} GB are free.")
    if needed > free:
        raise StorageError(
            f"Fine-tuning needs {needed / 1e9:.2f} GB of disk in {folder}, but {free / 1e9:.2f} GB are free: give "
            "fewer --views or a later stage to --fine-tune, or free space (tumorlens cache clean --features)."
        )


def _kind(dataset: Dataset, graph: BoundaryGraph, variant: int, settings: ViewSettings) -> BoundaryKind:
    return BoundaryKind(
        backbone=graph.backbone,
        graph_digest=graph.digest,
        layer=graph.layer,
        size=graph.size,
        variant=variant,
        views=settings.digest if variant else "",
        scan_steps=dataset.scan_steps,
        width=graph.width,
    )


def _compute(
    dataset: Dataset,
    graph: BoundaryGraph,
    store: FeatureStore,
    kind: BoundaryKind,
    missing: Sequence[str],
    *,
    settings: ViewSettings,
    threads: int | None,
    advance: Callable[[], None],
) -> None:
    if not missing:
        return
    network = compile_graph(graph.path, goal="throughput", threads=threads, scan_size=common_size(dataset, missing))
    with dataset.open_pixels() as pixels:

        def scans() -> Iterator[tuple[str, Pixels]]:
            for digest in missing:
                yield digest, apply_view(pixels.get(digest), cached_view(digest, kind.variant, settings))

        with closing(network.stream(scans())) as answers:
            store_as_it_comes(
                ((digest, [(kind, outputs["boundary"])]) for digest, outputs in answers), store, advance=advance
            )
