"""DICOM files and series become scans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.scans.dicom.index import index_dicom
from tumorlens.scans.dicom.magic import is_dicom
from tumorlens.scans.dicom.selection import select_series
from tumorlens.scans.dicom.series_reader import OpenFiles, SeriesReader
from tumorlens.scans.dicom.slices import DicomSeries
from tumorlens.scans.files import check_regular
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.raster import Scan
from tumorlens.scans.reading import DEFAULT_READING, Reading

__all__ = ["read_dicom", "read_series"]


def read_dicom(
    path: Path, reading: Reading = DEFAULT_READING, *, limits: ReadLimits = DEFAULT_LIMITS
) -> Iterator[Scan]:
    """Read one file; the percentiles of its intensities are over this file alone.

    The header is read and checked at once, slices are decoded one at a time.

    Args:
        path: The file.
        reading: Intensity rule, plane and choice of series; a file of another plane is refused.
        limits: Largest file, picture and number of frames; checked before decoding.

    Returns:
        Yields its slices in spatial order; one, for most files. Damaged pixels are met then.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is no DICOM image, damaged, too large, a localizer, or not what ``reading`` asks for.
    """
    check_regular(path)
    if not is_dicom(path):
        limits.check_file(path.stat().st_size, source=str(path))
        raise InputError(f"{path} is not a readable DICOM file: replace or remove it.")
    index = index_dicom([path], limits=limits)
    if index.unreadable:
        raise InputError(index.unreadable[0].reason)
    if index.left_out:
        kind = "a localizer" if index.left_out[0].left_out == "localizer" else "a DICOM object without pictures"
        raise InputError(f"{path} is {kind}, expected slices: give an image file.")
    try:
        series = select_series(index.series, reading).series
    except InputError as error:
        raise InputError(f"{path} cannot be used. {error}") from error
    files = OpenFiles(limits)
    return (scan for item in series for scan in _read(item, reading, files))


def read_series(
    series: DicomSeries, reading: Reading = DEFAULT_READING, *, limits: ReadLimits = DEFAULT_LIMITS
) -> Iterator[Scan]:
    """Yield the scans of one series in spatial order; its files are decoded one frame at a time.

    Raises:
        InputError: A file cannot be read, or has no such window under ``dicom``.
    """
    return _read(series, reading, OpenFiles(limits))


def _read(series: DicomSeries, reading: Reading, files: OpenFiles) -> Iterator[Scan]:
    reader = SeriesReader(series, reading.window, files=files)
    return (reader.read(item) for item in series.slices)
