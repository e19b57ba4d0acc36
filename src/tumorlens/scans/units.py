"""Files and folders become units that are read together: a picture, a volume, a DICOM series.

For prediction, where nothing has a label; an import goes by its own sources, which read with the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.files import check_regular
from tumorlens.scans.kinds import files_by_kind, kind_of
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.pixel_steps import prepare_scan
from tumorlens.scans.raster import Scan, read_scan
from tumorlens.scans.reading import Reading

if TYPE_CHECKING:
    from tumorlens.scans.dicom import DicomIndex, DicomSeries, OpenFiles

__all__ = ["ALONE_MARK", "Refusal", "ScanUnit", "UnitList", "scan_units"]

ALONE_MARK = "grey levels from this file alone"
"""Said of a DICOM slice that was given without the rest of its series, where the rule asks for the series' range."""

_MASK_STEM = re.compile(r"(^|[-_.])(seg|mask|label)s?$", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Why one scan could not be read.

    Attributes:
        source: The file.
        reason: One sentence.
    """

    source: str
    reason: str


@dataclass(frozen=True)
class ScanUnit:
    """Scans that are read together.

    Attributes:
        source: The file, or the first of a series.
        read: Yields the scans, prepared as declared, and a refusal in the place of each that cannot be read.
        marks: What must be said with the answers.
    """

    source: Path
    read: Callable[[], Iterator[Scan | Refusal]]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitList:
    """What there is to read.

    Attributes:
        units: In the order given.
        notes: What was left out, one sentence each.
    """

    units: tuple[ScanUnit, ...]
    notes: tuple[str, ...]


def scan_units(paths: Sequence[Path], reading: Reading, *, limits: ReadLimits = DEFAULT_LIMITS) -> UnitList:
    """List what there is to read in files and below folders, in the order given, a folder's content in natural order.

    DICOM files that are named one by one are sorted into series together, at the place of the first: a series has one
    range of intensities, however it is named.

    Args:
        paths: Files, DICOMDIRs, and folders of pictures, NIfTI volumes and DICOM series.
        reading: Intensity rule, plane and steps after reading; of the DICOM series below folders, which are read.
        limits: Largest file and picture.

    Raises:
        NotFoundError: A path does not exist, or a folder holds no scans.
        InputError: A path is a pipe or a device, or may not be read.
    """
    from tumorlens.scans.dicom.dicomdir import is_dicomdir

    units: list[ScanUnit] = []
    notes: list[str] = []
    single: list[Path] = []
    place = 0
    for path in paths:
        if path.is_dir():
            listed = _folder(path, reading, limits)
        else:
            check_regular(path)
            if is_dicomdir(path):
                listed = _dicomdir(path, reading, limits)
            elif kind_of(path) == "dicom":
                place = place if single else len(units)
                single.append(path)
                continue
            else:
                listed = UnitList((_file(path, reading, limits),), ())
        units += listed.units
        notes += listed.notes
    if single:
        listed = _named_files(single, reading, limits)
        units[place:place] = listed.units
        notes += listed.notes
    return UnitList(tuple(units), tuple(notes))


def _folder(path: Path, reading: Reading, limits: ReadLimits) -> UnitList:
    from tumorlens.scans.dicom.dicomdir import is_dicomdir
    from tumorlens.scans.nifti.names import nifti_stem

    found = files_by_kind(path)
    volumes = [file for file in found["nifti"] if not _MASK_STEM.search(nifti_stem(file))]
    masks = len(found["nifti"]) - len(volumes)
    notes = [f"{path}: {masks} files named as masks (seg, mask, label) were left out."] if masks else []
    units = [_file(file, reading, limits) for file in (*found["picture"], *volumes)]
    slices = [file for file in found["dicom"] if not is_dicomdir(file)]
    if slices:
        listed = _dicom_units(path, slices, reading, limits)
        units += listed.units
        notes += listed.notes
    if not units:
        raise NotFoundError(
            " ".join([f"No scans are in {path}: give a folder with pictures, DICOM files or NIfTI volumes.", *notes])
        )
    return UnitList(tuple(units), tuple(notes))


def _dicomdir(path: Path, reading: Reading, limits: ReadLimits) -> UnitList:
    from tumorlens.scans.dicom.dicomdir import dicomdir_files

    try:
        files, missing = dicomdir_files(path, limits=limits)
    except InputError as error:
        return UnitList((_refused(path, str(error)),), ())
    notes = (f"{path}: {missing} files that it names are missing.",) if missing else ()
    listed = _dicom_units(path, files, reading, limits)
    units = listed.units or (_refused(path, f"{path} names no slices that are there: give the folder instead."),)
    return UnitList(units, (*notes, *listed.notes))


def _file(path: Path, reading: Reading, limits: ReadLimits) -> ScanUnit:
    read = _read_volume if kind_of(path) == "nifti" else _read_picture
    return ScanUnit(path, partial(read, path, reading, limits))


def _read_picture(path: Path, reading: Reading, limits: ReadLimits) -> Iterator[Scan | Refusal]:
    yield _prepared(partial(read_scan, path, limits=limits), reading, limits, source=str(path))


def _read_volume(path: Path, reading: Reading, limits: ReadLimits) -> Iterator[Scan | Refusal]:
    from tumorlens.scans.nifti import read_nifti

    try:
        for scan in read_nifti(path, reading, limits=limits):
            yield prepare_scan(scan, reading.pixel_steps, limits=limits)
    except InputError as error:
        yield Refusal(str(path), str(error))


def _prepared(load: Callable[[], Scan], reading: Reading, limits: ReadLimits, *, source: str) -> Scan | Refusal:
    try:
        return prepare_scan(load(), reading.pixel_steps, limits=limits)
    except InputError as error:
        return Refusal(source, str(error))


def _named_files(files: list[Path], reading: Reading, limits: ReadLimits) -> UnitList:
    """DICOM files that were named one by one: each is answered or refused, whatever series the model is for."""
    from tumorlens.scans.dicom import index_dicom

    reading = replace(reading, series="")
    index = index_dicom(files, limits=limits)
    units = []
    for left in index.left_out:
        if left.left_out != "copy":
            kind = "a localizer" if left.left_out == "localizer" else "a DICOM object without pictures"
            units.append(_refused(left.path, f"{left.path} is {kind}, expected slices: give an image file."))
    named = str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more DICOM files"
    listed = _series_units(files[0], index, reading, limits, named=named, alone=True)
    copies = index.count("copy")
    notes = (f"{copies} copies of other DICOM files were left out.",) if copies else ()
    return UnitList((*units, *listed.units), (*notes, *listed.notes))


def _dicom_units(source: Path, files: list[Path], reading: Reading, limits: ReadLimits) -> UnitList:
    """DICOM files of a folder or a DICOMDIR: what is no slice is left out, and a note says so."""
    from tumorlens.scans.dicom import index_dicom

    index = index_dicom(files, limits=limits)
    counts = {
        "localizers": index.count("localizer"),
        "objects without pictures": index.count("non-image"),
        "copies (same SOPInstanceUID and pixels)": index.count("copy"),
    }
    left_out = [f"{count} {what}" for what, count in counts.items() if count]
    notes = (f"{source}: {', '.join(left_out)} were left out.",) if left_out else ()
    listed = _series_units(source, index, reading, limits, named=str(source), alone=False)
    return UnitList(listed.units, (*notes, *(f"{source}: {note}" for note in listed.notes)))


def _series_units(
    source: Path, index: DicomIndex, reading: Reading, limits: ReadLimits, *, named: str, alone: bool
) -> UnitList:
    """One unit a series that ``reading`` chooses; where it chooses none, one that is refused.

    ``alone`` says that the rest of a series may lie elsewhere.
    """
    from tumorlens.scans.dicom import OpenFiles, select_series

    units = [_refused(file.path, file.reason) for file in index.unreadable]
    if not index.series:
        return UnitList(tuple(units), ())
    try:
        selection = select_series(index.series, reading)
    except InputError as error:
        steps = ", ".join(reading.steps(volumes=True))
        return UnitList((*units, _refused(source, f"{named} cannot be used (read by {steps}). {error}")), ())
    opened = OpenFiles(limits)
    for series in selection.series:
        lone = alone and len(series.slices) == 1 and series.slices[0].grey
        marks = (ALONE_MARK,) if lone and reading.window.kind == "percentiles" else ()
        read = partial(_read_series, series, reading, limits, opened)
        units.append(ScanUnit(series.slices[0].path, read, marks))
    return UnitList(tuple(units), selection.notes)


def _read_series(
    series: DicomSeries, reading: Reading, limits: ReadLimits, opened: OpenFiles
) -> Iterator[Scan | Refusal]:
    from tumorlens.scans.dicom import SeriesReader

    reader = SeriesReader(series, reading.window, files=opened)
    for item in series.slices:
        yield _prepared(partial(reader.read, item), reading, limits, source=item.name)


def _refused(source: Path, reason: str) -> ScanUnit:
    return ScanUnit(source, lambda: iter((Refusal(str(source), reason),)))
