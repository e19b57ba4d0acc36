"""Thumbnails that look a little like heads: smooth, dark around, no two alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage


def draw_heads(seed: int, count: int, *, size: int = 240) -> np.ndarray:
    """``(count, size, size)`` uint8: bright, lopsided blobs with structure inside."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    heads = []
    for _ in range(count):
        coarse = ndimage.zoom(rng.normal(0, 1, (9, 9)), size / 9, order=3)
        fine = ndimage.zoom(rng.normal(0, 1, (24, 24)), size / 24, order=3)
        edge = 0.62 + 0.06 * ndimage.gaussian_filter(coarse, size / 12)
        inside = (x / rng.uniform(0.85, 1.15)) ** 2 + y**2 < edge**2
        heads.append(inside * (110 + 45 * coarse + 25 * fine))
    return np.clip(heads, 0, 230).astype(np.uint8)


@pytest.fixture(scope="session")
def heads() -> np.ndarray:
    """Twenty heads, ``(20, 240, 240)``."""
    return draw_heads(1, 20)


@pytest.fixture(scope="session")
def draw() -> Callable[..., np.ndarray]:
    """:func:`draw_heads`."""
    return draw_heads
