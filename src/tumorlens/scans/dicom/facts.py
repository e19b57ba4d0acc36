"""The few coded facts of a header that may enter a manifest: an allow-list, each value made anew.

Never a name, a date, an identifier or free text: numbers are read and printed again, words are replaced by codes of
this module, and anything else becomes empty or OTHER.
"""

from __future__ import annotations

import re

from tumorlens.errors import InputError
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.geometry import Orientation

__all__ = ["FACT_COLUMNS", "coded_words", "header_facts"]

FACT_COLUMNS: tuple[str, ...] = (
    "modality",
    "plane",
    "sequence_type",
    "field_strength_t",
    "maker",
    "spacing_mm",
    "slice_thickness_mm",
    "slice_position_mm",
)
"""The manifest's columns, in order; each is empty where the header says nothing."""

_MODALITIES = frozenset(
    {"AR", "BI", "BMD", "CFM", "CR", "CT", "DG", "DMS", "DX", "ES", "GM", "IO", "IVOCT", "IVUS", "KER", "LEN", "LS"}
    | {"MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PA", "POS", "PT"}
    | {"PX", "RF", "RG", "RTIMAGE", "SC", "SM", "SRF", "ST", "TG", "US", "VA", "XA", "XC"}
)
"""Defined terms of PS3.3 C.7.3.1.1.1 that pictures have, and SC, which some secondary captures bear."""

_MAKERS = {
    "siemens": "SIEMENS",
    "ge medical": "GE",
    "general electric": "GE",
    "ge healthcare": "GE",
    "philips": "PHILIPS",
    "canon": "CANON",
    "toshiba": "CANON",
    "hitachi": "HITACHI",
    "fujifilm": "FUJIFILM",
    "bruker": "BRUKER",
    "esaote": "ESAOTE",
    "uih": "UNITED_IMAGING",
    "united imaging": "UNITED_IMAGING",
    "neusoft": "NEUSOFT",
    "hyperfine": "HYPERFINE",
    "marconi": "PHILIPS",
    "picker": "PHILIPS",
    "shimadzu": "SHIMADZU",
}
_CONTRASTS = {
    "DIFFUSION": "DWI",
    "FLUID_ATTENUATED": "FLAIR",
    "PERFUSION": "PERFUSION",
    "PROTON_DENSITY": "PD",
    "STIR": "STIR",
    "T1": "T1",
    "T2": "T2",
    "T2_STAR": "T2_STAR",
    "TOF": "TOF",
}
_SEQUENCES = frozenset({"SE", "IR", "GR", "EP", "RM"})
_VARIANTS = frozenset({"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP"})
_WORDS: tuple[tuple[str, str], ...] = (
    ("flair", "FLAIR"),
    ("dark[ _-]?fluid", "FLAIR"),
    ("stir", "STIR"),
    ("adc", "ADC"),
    ("dwi|diff(usion)?|trace", "DWI"),
    ("dti", "DTI"),
    ("swi|venobold", "SWI"),
    ("t2[ _-]?(star|\\*)", "T2_STAR"),
    ("tof|mra", "TOF"),
    ("perf(usion)?|dsc|asl", "PERFUSION"),
    ("t1w?|mprage|mp2rage|bravo|fspgr|spgr|t1tfe", "T1"),
    ("t2w?|ciss|fiesta", "T2"),
    ("pdw?|proton", "PD"),
)
_AGENT = re.compile(r"(?<![a-z0-9])(gd|gad(o\w*)?|post|contrast|ce|km)(?![a-z0-9])|\+ ?c(?![a-z0-9])", re.IGNORECASE)
_PLANE_WORDS = (("ax(ial)?|tra(nsvers\\w*)?", "AXIAL"), ("cor(onal)?", "CORONAL"), ("sag(ittal)?", "SAGITTAL"))


