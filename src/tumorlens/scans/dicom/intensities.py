"""Stored values become intensities: modality LUT or rescale (PS3.3 C.11.1), padding marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.lookup import lookup_table
from tumorlens.scans.dicom.pixel_format import PixelFormat

__all__ = ["Intensities", "to_intensities"]

_EXACT_BITS = 16


@dataclass(frozen=True, eq=False)
class Intensities:
    """One grey frame after the modality step.

    Attributes:
        values: ``(h, w)`` float32 (float64 for 32-bit files), in the units of the modality.
        padding: ``(h, w)`` bool: pixels that hold no measurement; ``None`` if there are none.
        steps: Receipt of what was done.
    """

    values: npt.NDArray[Any]
    padding: npt.NDArray[np.bool_] | None
    steps: tuple[str, ...]

    @property
    def measured(self) -> npt.NDArray[Any]:
        """``values`` with NaN where there is padding, so that percentiles leave it out."""
        return self.values if self.padding is None else np.where(self.padding, np.nan, self.values)


def to_intensities(
    stored: npt.NDArray[Any], header: FrameHeader, *, shape: PixelFormat, little_endian: bool
) -> Intensities:
    """Apply the modality step to one grey frame.

    Args:
        stored: ``(h, w)`` stored values.
        header: The frame's header.
        shape: Format of the pixels.
        little_endian: Byte order of the file, for lookup tables.

    Raises:
        InputError: Rescale or lookup table are damaged.
    """
    padding, padded = _padding(stored, header, shape=shape)
    tables = header.items("ModalityLUTSequence")
    if tables:
        table = lookup_table(tables[0], signed=shape.signed, little_endian=little_endian, source=header.source)
        return Intensities(table.apply(stored).astype(np.float32), padding, (*padded, f"lut={len(table.entries)}"))
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    values: npt.NDArray[Any] = stored.astype(np.float32 if shape.allocated <= _EXACT_BITS else np.float64)
    if slope is None or intercept is None:
        return Intensities(values, padding, padded)
    if slope == 0 or abs(slope) > 1e12 or abs(intercept) > 1e12:
        raise InputError(f"{header.source} is damaged (its rescale slope is {slope:g}): replace or remove it.")
    rescaled = values * values.dtype.type(slope) + values.dtype.type(intercept)
    return Intensities(rescaled, padding, (*padded, f"rescale={slope:g},{intercept:g}"))


def _padding(
    stored: npt.NDArray[Any], header: FrameHeader, *, shape: PixelFormat
) -> tuple[npt.NDArray[np.bool_] | None, tuple[str, ...]]:
    first = header.number("PixelPaddingValue")
    if first is None:
        return None, ()
    last = header.number("PixelPaddingRangeLimit")
    low, high = sorted(_as_stored(value, shape) for value in (first, first if last is None else last))
    mask = (stored >= low) & (stored <= high)
    return (mask, (f"padding={low}" if low == high else f"padding={low}..{high}",)) if mask.any() else (None, ())


def _as_stored(value: float, shape: PixelFormat) -> int:
    """The padding value in the pixels' own sign: its two bytes may be read as unsigned."""
    whole = int(value)
    return whole - 2**16 if shape.signed and shape.allocated <= _EXACT_BITS and whole >= 2**15 else whole
