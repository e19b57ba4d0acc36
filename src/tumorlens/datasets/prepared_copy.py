"""Makes a copy of a data set whose scans are cut around the head, or harmonised, row by row; labels and groups stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.datasets.assembly import RECEIPT_COLUMN
from tumorlens.datasets.contact_sheet import contact_sheet
from tumorlens.datasets.copies import check_labels_agree, copies_of
from tumorlens.datasets.dataset import Dataset, MaskStore
from tumorlens.datasets.ingest import Ingested, ingest
from tumorlens.datasets.library import open_dataset
from tumorlens.datasets.manifest import manifest_digest, write_manifest
from tumorlens.datasets.original import ORIGINAL_DIGEST, Original, read_original, write_original
from tumorlens.datasets.pixelstore import PixelStore
from tumorlens.datasets.source import ScanSource, SourceRow
from tumorlens.datasets.split_files import fitting_splits
from tumorlens.errors import InputError, TumorlensError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans import CUT, HARMONISED, PixelSteps, Scan
from tumorlens.workspace import Workspace, atomic_directory, check_name, one_process

__all__ = ["copy_name", "find_prepared_copies", "prepare_dataset"]

_WHAT = {CUT: "cut around the head", HARMONISED: "harmonised"}
_WAIT_SECONDS = 3600.0
_SAME_ROWS = ["source", "label", "group"]
_MEASURED = ("height", "width", "area", "brightness")
_SHEET_COUNT = 8


def copy_name(name: str, steps: PixelSteps) -> str:
    """What the copy of a data set is called whose scans went through ``steps``."""
    return f"{name}-harmonised" if steps.harmonise else f"{name}-{steps.crop}"


def prepare_dataset(
    workspace: Workspace, dataset: Dataset, steps: PixelSteps, *, progress: Progress = SILENT
) -> Dataset:
    """Take every scan through steps, as ``data import --crop brain`` or ``--harmonise`` does, or find an earlier copy.

    A copy of the data set as it was before, such as before another import, is replaced, as is one that is damaged.
    While another process makes the same copy, this one waits for it.

    Args:
        workspace: Where the copy goes, under :func:`copy_name`.
        dataset: A data set whose scans are as they were read.
        steps: What is done to them.
        progress: Told of every scan.

    Returns:
        A data set with the same rows, labels and groups in the same order, and with the words of ``steps``.

    Raises:
        InputError: Another data set has the copy's name, or two scans with different labels become the same pixels.
        StorageError: The disk is full or may not be written.
    """
    goal = workspace.datasets / check_name(copy_name(dataset.name, steps), of="data set")
    with one_process(
        workspace.datasets / f".{goal.name}.lock", doing=f"making the data set {goal.name}", seconds=_WAIT_SECONDS
    ):
        found = _find(goal, dataset, steps)
        return found if found is not None else _make(goal, dataset, steps, progress=progress)


def _make(goal: Path, dataset: Dataset, steps: PixelSteps, *, progress: Progress) -> Dataset:
    if goal.exists():
        original = read_original(goal)
        if original is None or original.name != dataset.name:
            raise InputError(
                f"The data set {goal.name!r} has the name of the copy of {dataset.name!r} {_WHAT[steps]}, and is none: "
                f"remove it (tumorlens data remove {goal.name}), or use the scans as stored."
            )
        progress.say(f"{goal.name} is made anew: {dataset.name} has changed since, or the copy was damaged.")
    with atomic_directory(goal, replace=True) as folder, _source(dataset) as source:
        read = ingest(source, folder, steps=steps, skip_unreadable=False, progress=progress)
        _write(dataset, read, folder, name=goal.name, steps=steps)
        copy = open_dataset(folder)
        for file in fitting_splits(goal / copy.splits.name, copy):  # of a copy that was damaged
            copy.splits.mkdir(exist_ok=True)
            shutil.copyfile(file, copy.splits / file.name)
    return open_dataset(goal)


def find_prepared_copies(workspace: Workspace, dataset: Dataset) -> list[Dataset]:
    """The copies that :func:`prepare_dataset` made of a data set as it is now; damaged ones are none."""
    copies = (_find(workspace.datasets / copy_name(dataset.name, steps), dataset, steps) for steps in (CUT, HARMONISED))
    return [copy for copy in copies if copy is not None]


def _find(goal: Path, dataset: Dataset, steps: PixelSteps) -> Dataset | None:
    if not goal.exists():
        return None
    try:
        found = open_dataset(goal)
        found.thumbnails()
    except TumorlensError:
        return None
    return found if _is_copy(found, dataset, steps) else None


def _is_copy(found: Dataset, dataset: Dataset, steps: PixelSteps) -> bool:
    return (
        found.scan_steps == (*dataset.scan_steps, *steps.words)
        and len(found) == len(dataset)
        and found.manifest[_SAME_ROWS].equals(dataset.manifest[_SAME_ROWS])
        and ORIGINAL_DIGEST in found.manifest
        and read_original(found.path) == Original(dataset.name, dataset.digest)
    )


@contextmanager
def _source(dataset: Dataset) -> Iterator[ScanSource]:
    """The rows of a data set as scans to be read once more; its stores are open inside the context."""
    table = dataset.manifest
    rows = list(zip(table["pixel_digest"], table["format"], table["mode"], table["source"], strict=True))
    with ExitStack() as stack:
        pixels = stack.enter_context(dataset.open_pixels())
        masks = stack.enter_context(dataset.open_masks()) if dataset.has_masks else None

        def loaders() -> Iterator[Callable[[], Scan]]:
            return (partial(_stored, pixels, masks, *row) for row in rows)

        yield ScanSource(tuple(map(SourceRow, table["source"], table["label"])), loaders)


def _stored(pixels: PixelStore, masks: MaskStore | None, digest: str, kind: str, mode: str, source: str) -> Scan:
    mask = None if masks is None else masks.get(digest)
    return Scan(pixels.get(digest), kind, mode, source, mask=mask)


def _write(dataset: Dataset, read: Ingested, folder: Path, *, name: str, steps: PixelSteps) -> None:
    """Write everything but pixels and masks, which are in ``folder`` already."""
    for lock in folder.glob("*/lock.mdb"):
        lock.unlink()
    np.save(folder / "thumbnails.npy", read.thumbnails, allow_pickle=False)
    manifest = write_manifest(_manifest(dataset, read, steps), folder / "manifest.parquet")
    record = replace(
        dataset.record,
        name=name,
        digest=manifest_digest(manifest),
        flow=replace(dataset.record.flow, distinct=int((manifest["copy_of"] == -1).sum())),
        scan_steps=(*dataset.scan_steps, *steps.words),
        notes=(
            *dataset.record.notes,
            f"A copy of {dataset.name} made with {steps.options}; labels and groups are those of {dataset.name}.",
        ),
    )
    record.write(folder / "dataset.json")
    write_original(folder, Original(dataset.name, dataset.digest))
    copy = Dataset(folder, record, manifest)
    contact_sheet(copy, count=_SHEET_COUNT).save(copy.contact_sheet)


def _manifest(dataset: Dataset, read: Ingested, steps: PixelSteps) -> pd.DataFrame:
    digests = [scan.digest for scan in read.scans]
    table = dataset.manifest
    try:
        check_labels_agree(digests, table["label"].tolist(), sources=table["source"].tolist())
    except InputError as error:
        raise InputError(
            f"{dataset.name!r} has no copy {_WHAT[steps]}: two of its scans with different labels would become "
            "the same pixels; use the scans as stored, or correct the labels (tumorlens data audit)."
        ) from error
    before = table[RECEIPT_COLUMN] if RECEIPT_COLUMN in table else [""] * len(table)
    receipts = ["; ".join(filter(None, (old, *scan.receipt))) for old, scan in zip(before, read.scans, strict=True)]
    return table.assign(
        pixel_digest=digests,
        copy_of=copies_of(digests),
        **{column: [getattr(scan, column) for scan in read.scans] for column in _MEASURED},
        **{RECEIPT_COLUMN: receipts, ORIGINAL_DIGEST: table["pixel_digest"].tolist()},
    )
