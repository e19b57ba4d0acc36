"""Maps scored against regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.explanation import (
    Box,
    best_overlap,
    energy_inside,
    points_inside,
    region_of_boxes,
    region_of_mask,
)


def test_pointing_and_energy_by_hand() -> None:
    region = region_of_boxes([Box(0.0, 0.0, 0.5, 0.5)], shape=(2, 2))
    evidence = np.array([[3.0, 1.0], [-5.0, 0.0]], np.float32)
    assert points_inside(evidence, region)
    assert energy_inside(evidence, region) == pytest.approx(0.75)
    assert not points_inside(evidence[:, ::-1], region)
    assert energy_inside(-np.abs(evidence), region) is None


@given(st.floats(0, 0.45), st.floats(0, 0.45), st.floats(0.55, 1), st.floats(0.55, 1))
def test_even_evidence_has_the_energy_of_chance(left: float, top: float, right: float, bottom: float) -> None:
    region = region_of_boxes([Box(left, top, right, bottom)], shape=(7, 8))
    assert energy_inside(np.ones((7, 8)), region) == pytest.approx(region.area)
    assert region.area == pytest.approx((right - left) * (bottom - top), abs=0.02)


def test_best_overlap_by_hand() -> None:
    mask = np.zeros((2, 2), bool)
    mask[0] = True
    region = region_of_mask(mask, shape=(2, 2))
    best = best_overlap(np.array([[3.0, 1.0], [2.0, -1.0]]), region)
    assert best.iou == pytest.approx(2 / 3) and best.threshold == 1.0
    exact = best_overlap(np.array([[3.0, 2.0], [1.0, -1.0]]), region)
    assert exact.iou == pytest.approx(1.0) and exact.threshold == 2.0


def test_equal_cells_are_taken_together() -> None:
    mask = np.zeros((2, 2), bool)
    mask[0, 0] = True
    region = region_of_mask(mask, shape=(2, 2))
    assert best_overlap(np.ones((2, 2)), region).iou == pytest.approx(0.25)


@given(st.integers(0, 2**16), st.floats(-5, 5), st.floats(0.1, 9))
def test_overlap_is_the_best_of_all_thresholds_and_knows_only_the_order(seed: int, shift: float, factor: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((20, 20)) < 0.3
    mask[0, 0] = True
    region = region_of_mask(mask, shape=(4, 5))
    evidence = rng.integers(-3, 4, (4, 5)).astype(float)
    tried = []
    for threshold in np.unique(evidence):
        taken = evidence >= threshold
        inside = region.covered[taken].sum()
        tried.append(inside / (taken.sum() + region.covered.sum() - inside))
    assert best_overlap(evidence, region).iou == pytest.approx(max(tried))
    assert best_overlap(factor * evidence + shift, region).iou == pytest.approx(max(tried))


def test_other_grids_are_refused() -> None:
    region = region_of_boxes([Box(0, 0, 1, 1)], shape=(2, 3))
    for score in (points_inside, energy_inside, best_overlap):
        with pytest.raises(InputError, match="cannot be scored"):
            score(np.ones((3, 2)), region)
