"""Deletion and insertion curves of models that are plain functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.explanation import blurred_picture, deletion_curve, insertion_curve, mean_picture


def _white_share(pictures: np.ndarray) -> np.ndarray:
    return (pictures[..., 0] == 255).mean(axis=(1, 2))


def _scan() -> tuple[np.ndarray, np.ndarray]:
    """A scan with two white cells of four, and a map that ranks them first."""
    scan = np.zeros((8, 8, 3), np.uint8)
    scan[:4] = 255
    return scan, np.array([[4.0, 3.0], [2.0, 1.0]])


def test_curves_by_hand() -> None:
    scan, evidence = _scan()
    black = np.zeros_like(scan)
    deleted = deletion_curve(scan, evidence, _white_share, baseline=black)
    np.testing.assert_allclose(deleted.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(deleted.probabilities, [0.5, 0.25, 0, 0, 0])
    assert deleted.area == pytest.approx(0.25 * (0.375 + 0.125))
    inserted = insertion_curve(scan, evidence, _white_share, baseline=black)
    np.testing.assert_allclose(inserted.probabilities, [0, 0.25, 0.5, 0.5, 0.5])
    assert inserted.area == pytest.approx(0.25 * (0.125 + 0.375 + 0.5 + 0.5))


def test_the_right_order_is_better_than_the_reverse() -> None:
    scan, evidence = _scan()
    black = np.zeros_like(scan)
    for curve, better in ((deletion_curve, -1), (insertion_curve, 1)):
        right, wrong = (curve(scan, each, _white_share, baseline=black).area for each in (evidence, -evidence))
        assert better * right > better * wrong


@given(st.integers(0, 2**16), st.integers(1, 30), st.integers(1, 5), st.integers(1, 5))
def test_deleting_from_the_strongest_is_inserting_the_weakest(seed: int, steps: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    scan, baseline = rng.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    evidence = rng.permutation(rows * columns).reshape(rows, columns).astype(float)

    def answer(pictures: np.ndarray) -> np.ndarray:
        return pictures.mean(axis=(1, 2, 3)) / 255

    forth = deletion_curve(scan, evidence, answer, baseline=baseline, steps=steps)
    back = insertion_curve(scan, -evidence, answer, baseline=baseline, steps=steps)
    assert forth.shares[0] == 0 and forth.shares[-1] == 1 and len(forth.shares) == min(steps, rows * columns) + 1
    assert forth.probabilities[0] == back.probabilities[-1] == answer(scan[None])[0]
    assert forth.probabilities[-1] == back.probabilities[0] == answer(baseline[None])[0]
    if steps >= rows * columns:
        np.testing.assert_allclose(forth.probabilities, back.probabilities[::-1])
        assert forth.area == pytest.approx(back.area)


def test_baselines() -> None:
    scan, _ = _scan()
    np.testing.assert_array_equal(mean_picture(scan), np.full_like(scan, 128))
    blurred = blurred_picture(scan, share=0.25)
    assert blurred.dtype == np.uint8 and 0 < blurred[7, 0, 0] < blurred[4, 0, 0] < 128 < blurred[3, 0, 0] < 255
    np.testing.assert_array_equal(blurred[:, 0], blurred[:, 7])
    flat = np.full((5, 9, 3), (10, 20, 30), np.uint8)
    np.testing.assert_array_equal(blurred_picture(flat), flat)


@pytest.mark.parametrize(("shape", "steps"), [((8, 9, 3), 4), ((8, 8, 3), 0)])
def test_other_baselines_and_no_steps_are_refused(shape: tuple[int, ...], steps: int) -> None:
    scan, evidence = _scan()
    with pytest.raises(InputError, match="one shape"):
        deletion_curve(scan, evidence, _white_share, baseline=np.zeros(shape, np.uint8), steps=steps)
