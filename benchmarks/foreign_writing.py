"""Writes data sets whose pixels are those of others, changed. Knows nothing about what for.

A data set is made once: one of the same name is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import Dataset, DatasetRecord, ImportFlow, list_datasets, load_dataset, open_pixel_store
from tumorlens.datasets.copies import copies_of
from tumorlens.datasets.dataset import PIXEL_FOLDER
from tumorlens.datasets.manifest import manifest_digest, write_manifest
from tumorlens.datasets.measures import grey_image, head_measures, thumbnail
from tumorlens.datasets.pixelstore import encode_pixels
from tumorlens.scans import pixel_digest
from tumorlens.types import Pixels
from tumorlens.workspace import Workspace, atomic_directory

__all__ = ["Piece", "dataset_names", "find_or_write"]

_BATCH = 64


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows of a data set, and what becomes of their pixels (given with their digest)."""

    dataset: Dataset
    rows: npt.NDArray[np.int64]
    change: Callable[[str, Pixels], Pixels]
    prefix: str = ""


def dataset_names(workspace: Workspace) -> set[str]:
    """Names of all data sets of a workspace."""
    return {record.name for record in list_datasets(workspace)}


def find_or_write(workspace: Workspace, name: str, pieces: Sequence[Piece]) -> Dataset:
    """Make a data set of pieces, one after the other, or find it; classes and kind of groups are those of the first."""
    if name not in dataset_names(workspace):
        with atomic_directory(workspace.datasets / name) as folder:
            _write(folder, name, pieces)
    return load_dataset(workspace, name)


def _write(folder: Path, name: str, pieces: Sequence[Piece]) -> None:
    base = pieces[0].dataset
    facts = {place: _store(folder, piece) for place, piece in enumerate(pieces)}
    thumbnails: dict[str, npt.NDArray[np.uint8]] = {}
    tables = []
    for place, piece in enumerate(pieces):
        table = piece.dataset.manifest.iloc[piece.rows][["source", "label", "group", "format", "mode", "pixel_digest"]]
        own = pd.DataFrame([facts[place][digest] for digest in table["pixel_digest"]], index=table.index)
        table = table.assign(**{column: own[column] for column in own.columns if column != "thumbnail"})
        table["source"], table["group"] = (piece.prefix + table[column] for column in ("source", "group"))
        tables.append(table)
        for digest, picture in zip(own["pixel_digest"], own["thumbnail"], strict=True):
            thumbnails.setdefault(digest, picture)
    manifest = pd.concat(tables, ignore_index=True)
    manifest["row_id"] = np.arange(len(manifest))
    manifest["copy_of"] = copies_of(manifest["pixel_digest"].tolist())
    manifest = write_manifest(manifest, folder / "manifest.parquet")
    np.save(folder / "thumbnails.npy", np.stack(list(thumbnails.values())), allow_pickle=False)
    counts = manifest["label"].value_counts()
    DatasetRecord(
        name=name,
        classes=base.classes,
        positive_class=base.positive_class,
        groups_are=base.groups_are,
        digest=manifest_digest(manifest),
        flow=ImportFlow(
            files=len(manifest),
            readable=len(manifest),
            dropped=0,
            distinct=len(thumbnails),
            by_class={label: int(counts[label]) for label in base.classes},
        ),
        groups=int(manifest["group"].nunique()),
        notes=(f"A changed copy of {base.name} for a benchmark; groups are those of {base.name}.",),
    ).write(folder / "dataset.json")


def _store(folder: Path, piece: Piece) -> dict[str, dict[str, Any]]:
    """Change and store the pixels; old digest to the new scan's facts."""
    digests = np.unique(piece.dataset.digests[piece.rows]).tolist()
    found: dict[str, dict[str, Any]] = {}
    with piece.dataset.open_pixels() as old, open_pixel_store(folder / PIXEL_FOLDER, writable=True) as new:
        for start in range(0, len(digests), _BATCH):
            changed = {digest: piece.change(digest, old.get(digest)) for digest in digests[start : start + _BATCH]}
            found |= {digest: _facts(pixels) for digest, pixels in changed.items()}
            new.write_encoded((found[digest]["pixel_digest"], encode_pixels(own)) for digest, own in changed.items())
    return found


def _facts(pixels: Pixels) -> dict[str, Any]:
    grey = grey_image(pixels)
    area, brightness = head_measures(grey)
    return {
        "pixel_digest": pixel_digest(pixels),
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "area": area,
        "brightness": brightness,
        "thumbnail": thumbnail(grey),
    }