def header_facts(header: FrameHeader, *, orientation: Orientation | None) -> dict[str, str]:
    """Return the facts of one slice by manifest column; see :data:`FACT_COLUMNS`.

    A value that is absent, damaged or unlikely (a field of 200 T) is empty.
    """
    spacing = _numbers(header, "PixelSpacing")
    corner = _numbers(header, "ImagePositionPatient")
    modality = _text(header, "Modality").upper()
    facts = dict.fromkeys(FACT_COLUMNS, "")
    facts["modality"] = modality if modality in _MODALITIES or not modality else "OTHER"
    facts["plane"] = orientation.plane if orientation else ""
    facts["sequence_type"] = _sequence_type(header)
    facts["field_strength_t"] = _field_strength(_numbers(header, "MagneticFieldStrength"))
    facts["maker"] = _maker(_text(header, "Manufacturer"))
    if len(spacing) != 2 or not all(0.001 <= step <= 100 for step in spacing):
        spacing = ()
    facts["spacing_mm"] = "x".join(dict.fromkeys(f"{step:.4g}" for step in spacing))
    facts["slice_thickness_mm"] = _length(_numbers(header, "SliceThickness"))
    if orientation and len(corner) == 3 and max(abs(value) for value in corner) < 100_000:
        height = orientation.height(corner, to_centre=_to_centre(header, spacing))
        facts["slice_position_mm"] = f"{round(height, 2) + 0.0:.2f}"  # the sum makes -0.0 plain
    return facts


def coded_words(description: str) -> tuple[str, ...]:
    """The words of a series description that this module knows, as codes (``("FLAIR", "AXIAL")``)."""
    contrast = _described_contrast(description)
    planes = [code for pattern, code in _PLANE_WORDS if _says(description, pattern)]
    return (*([contrast] if contrast else []), *planes)


def _sequence_type(header: FrameHeader) -> str:
    coded = _CONTRASTS.get(_text(header, "AcquisitionContrast").upper())
    word = coded or _described_contrast(f"{_text(header, 'SeriesDescription')} {_text(header, 'ProtocolName')}")
    if word:
        return word
    codes = [code for code in _text(header, "ScanningSequence").upper().split("\\") if code in _SEQUENCES]
    codes += [code for code in _text(header, "SequenceVariant").upper().split("\\") if code in _VARIANTS]
    joined = "_".join(codes)
    return joined if len(joined) <= 16 else joined[:16].rpartition("_")[0]


def _described_contrast(description: str) -> str:
    for pattern, code in _WORDS:
        if _says(description, pattern):
            return "T1C" if code == "T1" and _AGENT.search(description) else code
    return ""


def _says(text: str, pattern: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", text.lower()) is not None


def _maker(name: str) -> str:
    plain = name.strip().lower()
    if not plain:
        return ""
    known = next((code for start, code in _MAKERS.items() if start in plain), None)
    return known or ("GE" if plain == "ge" else "OTHER")


def _field_strength(values: tuple[float, ...]) -> str:
    if not values:
        return ""
    tesla = values[0] / 10_000 if values[0] > 100 else values[0]  # some old scanners wrote gauss
    return f"{round(tesla, 2):g}" if 0.01 <= tesla <= 25 else ""


def _length(values: tuple[float, ...]) -> str:
    return f"{values[0]:.4g}" if values and 0.001 <= values[0] <= 1000 else ""


def _to_centre(header: FrameHeader, spacing: tuple[float, ...]) -> tuple[float, float]:
    """Way from the first pixel to the centre, down and across, in mm; none where the spacing is not known."""
    rows, columns = _numbers(header, "Rows"), _numbers(header, "Columns")
    if not (spacing and rows and columns):
        return 0.0, 0.0
    return spacing[0] * (rows[0] - 1) / 2, spacing[1] * (columns[0] - 1) / 2


def _text(header: FrameHeader, keyword: str) -> str:
    try:
        return header.text(keyword)
    except InputError:
        return ""


def _numbers(header: FrameHeader, keyword: str) -> tuple[float, ...]:
    try:
        return header.numbers(keyword)
    except InputError:
        return ()
