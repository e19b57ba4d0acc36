"""The slices of one DICOM file from its header; or why it holds none that are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydicom import config
from pydicom.uid import UID

from tumorlens.errors import InputError
from tumorlens.scans.dicom.facts import header_facts
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.geometry import orientation_of
from tumorlens.scans.dicom.opening import DicomFile, open_dicom
from tumorlens.scans.dicom.pixel_format import PixelFormat, pixel_format
from tumorlens.scans.dicom.slices import DicomSlice
from tumorlens.scans.limits import ReadLimits

__all__ = ["FileSlices", "LeftOut", "read_slices"]

LeftOut = Literal["localizer", "non-image", "copy"]

_NON_IMAGES = frozenset(
    {"SR", "PR", "KO", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "REG", "FID", "DOC", "AU", "ECG", "EPS", "HD"}
    | {"RESP", "SMR", "PLAN", "ASMT", "M3D"}
)
_DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_LOCALIZER = re.compile(
    r"locali[sz]er|scout|survey|topogram|scanogram|(?<![a-z])loc(?![a-z])|(3|three)[ _-]?pl(ane)?(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class FileSlices:
    """What one file holds.

    Attributes:
        path: The file.
        patient_id: PatientID; may be empty.
        series_uid: SeriesInstanceUID; may be empty.
        instance_uid: SOPInstanceUID; may be empty.
        slices: Its slices; none if it is left out.
        left_out: Why it holds none.
    """

    path: Path
    patient_id: str
    series_uid: str
    instance_uid: str
    slices: tuple[DicomSlice, ...] = ()
    left_out: LeftOut | None = None


def read_slices(path: Path, *, limits: ReadLimits) -> FileSlices:
    """Read the header of one file.

    Localizers (image type, or a description such as "scout") and objects without pictures (reports, presentation
    states, segmentations, radiotherapy plans) give no slices.

    Raises:
        InputError: It cannot be read, or exceeds a limit.
    """
    file = open_dicom(path, limits=limits)
    header = FrameHeader(file.header, frame=None, source=str(path))
    found = FileSlices(path, header.text("PatientID"), header.text("SeriesInstanceUID"), header.text("SOPInstanceUID"))
    reason = _reason(file, header)
    if reason == "non-image" and _ends_early(file, header):
        raise InputError(f"{path} is truncated (it ends within its header): replace or remove it.")
    if reason:
        return _with(found, left_out=reason)
    if file.pixels is None:
        raise InputError(f"{path} is truncated (its header describes pixels, but it has none): replace or remove it.")
    shape = pixel_format(file, limits=limits)
    frames: list[int | None] = [*range(shape.frames)] if _multiple(file, shape) else [None]
    return _with(found, slices=tuple(_slice(file, shape, found, frame) for frame in frames))


def _with(found: FileSlices, *, slices: tuple[DicomSlice, ...] = (), left_out: LeftOut | None = None) -> FileSlices:
    return FileSlices(found.path, found.patient_id, found.series_uid, found.instance_uid, slices, left_out)


def _reason(file: DicomFile, header: FrameHeader) -> LeftOut | None:
    media = str(file.path.name).upper() == "DICOMDIR" or header.text("SOPClassUID") == _DICOMDIR_CLASS
    describes_pixels = header.value("Rows") is not None
    if media or header.text("Modality") in _NON_IMAGES or (file.pixels is None and not describes_pixels):
        return "non-image"
    described = f"{header.text('SeriesDescription')}\n{header.text('ProtocolName')}"
    is_localizer = "LOCALIZER" in header.text("ImageType").upper().split("\\") or _LOCALIZER.search(described)
    return "localizer" if is_localizer else None


def _ends_early(file: DicomFile, header: FrameHeader) -> bool:
    """Whether a file of a picture's storage class lacks what every picture has."""
    storage_class = UID(header.text("SOPClassUID"), validation_mode=config.IGNORE).name
    is_picture = storage_class.endswith("Image Storage") and header.text("Modality") not in _NON_IMAGES
    return is_picture and file.pixels is None and header.value("Rows") is None


def _multiple(file: DicomFile, shape: PixelFormat) -> bool:
    return shape.frames > 1 or "PerFrameFunctionalGroupsSequence" in file.header


def _slice(file: DicomFile, shape: PixelFormat, found: FileSlices, frame: int | None) -> DicomSlice:
    header = FrameHeader(file.header, frame=frame, source=str(file.path))
    orientation = orientation_of(_numbers(header, "ImageOrientationPatient"))
    corner = _numbers(header, "ImagePositionPatient")
    return DicomSlice(
        path=file.path,
        frame=frame,
        patient_id=found.patient_id,
        study_uid=header.text("StudyInstanceUID"),
        series_uid=found.series_uid,
        instance_uid=found.instance_uid,
        description=header.text("SeriesDescription") or header.text("ProtocolName"),
        modality=header.text("Modality"),
        rows=shape.rows,
        columns=shape.columns,
        grey=shape.grey,
        orientation=orientation,
        position=orientation.position(corner) if orientation and len(corner) == 3 else None,
        number=next(iter(_numbers(header, "InstanceNumber")), None),
        facts=header_facts(header, orientation=orientation),
    )


def _numbers(header: FrameHeader, keyword: str) -> tuple[float, ...]:
    """Numbers that only decide order: damaged ones count as absent."""
    try:
        return header.numbers(keyword)
    except InputError:
        return ()
