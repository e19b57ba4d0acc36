"""A feature graph whose network computes in 8-bit integers, made once in a child process and found again by digest.

Knows nothing about labels but those it is handed to control the loss; decides nothing about what is accepted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.extras import require_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime.graph_cache import GRAPH_FILE, cached_graph
from tumorlens.runtime.heads import Head, head_arrays
from tumorlens.types import Labels, Pixels

__all__ = ["LossControl", "QuantisedGraph", "quantised_graph"]

_VERSION = 1
"""Raised whenever the same scans would give another graph."""

_MOST_REVERTED = 8
_RANKED_BY = 48


@dataclass(frozen=True, eq=False)
class LossControl:
    """Lets layers go back to full precision until the loss on some scans rises by little.

    Attributes:
        head: The classifier whose loss counts.
        scans: Names of the scans that it is measured on, as :func:`quantised_graph` reads them.
        labels: ``(n,)`` their class indices.
        limit: How much the mean cross entropy may rise, nats.
    """

    head: Head
    scans: Sequence[str]
    labels: Labels
    limit: float


@dataclass(frozen=True)
class QuantisedGraph:
    """A quantised graph with the input and the outputs of the one it was made from.

    Attributes:
        path: The OpenVINO graph (.xml; its .bin lies beside it).
        digest: SHA-256 over everything that decides what it computes.
        layers: Layers with weights.
        quantised_layers: Those of them that compute in 8-bit integers.
    """

    path: Path
    digest: str
    layers: int
    quantised_layers: int


def quantised_graph(
    graph: Path,
    *,
    calibration: Sequence[str],
    read: Callable[[str], Pixels],
    control: LossControl | None = None,
    cache: Path,
    title: str,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> QuantisedGraph:
    """The quantised form of ``graph``, from ``cache`` if it is there.

    Args:
        graph: A full-precision graph: uint8 scans in, "map" and "features" out.
        calibration: Names of the scans that say which values each layer meets; names that stand for other pixels give
            another graph, so pixel digests are good names.
        read: Gives the pixels ``(h, w, 3)`` uint8 of a name.
        control: How layers go back to full precision; ``None``: all are quantised that can be.
        cache: Where quantised graphs are kept. Concurrent and killed work leaves it whole.
        title: What progress and errors call the network.
        threads: CPU threads of the child process; ``None``: all.
        progress: Told when the work starts.

    Raises:
        MissingExtraError: NNCF is not installed.
        TumorlensError: NNCF failed.
        StorageError: ``cache`` cannot be written.
    """
    require_extra("int8", purpose="Quantising a network")
    digest = _digest(graph, calibration, control)
    folder = cache / f"int8-{digest[:16]}"

    def prepare(job: Path) -> dict[str, Any]:
        _hand_over(job, "calibration", calibration, read)
        given = None if control is None else _hand_over_control(job, control, read)
        return {"graph": str(graph.resolve()), "control": given, "threads": threads}

    facts = cached_graph(
        folder,
        "quantise",
        prepare,
        purpose=f"Quantising {title}",
        progress=progress,
        title=f"{title}: quantising to int8" + ("" if control is None else ", layer by layer"),
    )
    return QuantisedGraph(path=folder / GRAPH_FILE, digest=digest, **facts)


def _digest(graph: Path, calibration: Sequence[str], control: LossControl | None) -> str:
    digest = hashlib.sha256()
    for path in (graph, graph.with_suffix(".bin")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    facts: dict[str, Any] = {"version": _VERSION, "nncf": version("nncf"), "calibration": list(calibration)}
    if control is not None:
        facts["control"] = [list(control.scans), control.labels.tolist(), control.limit, _MOST_REVERTED, _RANKED_BY]
        for array in head_arrays(control.head).values():
            digest.update(array.tobytes())
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def _hand_over(job: Path, part: str, names: Sequence[str], read: Callable[[str], Pixels]) -> None:
    for place, name in enumerate(names):
        np.save(job / f"{part}-{place:06}.npy", read(name), allow_pickle=False)


def _hand_over_control(job: Path, control: LossControl, read: Callable[[str], Pixels]) -> dict[str, Any]:
    _hand_over(job, "validation", control.scans, read)
    np.savez(job / "head.npz", allow_pickle=False, **head_arrays(control.head))
    return {
        "limit": control.limit,
        "labels": control.labels.tolist(),
        "takes": control.head.input,
        "activations": [layer.activation for layer in control.head.layers],
        "most_reverted": _MOST_REVERTED,
        "ranked_by": _RANKED_BY,
    }
