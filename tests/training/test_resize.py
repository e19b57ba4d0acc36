from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tumorlens.training.resize import resize_bilinear


def test_the_same_size_is_left_alone() -> None:
    scan = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize_bilinear(scan, size=9), scan)


@pytest.mark.parametrize("shape", [(12, 12, 3), (5, 11, 3), (12, 3, 3)])
def test_enlarging_equals_pillow(shape: tuple[int, int, int]) -> None:
    scan = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    channel = Image.fromarray(scan[:, :, 1].astype(np.float32))
    expected = np.asarray(channel.resize((24, 24), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(resize_bilinear(scan, size=24)[:, :, 1], expected, atol=1e-3)


def test_halving_takes_the_mean_of_four() -> None:
    scan = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    expected = scan.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resize_bilinear(scan, size=4), expected, atol=1e-4)


@given(height=st.integers(1, 20), width=st.integers(1, 20), size=st.integers(1, 20))
def test_values_stay_in_range(height: int, width: int, size: int) -> None:
    scan = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    resized = resize_bilinear(scan, size=size)
    assert resized.shape == (size, size, 3)
    assert resized.dtype == np.float32
    assert scan.min() - 1e-3 <= resized.min() <= resized.max() <= scan.max() + 1e-3
