"""Words of the command line and of Python become the options of an import."""

from __future__ import annotations

from tumorlens.datasets import MaskOptions
from tumorlens.errors import InputError
from tumorlens.scans import AS_READ, CUT, HARMONISED, Reading, parse_plane, parse_window

__all__ = ["mask_options", "reading_options"]

_LAYOUTS = ("brats",)


def reading_options(*, window: str, plane: str, series: str, crop: str, harmonise: bool) -> Reading:
    """Read how files become scans.

    Args:
        window: ``percentiles``, ``dicom``, ``dicom:NUMBER`` or ``LOW,HIGH``.
        plane: ``axial``, ``coronal`` or ``sagittal``.
        series: Which DICOM series; blank for all of the plane.
        crop: ``none`` or ``brain``.
        harmonise: Whether scans are harmonised, which includes the crop.

    Raises:
        InputError: A word is none of these.
    """
    if crop not in ("none", "brain"):
        raise InputError(f"Expected --crop none or brain, got {crop!r}.")
    return Reading(
        window=parse_window(window),
        plane=parse_plane(plane),
        pixel_steps=HARMONISED if harmonise else (CUT if crop == "brain" else AS_READ),
        series=series,
    )


def mask_options(
    *, pattern: str | None, labels: str | None, min_lesion_mm2: float, layout: str | None, sequence: str
) -> MaskOptions:
    """Read how lesion masks are found, and what they say of a slice.

    Args:
        pattern: Where the mask of an image lies.
        labels: Mask values that mean tumour, by commas; ``None``: all above 0, or the layout's own.
        min_lesion_mm2: Tumour area from which on a slice is ``tumor``.
        layout: ``brats`` or ``None``.
        sequence: Which sequence of a layout is read.

    Raises:
        InputError: A word is none of these.
    """
    if layout is not None and layout not in _LAYOUTS:
        raise InputError(f"Expected --layout {', '.join(_LAYOUTS)}, got {layout!r}.")
    if not min_lesion_mm2 > 0:
        raise InputError(f"Expected --min-lesion-mm2 above 0, got {min_lesion_mm2:g}.")
    return MaskOptions(
        pattern=pattern,
        labels=_numbers(labels),
        min_lesion_mm2=min_lesion_mm2,
        layout=layout,
        sequence=sequence,
    )


def _numbers(labels: str | None) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in (labels or "").split(",") if word.strip())
    except ValueError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        raise InputError(f"Expected --mask-labels as whole numbers above 0 by commas, such as 1,2,4, got {labels!r}.")
    return numbers
