"""Tells the kinds of sources apart: a CSV with images, class folders, ``.npz`` files, DICOM files, NIfTI volumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tumorlens.datasets.class_folders import class_folder_names, read_class_folders
from tumorlens.datasets.csv_source import looks_like_labels, read_csv_source
from tumorlens.datasets.nifti_masks import NO_MASKS, MaskOptions
from tumorlens.datasets.npz_source import read_npz_source
from tumorlens.datasets.source import LabelOptions, ScanSource
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import Progress
from tumorlens.scans import Reading, check_text_name, natural_key, read_errors, scan_files
from tumorlens.scans.kinds import FileKind, files_by_kind, kind_of

__all__ = ["find_source"]


def find_source(
    path: Path,
    options: LabelOptions,
    *,
    reading: Reading,
    masks: MaskOptions,
    key_file: Path,
    progress: Progress,
) -> ScanSource:
    """List the scans of a source of any kind.

    Args:
        path: A folder, an ``.npz`` file, or a single DICOM or NIfTI file.
        options: How it says what its scans are. Without ``labels``, a single CSV at the top of the
            folder is used if it names the images.
        reading: How DICOM and NIfTI files become scans.
        masks: How lesion masks beside NIfTI volumes are found.
        key_file: Where the secret lies that hashes patient ids of DICOM files.
        progress: Told about long reads.

    Raises:
        NotFoundError: There is no such source.
        InputError: It is of no known kind, may not be read, or cannot be used; see the readers of each kind.
    """
    with read_errors(path):
        if not path.exists():
            raise NotFoundError(f"The source {path} does not exist: check the path.")
        _check_masks(masks)
        kind = _kind(path, masks)
        if kind == "dicom":
            _refuse_mask_options(masks)
            from tumorlens.datasets.dicom_source import read_dicom_source
            from tumorlens.datasets.patient_hash import read_or_make_key

            key = read_or_make_key(key_file)
            return read_dicom_source(path, options, reading=reading, key=key, progress=progress)
        if kind == "nifti":
            from tumorlens.datasets.nifti_source import read_nifti_source

            if reading.series:
                raise InputError("--series is for DICOM files, and the source holds NIfTI volumes: leave it out.")
            return read_nifti_source(path, options, reading=reading, masks=masks, progress=progress)
        _refuse_volume_options(reading, masks)
        return _find(path, options, progress=progress)


def _kind(path: Path, masks: MaskOptions) -> FileKind | None:
    """What a source consists of; ``None`` for pictures, arrays and what is not known."""
    if path.is_file():
        return kind_of(path)
    found = files_by_kind(path)
    kinds = [kind for kind, files in found.items() if files]
    masked = masks.layout is not None or masks.pattern is not None
    if masked and (found["nifti"] or not kinds):
        return "nifti"
    if len(kinds) > 1:
        counted = ", ".join(f"{len(found[kind])} {kind} files" for kind in kinds)
        raise InputError(
            f"{path} mixes kinds of scans ({counted}), expected one: import each kind from its own folder."
        )
    return kinds[0] if kinds else None


def _check_masks(masks: MaskOptions) -> None:
    """Refuse words on masks where none are looked for."""
    if masks.sequence != NO_MASKS.sequence and masks.layout is None:
        raise InputError("--sequence is for --layout brats: give that too, or leave it out.")
    if masks.pattern is not None or masks.layout is not None:
        return
    unused = {
        "--mask-labels": masks.labels != NO_MASKS.labels,
        "--min-lesion-mm2": masks.min_lesion_mm2 != NO_MASKS.min_lesion_mm2,
    }
    for name, given in unused.items():
        if given:
            raise InputError(f"{name} is for lesion masks: give --mask-pattern or --layout too, or leave it out.")


def _refuse_mask_options(masks: MaskOptions) -> None:
    for name, given in {"--mask-pattern": masks.pattern, "--layout": masks.layout}.items():
        if given is not None:
            raise InputError(f"{name} is for NIfTI volumes, and the source holds DICOM files: leave it out.")


def _refuse_volume_options(reading: Reading, masks: MaskOptions) -> None:
    unused = {
        "--window": reading.window != Reading().window,
        "--plane": reading.plane != Reading().plane,
        "--series": bool(reading.series),
        "--mask-pattern": masks.pattern is not None,
        "--layout": masks.layout is not None,
    }
    for name, given in unused.items():
        if given:
            raise InputError(f"{name} is for DICOM and NIfTI files, and the source holds none: leave it out.")


def _find(path: Path, options: LabelOptions, *, progress: Progress) -> ScanSource:
    if path.is_file():
        if path.suffix.lower() != ".npz":
            raise InputError(f"Expected a folder of scans, a .zip of one, or an .npz, DICOM or NIfTI file, got {path}.")
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
