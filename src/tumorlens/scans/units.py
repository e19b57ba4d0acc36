"""Files and folders become units that are read together: a picture, a volume, a DICOM series.

For prediction, where nothing has a label; an import goes by its own sources, which read with the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.cropping import crop_scan
from tumorlens.scans.files import check_regular
from tumorlens.scans.kinds import files_by_kind, kind_of
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.raster import Scan, read_scan
from tumorlens.scans.reading import Reading

__all__ = ["ScanUnit", "scan_units"]


@dataclass(frozen=True)
class ScanUnit:
    """Scans that are read together.

    Attributes:
        source: The file, or the first of a series.
        read: Yields the scans, cropped as declared; raises InputError where they cannot be read.
    """

    source: Path
    read: Callable[[], Iterator[Scan]]


def scan_units(path: Path, reading: Reading, *, limits: ReadLimits = DEFAULT_LIMITS) -> list[ScanUnit]:
    """List what there is to read in a file or below a folder, in natural order.

    Args:
        path: A file, or a folder of pictures, NIfTI volumes and DICOM series.
        reading: Intensity rule, plane and crop.
        limits: Largest file and picture.

    Raises:
        NotFoundError: The path does not exist, or the folder holds no scans.
        InputError: It is a pipe or a device, or may not be read.
    """
    if not path.is_dir():
        check_regular(path)
        return [_unit(path, partial(_read_file, path, reading, limits), reading)]
    found = files_by_kind(path)
    units = [_unit(file, partial(_read_file, file, reading, limits), reading) for file in found["picture"]]
    units += [_unit(file, partial(_read_file, file, reading, limits), reading) for file in found["nifti"]]
    units += _dicom_units(found["dicom"], reading, limits) if found["dicom"] else []
    if not units:
        raise NotFoundError(f"No scans are in {path}: give a folder with pictures, DICOM files or NIfTI volumes.")
    return units


def _unit(source: Path, read: Callable[[], Iterable[Scan]], reading: Reading) -> ScanUnit:
    def cropped() -> Iterator[Scan]:
        for scan in read():
            yield crop_scan(scan, reading.crop)

    return ScanUnit(source, cropped)


def _read_file(path: Path, reading: Reading, limits: ReadLimits) -> Iterable[Scan]:
    kind = kind_of(path)
    if kind == "nifti":
        from tumorlens.scans.nifti import read_nifti

        return read_nifti(path, reading, limits=limits)
    if kind == "dicom":
        from tumorlens.scans.dicom import read_dicom

        return read_dicom(path, reading, limits=limits)
    return [read_scan(path, limits=limits)]


def _dicom_units(files: list[Path], reading: Reading, limits: ReadLimits) -> list[ScanUnit]:
    from tumorlens.scans.dicom import index_dicom, read_series, select_series

    index = index_dicom(files, limits=limits)
    units = [_unit(file.path, partial(_refuse, file.reason), reading) for file in index.unreadable]
    if not index.series:
        return units
    for series in select_series(index.series, reading).series:
        units.append(_unit(series.slices[0].path, partial(read_series, series, reading, limits=limits), reading))
    return units


def _refuse(reason: str) -> Iterable[Scan]:
    raise InputError(reason)
