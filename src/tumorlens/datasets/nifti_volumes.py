"""Which volumes of a folder are read, and what is known of each before it is opened: label, patient, mask.

Knows nothing about voxels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tumorlens.datasets.class_folders import published_part
from tumorlens.datasets.file_index import FileIndex
from tumorlens.datasets.label_table import find_column, guess_image_column, guess_label_column, read_table
from tumorlens.datasets.nifti_masks import MaskOptions, match_masks
from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError
from tumorlens.scans import check_text_name
from tumorlens.scans.nifti.names import NIFTI_SUFFIXES

__all__ = ["VolumeFile", "list_volumes"]


_PROBED = 20


@dataclass(frozen=True)
class VolumeFile:
    """One volume to read.

    Attributes:
        path: The file.
        source: Its name within the source, with forward slashes.
        label: Label of all its slices; ``None``: the mask says.
        mask: Its segmentation.
        mask_labels: Values of the mask that mean tumour; empty: all above 0.
        patient: The patient's id, where the source names one.
        extra: Values of further manifest columns.
    """

    path: Path
    source: str
    label: str | None = None
    mask: Path | None = None
    mask_labels: tuple[int, ...] = ()
    patient: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


def list_volumes(
    folder: Path, files: Sequence[Path], options: LabelOptions, masks: MaskOptions
) -> tuple[list[VolumeFile], list[str]]:
    """List the volumes of a folder without a layout of its own.

    Masks decide the labels where there is a pattern for them; a CSV then only names patients and further columns.
    Without masks a CSV gives one label a volume, and without a CSV the subfolders are the classes.

    Args:
        folder: The source.
        files: Its NIfTI files, in order.
        options: The CSV and its columns.
        masks: How masks are found.

    Returns:
        The volumes in order, and what was found or guessed, for the user.

    Raises:
        InputError: Volumes have no label, or the CSV or the pattern does not fit.
    """
    options = replace(options, labels=_table_path(folder, files, options, masks))
    named = options.image_column or options.label_column or options.group_column or options.keep_columns
    if options.labels is None and named:
        raise InputError("Columns were named, but no CSV file: name it by --labels.")
    if masks.pattern is None:
        if options.labels is None:
            return _from_class_folders(folder, files)
        return _from_table(folder, [VolumeFile(file, _name(folder, file)) for file in files], options, labelled=True)
    pairs, without = match_masks(folder, files, masks.pattern)
    notes = []
    if not pairs:
        raise InputError(
            f"No volume in {folder} has a mask by the pattern {masks.pattern!r} (the first of {len(files)} volumes: "
            f"{_name(folder, files[0])}): correct --mask-pattern."
        )
    if without:
        notes.append(f"{len(without)} volumes without a mask were left out (the first: {_name(folder, without[0])}).")
    volumes = [VolumeFile(image, _name(folder, image), mask=mask, mask_labels=masks.labels) for image, mask in pairs]
    if options.labels is None:
        return volumes, notes
    listed, more = _from_table(folder, volumes, options, labelled=False)
    return listed, [*notes, *more]


def _table_path(folder: Path, files: Sequence[Path], options: LabelOptions, masks: MaskOptions) -> Path | None:
    """The CSV named, here or beside the source; else the only one at its top, if columns or volumes say it is meant.

    Where masks give the labels, one that was not named is used only for columns that were.
    """
    if options.labels is not None:
        beside = folder / options.labels
        found = beside if not options.labels.exists() and beside.exists() else options.labels
        check_text_name(found)
        return found
    visible = [file for file in folder.iterdir() if not file.name.startswith(".") and not file.is_symlink()]
    tables = [file for file in visible if file.suffix.lower() == ".csv" and file.is_file()]
    if len(tables) != 1:
        return None
    if options.image_column or options.label_column or options.group_column or options.keep_columns:
        return tables[0]
    index = FileIndex(folder, list(files))
    return tables[0] if masks.pattern is None and _guess_image(read_table(tables[0]), index) else None


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()


def _from_class_folders(folder: Path, files: Sequence[Path]) -> tuple[list[VolumeFile], list[str]]:
    parts = [file.relative_to(folder).parts for file in files]
    published = all(published_part(names[0]) is not None for names in parts)
    depth = 1 if published else 0
    loose = ["/".join(names) for names in parts if len(names) <= depth + 1]
    if loose:
        raise InputError(
            f"{len(loose)} of {len(files)} volumes in {folder} have no label (the first: {', '.join(loose[:3])}): put "
            "them in one folder per class, give a CSV with --labels, or masks with --mask-pattern."
        )
    volumes = []
    for file, names in zip(files, parts, strict=True):
        extra = {"published_part": published_part(names[0]) or ""} if published else {}
        volumes.append(VolumeFile(file, "/".join(names), label=names[depth], extra=extra))
    return volumes, [f"Class folders: {', '.join(sorted({names[depth] for names in parts}))}."]


def _from_table(
    folder: Path, volumes: Sequence[VolumeFile], options: LabelOptions, *, labelled: bool
) -> tuple[list[VolumeFile], list[str]]:
    """The volumes a CSV names, in their own order, with what it says of them."""
    assert options.labels is not None
    path, table = options.labels, read_table(options.labels)
    index = FileIndex(folder, [volume.path for volume in volumes])
    image, label = _columns(table, path, options, index=index, labelled=labelled)
    rows = _match(table[image].tolist(), index, path=path)
    records = table.to_dict("records")
    found = [
        _told(volume, records[rows[volume.path]], path, label=label, options=options)
        for volume in volumes
        if volume.path in rows
    ]
    notes = [f"{path.name}: {image!r} names the volumes" + (f", {label!r} their labels." if label else ".")]
    if len(found) < len(volumes):
        notes.append(f"{len(volumes) - len(found)} volumes that {path.name} does not name were left out.")
    return found, notes


def _columns(
    table: pd.DataFrame, path: Path, options: LabelOptions, *, index: FileIndex, labelled: bool
) -> tuple[str, str | None]:
    """The columns of names and of labels; of labels only where they are wanted."""
    for name in (options.image_column, options.label_column, options.group_column, *options.keep_columns):
        if name is not None:
            find_column(table, name, path=path)
    image = options.image_column or guess_image_column(table) or _guess_image(table, index)
    if image is None:
        raise _cannot_guess(table, path, "--image-column")
    if not labelled:
        return image, None
    label = options.label_column or guess_label_column(table, image=image, options=options)
    if label is None:
        raise _cannot_guess(table, path, "--label-column")
    return image, label


def _guess_image(table: pd.DataFrame, index: FileIndex) -> str | None:
    """The column whose first values are names of volumes: the one named so, if it holds them."""
    named = guess_image_column(table)
    columns = [*([named] if named else []), *map(str, table.columns)]
    return next((name for name in columns if all(_find(value, index) for value in table[name].head(_PROBED))), None)


def _find(name: str, index: FileIndex) -> Path | None:
    """The volume of this name, which may lack ``.nii.gz``."""
    return next((file for end in ("", *NIFTI_SUFFIXES) if name and (file := index.find(name + end))), None)


def _cannot_guess(table: pd.DataFrame, path: Path, option: str) -> InputError:
    columns = ", ".join(table.columns[:20])
    return InputError(f"No column of {path} can be guessed (columns: {columns}): name it with {option}.")


def _told(
    volume: VolumeFile, record: dict[Hashable, Any], path: Path, *, label: str | None, options: LabelOptions
) -> VolumeFile:
    """A volume with what its row says."""
    for name in (label, options.group_column):
        if name is not None and not record[name]:
            raise InputError(f"{path} has a blank in column {name!r} for {volume.source}: fill it in.")
    return replace(
        volume,
        label=None if label is None else str(record[label]),
        patient=None if options.group_column is None else str(record[options.group_column]),
        extra={name: str(record[name]) for name in options.keep_columns},
    )


def _match(names: list[str], index: FileIndex, *, path: Path) -> dict[Path, int]:
    """The table's row for each file; a name may lack ``.nii.gz``."""
    rows: dict[Path, int] = {}
    missing = []
    for row, name in enumerate(names):
        file = _find(name, index)
        if file is None:
            missing.append(name or "(blank)")
        elif file in rows:
            raise InputError(f"Lines {rows[file] + 2} and {row + 2} of {path} both name {file.name}: keep one of them.")
        else:
            rows[file] = row
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} rows in {path} name a volume that is not there (the first: "
            f"{', '.join(missing[:3])}): add the files or remove the rows."
        )
    return rows
