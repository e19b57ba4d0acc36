from __future__ import annotations

import numpy as np

from tumorlens.datasets.synthesis.templates import load_template

_VENTRICLE = (20.0, 6.0, 4.0)
_WHITE = (28.0, -20.0, 27.0)
_CORTEX = (66.0, -10.0, 4.0)
_AIR = (0.0, -17.0, 90.0)


def _read(point: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    points = np.array(point, np.float32).reshape(3, 1)
    template = load_template()
    return template.tissue.read(points)[:, 0], template.places.read(points)[:, 0]


def test_white_matter_is_bright_deep_and_away_from_the_ventricles() -> None:
    (t1, grey, white), (tracts, depth_mm, ventricle_mm) = _read(_WHITE)
    assert t1 > 0.8
    assert white > 0.9 > 0.1 > grey
    assert tracts > 0.7
    assert depth_mm > 20
    assert 2 < ventricle_mm < 30


def test_lateral_ventricle_is_dark_and_has_distance_zero() -> None:
    (t1, _, _), (_, depth_mm, ventricle_mm) = _read(_VENTRICLE)
    assert t1 < 0.5
    assert depth_mm > 20
    assert ventricle_mm < 2


def test_left_and_right_ventricles_are_both_found() -> None:
    z, y, x = _VENTRICLE
    assert _read((z, y, -x))[1][2] < 2


def test_outside_is_air_with_negative_depth() -> None:
    (t1, grey, white), (_, depth_mm, _) = _read(_AIR)
    assert (t1, grey, white) == (0, 0, 0)
    assert depth_mm < -5


def test_surface_is_near_the_cortex() -> None:
    _, (_, depth_mm, ventricle_mm) = _read(_CORTEX)
    assert 0 < depth_mm < 15
    assert ventricle_mm > 25


def test_maps_are_finite() -> None:
    template = load_template()
    assert np.isfinite(template.tissue.values).all()
    assert np.isfinite(template.places.values).all()
