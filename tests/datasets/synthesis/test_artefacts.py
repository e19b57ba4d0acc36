from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.datasets.synthesis.artefacts import Scanner, draw_scanner, mark_corner
from tumorlens.datasets.synthesis.fields import draw_field
from tumorlens.datasets.synthesis.grid import Grid, head_grid

_FLAT = draw_field(np.random.default_rng(0), knot_mm=75.0, amplitude=0.0)


def _grid() -> Grid:
    return head_grid(120)[0].at_heights([0.0, 10.0])


def _scanner(**changes: float) -> Scanner:
    scanner = draw_scanner(np.random.default_rng(0))
    return replace(scanner, shading=_FLAT, **changes)


def _acquire(scanner: Scanner, signal: np.ndarray, brain: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    return scanner.acquire(rng, signal, brain, grid=_grid(), pixel_mm=2.0)


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_noise_is_rician_with_the_given_deviation(noise: float) -> None:
    scanner = _scanner(noise=noise)
    everywhere = np.ones(_grid().shape, np.float32)
    bright = _acquire(scanner, everywhere, everywhere)
    assert bright.std() == pytest.approx(noise, rel=0.05)
    dark = _acquire(scanner, 0 * everywhere, everywhere)
    assert dark.mean() == pytest.approx(noise * np.sqrt(np.pi / 2), rel=0.05)


def test_outside_the_brain_is_exactly_zero() -> None:
    signal = np.ones(_grid().shape, np.float32)
    brain = np.zeros_like(signal)
    brain[:, 20:40, 20:40] = 1
    acquired = _acquire(_scanner(), signal, brain)
    assert not acquired[brain == 0].any()
    assert (acquired[brain == 1] > 0).all()


def test_window_keeps_the_same_grey_level_beside_a_bright_spot() -> None:
    signal = np.ones((2, 8, 8), np.float32)
    signal[1, 0, 0] = 3
    levels = _scanner(window=2.0).grey_levels(signal, scaling="window")
    assert levels.dtype == np.uint8
    assert levels[0, 5, 5] == levels[1, 5, 5] < levels[1, 0, 0] <= 255


def test_slice_maximum_darkens_what_lies_beside_a_bright_spot() -> None:
    signal = np.ones((3, 8, 8), np.float32)
    signal[1, 0, 0] = 3
    signal[2] = 0
    levels = _scanner(gamma=1.0).grey_levels(signal, scaling="slice-maximum")
    assert levels[0].min() == 255
    assert levels[1, 5, 5] == 85
    assert levels[2].max() == 0


def test_brighter_signal_never_gives_a_darker_grey_level() -> None:
    signal = np.linspace(0, 6, 500, dtype=np.float32).reshape(1, 1, -1)
    levels = _scanner(window=1.5).grey_levels(signal, scaling="window").ravel().astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels[0] == 0
    assert levels[-1] > 250


def test_mark_is_a_square_near_the_top_left_corner() -> None:
    picture = np.zeros((240, 240), np.uint8)
    marked = mark_corner(picture, pixel_mm=1.0)
    assert not picture.any()
    assert np.count_nonzero(marked) == 49
    assert not marked[20:].any()
    assert not marked[:, 20:].any()
