"""Slices of NIfTI volumes as scans to import; labels from masks, a CSV or class folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tumorlens.datasets.brats import list_brats
from tumorlens.datasets.nifti_masks import MaskOptions
from tumorlens.datasets.nifti_slices import Examined, SharedVolume, examine
from tumorlens.datasets.nifti_volumes import VolumeFile, list_volumes
from tumorlens.datasets.pool import ordered_map
from tumorlens.datasets.source import LabelOptions, ScanSource, SourceRow
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import Progress
from tumorlens.scans import Reading, Scan
from tumorlens.scans.files import all_files
from tumorlens.scans.nifti import MINIMUM_AREA, is_nifti

__all__ = ["read_nifti_source"]

_WORKERS = 2
_NO_TUMOR = "no_tumor"


def read_nifti_source(
    path: Path,
    options: LabelOptions,
    *,
    reading: Reading,
    masks: MaskOptions,
    progress: Progress,
    minimum_area: float = MINIMUM_AREA,
) -> ScanSource:
    """List the slices of the volumes in a folder.

    Every volume is read once here, to find its slices, their labels and its grey range, and once more when its
    pixels are loaded. A volume that cannot be read becomes one row whose loader says why, so that it is counted, or
    skipped, as any unreadable file.

    Slices of one volume never count as a patient of their own: rows name a patient only where the layout or a CSV
    does, and ``extra["volume"]`` says which slices belong together in any case.

    Args:
        path: A folder, or a single volume.
        options: A CSV with a row per volume, where there is one.
        reading: Intensity rule and plane.
        masks: How masks are found, and what they mean.
        progress: Told about each volume.
        minimum_area: Slices with a smaller share of head are left out.

    Raises:
        NotFoundError: There is no such folder.
        InputError: There are no volumes, or their labels, masks or the intensity rule do not fit.
    """
    if reading.window.kind == "dicom":
        raise InputError("--window dicom is for DICOM files: use percentiles or LOW,HIGH for NIfTI volumes.")
    folder, files = _files(path)
    volumes, notes = _volumes(folder, files, options, masks)
    look = partial(examine, reading=reading, min_lesion_mm2=masks.min_lesion_mm2, minimum_area=minimum_area)
    examined = []
    with progress.task("Looking through volumes", total=len(volumes)) as task:
        for result in ordered_map(look, volumes, workers=_WORKERS, ahead=_WORKERS):
            examined.append(result)
            task.advance()
    rows = tuple(row for result in examined for row in _rows(result))
    if not rows:
        raise InputError(
            f"None of the {reading.plane} slices in {path} can be used: {_flow(examined, reading, masks, minimum_area)}"
        )
    notes = [*notes, _flow(examined, reading, masks, minimum_area), *_oddities(examined), *_group_note(volumes)]
    return ScanSource(rows, lambda: _loaders(examined, reading), tuple(notes), from_volumes=True)


def _files(path: Path) -> tuple[Path, list[Path]]:
    if not path.exists():
        raise NotFoundError(f"The source {path} does not exist: check the path.")
    if path.is_file():
        return path.parent, [path]
    everything = all_files(path)
    files = [file for file in everything if is_nifti(file)]
    if files:
        return path, files
    pairs = any(file.suffix.lower() in (".hdr", ".img") for file in everything)
    hint = "convert its .hdr/.img pairs to .nii.gz" if pairs else "give the folder they are in"
    raise InputError(f"{path} holds no NIfTI volumes (.nii or .nii.gz): {hint}.")


def _volumes(
    folder: Path, files: list[Path], options: LabelOptions, masks: MaskOptions
) -> tuple[list[VolumeFile], list[str]]:
    if masks.layout is None:
        return list_volumes(folder, files, options, masks)
    if masks.layout != "brats":
        raise InputError(f"Expected --layout brats, got {masks.layout!r}.")
    columns = options.image_column or options.label_column or options.group_column or options.keep_columns
    if masks.pattern is not None or options.labels is not None or columns:
        raise InputError("--layout brats knows masks, labels and patients: leave out --mask-pattern, CSV and columns.")
    return list_brats(folder, files, masks)


def _rows(result: Examined) -> Iterator[SourceRow]:
    file = result.file
    extra = {"volume": file.source, **file.extra}
    if result.error is not None:
        yield SourceRow(file.source, file.label or _NO_TUMOR, file.patient, extra)
    for name, label in zip(result.names, result.labels, strict=True):
        yield SourceRow(f"{file.source}#{name}", label, file.patient, extra)


def _loaders(examined: Sequence[Examined], reading: Reading) -> Iterator[Callable[[], Scan]]:
    for result in examined:
        if result.error is not None:
            yield partial(_refuse, result.error)
            continue
        volume = SharedVolume(result, reading)
        for index in result.kept:
            yield partial(volume.scan, index)


def _refuse(reason: str) -> Scan:
    raise InputError(reason)


def _flow(examined: Sequence[Examined], reading: Reading, masks: MaskOptions, minimum_area: float) -> str:
    """One sentence on how many slices there were, and where they went."""
    slices, dark, between = (sum(getattr(r, name) for r in examined) for name in ("slices", "dark", "between"))
    kept = sum(len(result.kept) for result in examined)
    parts = [f"{dark} left out for little brain (under {minimum_area * 100:g} % of the slice)"]
    if any(result.file.mask is not None for result in examined):
        parts.append(f"{between} left out because less than {masks.min_lesion_mm2:g} mm² of them is tumour")
    return f"{len(examined)} volumes with {slices} {reading.plane} slices: {', '.join(parts)}, {kept} kept."


def _oddities(examined: Sequence[Examined]) -> list[str]:
    """What a person should know about single volumes; the first of each kind is named."""
    read = [result for result in examined if result.error is None]
    kinds = {
        "hold several volumes, of which the first was read": [r for r in read if r.volumes > 1],
        "do not say how they lie (no qform or sform code); left and right are assumed": [
            r for r in read if not r.oriented
        ],
        "gave no slice": [r for r in read if not r.kept],
    }
    return [f"{len(found)} files {text} (the first: {found[0].file.source})." for text, found in kinds.items() if found]


def _group_note(volumes: Sequence[VolumeFile]) -> list[str]:
    if all(volume.patient is not None for volume in volumes):
        return []
    folders = [Path(volume.source).parent for volume in volumes]
    own = len(set(folders)) == len(folders) and all(folder.name for folder in folders)
    pattern = r"([^/]+)/[^/]+$" if own else r"([^/]+)\.nii"
    when = "if each folder is a patient" if own else "if each volume is a patient"
    return [
        "The files themselves name no patients. Slices of one volume stay together; "
        f"--group-pattern '{pattern}' names patients {when}."
    ]
