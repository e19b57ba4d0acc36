"""What is known of each slice and series before any pixel is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tumorlens.scans.dicom.geometry import Orientation
from tumorlens.scans.order import natural_key
from tumorlens.scans.reading import Plane

__all__ = ["DicomSeries", "DicomSlice", "order_slices"]


@dataclass(frozen=True)
class DicomSlice:
    """One image of a DICOM file. Its identifiers are for grouping and labels; only ``facts`` may be written down.

    Attributes:
        path: The file.
        frame: Which of its frames, from 0; ``None`` in a file that holds a single image.
        patient_id: PatientID, stripped; may be empty.
        study_uid: StudyInstanceUID; may be empty.
        series_uid: SeriesInstanceUID; may be empty.
        instance_uid: SOPInstanceUID; may be empty.
        description: SeriesDescription, else ProtocolName: free text, for choosing series only.
        modality: Modality; may be empty.
        rows: Height in pixels.
        columns: Width in pixels.
        grey: Whether it holds intensities rather than colours.
        orientation: Its directions, if known.
        position: Place along the normal in mm, if known.
        number: InstanceNumber, if known.
        facts: Coded facts by manifest column; see :mod:`tumorlens.scans.dicom.facts`.
    """

    path: Path
    frame: int | None
    patient_id: str = field(repr=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    instance_uid: str = field(repr=False)
    description: str = field(repr=False)
    modality: str
    rows: int
    columns: int
    grey: bool
    orientation: Orientation | None
    position: float | None
    number: float | None
    facts: Mapping[str, str]

    @property
    def plane(self) -> Plane | None:
        """Its plane, if the orientation is known."""
        return self.orientation.plane if self.orientation else None

    @property
    def name(self) -> str:
        """The file's path, with ``#frame`` from 1 where it holds several images."""
        return str(self.path) if self.frame is None else f"{self.path}#{self.frame + 1}"


@dataclass(frozen=True)
class DicomSeries:
    """Slices of one series that are parallel and of one size, in spatial order.

    Attributes:
        slices: At least one.
    """

    slices: tuple[DicomSlice, ...]

    @property
    def plane(self) -> Plane | None:
        """The plane of its slices, if known."""
        return self.slices[0].plane

    @property
    def modality(self) -> str:
        """The modality of its slices."""
        return self.slices[0].modality

    @property
    def description(self) -> str:
        """Free text: for choosing on screen only."""
        return self.slices[0].description


def order_slices(slices: list[DicomSlice]) -> tuple[DicomSlice, ...]:
    """Sort the slices of a series.

    By position along the normal where all have one; else by instance number where all have one; else by file name in
    natural order. Frames of one place keep the order of number, file and frame.
    """
    positions = [item.position for item in slices]
    numbers = [item.number for item in slices]
    by_position = None not in positions
    by_number = None not in numbers

    def key(item: DicomSlice) -> tuple[object, ...]:
        place = round(item.position, 3) if by_position and item.position is not None else 0.0
        number = item.number if by_number and item.number is not None else 0.0
        return place, number, natural_key(str(item.path)), item.frame or 0

    return tuple(sorted(slices, key=key))
