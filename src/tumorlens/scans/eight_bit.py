"""Turns every kind of decoded picture into the one form that travels on: ``(h, w, 3)`` uint8.

The rules: grey is repeated to three channels; a palette is looked up; transparency is composited
on black, the background of a scan; 16-bit grey is scaled linearly so that the scan's own largest
value becomes 255, because MRI intensities have no unit and most 16-bit files use 12 bits or fewer;
16-bit colour, which Pillow reads at 8 bits, keeps the upper byte. Floats and 32-bit integers are
refused: no rule would fit them all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.errors import InputError
from tumorlens.types import Pixels

__all__ = ["SIXTEEN_BIT_MODES", "scale_sixteen_bit", "to_pixels"]

SIXTEEN_BIT_MODES: frozenset[str] = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
"""Pillow's modes for 16-bit grey."""

_STRIP_PIXELS = 4_000_000


def to_pixels(image: Image.Image, *, source: str) -> Pixels:
    """Convert a decoded picture.

    Args:
        image: A loaded picture of any mode.
        source: Its name, for the message.

    Returns:
        ``(h, w, 3)`` uint8 in 0..255, C-contiguous.

    Raises:
        InputError: The picture holds floats or 32-bit integers.
    """
    if image.mode in SIXTEEN_BIT_MODES:
        return _repeat(scale_sixteen_bit(np.asarray(image)))
    if image.mode in ("I", "F"):
        kind = "32-bit integers" if image.mode == "I" else "floats"
        raise InputError(f"{source} holds {kind}, expected 8 or 16 bits a value: save it as 8-bit.")
    if image.mode == "L" and not image.has_transparency_data:
        return _repeat(np.asarray(image))
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for rows in _strips(image.height, image.width):
        pixels[rows] = _colours(image.crop((0, rows.start, image.width, rows.stop)), image.has_transparency_data)
    return pixels


def scale_sixteen_bit(grey: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Scale ``(h, w)`` values linearly so that the largest becomes 255; black stays black."""
    largest = int(grey.max())
    scaled = np.zeros(grey.shape, np.uint8)
    if largest > 0:
        for rows in _strips(*grey.shape):
            scaled[rows] = np.rint(grey[rows] * (255.0 / largest))
    return scaled


def _colours(image: Image.Image, transparent: bool) -> npt.NDArray[np.uint8]:
    if transparent:
        layer = image.convert("RGBA")
        black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, layer)
    return np.asarray(image.convert("RGB"))


def _strips(height: int, width: int) -> Iterator[slice]:
    """Cut a picture into strips of rows, so that what is made on the way needs little memory."""
    step = max(1, _STRIP_PIXELS // width)
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def _repeat(grey: npt.NDArray[np.uint8]) -> Pixels:
    pixels = np.empty((*grey.shape, 3), np.uint8)
    for channel in range(3):  # measured three times as fast as np.repeat
        pixels[:, :, channel] = grey
    return pixels
