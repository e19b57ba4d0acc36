"""Pixels and labels become a data set: nothing of it is seen until all of it is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tumorlens.datasets.assembly import assemble
from tumorlens.datasets.class_folders import published_part
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.find_source import find_source
from tumorlens.datasets.ingest import ingest
from tumorlens.datasets.library import copies_made_from, load_dataset, remove_dataset
from tumorlens.datasets.manifest import check_kept_names
from tumorlens.datasets.nifti_masks import NO_MASKS, MaskOptions
from tumorlens.datasets.plan import make_plan
from tumorlens.datasets.record import ImportFlow
from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans import DEFAULT_READING, Reading
from tumorlens.workspace import Workspace, atomic_directory, check_name, remove_leftovers

__all__ = ["ImportResult", "import_scans"]


@dataclass(frozen=True)
class ImportResult:
    """What an import made.

    Attributes:
        dataset: The data set, loaded.
        flow: Files, readable, dropped, distinct, scans of each class.
        notes: What was found, guessed or done, for the user.
        dropped: Sources left out because their copies had different labels.
        unreadable: One sentence for each file skipped as unreadable.
    """

    dataset: Dataset
    flow: ImportFlow
    notes: tuple[str, ...]
    dropped: tuple[str, ...]
    unreadable: tuple[str, ...]


def import_scans(
    source: Path,
    *,
    workspace: Workspace,
    name: str,
    labels: Path | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    group_pattern: str | None = None,
    keep_columns: Sequence[str] = (),
    class_names: Mapping[str, str] | None = None,
    drop_conflicts: bool = False,
    skip_unreadable: bool = False,
    replace: bool = False,
    synthetic: bool = False,
    reading: Reading = DEFAULT_READING,
    masks: MaskOptions = NO_MASKS,
    progress: Progress = SILENT,
) -> ImportResult:
    r"""Import labelled scans into the workspace.

    Args:
        source: A folder with a subfolder per class, a folder with images and a CSV, an ``.npz``
            file with ``X`` and ``Y``, or a folder of such files; images may be DICOM files or NIfTI volumes.
            A ``.zip`` of such a folder is unpacked for the time of the import.
        workspace: Where the data set goes.
        name: Its name.
        labels: The CSV, if it is not the only one at the top of ``source``.
        image_column: Its column of image names; guessed, and noted, if not given.
        label_column: Its column of labels; likewise.
        group_column: Its column of patient ids; an array's name for ``.npz``.
        group_pattern: A regular expression with one group that finds the patient in a scan's
            path, such as ``"p(\d+)_"``. It goes before what headers or a layout say of patients.
            Without any of these, clusters are inferred.
        keep_columns: Further columns of the CSV to keep in the manifest.
        class_names: New names for labels, such as ``{"0": "no tumour", "1": "tumour"}``.
        drop_conflicts: Leave out scans whose copies have different labels, instead of stopping.
        skip_unreadable: Leave out unreadable files, instead of stopping.
        replace: Replace a data set of this name.
        synthetic: Mark the scans as made up.
        reading: Intensity rule, plane, DICOM series and steps after reading.
        masks: How lesion masks beside NIfTI volumes are found and what they say of a slice.
        progress: Told about each scan.

    Returns:
        The data set, and what was done.

    Raises:
        InputError: The source, its labels or a scan cannot be used. Nothing is left behind.
        StorageError: The disk is full or may not be written. Nothing is left behind.
    """
    check_name(name, of="data set")
    folder = workspace.datasets / name
    if folder.exists() and not replace:
        raise InputError(f"A data set named {name!r} exists already: choose another --name, or give --replace.")
    options = LabelOptions(labels, image_column, label_column, group_column, tuple(dict.fromkeys(keep_columns)))
    check_kept_names(options.keep_columns)
    with _opened(source, workspace) as (place, unpacked_to):
        plan = make_plan(
            find_source(
                place, options, reading=reading, masks=masks, key_file=workspace.patient_key, progress=progress
            ),
            name=name,
            class_names=class_names or {},
            group_pattern=group_pattern,
            group_column=group_column,
            synthetic=synthetic,
            drop_conflicts=drop_conflicts,
            skip_unreadable=skip_unreadable,
            reading=reading,
        )
        workspace.create()
        remove_leftovers(workspace.datasets, depth=1)
        with atomic_directory(folder, replace=replace) as temporary:
            read = ingest(
                plan.source, temporary, steps=plan.pixel_steps, skip_unreadable=plan.skip_unreadable, progress=progress
            )
            assemble(plan, read, temporary, progress=progress)
    for copy in copies_made_from(workspace, name):  # of the scans as they were before
        remove_dataset(workspace, copy)
        progress.say(f"{copy}, a copy of the scans before, was removed.")
    dataset = load_dataset(workspace, name)
    record = dataset.record
    unreadable = tuple(_named(sentence, source, unpacked_to) for sentence in read.unreadable)
    return ImportResult(dataset, record.flow, record.notes, record.dropped, unreadable)


@contextmanager
def _opened(source: Path, workspace: Workspace) -> Iterator[tuple[Path, Path | None]]:
    """The folder to read, and the one that a zip file was unpacked to for the time of the import.

    Errors name the zip file instead of that folder.
    """
    if source.suffix.lower() != ".zip" or source.is_dir():
        yield source, None
        return
    from tumorlens.scans.archives import unpacked

    workspace.create()
    remove_leftovers(workspace.root)
    with unpacked(source, into=workspace.root) as folder:
        try:
            yield _content(folder), folder
        except InputError as error:
            raise type(error)(_named(str(error), source, folder)) from error


def _content(folder: Path) -> Path:
    """The folder that was zipped: a zip file holds it as its only entry, as a rule."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    if len(entries) != 1 or not entries[0].is_dir() or published_part(entries[0].name) is not None:
        return folder
    return _content(entries[0])


def _named(text: str, source: Path, unpacked_to: Path | None) -> str:
    return text if unpacked_to is None else text.replace(str(unpacked_to), str(source))
