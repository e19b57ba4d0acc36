from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.measures import grey_image, head_measures, thumbnail


def pixels_of(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def test_thumbnail_is_the_mean_of_what_it_covers() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (240, 120), np.uint8)
    expected = grey.reshape(60, 4, 60, 2).mean(axis=(1, 3))
    small = thumbnail(grey_image(pixels_of(grey)))
    assert (small.shape, small.dtype) == ((60, 60), np.uint8)
    assert np.abs(small - expected).max() <= 1


def test_head_is_what_exceeds_a_tenth_of_the_bright_end() -> None:
    grey = np.zeros((100, 100))
    grey[:50, :50] = 200  # the head
    grey[:10, :50] = 100
    grey[90:, :] = 20  # a tenth of 200: not above it
    area, brightness = head_measures(grey_image(pixels_of(grey)))
    assert area == pytest.approx(0.25)
    assert brightness == pytest.approx(200 / 255)


def test_median_brightness_and_rare_bright_pixels() -> None:
    grey = np.full((100, 100), 60.0)
    grey[:40] = 40
    grey[0, :30] = 255  # 0.3 %: above the 99.5th percentile, so it does not raise the bar
    area, brightness = head_measures(grey_image(pixels_of(grey)))
    assert area == 1.0
    assert brightness == pytest.approx(60 / 255)


def test_black_scan_has_no_head() -> None:
    assert head_measures(grey_image(pixels_of(np.zeros((8, 8))))) == (0.0, 0.0)
