"""DICOM files become scans: headers are indexed into series, then frames are decoded one at a time.

Imports pydicom and its decoders only when something is read. Knows nothing about labels or patients' names.
"""

from tumorlens.scans.dicom.dicomdir import dicomdir_files, is_dicomdir
from tumorlens.scans.dicom.facts import FACT_COLUMNS
from tumorlens.scans.dicom.file_slices import FileSlices
from tumorlens.scans.dicom.index import DicomIndex, UnreadableFile, index_dicom
from tumorlens.scans.dicom.magic import is_dicom
from tumorlens.scans.dicom.reading import read_dicom, read_series
from tumorlens.scans.dicom.selection import Selection, SeriesChoice, parse_series, select_series
from tumorlens.scans.dicom.series_reader import OpenFiles, SeriesReader
from tumorlens.scans.dicom.slices import DicomSeries, DicomSlice

__all__ = [
    "FACT_COLUMNS",
    "DicomIndex",
    "DicomSeries",
    "DicomSlice",
    "FileSlices",
    "OpenFiles",
    "Selection",
    "SeriesChoice",
    "SeriesReader",
    "UnreadableFile",
    "dicomdir_files",
    "index_dicom",
    "is_dicom",
    "is_dicomdir",
    "parse_series",
    "read_dicom",
    "read_series",
    "select_series",
]
