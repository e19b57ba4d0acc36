"""How files that hold more than a picture become scans: intensity rule, plane, crop.

What of it decides the pixels is written down as ``scan_steps`` in the data set and in the bundle, so that a scan is
read at prediction just as it was at import.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from tumorlens.errors import InputError, IntegrityError
from tumorlens.scans.window import PERCENTILES, Window, parse_window

__all__ = ["DEFAULT_READING", "PLANES", "Crop", "Plane", "Reading", "parse_plane", "reading_of"]

Plane = Literal["axial", "coronal", "sagittal"]
Crop = Literal["none", "brain"]

PLANES: tuple[str, ...] = get_args(Plane)
"""The planes a volume can be cut in."""


@dataclass(frozen=True)
class Reading:
    """How files become scans.

    Attributes:
        window: Intensity rule of DICOM and NIfTI files.
        plane: Plane in which volumes are cut; DICOM series of other planes are left out.
        crop: ``brain`` cuts every scan to the square around the head.
        series: Which DICOM series to read (``"modality=MR,description=flair"``); empty: all of the plane.
    """

    window: Window = PERCENTILES
    plane: Plane = "axial"
    crop: Crop = "none"
    series: str = field(default="")

    def steps(self, *, volumes: bool) -> tuple[str, ...]:
        """What is written down as ``scan_steps``.

        Args:
            volumes: Whether DICOM or NIfTI files were read, to which window and plane apply.
        """
        read = (f"plane={self.plane}", f"window={self.window.text}") if volumes else ()
        return (*read, *((f"crop={self.crop}",) if self.crop != "none" else ()))


DEFAULT_READING = Reading()
"""Percentiles of the series, axial, not cropped."""


def reading_of(steps: tuple[str, ...]) -> Reading:
    """The reading that ``scan_steps`` describe; see :meth:`Reading.steps`.

    Raises:
        IntegrityError: A step is not known to this tumorlens.
    """
    window, plane, crop = PERCENTILES, "axial", "none"
    for step in steps:
        name, _, value = step.partition("=")
        if name == "window":
            window = parse_window(value)
        elif name == "plane" and value in PLANES:
            plane = value
        elif name == "crop" and value in get_args(Crop):
            crop = value
        else:
            raise IntegrityError(f"The scan step {step!r} is not known to this tumorlens: upgrade it.")
    return Reading(window, parse_plane(plane), "brain" if crop == "brain" else "none")


def parse_plane(text: str) -> Plane:
    """Check the name of a plane.

    Raises:
        InputError: It is none.
    """
    if text == "axial":
        return "axial"
    if text == "coronal":
        return "coronal"
    if text == "sagittal":
        return "sagittal"
    raise InputError(f"Expected --plane {', '.join(PLANES)}, got {text!r}.")
