from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.datasets.synthesis import volume as volume_module
from tumorlens.datasets.synthesis.volume import Volume

_ORIGIN = (-6.0, 2.0, 10.0)
_STEP = 2.0
_SHAPE = (5, 6, 7)


def _linear(z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.stack([z + 2 * y - x, 0.5 * x + 1], axis=-1).astype(np.float32)


def _volume() -> Volume:
    lines = (start + _STEP * np.arange(size) for start, size in zip(_ORIGIN, _SHAPE, strict=True))
    return Volume(_linear(*np.meshgrid(*lines, indexing="ij")), _STEP, _ORIGIN)


@given(st.lists(st.tuples(*[st.floats(-30, 40)] * 3), min_size=1, max_size=20))
def test_linear_maps_are_read_exactly_and_held_at_the_edge(places: list[tuple[float, ...]]) -> None:
    points = np.array(places, np.float32).T
    last = np.add(_ORIGIN, _STEP * (np.array(_SHAPE) - 1))
    inside = np.clip(points, np.array(_ORIGIN)[:, None], last[:, None])
    np.testing.assert_allclose(_volume().read(points), _linear(*inside).T, atol=1e-4)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).uniform(-10, 25, (3, 100)).astype(np.float32)
    whole = _volume().read(points)
    monkeypatch.setattr(volume_module, "_CHUNK", 7)
    np.testing.assert_array_equal(_volume().read(points), whole)


def test_nearest_voxel_is_read() -> None:
    points = np.array([[-5.2, 2.9, 10.4], [-4.9, 100.0, 21.1]], np.float32).T.reshape(3, 2, 1)
    values = _volume().read_nearest(points, channel=0)
    assert values.shape == (2, 1)
    assert values.ravel().tolist() == [-6 + 2 * 2 - 10, -4 + 2 * 12 - 22]
