"""Scans in a folder whose labels stand in a CSV file, matched by name and never by position."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from tumorlens.datasets.file_index import FileIndex
from tumorlens.datasets.label_table import (
    Columns,
    find_column,
    guess_image_column,
    guess_label_column,
    read_table,
)
from tumorlens.datasets.source import LabelOptions, ScanSource, SourceRow
from tumorlens.errors import InputError
from tumorlens.scans import read_scan, scan_files

__all__ = ["looks_like_labels", "read_csv_source"]

_PROBED_ROWS = 20


def looks_like_labels(table_path: Path, folder: Path) -> bool:
    """Whether a CSV found beside the scans has a column that can be guessed to name them."""
    table = read_table(table_path)
    return _guess_image(table, FileIndex(folder, scan_files(folder))) is not None


def read_csv_source(folder: Path, table_path: Path, options: LabelOptions) -> ScanSource:
    """List the scans that a CSV names, in its order.

    Args:
        folder: Where the images are, at any depth.
        table_path: The CSV.
        options: Column names; what is not named is guessed, and the notes say so.

    Raises:
        InputError: A column is missing, an image has no label, a label has no image, or a file is
            named twice. Nothing is half-imported: all of them are counted, the first are named.
    """
    files = scan_files(folder)
    if not files:
        raise InputError(f"{folder} holds no scans (PNG, JPEG, TIFF, BMP, WebP): give the folder they are in.")
    table, index = read_table(table_path), FileIndex(folder, files)
    columns, notes = _columns(table, table_path, index=index, options=options)
    matched = _match(table, columns, table_path=table_path, index=index)
    notes += _check_unlabelled(folder, files, matched, table_path=table_path)
    rows = _rows(table, columns, matched, folder=folder, table_path=table_path, options=options)
    return ScanSource(rows, lambda: (partial(read_scan, file) for file in matched), tuple(notes))


def _columns(table: pd.DataFrame, path: Path, *, index: FileIndex, options: LabelOptions) -> tuple[Columns, list[str]]:
    wanted = (options.image_column, options.label_column, options.group_column)
    for name in (*wanted, *options.keep_columns):
        if name is not None:
            find_column(table, name, path=path)
    image = options.image_column or _guess_image(table, index)
    if image is None:
        raise _cannot_guess(table, path, what="images", option="--image-column")
    label = options.label_column or guess_label_column(table, image=image, options=options)
    if label is None:
        raise _cannot_guess(table, path, what="labels", option="--label-column")
    guessed = []
    if options.image_column is None:
        guessed.append(f"{image!r} as the image column")
    if options.label_column is None:
        guessed.append(f"{label!r} as the label column")
    notes = [f"{path.name}: guessed {' and '.join(guessed)}."] if guessed else []
    return Columns(image, label), notes


def _guess_image(table: pd.DataFrame, index: FileIndex) -> str | None:
    named = guess_image_column(table)
    if named is not None:
        return named
    for column in table.columns:
        if all(index.find(value) for value in table[column].head(_PROBED_ROWS)):
            return str(column)
    return None


def _cannot_guess(table: pd.DataFrame, path: Path, *, what: str, option: str) -> InputError:
    return InputError(
        f"No column of {path} is named like one of {what} (columns: "
        f"{', '.join(table.columns[:20])}): name it with {option}."
    )


def _match(table: pd.DataFrame, columns: Columns, *, table_path: Path, index: FileIndex) -> list[Path]:
    names = table[columns.image].tolist()
    found = [index.find(name) for name in names]
    missing = [name or "(blank)" for name, file in zip(names, found, strict=True) if file is None]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} rows in {table_path} name an image that is not there "
            f"(label without image; the first: {', '.join(missing[:3])}): add the files or remove "
            "the rows."
        )
    matched = [file for file in found if file is not None]
    first_line: dict[Path, int] = {}
    for line, file in enumerate(matched, start=2):
        if file in first_line:
            raise InputError(
                f"Lines {first_line[file]} and {line} of {table_path} both name {file.name}: keep one of them."
            )
        first_line[file] = line
    blank = [file.name for file, text in zip(matched, table[columns.label], strict=True) if not text]
    if blank:
        raise InputError(
            f"{len(blank)} images have a blank in column {columns.label!r} of {table_path} (image "
            f"without label; the first: {', '.join(blank[:3])}): fill in the labels or remove the "
            "rows and files."
        )
    return matched


def _check_unlabelled(folder: Path, files: list[Path], matched: list[Path], *, table_path: Path) -> list[str]:
    """Refuse unnamed images beside named ones; folders with no named image are only noted."""
    named, folders = set(matched), {file.parent for file in matched}
    rest = [file for file in files if file not in named]
    beside = [file.relative_to(folder).as_posix() for file in rest if file.parent in folders]
    if beside:
        raise InputError(
            f"{len(beside)} images in {folder} are not in {table_path.name} (image without label; "
            f"the first: {', '.join(beside[:3])}): add rows for them or remove the files."
        )
    if not rest:
        return []
    others = sorted({file.parent.relative_to(folder).as_posix() for file in rest})
    return [
        f"{len(rest)} images in folders that {table_path.name} does not mention were left out: {', '.join(others[:5])}."
    ]


def _rows(
    table: pd.DataFrame,
    columns: Columns,
    matched: list[Path],
    *,
    folder: Path,
    table_path: Path,
    options: LabelOptions,
) -> tuple[SourceRow, ...]:
    patients: list[str] | list[None] = [None] * len(table)
    if options.group_column is not None:
        patients = table[options.group_column].tolist()
        blank = [file.name for file, name in zip(matched, patients, strict=True) if not name]
        if blank:
            raise InputError(
                f"{len(blank)} rows have a blank in column {options.group_column!r} of "
                f"{table_path} (the first: {', '.join(blank[:3])}): fill in the patients."
            )
    kept = table[list(options.keep_columns)].to_dict("records")
    return tuple(
        SourceRow(
            file.relative_to(folder).as_posix(),
            label,
            patient,
            {str(key): str(value) for key, value in extra.items()},
        )
        for file, label, patient, extra in zip(matched, table[columns.label].tolist(), patients, kept, strict=True)
    )
