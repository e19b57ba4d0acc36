"""Turns stored scans into a data set's files: manifest, thumbnails, record, contact sheet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.datasets.classes import order_classes, positive_class
from tumorlens.datasets.contact_sheet import contact_sheet
from tumorlens.datasets.copies import (
    check_labels_agree,
    conflicting_digests,
    copies_of,
    distinct_places,
)
from tumorlens.datasets.dataset import MASK_FOLDER, PIXEL_FOLDER, Dataset
from tumorlens.datasets.groups import Groups, infer_clusters, keep_patients
from tumorlens.datasets.ingest import Ingested, StoredScan
from tumorlens.datasets.manifest import manifest_digest, write_manifest
from tumorlens.datasets.pixelstore import open_pixel_store
from tumorlens.datasets.plan import ImportPlan, check_classes
from tumorlens.datasets.record import DatasetRecord, ImportFlow
from tumorlens.datasets.whole_volumes import join_volumes
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import SIXTEEN_BIT_MODES
from tumorlens.workspace import atomic_path

__all__ = ["RECEIPT_COLUMN", "assemble"]

_SHEET_COUNT = 8

RECEIPT_COLUMN = "receipt"
"""The manifest column with the steps that made a scan's pixels, where any scan has one."""


def assemble(plan: ImportPlan, read: Ingested, folder: Path, *, progress: Progress) -> None:
    """Write everything but the pixels into ``folder``.

    Args:
        plan: What was to be imported.
        read: What was read; its pixels are in ``folder`` already.
        folder: The data set's (temporary) folder.
        progress: Told about the comparison of scans.

    Raises:
        InputError: A scan has two labels, or too little is left.
    """
    kept, dropped = _resolve_conflicts(plan, read, folder)
    manifest = _manifest(plan, kept)
    check_classes(manifest["label"].tolist())
    groups = _groups(plan, kept, manifest, folder=folder, progress=progress)
    manifest["group"] = groups.names
    manifest = write_manifest(manifest, folder / "manifest.parquet")
    flow = _flow(plan, read, manifest, dropped=len(dropped))
    classes = tuple(flow.by_class)
    record = DatasetRecord(
        name=plan.name,
        classes=classes,
        positive_class=positive_class(classes),
        groups_are="clusters" if plan.patients is None else "patients",
        digest=manifest_digest(manifest),
        flow=flow,
        groups=int(manifest["group"].nunique()),
        scan_steps=plan.scan_steps,
        synthetic=plan.synthetic,
        near_twins=groups.near_twins,
        cluster_threshold=groups.threshold,
        notes=_notes(plan, manifest, read=read, dropped=len(dropped)),
        dropped=dropped,
    )
    record.write(folder / "dataset.json")
    dataset = Dataset(folder, record, manifest)
    sheet = contact_sheet(dataset, count=_SHEET_COUNT)
    with atomic_path(dataset.contact_sheet) as temporary:
        sheet.save(temporary)


def _resolve_conflicts(plan: ImportPlan, read: Ingested, folder: Path) -> tuple[list[StoredScan], tuple[str, ...]]:
    """Return the scans to keep and the sources to leave out; write thumbnails of the former."""
    digests = [scan.digest for scan in read.scans]
    labels = [plan.labels[scan.row] for scan in read.scans]
    sources = [plan.source.rows[scan.row].source for scan in read.scans]
    if not plan.drop_conflicts:
        check_labels_agree(digests, labels, sources=sources)
    doomed = conflicting_digests(digests, labels)
    if len(doomed) == len(read.digests):
        raise InputError("No scan is left to import: every one is unreadable or has two labels.")
    thumbnails = read.thumbnails
    if doomed:
        thumbnails = thumbnails[[digest not in doomed for digest in read.digests]]
        for name in _stores(folder):
            with open_pixel_store(folder / name, writable=True) as store:
                store.delete(doomed)
    for name in _stores(folder):
        (folder / name / "lock.mdb").unlink(missing_ok=True)
    with atomic_path(folder / "thumbnails.npy") as temporary:
        np.save(temporary, thumbnails, allow_pickle=False)
    kept = [scan for scan in read.scans if scan.digest not in doomed]
    pairs = zip(sources, digests, strict=True)
    return kept, tuple(source for source, digest in pairs if digest in doomed)


def _stores(folder: Path) -> list[str]:
    return [name for name in (PIXEL_FOLDER, MASK_FOLDER) if (folder / name).is_dir()]


def _manifest(plan: ImportPlan, kept: list[StoredScan]) -> pd.DataFrame:
    rows = [plan.source.rows[scan.row] for scan in kept]
    columns: dict[str, object] = {
        "row_id": np.arange(len(kept)),
        "source": [row.source for row in rows],
        "label": [plan.labels[scan.row] for scan in kept],
        "copy_of": copies_of([scan.digest for scan in kept]),
        "pixel_digest": [scan.digest for scan in kept],
    }
    for name in ("height", "width", "format", "mode", "area", "brightness"):
        columns[name] = [getattr(scan, name) for scan in kept]
    for name in dict.fromkeys(name for row in rows for name in row.extra):
        columns[name] = [row.extra.get(name, "") for row in rows]
    for name in dict.fromkeys(name for scan in kept for name in scan.facts):
        columns[name] = [scan.facts.get(name, "") for scan in kept]
    if any(scan.receipt for scan in kept):
        columns[RECEIPT_COLUMN] = ["; ".join(scan.receipt) for scan in kept]
    return pd.DataFrame(columns)


def _groups(
    plan: ImportPlan,
    kept: list[StoredScan],
    manifest: pd.DataFrame,
    *,
    folder: Path,
    progress: Progress,
) -> Groups:
    places = distinct_places(manifest["copy_of"].to_numpy())
    thumbnails = np.load(folder / "thumbnails.npy", allow_pickle=False)
    if plan.patients is None:
        with progress.task("Inferring clusters", total=None):
            inferred = infer_clusters(thumbnails, places=places)
        if plan.source.from_volumes and "volume" in manifest:
            return replace(inferred, names=join_volumes(inferred.names, manifest["volume"].tolist()))
        return inferred
    patients = [plan.patients[scan.row] for scan in kept]
    with progress.task("Counting near-twins", total=None):
        return keep_patients(patients, thumbnails, places=places)


def _flow(plan: ImportPlan, read: Ingested, manifest: pd.DataFrame, *, dropped: int) -> ImportFlow:
    counts = manifest["label"].value_counts()
    return ImportFlow(
        files=len(plan.source.rows),
        readable=len(read.scans),
        dropped=dropped,
        distinct=int((manifest["copy_of"] == -1).sum()),
        by_class={name: int(counts[name]) for name in order_classes(manifest["label"])},
    )


def _notes(plan: ImportPlan, manifest: pd.DataFrame, *, read: Ingested, dropped: int) -> tuple[str, ...]:
    notes = list(plan.source.notes)
    sixteen = int(manifest["mode"].isin(list(SIXTEEN_BIT_MODES)).sum())
    if sixteen:
        notes.append(f"{sixteen} scans of 16 bits were scaled to 8, each so that its largest value is 255.")
    if read.unreadable:
        notes.append(f"{len(read.unreadable)} unreadable files were left out.")
    if dropped:
        notes.append(f"{dropped} scans were left out because their copies disagree on a label.")
    patients = manifest.groupby("pixel_digest")["group"].nunique()
    shared = int((patients > 1).sum())
    if shared:
        notes.append(
            f"{shared} scans have copies under more than one patient; a grouped split keeps such patients on one side."
        )
    return tuple(notes)
