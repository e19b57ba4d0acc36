"""What is measured on a scan's pixels to tell an odd one: light, border, clipping, colour, text.

Knows nothing about the other scans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.audit.text_marks import text_marks
from tumorlens.datasets.measures import grey_image
from tumorlens.types import Pixels

__all__ = ["OddMeasures", "measure_oddness"]

_LONGEST_SIDE = 480
_BORDER_SHARE = 0.04
_HEAD_SHARE = 0.1
_DARK = 8
_CLIPPED_FROM = 254
_COLOURED_FROM = 30


@dataclass(frozen=True)
class OddMeasures:
    """Measures of one scan.

    Attributes:
        peak: 99.5th percentile of the grey values, 0..255.
        head: Share of pixels brighter than a tenth of the peak (8 grey levels at least), 0..1.
        frame: Median grey of the outermost 4 % of each side, 0..255.
        border: Median grey of the 4 % next to these, 0..255.
        centre: Median grey of the middle half (in height and width), 0..255.
        clipped: Share of the head's pixels at 254 or more, 0..1.
        coloured: Share of pixels whose channels differ by more than 30, 0..1.
        marks: Marks in lines of text; see :func:`~tumorlens.audit.text_marks.text_marks`.
    """

    peak: float
    head: float
    frame: float
    border: float
    centre: float
    clipped: float
    coloured: float
    marks: int


def measure_oddness(pixels: Pixels) -> OddMeasures:
    """Measure one scan, ``(h, w, 3)`` uint8 in 0..255; sides above 480 pixels are shrunk first (not for clipping)."""
    full = np.asarray(grey_image(pixels))
    peak = float(np.percentile(full, 99.5))
    head = full > max(_HEAD_SHARE * peak, _DARK)
    area = int(head.sum())
    grey = _shrunk(full)
    height, width = grey.shape
    middle = grey[height // 4 : height - height // 4, width // 4 : width - width // 4]
    spread = pixels.max(axis=2) - pixels.min(axis=2) if _has_colour(pixels) else np.zeros(1, np.uint8)
    return OddMeasures(
        peak=peak,
        head=area / full.size,
        frame=float(np.median(grey[_ring(grey.shape, 0)])),
        border=float(np.median(grey[_ring(grey.shape, 1)])),
        centre=float(np.median(middle)),
        clipped=float((full >= _CLIPPED_FROM).sum() / area) if area else 0.0,
        coloured=float((spread > _COLOURED_FROM).mean()),
        marks=text_marks(grey),
    )


def _shrunk(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    scale = _LONGEST_SIDE / max(grey.shape)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _ring(shape: tuple[int, ...], place: int) -> npt.NDArray[np.bool_]:
    """Mask of one ring of 4 % of each side; 0 is the outermost."""
    rows, columns = (max(1, round(_BORDER_SHARE * side)) for side in shape)
    ring = np.zeros(shape, bool)
    ring[_inner(place * rows), _inner(place * columns)] = True
    ring[_inner((place + 1) * rows), _inner((place + 1) * columns)] = False
    return ring if ring.any() else np.ones(shape, bool)


def _inner(margin: int) -> slice:
    return slice(margin, -margin or None)


def _has_colour(pixels: Pixels) -> bool:
    return not (np.array_equal(pixels[:, :, 0], pixels[:, :, 1]) and np.array_equal(pixels[:, :, 0], pixels[:, :, 2]))
