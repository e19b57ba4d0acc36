"""Which data elements of a DICOM header are read at all. All others are skipped unseen."""

from __future__ import annotations

__all__ = ["KEYWORDS"]

_IDENTITY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "InstanceNumber",
)
_CHOICE = ("Modality", "ImageType", "SeriesDescription", "ProtocolName")
_CODES = ("ScanningSequence", "SequenceVariant", "AcquisitionContrast", "MagneticFieldStrength", "Manufacturer")
_GEOMETRY = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)
_VALUES = (
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
)

KEYWORDS: tuple[str, ...] = (*_IDENTITY, *_CHOICE, *_CODES, *_GEOMETRY, *_PIXELS, *_VALUES)
"""Keywords of PS3.6. Names, dates, addresses and comments are not among them."""
