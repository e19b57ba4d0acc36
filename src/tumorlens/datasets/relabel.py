"""Makes a data set with corrected labels; the old ones stay beside the new. Knows nothing about why they are wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.datasets.contact_sheet import contact_sheet
from tumorlens.datasets.dataset import CONTACT_SHEET, Dataset
from tumorlens.datasets.library import load_dataset
from tumorlens.datasets.manifest import manifest_digest, write_manifest
from tumorlens.datasets.original import ORIGINAL_FILE
from tumorlens.datasets.split_files import fitting_splits
from tumorlens.errors import InputError
from tumorlens.workspace import Workspace, atomic_directory, check_name

__all__ = ["OLD_LABEL", "relabel", "settle_corrections"]

OLD_LABEL = "label_before"
"""Manifest column with each scan's label as it was imported."""

_NOTE = f"labels were corrected by hand after the import; the old ones are in the column {OLD_LABEL}."
_MADE_ANEW = ("dataset.json", "manifest.parquet", CONTACT_SHEET, "splits", ORIGINAL_FILE)  # corrected, it is no copy
_OF_OLD_LABELS = "audit"


def settle_corrections(dataset: Dataset, corrections: Mapping[int, str]) -> dict[int, str]:
    """Work out every row whose label changes: the corrected ones and their copies.

    Args:
        dataset: Whose labels are corrected.
        corrections: Row ids with their right labels; one that repeats the present label confirms it.

    Returns:
        Row ids with new labels, ascending; rows that keep their label are left out.

    Raises:
        InputError: A row is unknown, a label is no class, or copies get different labels.
    """
    digests, sources = dataset.digests, dataset.manifest["source"].tolist()
    said: dict[str, int] = {}
    for row, label in corrections.items():
        if not 0 <= row < len(dataset):
            raise InputError(
                f"There is no row {row} in {dataset.name!r} (rows 0 to {len(dataset) - 1}): check the row id."
            )
        if label not in dataset.classes:
            raise InputError(
                f"Row {row} ({sources[row]}) is to become {label!r}, expected one of {', '.join(dataset.classes)}: "
                "use one of these."
            )
        other = said.setdefault(digests[row], row)
        if corrections[other] != label:
            raise InputError(
                f"{sources[other]} and {sources[row]} have the same pixels but are to become "
                f"{corrections[other]!r} and {label!r}: give copies the same label."
            )
    present = dataset.manifest["label"].tolist()
    settled = {row: corrections[said[digest]] for row, digest in enumerate(digests) if digest in said}
    return {row: label for row, label in settled.items() if label != present[row]}


def relabel(workspace: Workspace, name: str, corrections: Mapping[int, str], *, new_name: str | None = None) -> Dataset:
    """Make the data set with corrected labels, whole or not at all.

    Pixels and thumbnails are shared with the old folder (hard links) or copied. The manifest gets the column
    :data:`OLD_LABEL`, which keeps the first label through several rounds, and a new digest. Splits are bound to pixels
    and not to labels: they are kept, so that figures before and after rest on the same test scans, unless a part would
    lack a class.

    Args:
        workspace: Where the data set is.
        name: Its name.
        corrections: Row ids with their right labels; copies follow.
        new_name: Name of the data set to make; ``None``: the old one is replaced.

    Returns:
        The corrected data set, loaded.

    Raises:
        InputError: A correction cannot be used (see :func:`settle_corrections`), none changes a label, a class would
            lose its last scan, or ``new_name`` is taken.
        NotFoundError: There is no data set ``name``.
        StorageError: The disk is full or may not be written; the old data set stays as it was.
    """
    dataset = load_dataset(workspace, name)
    goal = _goal(workspace, name, new_name)
    settled = settle_corrections(dataset, corrections)
    if not settled:
        raise InputError(f"No label of {name!r} changes: give at least one row a label that it does not have.")
    manifest = _corrected(dataset.manifest, settled)
    _check_every_class(dataset, manifest)
    with atomic_directory(goal, replace=goal == dataset.path) as folder:
        for file in _files_to_keep(dataset.path):
            _take_over(dataset.path / file, folder / file)
        changed = _write(dataset, manifest, folder, name=goal.name)
        for split in fitting_splits(dataset.splits, changed):
            _take_over(split, changed.splits / split.name)
    return load_dataset(workspace, goal.name)


def _goal(workspace: Workspace, name: str, new_name: str | None) -> Path:
    if new_name is None or new_name == name:
        return workspace.datasets / name
    goal = workspace.datasets / check_name(new_name, of="data set")
    if goal.exists():
        raise InputError(f"A data set named {new_name!r} exists already: choose another name.")
    return goal


def _corrected(manifest: pd.DataFrame, settled: Mapping[int, str]) -> pd.DataFrame:
    changed = manifest.copy()
    if OLD_LABEL not in changed.columns:
        changed[OLD_LABEL] = changed["label"]
    labels = changed["label"].tolist()
    for row, label in settled.items():
        labels[row] = label
    changed["label"] = labels
    return changed


def _check_every_class(dataset: Dataset, manifest: pd.DataFrame) -> None:
    left = set(manifest["label"])
    for name in dataset.classes:
        if name not in left:
            raise InputError(f"The corrections leave no scan of class {name!r}: keep one, or import the data set anew.")


def _write(dataset: Dataset, manifest: pd.DataFrame, folder: Path, *, name: str) -> Dataset:
    """Write manifest, record and contact sheet into ``folder``, which holds the pixels already."""
    manifest = write_manifest(manifest, folder / "manifest.parquet")
    counts = manifest["label"].value_counts()
    corrected = int(np.sum(manifest["label"].to_numpy() != manifest[OLD_LABEL].to_numpy()))
    notes = [note for note in dataset.record.notes if not note.endswith(_NOTE)]
    if corrected:
        notes.append(f"{corrected} {_NOTE}")
    record = replace(
        dataset.record,
        name=name,
        digest=manifest_digest(manifest),
        flow=replace(dataset.record.flow, by_class={c: int(counts[c]) for c in dataset.classes}),
        notes=tuple(notes),
    )
    record.write(folder / "dataset.json")
    changed = Dataset(folder, record, manifest)
    contact_sheet(changed).save(changed.contact_sheet)
    return changed


def _files_to_keep(folder: Path) -> Iterator[Path]:
    """Yield, relative, the files that do not depend on labels."""
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        top = relative.parts[0]
        if file.is_file() and top not in _MADE_ANEW and not top.startswith(_OF_OLD_LABELS) and file.name != "lock.mdb":
            yield relative


def _take_over(old: Path, new: Path) -> None:
    """Link a file that never changes once it is written; copy it where links are not to be had."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
