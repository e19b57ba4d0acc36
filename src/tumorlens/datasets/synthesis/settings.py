"""What a set of synthetic scans should be like. Knows nothing about how it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tumorlens.errors import InputError

__all__ = [
    "FIELD_OF_VIEW_MM",
    "HEIGHT_RANGE_MM",
    "MIN_TUMOR_AREA_MM2",
    "SCALINGS",
    "Scaling",
    "SynthesisSettings",
]

Scaling = Literal["window", "slice-maximum"]

SCALINGS: tuple[Scaling, ...] = ("window", "slice-maximum")

FIELD_OF_VIEW_MM = 240.0
"""Edge of the square field of view; pixels are ``FIELD_OF_VIEW_MM / size`` wide."""

HEIGHT_RANGE_MM = (-48.0, 64.0)
"""Slices lie between these heights: from the cerebellum to below the top of the smallest head."""

MIN_TUMOR_AREA_MM2 = 300.0
"""From this mask area on a slice is ``tumor``; one with a smaller, non-empty mask is not used."""

_USABLE_HEIGHT = 0.7
_SIZES = (32, 1024)
_SPACING_MM = (1.0, 20.0)
_MAX_DEFORMATION_MM = 12.0


@dataclass(frozen=True)
class SynthesisSettings:
    """How many virtual patients, and what they may look like.

    Attributes:
        patients: Number of virtual patients, at least 2.
        slices_each: Axial slices of each patient; they must fit into 70 % of the brain's height
            (15 slices at 5 mm).
        spacing_mm: Distance between neighbouring slice positions, 1 to 20 mm.
        tumor_share: Share of patients with a tumour, in [0, 1]; their number is rounded.
        seed: Not negative; the same settings give the same bytes.
        deformation_mm: Lowest and highest root-mean-square displacement of the large-scale
            deformation, 0 to 12 mm; a patient's is drawn in between.
        shortcut: Plant a confound on purpose: a bright square in the top left corner of every
            tumour slice and of no other. For tests and teaching.
        size: Edge of a slice in pixels, 32 to 1024; the field of view is always 240 mm, so 240
            means 1 mm pixels.
        scaling: ``"window"`` sets the grey level of normal tissue per patient, as at a
            workstation; ``"slice-maximum"`` scales each slice to its own maximum, as many public
            sets do, which makes brightness a shortcut: a bright tumour darkens the rest.

    Raises:
        InputError: A value is out of its range.
    """

    patients: int = 40
    slices_each: int = 10
    spacing_mm: float = 5.0
    tumor_share: float = 0.5
    seed: int = 0
    deformation_mm: tuple[float, float] = (2.0, 4.5)
    shortcut: bool = False
    size: int = 240
    scaling: Scaling = "window"

    def __post_init__(self) -> None:
        _check_count("patients", self.patients, lowest=2, highest=100_000)
        _check_count("slices_each", self.slices_each, lowest=1, highest=100)
        _check_count("seed", self.seed, lowest=0, highest=2**63 - 1)
        _check_count("size", self.size, lowest=_SIZES[0], highest=_SIZES[1])
        _check_range("spacing_mm", self.spacing_mm, *_SPACING_MM)
        _check_range("tumor_share", self.tumor_share, 0.0, 1.0)
        _check_fit(self.slices_each, self.spacing_mm)
        _check_deformation(self.deformation_mm)
        if self.scaling not in SCALINGS:
            choices = " or ".join(repr(choice) for choice in SCALINGS)
            raise InputError(f"scaling must be {choices}, got {self.scaling!r}.")

    @property
    def pixel_mm(self) -> float:
        """Width of a pixel in millimetres."""
        return FIELD_OF_VIEW_MM / self.size

    @property
    def tumor_patients(self) -> int:
        """Number of patients with a tumour."""
        return round(self.tumor_share * self.patients)


def _check_count(name: str, value: object, *, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InputError(f"{name} must be a whole number from {lowest} to {highest}, got {value!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
    if not _is_number(value) or not lowest <= value <= highest:
        raise InputError(f"{name} must be a number from {lowest:g} to {highest:g}, got {value!r}.")


def _check_fit(slices_each: int, spacing_mm: float) -> None:
    lowest, highest = HEIGHT_RANGE_MM
    most = int(_USABLE_HEIGHT * (highest - lowest) / spacing_mm)
    if slices_each > most:
        raise InputError(
            f"At a spacing of {spacing_mm:g} mm a patient gives at most {most} slices, "
            f"got slices_each={slices_each}: lower one of the two."
        )


def _check_deformation(value: tuple[float, float]) -> None:
    fits = isinstance(value, tuple) and len(value) == 2 and all(_is_number(end) for end in value)
    if not fits or not 0 <= value[0] <= value[1] <= _MAX_DEFORMATION_MM:
        raise InputError(
            f"deformation_mm must be two numbers, lowest and highest, from 0 to {_MAX_DEFORMATION_MM:g}, got {value!r}."
        )
