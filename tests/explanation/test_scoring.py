"""Maps scored against boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.explanation import Box, energy_inside, points_inside, region_of_boxes


def test_region_covers_what_the_box_covers() -> None:
    region = region_of_boxes([Box(0.25, 0.5, 0.75, 1.0)], shape=(2, 2))
    np.testing.assert_allclose(region.covered, [[0.0, 0.0], [0.5, 0.5]])
    assert region.area == pytest.approx(0.25)
    assert region.holds_centre.tolist() == [[False, False], [True, True]]


def test_overlaps_count_once() -> None:
    region = region_of_boxes([Box(0.0, 0.0, 0.5, 1.0), Box(0.25, 0.0, 0.75, 1.0)], shape=(4, 4))
    assert region.area == pytest.approx(0.75)


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


@pytest.mark.parametrize(
    "edges", [(0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (-0.1, 0, 1, 1), (0, 1, 1, 0), (0, 0, float("nan"), 1)]
)
def test_impossible_boxes_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="A box needs"):
        Box(*edges)


def test_other_grids_and_no_boxes_are_refused() -> None:
    region = region_of_boxes([Box(0, 0, 1, 1)], shape=(2, 3))
    with pytest.raises(InputError, match="cannot be scored"):
        points_inside(np.ones((3, 2)), region)
    with pytest.raises(InputError, match="at least one box"):
        region_of_boxes([], shape=(2, 2))
