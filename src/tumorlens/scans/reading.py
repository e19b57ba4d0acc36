"""How files that hold more than a picture become scans: intensity rule, plane, and the steps after reading.

What of it decides the pixels is written down as ``scan_steps`` in the data set and in the bundle, so that a scan is
read at prediction just as it was at import.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from tumorlens.errors import InputError, IntegrityError
from tumorlens.scans.window import PERCENTILES, Window, parse_window

__all__ = [
    "AS_READ",
    "CUT",
    "DEFAULT_READING",
    "HARMONISED",
    "PLANES",
    "Crop",
    "PixelSteps",
    "Plane",
    "Reading",
    "parse_plane",
    "reading_of",
]

T = TypeVar("T")

Plane = Literal["axial", "coronal", "sagittal"]
Crop = Literal["none", "brain"]

PLANES: tuple[str, ...] = get_args(Plane)
"""The planes a volume can be cut in."""

_HARMONISE = "harmonise=skull,levels"
_CODE = re.compile(r"[A-Z0-9_]{1,16}")
_WORD = re.compile(r"[a-z0-9]{1,16}")


@dataclass(frozen=True)
class PixelSteps:
    """What is done to a scan's pixels after it was read; false where nothing is.

    Attributes:
        crop: ``brain`` cuts to the square around the head.
        harmonise: Whether the skull is stripped before the crop and grey levels are standardised after it.
    """

    crop: Crop = "none"
    harmonise: bool = False

    def __post_init__(self) -> None:
        """Raise where scans are harmonised without being cut, which nothing does.

        Raises:
            InputError: It is so.
        """
        if self.harmonise and self.crop == "none":
            raise InputError("Harmonising includes the crop around the head: ask for both.")

    def __bool__(self) -> bool:
        """Whether anything is done."""
        return self != AS_READ

    @property
    def words(self) -> tuple[str, ...]:
        """As they stand in ``scan_steps``."""
        cut = (f"crop={self.crop}",) if self.crop != "none" else ()
        return (*cut, *((_HARMONISE,) if self.harmonise else ()))

    @property
    def options(self) -> str:
        """The options of ``data import`` that do them; empty where nothing is done."""
        if self.harmonise:
            return "--harmonise"
        return f"--crop {self.crop}" if self.crop != "none" else ""


AS_READ = PixelSteps()
"""Nothing is done."""

CUT = PixelSteps("brain")
"""Scans are cut around the head."""

HARMONISED = PixelSteps("brain", harmonise=True)
"""The skull is stripped, scans are cut around the head, and grey levels standardised."""


@dataclass(frozen=True)
class Reading:
    """How files become scans.

    Attributes:
        window: Intensity rule of DICOM and NIfTI files.
        plane: Plane in which volumes are cut; DICOM series of other planes are left out.
        pixel_steps: What is done to every scan after that.
        series: Which DICOM series to read (``"modality=MR,description=flair"``); empty: all of the plane.
    """

    window: Window = PERCENTILES
    plane: Plane = "axial"
    pixel_steps: PixelSteps = AS_READ
    series: str = field(default="")

    def steps(self, *, volumes: bool) -> tuple[str, ...]:
        """What is written down as ``scan_steps``.

        Of the choice of series only codes are: modality, sequence type, and descriptions that are one known word
        ("flair"). Any other text could name a person.

        Args:
            volumes: Whether DICOM or NIfTI files were read, to which window and plane apply.
        """
        read = (f"plane={self.plane}", f"window={self.window.text}") if volumes else ()
        series = _coded_series(self.series) if volumes and self.series else ""
        chosen = (f"series={series}",) if series else ()
        return (*read, *chosen, *self.pixel_steps.words)


DEFAULT_READING = Reading()
"""Percentiles of the series, axial, nothing done after reading."""


def reading_of(steps: tuple[str, ...]) -> Reading:
    """The reading that ``scan_steps`` describe; see :meth:`Reading.steps`.

    Raises:
        IntegrityError: A step is not known to this tumorlens.
    """
    window, plane, series, crop, harmonise = PERCENTILES, "axial", "", "none", False
    for step in steps:
        name, _, value = step.partition("=")
        if name == "window":
            window = _stored(parse_window, value, step=step)
        elif name == "plane" and value in PLANES:
            plane = value
        elif name == "crop" and value in get_args(Crop):
            crop = value
        elif step == _HARMONISE:
            harmonise = True
        elif name == "series" and _stored(_coded_series, value, step=step):
            series = value
        else:
            raise IntegrityError(f"The scan step {step!r} is not known to this tumorlens: upgrade it.")
    if harmonise and crop == "none":
        raise IntegrityError("The scan steps harmonise without a crop, which no tumorlens does: make the file again.")
    done = PixelSteps("brain" if crop == "brain" else "none", harmonise)
    return Reading(window, parse_plane(plane), done, series)


def _coded_series(text: str) -> str:
    """The part of a choice of series that may be written down; see :meth:`Reading.steps`."""
    from tumorlens.scans.dicom.facts import coded_words
    from tumorlens.scans.dicom.selection import parse_series

    choice = parse_series(text)
    words = [word.lower() for word in choice.descriptions]
    codes = {"modality": choice.modality.upper(), "sequence": choice.sequence.upper()}
    parts = [f"{key}={code}" for key, code in codes.items() if _CODE.fullmatch(code)]
    parts += [f"description={word}" for word in words if _WORD.fullmatch(word) and coded_words(word)]
    return ",".join(parts)


def _stored(read: Callable[[str], T], value: str, *, step: str) -> T:
    try:
        return read(value)
    except InputError as error:
        raise IntegrityError(f"The scan step {step!r} is not known to this tumorlens: upgrade it.") from error


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
