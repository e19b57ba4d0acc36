"""What ``backbones list``, ``show`` and ``fetch`` tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tumorlens.backbones import (
    BACKBONES,
    BackboneSpec,
    Weights,
    fetch_weights,
    find_backbone,
    keras_cache,
    local_weights,
    resolve_weights,
)
from tumorlens.progress import SILENT, Progress

__all__ = ["backbone_table", "describe_backbone", "fetch_backbones", "list_backbones"]


def list_backbones(weights_dir: Path | None) -> list[dict[str, Any]]:
    """One mapping a network, weights at hand or not."""
    return [
        {
            "name": spec.name,
            "title": spec.title,
            "family": spec.family,
            "parameters": spec.parameters,
            "width": spec.width,
            "input_size": spec.input_size,
            "licence": spec.licence,
            "weights_at_hand": local_weights(spec, weights_dir=weights_dir) is not None,
        }
        for spec in BACKBONES.values()
    ]


def backbone_table(rows: Sequence[dict[str, Any]]) -> Table:
    """The list for a terminal."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "family"):
        table.add_column(title)
    for title in ("parameters", "features", "trained at"):
        table.add_column(title, justify="right")
    for title in ("licence of the weights", "weights"):
        table.add_column(title)
    for row in rows:
        table.add_row(
            row["name"],
            row["family"],
            f"{row['parameters'] / 1e6:.1f} M",
            str(row["width"]),
            f"{row['input_size']} px",
            row["licence"],
            "at hand" if row["weights_at_hand"] else "to be fetched",
        )
    return table


def describe_backbone(name: str, weights_dir: Path | None) -> dict[str, Any]:
    """All facts of one network.

    Raises:
        NotFoundError: There is none of that name; the nearest are offered.
    """
    spec = find_backbone(name)
    found = local_weights(spec, weights_dir=weights_dir)
    return {
        **asdict(spec),
        "stages": [stage for stage, _ in spec.stages],
        "weights_at_hand": None if found is None else str(found.path),
    }


def fetch_backbones(
    names: Sequence[str], directory: Path | None, *, progress: Progress = SILENT
) -> list[dict[str, Any]]:
    """Download the weights of networks that are not at hand; all names are checked first.

    Args:
        names: Networks.
        directory: Where files go; Keras' cache by default.
        progress: Told of every download.

    Raises:
        NotFoundError: A name is unknown.
        WeightsUnavailableError: A download failed.
    """
    specs = [find_backbone(name) for name in names]
    return [_fetched(spec, directory, progress) for spec in specs]


def _fetched(spec: BackboneSpec, directory: Path | None, progress: Progress) -> dict[str, Any]:
    if spec.source == "package":
        found, state = resolve_weights(spec), "installed with tumorlens"
    else:
        target = directory or keras_cache()
        there = (target / spec.weights.file_name).is_file()
        if not there:
            fetch_weights(spec, target, progress)
        found = resolve_weights(spec, weights=target / spec.weights.file_name)
        state = "already here" if there else "downloaded and checked"
    return {"backbone": spec.name, "path": str(found.path), "sha256": found.sha256, "note": _sentence(state, found)}


def _sentence(state: str, weights: Weights) -> str:
    return f"{state}; {weights.note}" if weights.note else state
