from __future__ import annotations

import numpy as np
import pytest

from tumorlens.scans import ScanView, apply_view


def scan(height: int = 40, width: int = 40) -> np.ndarray:
    """Smooth colours, black at the edge."""
    y, x = np.mgrid[0:height, 0:width]
    grey = 200 * np.sin(np.pi * (y + 0.5) / height) * np.sin(np.pi * (x + 0.5) / width) * (0.5 + 0.5 * x / width)
    return np.stack([grey, 0.8 * grey, 0.6 * grey], axis=-1).astype(np.uint8)


def test_a_mirror_image_changes_sides_exactly() -> None:
    pixels = scan(30, 44)
    assert np.array_equal(apply_view(pixels, ScanView(mirror=True)), pixels[:, ::-1])


def test_a_quarter_turn_is_counter_clockwise_and_exact() -> None:
    pixels = scan()
    turned = apply_view(pixels, ScanView(angle=90.0))
    assert np.abs(turned.astype(int) - np.rot90(pixels).astype(int)).max() <= 1


def test_shift_and_scale_go_where_they_say() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[18:22, 18:22] = 255
    moved = apply_view(pixels, ScanView(shift=(0.25, -0.1)))
    rows, columns = np.nonzero(moved[..., 0])
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((16.0, 30.0))
    larger = apply_view(pixels, ScanView(scale=2.0))
    assert larger.sum() == pytest.approx(4 * pixels.sum(), rel=0.05)


def test_grey_levels_follow_gain_and_gamma() -> None:
    pixels = np.full((8, 8, 3), 64, np.uint8)
    assert (apply_view(pixels, ScanView(gain=1.5)) == 96).all()
    assert (apply_view(pixels, ScanView(gamma=2.0)) == round(64 * 64 / 255)).all()
    assert (apply_view(pixels, ScanView(gain=9.0)) == 255).all()


def test_the_bias_field_is_smooth_and_follows_its_coefficients() -> None:
    pixels = np.full((20, 20, 3), 100, np.uint8)
    lit = apply_view(pixels, ScanView(bias=(0.3, 0.0, 0.0, 0.0, 0.0, 0.0))).astype(int)
    assert (np.diff(lit[..., 0], axis=1) >= 0).all() and (np.diff(lit[..., 0], axis=0) == 0).all()
    assert lit[0, -1, 0] == round(100 * np.exp(0.3)) and lit[0, 0, 0] == round(100 * np.exp(-0.3))


def test_noise_is_as_strong_as_it_says_and_repeatable() -> None:
    pixels = np.full((100, 100, 3), 128, np.uint8)
    view = ScanView(noise=0.05, noise_seed=7)
    noisy = apply_view(pixels, view)
    assert noisy.std() == pytest.approx(0.05 * 255, rel=0.05)
    assert np.array_equal(noisy, apply_view(pixels, view))
