"""Boxes and masks on the grid of a map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.explanation import Box, region_of_boxes, region_of_mask


def test_region_covers_what_the_box_covers() -> None:
    region = region_of_boxes([Box(0.25, 0.5, 0.75, 1.0)], shape=(2, 2))
    np.testing.assert_allclose(region.covered, [[0.0, 0.0], [0.5, 0.5]])
    assert region.area == pytest.approx(0.25)
    assert region.holds_centre.tolist() == [[False, False], [True, True]]


def test_overlaps_count_once() -> None:
    region = region_of_boxes([Box(0.0, 0.0, 0.5, 1.0), Box(0.25, 0.0, 0.75, 1.0)], shape=(4, 4))
    assert region.area == pytest.approx(0.75)


@pytest.mark.parametrize(
    "edges", [(0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (-0.1, 0, 1, 1), (0, 1, 1, 0), (0, 0, float("nan"), 1)]
)
def test_impossible_boxes_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="A box needs"):
        Box(*edges)


def test_no_boxes_are_refused() -> None:
    with pytest.raises(InputError, match="at least one box"):
        region_of_boxes([], shape=(2, 2))


def _painted(box: Box, *, height: int, width: int) -> np.ndarray:
    """The mask of a box whose edges lie between pixels."""
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    return ((box.top <= y) & (y <= box.bottom))[:, None] & ((box.left <= x) & (x <= box.right))


@given(st.integers(0, 7), st.integers(0, 7), st.integers(1, 8), st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))
def test_mask_of_a_box_is_the_region_of_the_box(
    left: int, top: int, wide: int, high: int, rows: int, columns: int
) -> None:
    box = Box(left / 16, top / 16, (left + wide) / 16, (top + high) / 16)
    mask = region_of_mask(_painted(box, height=32, width=48), shape=(rows, columns))
    boxes = region_of_boxes([box], shape=(rows, columns))
    np.testing.assert_allclose(mask.covered, boxes.covered, atol=0.1)
    assert mask.area == pytest.approx(wide * high / 256)
    assert mask.covered.mean() == pytest.approx(mask.area, abs=0.03)


def test_region_of_a_mask_by_hand() -> None:
    mask = np.zeros((4, 6), bool)
    mask[2:, :3] = True
    mask[0, 5] = True
    region = region_of_mask(mask, shape=(2, 2))
    np.testing.assert_allclose(region.covered, [[0, 1 / 6], [1, 0]], atol=0.02)
    assert region.holds_centre.tolist() == [[False, False], [True, False]]
    assert region.area == pytest.approx(7 / 24)


@pytest.mark.parametrize("mask", [np.zeros((3, 3), bool), np.ones((3, 3), np.uint8), np.ones((3, 3, 1), bool)])
def test_masks_that_mark_nothing_or_are_none_are_refused(mask: np.ndarray) -> None:
    with pytest.raises(InputError, match="bool of shape"):
        region_of_mask(mask, shape=(2, 2))
