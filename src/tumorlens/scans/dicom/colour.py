"""Colour frames, as of secondary captures, become RGB of 8 bits. No window applies to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.dicom.lookup import LookupTable
from tumorlens.scans.dicom.pixel_format import PixelFormat
from tumorlens.types import Pixels

if TYPE_CHECKING:
    from tumorlens.scans.dicom.opening import DicomFile

__all__ = ["to_colour"]

_CHANNELS = ("Red", "Green", "Blue")
_BYTE = 8


def to_colour(stored: npt.NDArray[Any], file: DicomFile, shape: PixelFormat) -> Pixels:
    """Convert one decoded frame.

    Args:
        stored: ``(h, w, 3)`` in RGB, or ``(h, w)`` indices of a palette.
        file: Its file, for the palette.
        shape: Format of the pixels.

    Returns:
        ``(h, w, 3)`` uint8 in 0..255; values of more or fewer than 8 bits are scaled by the largest they can have.

    Raises:
        InputError: The palette is missing, damaged or segmented.
    """
    if stored.ndim == 3:
        return _bytes(stored, bits=shape.stored)
    channels = [_palette(file, name, signed=shape.signed) for name in _CHANNELS]
    return np.stack([_bytes(table.apply(stored), bits=table.bits) for table in channels], axis=2)


def _bytes(values: npt.NDArray[Any], *, bits: int) -> npt.NDArray[np.uint8]:
    if bits == _BYTE and values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return np.clip(np.rint(values * (255.0 / (2**bits - 1))), 0, 255).astype(np.uint8)


def _palette(file: DicomFile, name: str, *, signed: bool) -> LookupTable:
    source = str(file.path)
    try:
        descriptor = file.header.get(f"{name}PaletteColorLookupTableDescriptor")
        data = file.header.get(f"{name}PaletteColorLookupTableData")
        if descriptor is None or data is None:
            raise InputError(f"{source} has a colour palette that is not read (missing or segmented): convert it.")
        count, first, bits = (int(part) for part in descriptor)
        count = count or 2**16
        wide = len(data) >= 2 * count
        order = ("<u2" if file.little_endian else ">u2") if wide else "u1"
        entries = np.frombuffer(data[: count * (2 if wide else 1)], order).astype(np.uint16)
    except InputError:
        raise
    except Exception as error:  # values are converted when they are asked for, and damaged ones raise anything
        raise InputError(f"{source} is damaged (its palette cannot be read): replace or remove it.") from error
    if len(entries) < count or bits not in (8, 16):
        raise InputError(f"{source} is damaged (its palette has {len(entries)} colours, expected {count}): replace it.")
    if bits == _BYTE and wide:
        entries &= np.uint16(0xFF)
    bits = bits if wide else _BYTE
    return LookupTable(entries, first - 2**16 if signed and first >= 2**15 else first, bits)
