from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.features.views import AUGMENTATIONS, ViewSettings, cached_view, draw_view
from tumorlens.scans import ScanView, apply_view


def scan(height: int = 40, width: int = 40) -> np.ndarray:
    """Smooth colours, black at the edge."""
    y, x = np.mgrid[0:height, 0:width]
    grey = 200 * np.sin(np.pi * (y + 0.5) / height) * np.sin(np.pi * (x + 0.5) / width) * (0.5 + 0.5 * x / width)
    return np.stack([grey, 0.8 * grey, 0.6 * grey], axis=-1).astype(np.uint8)


def test_the_view_of_number_zero_is_the_scan_itself() -> None:
    pixels = scan()
    view = cached_view("a" * 64, 0, ViewSettings())
    assert view == ScanView() and apply_view(pixels, view) is pixels


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(AUGMENTATIONS)))
def test_views_stay_within_their_settings(seed: int, name: str) -> None:
    limits = AUGMENTATIONS[name]
    view = draw_view(np.random.default_rng(seed), limits)
    assert abs(view.angle) <= limits.rotation and abs(view.scale - 1) <= limits.scale
    assert max(map(abs, view.shift)) <= limits.shift and abs(view.gain - 1) <= limits.gain
    assert 1 / (1 + limits.gamma) - 1e-9 <= view.gamma <= 1 + limits.gamma + 1e-9
    assert 0 <= view.noise <= limits.noise
    answer = apply_view(scan(), view)
    assert answer.shape == (40, 40, 3) and answer.dtype == np.uint8


def test_cached_views_depend_on_scan_and_number_alone() -> None:
    limits = ViewSettings()
    first = [cached_view("ab" * 32, number, limits) for number in (3, 1, 2)]
    again = [cached_view("ab" * 32, number, limits) for number in (1, 2, 3)]
    assert first == [again[2], again[0], again[1]]
    assert len({*map(repr, again), repr(cached_view("cd" * 32, 1, limits))}) == 4


def test_other_settings_have_another_digest() -> None:
    assert len({ViewSettings().digest, ViewSettings(rotation=14.0).digest, AUGMENTATIONS["artefacts"].digest}) == 3
