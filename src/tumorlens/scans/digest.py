"""Names pixels by what they are, so that nothing is computed twice and copies are seen."""

from __future__ import annotations

import hashlib

import numpy as np

from tumorlens.types import Pixels

__all__ = ["pixel_digest"]


def pixel_digest(pixels: Pixels) -> str:
    """Return the SHA-256 over shape, dtype and values.

    Args:
        pixels: ``(h, w, 3)`` uint8 in 0..255.

    Returns:
        64 hexadecimal digits.
    """
    array = np.ascontiguousarray(pixels)
    shape = "x".join(str(length) for length in array.shape)
    digest = hashlib.sha256(f"{shape} {array.dtype.name}\n".encode())
    digest.update(array.data)
    return digest.hexdigest()
