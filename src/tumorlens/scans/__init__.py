"""A file becomes pixels: the only path from bytes to arrays. Knows nothing about networks."""

from tumorlens.scans.arrays import ArrayScans, open_arrays, read_texts
from tumorlens.scans.digest import pixel_digest
from tumorlens.scans.eight_bit import SIXTEEN_BIT_MODES, scale_sixteen_bit, to_pixels
from tumorlens.scans.files import SCAN_SUFFIXES, scan_files, visible_folders
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.order import natural_key
from tumorlens.scans.pixel_steps import prepare_scan
from tumorlens.scans.raster import Scan, decode_scan, quiet_decoding, read_scan
from tumorlens.scans.reading import (
    AS_READ,
    CUT,
    DEFAULT_READING,
    HARMONISED,
    PLANES,
    PixelSteps,
    Reading,
    parse_plane,
    reading_of,
)
from tumorlens.scans.refusals import check_text_name, read_errors
from tumorlens.scans.units import ScanUnit, scan_units
from tumorlens.scans.views import ScanView, apply_view
from tumorlens.scans.window import Window, intensity_range, parse_window, to_grey

__all__ = [
    "AS_READ",
    "CUT",
    "DEFAULT_LIMITS",
    "DEFAULT_READING",
    "HARMONISED",
    "PLANES",
    "SCAN_SUFFIXES",
    "SIXTEEN_BIT_MODES",
    "ArrayScans",
    "PixelSteps",
    "ReadLimits",
    "Reading",
    "Scan",
    "ScanUnit",
    "ScanView",
    "Window",
    "apply_view",
    "check_text_name",
    "decode_scan",
    "intensity_range",
    "natural_key",
    "open_arrays",
    "parse_plane",
    "parse_window",
    "pixel_digest",
    "prepare_scan",
    "quiet_decoding",
    "read_errors",
    "read_scan",
    "read_texts",
    "reading_of",
    "scale_sixteen_bit",
    "scan_files",
    "scan_units",
    "to_grey",
    "to_pixels",
    "visible_folders",
]
