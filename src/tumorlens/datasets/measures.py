"""What is measured on every scan at import: a thumbnail, the head's area and its brightness.

Area and median brightness alone tell tumour from no tumour in some published data sets; they are
kept so that every network can stand beside that trivial baseline.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.types import Pixels

__all__ = ["THUMBNAIL_SIZE", "grey_image", "head_measures", "thumbnail"]

THUMBNAIL_SIZE = 60
"""Height and width of a thumbnail in pixels."""


def grey_image(pixels: Pixels) -> Image.Image:
    """Return ``(h, w, 3)`` uint8 pixels as an 8-bit grey picture (ITU-R 601 luma)."""
    return Image.fromarray(pixels).convert("L")


def thumbnail(grey: Image.Image) -> npt.NDArray[np.uint8]:
    """Shrink a grey picture to ``(60, 60)`` uint8, each value the mean of the area it covers."""
    size = (THUMBNAIL_SIZE, THUMBNAIL_SIZE)
    return np.asarray(grey.resize(size, Image.Resampling.BOX))


def head_measures(grey: Image.Image) -> tuple[float, float]:
    """Measure the head: the pixels above 10 % of the scan's 99.5th percentile.

    Args:
        grey: 8-bit grey picture on a dark background.

    Returns:
        The head's share of all pixels, and its median grey divided by 255; both 0 for a scan
        without a pixel above 0.
    """
    counts = np.asarray(grey.histogram()[:256], np.int64)
    bright = int(np.searchsorted(np.cumsum(counts), 0.995 * counts.sum()))
    head = counts.copy()
    head[: int(0.1 * bright) + 1] = 0
    total = int(head.sum())
    if total == 0:
        return 0.0, 0.0
    median = int(np.searchsorted(np.cumsum(head), 0.5 * total))
    return total / int(counts.sum()), median / 255.0
