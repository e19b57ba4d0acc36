"""The data sets of a workspace: load, list, remove."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.manifest import read_manifest
from tumorlens.datasets.original import read_original
from tumorlens.datasets.record import DatasetRecord, read_record
from tumorlens.errors import NotFoundError
from tumorlens.scans import natural_key
from tumorlens.workspace import Workspace, check_name, storage_errors, temporary_name

__all__ = ["copies_made_from", "list_datasets", "load_dataset", "open_dataset", "remove_dataset"]


def load_dataset(workspace: Workspace, name: str) -> Dataset:
    """Load the data set ``name``.

    Raises:
        NotFoundError: There is none of that name; near names are offered.
        IntegrityError: Its files were damaged or changed, or are of a newer format.
    """
    return open_dataset(_folder(workspace, name))


def open_dataset(folder: Path) -> Dataset:
    """Load the data set in ``folder``; see :func:`load_dataset`."""
    record = read_record(folder / "dataset.json")
    return Dataset(folder, record, read_manifest(folder / "manifest.parquet", digest=record.digest))


def list_datasets(workspace: Workspace) -> tuple[DatasetRecord, ...]:
    """Return the record of every data set, in natural order of their names."""
    return tuple(read_record(workspace.datasets / n / "dataset.json") for n in _names(workspace))


def remove_dataset(workspace: Workspace, name: str) -> list[str]:
    """Delete the data set ``name`` with its pixels and splits, and copies made from it; features and runs stay.

    Returns:
        Names of what was deleted, copies first.

    Raises:
        NotFoundError: There is none of that name.
        StorageError: It may not be deleted.
    """
    names = [*copies_made_from(workspace, name), name]
    for folder in [_folder(workspace, one) for one in names]:
        doomed = temporary_name(folder)
        with storage_errors(folder):
            folder.rename(doomed)
            shutil.rmtree(doomed)
    return names


def copies_made_from(workspace: Workspace, name: str) -> list[str]:
    """Names of data sets that tumorlens made from the data set ``name``, such as its scans cut around the head."""
    originals = {other: read_original(workspace.datasets / other) for other in _names(workspace)}
    return [other for other, original in originals.items() if original is not None and original.name == name]


def _folder(workspace: Workspace, name: str) -> Path:
    check_name(name, of="data set")
    names = _names(workspace)
    if name in names:
        return workspace.datasets / name
    near = difflib.get_close_matches(name, names, n=3)
    shown = near or names[:10]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    hint = f"did you mean {', '.join(shown)}?" if near else f"there are: {', '.join(shown)}{more}."
    if not shown:
        hint = "there is none yet: make one with 'tumorlens data import'."
    raise NotFoundError(f"There is no data set {name!r} in {workspace.root}; {hint}")


def _names(workspace: Workspace) -> list[str]:
    if not workspace.datasets.is_dir():
        return []
    names = [
        entry.name
        for entry in workspace.datasets.iterdir()
        if not entry.name.startswith(".") and (entry / "dataset.json").is_file()
    ]
    return sorted(names, key=natural_key)
