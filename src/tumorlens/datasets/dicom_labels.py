"""Which label each DICOM slice has: from its folder, or from a CSV that names files, images, series or patients."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tumorlens.datasets.class_folders import published_part
from tumorlens.datasets.file_index import FileIndex
from tumorlens.datasets.label_table import find_column, guess_image_column, guess_label_column, read_table
from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError
from tumorlens.scans.dicom import DicomIndex, DicomSeries, DicomSlice

__all__ = ["Labelled", "is_published", "label_by_folder", "label_by_table", "names_files", "names_slices"]

_PROBED_ROWS = 50
_FRAME_MARK = "#"


@dataclass(frozen=True)
class Labelled:
    """One thing to import: a slice with its label, or a file that cannot be read.

    Attributes:
        path: The file.
        item: The slice; ``None`` for a file that cannot be read.
        label: Its label.
        patient: The patient as a table's column names them, to be hashed; ``None`` without such a column.
        extra: Values of further manifest columns.
    """

    path: Path
    item: DicomSlice | None
    label: str
    patient: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


def is_published(folder: Path, files: Sequence[Path]) -> bool:
    """Whether the top folders of ``files`` are ``Training``, ``Testing`` or the like."""
    tops = {parts[0] for file in files if len(parts := file.relative_to(folder).parts) > 1}
    return bool(tops) and all(published_part(name) for name in tops)


def label_by_folder(folder: Path, index: DicomIndex, series: Sequence[DicomSeries]) -> tuple[list[Labelled], list[str]]:
    """Label slices by the folder below ``folder`` (or below ``Training``, ``Testing``) that they lie in.

    Returns:
        Readable slices in series order, then unreadable files; and notes.

    Raises:
        InputError: Some lie in no such folder.
    """
    slices = [item for group in series for item in group.slices]
    places: list[tuple[Path, DicomSlice | None]] = [(item.path, item) for item in slices]
    places += [(file.path, None) for file in index.unreadable]
    published = is_published(folder, [path for path, _ in places])
    depth = 2 if published else 1
    loose = [path for path, _ in places if len(path.relative_to(folder).parts) <= depth]
    if loose:
        raise _loose_error(folder, loose, count=len(places))
    labelled = []
    for path, item in places:
        parts = path.relative_to(folder).parts
        extra = {"published_part": published_part(parts[0]) or ""} if published else {}
        labelled.append(Labelled(path, item, parts[depth - 1], extra=extra))
    notes = [f"Class folders: {', '.join(sorted({entry.label for entry in labelled}))}."]
    if published:
        notes.append("The published parts are kept in the column published_part; splits are made anew, by group.")
    return labelled, notes


def _loose_error(folder: Path, loose: list[Path], *, count: int) -> InputError:
    names = ", ".join(path.relative_to(folder).as_posix() for path in list(dict.fromkeys(loose))[:3])
    if len(loose) == count:
        return InputError(
            f"The {count} DICOM slices in {folder} have no labels (the first: {names}): put them in one folder per "
            "class, or give a CSV with --labels."
        )
    return InputError(
        f"{len(loose)} of {count} DICOM slices in {folder} lie in no class folder and so have no label (the first: "
        f"{names}): move or remove them."
    )


def names_slices(table: pd.DataFrame, folder: Path, index: DicomIndex) -> bool:
    """Whether a table found beside the files has a column that names them, their series or patients."""
    return _best_column(table, _finders(folder, index), list(table.columns)) is not None


def names_files(table: pd.DataFrame, folder: Path, files: Sequence[Path], options: LabelOptions) -> bool:
    """Whether a column of a table names files: most of its first rows are found among them."""
    index = FileIndex(folder, list(files))
    taken = {options.label_column, options.group_column, *options.keep_columns}
    columns = [options.image_column] if options.image_column else [name for name in table.columns if name not in taken]
    for column in set(columns) & set(table.columns):
        names = [name for name in table[column].head(_PROBED_ROWS) if name]
        found = sum(_is_found(lambda name: _file_of(index, name), name) for name in names)
        if found > len(names) / 2:
            return True
    return False


def label_by_table(
    folder: Path, table_path: Path, index: DicomIndex, series: Sequence[DicomSeries], options: LabelOptions
) -> tuple[list[Labelled], list[str]]:
    """Label slices by a CSV whose rows name files, SOPInstanceUIDs, SeriesInstanceUIDs or PatientIDs.

    A row that names a series or patient is about all of its slices. A row may name what was left out (a localizer, a
    series of another plane).

    Raises:
        InputError: A column is missing, a row names nothing that is there, two rows name the same slice, a label is
            blank, or slices beside labelled ones of the same series have none.
    """
    table = read_table(table_path)
    finders = _finders(folder, index)
    image, kind, label, notes = _columns(table, table_path, finders, options)
    wanted = {id(item) for group in series for item in group.slices}
    rows: dict[int, int] = {}
    missing: list[int] = []
    for line, name in enumerate(table[image]):
        found = finders[kind](name)
        if found is None:
            missing.append(line)
        for item in found or []:
            if id(item) in rows:
                raise InputError(
                    f"Lines {rows[id(item)] + 2} and {line + 2} of {table_path} name the same slice: keep one of them."
                )
            rows[id(item)] = line
    _check_found(table[image], table_path, kind=kind, missing=missing)
    _check_labels(table[label], table_path, rows=rows, wanted=wanted)
    notes += _check_unlabelled(series, rows, kind=kind, table_path=table_path)
    labelled = [
        _labelled(item, table.iloc[rows[id(item)]], label, options)
        for group in series
        for item in group.slices
        if id(item) in rows
    ]
    if not labelled:
        raise InputError(f"{table_path} labels none of the slices that are to be read: check its column {image!r}.")
    # a file that cannot be read stops the import or is counted, whatever its label
    labelled += [
        Labelled(file.path, None, labelled[0].label, labelled[0].patient, labelled[0].extra)
        for file in index.unreadable
    ]
    return labelled, notes


Finder = Callable[[str], list[DicomSlice] | None]


def _finders(folder: Path, index: DicomIndex) -> dict[str, Finder]:
    """How a text is looked up as each kind of name: its slices, none if left out, ``None`` if there is no such."""
    slices = [item for group in index.series for item in group.slices]
    by_path: dict[Path, list[DicomSlice]] = defaultdict(list)
    for item in slices:
        by_path[item.path].append(item)
    others = [*(file.path for file in index.left_out), *(file.path for file in index.unreadable)]
    files = FileIndex(folder, [*by_path, *others])

    def by_file(name: str) -> list[DicomSlice] | None:
        found = _file_of(files, name)
        if found is None:
            return None
        file, frame = found
        return by_path[file] if frame is None else [item for item in by_path[file] if item.frame == frame - 1] or None

    return {
        "file": by_file,
        "SOPInstanceUID": _by_value(
            [(item.instance_uid, item) for item in slices], [file.instance_uid for file in index.left_out]
        ),
        "SeriesInstanceUID": _by_value(
            [(item.series_uid, item) for item in slices], [file.series_uid for file in index.left_out]
        ),
        "PatientID": _by_value(
            [(item.patient_id, item) for item in slices], [file.patient_id for file in index.left_out]
        ),
    }


def _file_of(files: FileIndex, name: str) -> tuple[Path, int | None] | None:
    """The file that a text names, and the number of a frame if it has one (``a.dcm#3``)."""
    file = files.find(name) if name else None
    if file is not None:
        return file, None
    start, mark, frame = name.rpartition(_FRAME_MARK)
    file = files.find(start) if mark and frame.isdecimal() else None
    return None if file is None else (file, int(frame))


def _by_value(pairs: list[tuple[str, DicomSlice]], left_out: list[str]) -> Finder:
    found: dict[str, list[DicomSlice]] = {value: [] for value in left_out if value}
    for value, item in pairs:
        if value:
            found.setdefault(value, []).append(item)
    return found.get


def _columns(
    table: pd.DataFrame, path: Path, finders: dict[str, Finder], options: LabelOptions
) -> tuple[str, str, str, list[str]]:
    """The column that names things, the kind of its names, the column of labels, and what was guessed."""
    for name in (options.image_column, options.label_column, options.group_column, *options.keep_columns):
        if name is not None:
            find_column(table, name, path=path)
    taken = {options.label_column, options.group_column, *options.keep_columns}
    named = guess_image_column(table)
    ordered = [name for name in table.columns if name == named] + [name for name in table.columns if name != named]
    candidates = [options.image_column] if options.image_column else [name for name in ordered if name not in taken]
    best = _best_column(table, finders, candidates)
    if best is None and options.group_column and not options.image_column:
        best = _best_column(table, finders, [options.group_column])
    if best is None:
        raise InputError(
            f"No column of {path} names the DICOM files, their SOPInstanceUIDs, series or patients (columns: "
            f"{', '.join(table.columns[:20])}): correct the table or name the column with --image-column."
        )
    image, kind = best
    label = options.label_column or guess_label_column(table, image=image, options=options)
    if label is None:
        raise InputError(
            f"No column of {path} is named like one of labels (columns: {', '.join(table.columns[:20])}): name it with "
            "--label-column."
        )
    what = "file names" if kind == "file" else f"{kind}s"
    notes = [f"{path.name}: column {image!r} was read as {what}, {label!r} as the label."]
    return image, kind, label, notes


def _best_column(table: pd.DataFrame, finders: dict[str, Finder], columns: Sequence[str]) -> tuple[str, str] | None:
    """The column and kind of name under which most of the first rows are found."""
    scores: Counter[tuple[str, str]] = Counter()
    for column in columns:
        names = [name for name in table[column].head(_PROBED_ROWS) if name]
        for kind, find in finders.items():
            scores[column, kind] = sum(_is_found(find, name) for name in names)
    best = max(scores, key=lambda place: scores[place], default=None)
    return best if best is not None and scores[best] > 0 else None


def _is_found(find: Callable[[str], object], name: str) -> bool:
    try:
        return find(name) is not None
    except InputError:  # it could mean several files: said when the column is read
        return True


def _check_found(names: pd.Series, path: Path, *, kind: str, missing: list[int]) -> None:
    """Refuse rows that name nothing; identifiers of patients and studies are not repeated, their lines are given."""
    if not missing:
        return
    if kind == "file":
        shown = "the first: " + ", ".join(str(names.iloc[line]) or "(blank)" for line in missing[:3])
    else:
        shown = f"the first are lines {_lines(missing)}"
    raise InputError(
        f"{len(missing)} of {len(names)} rows in {path} name what is not there (label without image; {shown}): add the "
        "files or remove the rows."
    )


def _check_labels(labels: pd.Series, path: Path, *, rows: dict[int, int], wanted: set[int]) -> None:
    blank = {line for item, line in rows.items() if item in wanted and not labels.iloc[line]}
    if blank:
        raise InputError(
            f"{len(blank)} rows of {path} have a blank in column {labels.name!r} (image without label; the first are "
            f"lines {_lines(blank)}): fill in the labels or remove rows and files."
        )


def _lines(rows: Collection[int]) -> str:
    """The first rows by the line they have in the file."""
    return ", ".join(str(row + 2) for row in sorted(rows)[:3])


def _check_unlabelled(series: Sequence[DicomSeries], rows: dict[int, int], *, kind: str, table_path: Path) -> list[str]:
    """Refuse unlabelled slices beside labelled ones; series without any label are only noted."""
    silent = 0
    for group in series:
        rest = [item for item in group.slices if id(item) not in rows]
        if not rest:
            continue
        if len(rest) < len(group.slices) and kind in ("file", "SOPInstanceUID"):
            names = ", ".join(item.path.name for item in rest[:3])
            raise InputError(
                f"{len(rest)} slices of a series that {table_path.name} labels are not in it (image without label; the "
                f"first: {names}): add rows for them or remove the files."
            )
        silent += 1
    return [f"{silent} series that {table_path.name} does not mention were left out."] if silent else []


def _labelled(item: DicomSlice, row: pd.Series, label: str, options: LabelOptions) -> Labelled:
    patient = None
    if options.group_column is not None:
        patient = str(row[options.group_column])
        if not patient:
            raise InputError(
                f"The row of {item.path.name} has a blank in column {options.group_column!r}: fill in the patients."
            )
    extra = {name: str(row[name]) for name in options.keep_columns}
    return Labelled(item.path, item, str(row[label]), patient, extra)
