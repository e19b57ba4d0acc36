"""The nearest training scans: exact, in order, whatever the block size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tumorlens.errors import InputError
from tumorlens.features import nearest, nearest_training_scans

_VALUES = st.floats(-100, 100, width=32)


def test_known_angles() -> None:
    training = np.array([[2, 0], [0, 3], [-1, 0], [5, 5]], np.float32)
    indices, distances = nearest_training_scans(np.array([[1, 0]], np.float32), training, k=4)
    assert indices.tolist() == [[0, 3, 1, 2]]
    assert distances[0] == pytest.approx([0.0, 1 - np.sqrt(0.5), 1.0, 2.0], abs=1e-6)
    assert indices.dtype == np.int64 and distances.dtype == np.float32


def test_a_scan_among_the_training_scans_is_its_own_nearest() -> None:
    rng = np.random.default_rng(0)
    training = rng.normal(size=(50, 8)).astype(np.float32)
    indices, distances = nearest_training_scans(training[:5], training, k=1)
    assert indices[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert distances == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    queries=arrays(np.float32, (4, 3), elements=_VALUES),
    training=arrays(np.float32, (9, 3), elements=_VALUES),
    k=st.integers(1, 12),
)
def test_it_agrees_with_every_pair_computed_in_double(queries, training, k) -> None:
    indices, distances = nearest_training_scans(queries, training, k=k)
    assert indices.shape == distances.shape == (4, min(k, 9))
    assert all(len(set(row)) == len(row) for row in indices.tolist())
    every = _all_distances(queries, training)
    assert distances == pytest.approx(np.take_along_axis(every, indices, 1), abs=1e-5)
    assert distances == pytest.approx(np.sort(every, axis=1)[:, : min(k, 9)], abs=1e-5)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize(("products", "rows"), [(1, 1), (7, 4), (100, 3)])
def test_blocks_change_nothing(monkeypatch, products, rows) -> None:
    rng = np.random.default_rng(3)
    queries = rng.normal(size=(11, 5)).astype(np.float32)
    training = np.repeat(rng.normal(size=(10, 5)), 2, axis=0).astype(np.float32)  # every one twice: ties
    whole = nearest_training_scans(queries, training, k=5)
    monkeypatch.setattr(nearest, "_PRODUCTS_AT_ONCE", products)
    monkeypatch.setattr(nearest, "_MOST_ROWS", rows)
    indices, distances = nearest_training_scans(queries, training, k=5)
    assert distances == pytest.approx(whole[1], abs=1e-6)
    assert (training[indices] == training[whole[0]]).all()


def test_the_lower_row_comes_first_among_equals() -> None:
    training = np.array([[0, 1], [1, 1], [1, 1], [1, 1]], np.float32)
    assert nearest_training_scans(np.array([[1, 1]], np.float32), training, k=3)[0].tolist() == [[1, 2, 3]]


def test_zeros_are_at_distance_one_and_huge_values_overflow_nothing() -> None:
    training = np.array([[0, 0], [1e38, 1e38]], np.float32)
    _, distances = nearest_training_scans(np.array([[0, 0], [3e38, 3e38]], np.float32), training, k=2)
    assert distances == pytest.approx(np.array([[1, 1], [0, 1]]), abs=1e-6)


def test_nothing_to_find_or_to_look_for() -> None:
    some, none = np.ones((2, 3), np.float32), np.empty((0, 3), np.float32)
    assert nearest_training_scans(none, some)[0].shape == (0, 2)
    assert nearest_training_scans(some, none)[1].shape == (2, 0)


@pytest.mark.parametrize(
    ("queries", "training", "k", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), 1, "same width"),
        (np.ones(3), np.ones((2, 3)), 1, "same width"),
        (np.ones((2, 3)), np.ones((2, 3)), 0, "at least one"),
        (np.ones((2, 3)), np.full((2, 3), np.nan), 1, "finite"),
        (np.full((1, 3), np.inf), np.ones((2, 3)), 1, "finite"),
    ],
)
def test_refusals(queries, training, k, message) -> None:
    with pytest.raises(InputError, match=message):
        nearest_training_scans(queries.astype(np.float32), training.astype(np.float32), k=k)


def _all_distances(queries: np.ndarray, training: np.ndarray) -> np.ndarray:
    first, second = queries.astype(np.float64), training.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1)[:, None] * np.linalg.norm(second, axis=1)[None]
    products = first @ second.T
    return 1.0 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
