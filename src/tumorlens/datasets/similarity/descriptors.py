"""A thumbnail in few numbers: enough to tell which pairs are worth a closer look.

The head is moved to the middle first, so that scans that are shifted against each other get the same numbers;
then the picture is blurred and thinned to 15 x 15 (or 30 x 30). Turning the picture turns its descriptor.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["describe", "unit_rows"]

_MOST_SHIFT = 6
_BLUR = 0.6
_CHUNK = 2048


def describe(thumbnails: npt.NDArray[np.uint8], *, side: int = 15) -> npt.NDArray[np.float32]:
    """Describe each thumbnail.

    Args:
        thumbnails: ``(n, h, h)`` uint8.
        side: Rows and columns of a descriptor.

    Returns:
        ``(n, side, side)`` float32 of mean 0 and length 1, so that the sum of a product is a correlation; zeros for a
        thumbnail of one colour.
    """
    small = np.empty((len(thumbnails), side, side), np.float32)
    if not len(thumbnails):
        return small
    thin = _thinning(thumbnails.shape[1], side)
    for start in range(0, len(thumbnails), _CHUNK):
        centred = _centre(thumbnails[start : start + _CHUNK]).astype(np.float32)
        small[start : start + _CHUNK] = thin @ centred @ thin.T
    return unit_rows(small.reshape(len(small), -1)).reshape(small.shape)


def unit_rows(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give each row of ``(n, d)`` mean 0 and length 1; a constant row becomes zeros."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    plain = length <= 1e-3
    return np.where(plain, 0, centred / np.where(plain, 1, length)).astype(np.float32)


def _centre(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Move what is brighter than the mean to the middle, by whole pixels; the edge fills what is left free."""
    side = thumbnails.shape[1]
    mask = thumbnails > thumbnails.mean(axis=(1, 2), keepdims=True)
    area = np.maximum(mask.sum(axis=(1, 2)), 1)
    places = np.arange(side) - (side - 1) / 2
    down = mask.sum(axis=2) @ places / area
    right = mask.sum(axis=1) @ places / area
    rows = _moved(down, side)
    columns = _moved(right, side)
    return thumbnails[np.arange(len(thumbnails))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _moved(offset: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.int64]:
    """Which row (or column) comes to lie where: ``(n, side)``."""
    steps = np.clip(np.rint(offset), -_MOST_SHIFT, _MOST_SHIFT).astype(np.int64)
    return np.clip(np.arange(side) + steps[:, None], 0, side - 1)


@lru_cache(maxsize=4)
def _thinning(pixels: int, side: int) -> npt.NDArray[np.float32]:
    """``(side, pixels)``: weights of a Gaussian at the middle of each cell, as wide as 0.6 cells."""
    cell = pixels / side
    middles = (np.arange(side) + 0.5) * cell - 0.5
    weights = np.exp(-0.5 * ((np.arange(pixels) - middles[:, None]) / (_BLUR * cell)) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
