"""DICOM files of a folder, a DICOMDIR or a single file, as scans to import: grouped by hashed patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tumorlens.datasets.dicom_labels import (
    Labelled,
    is_published,
    label_by_folder,
    label_by_table,
    names_files,
    names_slices,
)
from tumorlens.datasets.label_table import read_table
from tumorlens.datasets.patient_hash import hash_patient
from tumorlens.datasets.source import LabelOptions, ScanSource, SourceRow
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import Reading, Scan, check_text_name, quiet_decoding
from tumorlens.scans.dicom import (
    FACT_COLUMNS,
    DicomIndex,
    DicomSeries,
    OpenFiles,
    Selection,
    SeriesReader,
    dicomdir_files,
    index_dicom,
    is_dicomdir,
    select_series,
)
from tumorlens.scans.files import all_files

__all__ = ["read_dicom_source"]


def read_dicom_source(
    path: Path, options: LabelOptions, *, reading: Reading, key: bytes, progress: Progress
) -> ScanSource:
    """List the slices of DICOM files, series by series in spatial order.

    Labels come from the class folders directly below ``path`` (also below ``Training``, ``Testing``), or from a CSV
    whose rows name files, SOPInstanceUIDs, SeriesInstanceUIDs or PatientIDs. A single CSV at the top of the folder is
    used without being named if it does so. The patient is a keyed hash of PatientID, or of what stands in the column
    that is named; of the rest of the header only coded facts leave this function.

    Args:
        path: A folder, a DICOMDIR, or one file.
        options: How labels are given.
        reading: Intensity rule, plane and choice of series.
        key: Secret of the hash; see :func:`tumorlens.datasets.patient_hash.read_or_make_key`.
        progress: Told about each header.

    Raises:
        NotFoundError: There is no such source.
        InputError: It holds no slices that can be read or chosen, or their labels cannot be used.
    """
    with quiet_decoding():
        folder, files, missing = _files(path)
        labels = _labels_path(folder, options)
        compartment = _compartment(folder, files, options, explicit=labels, table=labels or _only_table(path))
        index = index_dicom(files, progress=progress, compartment=compartment)
    _check_any(index, path)
    selection = select_series(index.series, reading)
    table = labels or _found_table(path, index, options)
    if table is not None:
        labelled, notes = label_by_table(folder, table, index, selection.series, options)
    elif options.image_column or options.label_column or options.group_column or options.keep_columns:
        raise InputError(f"Columns were named, but {path} has no CSV file that names its slices: name it by --labels.")
    else:
        labelled, notes = label_by_folder(folder, index, selection.series)
    rows, patient_notes = _rows(labelled, folder, key=key)
    if table is None:
        notes += _folder_notes(rows)
    notes = [*_summary(rows, index, selection, missing=missing), *selection.notes, *notes, *patient_notes]
    loaders = partial(_loaders, labelled, selection.series, index, reading)
    return ScanSource(rows, loaders, tuple(notes), from_volumes=True)


def _files(path: Path) -> tuple[Path, list[Path], int]:
    """The folder that names are relative to, the files, and how many a DICOMDIR names in vain."""
    if path.is_dir():
        return path, [file for file in all_files(path) if not is_dicomdir(file) and file.suffix.lower() != ".csv"], 0
    check_text_name(path)
    if is_dicomdir(path):
        found, missing = dicomdir_files(path)
        return path.parent, found, missing
    return path.parent, [path], 0


def _labels_path(folder: Path, options: LabelOptions) -> Path | None:
    if options.labels is None:
        return None
    beside = folder / options.labels
    found = beside if not options.labels.exists() and beside.exists() else options.labels
    check_text_name(found)
    return found


def _found_table(path: Path, index: DicomIndex, options: LabelOptions) -> Path | None:
    """The only CSV at the top of the folder, if it names the slices or columns were named."""
    table = _only_table(path)
    if table is None:
        return None
    named = options.image_column or options.label_column or options.group_column
    return table if named or names_slices(read_table(table), path, index) else None


def _only_table(path: Path) -> Path | None:
    """The only CSV at the top of a folder."""
    if not path.is_dir():
        return None
    tables = [file for file in all_files(path) if file.parent == path and file.suffix.lower() == ".csv"]
    return tables[0] if len(tables) == 1 else None


def _compartment(
    folder: Path, files: Sequence[Path], options: LabelOptions, *, explicit: Path | None, table: Path | None
) -> Callable[[Path], str]:
    """Where a copy can have a label of its own it is kept, so that a contradiction is seen.

    That is each file where a table names files, and each class where labels come from folders.
    """
    if table is not None and names_files(read_table(table), folder, files, options):
        return str
    if explicit is not None:
        return lambda path: ""
    depth = 2 if is_published(folder, [file for file in files if file.parent != folder]) else 1
    return lambda path: "/".join(path.relative_to(folder).parts[:-1][:depth])


def _check_any(index: DicomIndex, path: Path) -> None:
    if index.series:
        return
    if index.unreadable:
        raise InputError(index.unreadable[0].reason)
    counted = f"{index.count('localizer')} localizers, {index.count('non-image')} objects without pictures"
    raise InputError(
        f"{path} holds no DICOM slices ({counted}, {index.other_files} other files): give the folder they are in."
    )


def _rows(labelled: list[Labelled], folder: Path, *, key: bytes) -> tuple[tuple[SourceRow, ...], list[str]]:
    rows = []
    unnamed = 0
    patient_ids, studies = set(), set()
    for entry in labelled:
        relative = entry.path.relative_to(folder).as_posix()
        item = entry.item
        facts = item.facts if item else dict.fromkeys(FACT_COLUMNS, "")
        taken = [name for name in entry.extra if name in facts]
        if taken:
            raise InputError(f"The column {taken[0]!r} cannot be kept, DICOM facts use its name: rename it.")
        extra = {**facts, **entry.extra}
        if item is None:
            identity = entry.patient or f"file {relative}"
            rows.append(SourceRow(relative, entry.label, hash_patient(identity, key), extra))
            continue
        source = relative if item.frame is None else f"{relative}#{item.frame + 1}"
        study = item.study_uid or item.series_uid or item.path.parent.relative_to(folder).as_posix()
        identity = entry.patient or item.patient_id or f"study {study}"
        unnamed += not item.patient_id
        patient_ids.add(item.patient_id)
        studies.add(item.study_uid)
        rows.append(SourceRow(source, entry.label, hash_patient(identity, key), extra))
    return tuple(rows), _patient_notes(labelled, unnamed, patients=len(patient_ids), studies=len(studies))


def _folder_notes(rows: Sequence[SourceRow]) -> list[str]:
    """A warning where the folders look like patients rather than classes."""
    pairs = {(row.label, row.patient) for row in rows}
    labels = {label for label, _ in pairs}
    if len(labels) < 2 or len(pairs) > len(labels):
        return []
    return [
        f"Each of the {len(labels)} class folders holds one patient: if the folders are patients and not classes, give "
        "the classes by a CSV with --labels."
    ]


def _patient_notes(labelled: list[Labelled], unnamed: int, *, patients: int, studies: int) -> list[str]:
    if any(entry.patient for entry in labelled):
        return []
    if unnamed:
        return [f"{unnamed} slices have no PatientID: each study was taken for a patient."]
    if patients == 1 and studies > 1:
        return [
            f"All {studies} studies bear the same PatientID and count as one patient: if that is a placeholder, name a "
            "column of patients with --group-column."
        ]
    return []


def _summary(rows: tuple[SourceRow, ...], index: DicomIndex, selection: Selection, *, missing: int) -> list[str]:
    patients = len({row.patient for row in rows})
    notes = [f"DICOM: {len(rows)} slices of {patients} patients in {len(selection.series)} series were found."]
    counts = {
        "localizers": index.count("localizer"),
        "objects without pictures": index.count("non-image"),
        "copies (same SOPInstanceUID and pixels)": index.count("copy"),
        "files that are not DICOM": index.other_files,
        "files that the DICOMDIR names but that are missing": missing,
    }
    left_out = [f"{count} {what}" for what, count in counts.items() if count]
    if left_out:
        notes.append(f"Left out: {', '.join(left_out)}.")
    if index.shared_uids:
        notes.append(f"{index.shared_uids} files bear the SOPInstanceUID of another with other pixels; they are kept.")
    return notes


def _loaders(
    labelled: list[Labelled], series: Sequence[DicomSeries], index: DicomIndex, reading: Reading
) -> Iterator[Callable[[], Scan]]:
    files = OpenFiles()
    reasons = {file.path: file.reason for file in index.unreadable}
    readers = {}
    for group in series:
        reader = SeriesReader(group, reading.window, files=files)
        readers.update({id(item): reader for item in group.slices})
    for entry in labelled:
        if entry.item is None:
            yield partial(_refuse, reasons[entry.path])
        else:
            yield partial(readers[id(entry.item)].read, entry.item)


def _refuse(reason: str) -> Scan:
    raise InputError(reason)
