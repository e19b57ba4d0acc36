from __future__ import annotations

import hashlib

import numpy as np

from tumorlens.scans import pixel_digest


def test_is_sha256_over_shape_type_and_values() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = hashlib.sha256(b"2x4x3 uint8\n" + bytes(range(24))).hexdigest()
    assert pixel_digest(pixels) == expected


def test_shape_and_values_matter_but_memory_layout_does_not() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    other = pixels.copy()
    other[0, 0, 0] ^= 1
    assert pixel_digest(pixels) == pixel_digest(np.asfortranarray(pixels))
    assert pixel_digest(pixels) != pixel_digest(pixels.reshape(6, 4, 3))
    assert pixel_digest(pixels) != pixel_digest(other)
