"""Tells the kinds of sources apart: a CSV with images, class folders, ``.npz`` files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tumorlens.datasets.class_folders import class_folder_names, read_class_folders
from tumorlens.datasets.csv_source import looks_like_labels, read_csv_source
from tumorlens.datasets.npz_source import read_npz_source
from tumorlens.datasets.source import LabelOptions, ScanSource
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import Progress
from tumorlens.scans import check_text_name, natural_key, read_errors, scan_files

__all__ = ["find_source"]


def find_source(path: Path, options: LabelOptions, *, progress: Progress) -> ScanSource:
    """List the scans of a source of any kind.

    Args:
        path: A folder or an ``.npz`` file.
        options: How it says what its scans are. Without ``labels``, a single CSV at the top of the
            folder is used if it names the images.
        progress: Told about long reads.

    Raises:
        NotFoundError: There is no such source.
        InputError: It is of no known kind, may not be read, or cannot be used; see the readers of each kind.
    """
    with read_errors(path):
        return _find(path, options, progress=progress)


def _find(path: Path, options: LabelOptions, *, progress: Progress) -> ScanSource:
    if not path.exists():
        raise NotFoundError(f"The source {path} does not exist: check the path.")
    if path.is_file():
        if path.suffix.lower() != ".npz":
            raise InputError(f"Expected a folder of scans or an .npz file, got the file {path}.")
        return _npz([path], options, progress=progress)
    if options.labels is not None:
        return read_csv_source(path, _labels_path(path, options.labels), options)
    arrays = _by_suffix(path, ".npz")
    if arrays and not scan_files(path):
        return _npz(arrays, options, progress=progress)
    return _folder(path, options)


def _folder(path: Path, options: LabelOptions) -> ScanSource:
    tables = _by_suffix(path, ".csv")
    named = options.image_column or options.label_column or options.group_column
    has_classes = len(class_folder_names(path)) > 1
    if len(tables) == 1 and (named or not has_classes or looks_like_labels(tables[0], path)):
        return read_csv_source(path, tables[0], options)
    if len(tables) > 1 and not has_classes:
        raise InputError(
            f"{path} holds {len(tables)} CSV files ({', '.join(t.name for t in tables[:5])}): "
            "name the one with the labels by --labels."
        )
    if named or options.keep_columns:
        raise InputError(f"Columns were named, but {path} has no single CSV file: name it by --labels.")
    source = read_class_folders(path)
    if not tables:
        return source
    unused = f"Not used: {', '.join(t.name for t in tables)}; the labels come from class folders."
    return replace(source, notes=(*source.notes, unused))


def _npz(paths: list[Path], options: LabelOptions, *, progress: Progress) -> ScanSource:
    if options.labels or options.image_column or options.label_column or options.keep_columns:
        raise InputError(
            "A CSV of labels and its columns do not apply to .npz files, whose labels are Y: leave them out."
        )
    for path in paths:
        check_text_name(path)
    return read_npz_source(paths, options, progress=progress)


def _labels_path(folder: Path, labels: Path) -> Path:
    beside = folder / labels
    found = beside if not labels.exists() and beside.exists() else labels
    check_text_name(found)
    return found


def _by_suffix(folder: Path, suffix: str) -> list[Path]:
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() == suffix and file.is_file() and not file.name.startswith(".")
    ]
    for file in files:
        check_text_name(file)
    return sorted(files, key=lambda file: natural_key(file.name))
