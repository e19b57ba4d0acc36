"""Bilinear resizing as the compiled graphs do it: half-pixel centres, no antialiasing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorlens.types import Pixels

__all__ = ["resize_bilinear"]


def resize_bilinear(pixels: Pixels, *, size: int) -> NDArray[np.float32]:
    """Resize a scan to a square.

    Args:
        pixels: ``(h, w, 3)`` uint8.
        size: Height and width wanted, pixels.

    Returns:
        ``(size, size, 3)`` float32 in 0..255, not rounded.
    """
    if pixels.shape[:2] == (size, size):
        return pixels.astype(np.float32)
    upper, lower, down = _neighbours(pixels.shape[0], size)
    left, right, across = _neighbours(pixels.shape[1], size)
    down, across = down[:, np.newaxis, np.newaxis], across[np.newaxis, :, np.newaxis]
    source = pixels.astype(np.float32)
    rows = source[upper] * (1 - down) + source[lower] * down
    resized = rows[:, left] * (1 - across) + rows[:, right] * across
    return resized.astype(np.float32, copy=False)


def _neighbours(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """For each wanted position the two source positions around it and the weight of the second."""
    centre = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    first = np.floor(centre).astype(np.int64)
    return first, np.minimum(first + 1, length - 1), (centre - first).astype(np.float32)
