from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.scans.levels import decide_levels


def decide(values: np.ndarray):
    return decide_levels([values], dtype=values.dtype, source="X")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_0_1_are_multiplied_by_255_and_rounded(dtype: type) -> None:
    levels = np.arange(256)
    values = (levels / 255).astype(dtype)
    rule = decide(values)
    np.testing.assert_array_equal(rule.apply(values), levels)
    assert rule.note is not None
    assert "min-max scaled per pixel position over training and test together" in rule.note
    assert "near pixels/255, not equal" in rule.note


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50))
def test_rounding_is_off_by_at_most_half_a_level(values: list[float]) -> None:
    array = np.array([*values, 1.0], np.float32)
    error = np.abs(decide(array).apply(array) - array.astype(np.float64) * 255)
    assert error.max() <= 0.5 + 1e-4


@pytest.mark.parametrize(
    "values",
    [np.array([0.0, 128.4, 255.0]), np.array([0, 128, 255], np.int64), np.array([0, 1], np.uint16)],
)
def test_the_range_decides_for_0_255_and_it_is_said(values: np.ndarray) -> None:
    rule = decide(values)
    np.testing.assert_array_equal(rule.apply(values), np.rint(values))
    assert rule.note is not None
    assert "taken as 0..255 because of that range" in rule.note


def test_uint8_is_neither_read_nor_changed() -> None:
    values = np.array([0, 1], np.uint8)
    rule = decide_levels(iter(()), dtype=values.dtype, source="X")
    assert rule.note is None
    assert rule.apply(values) is values


def test_the_range_is_taken_over_all_blocks() -> None:
    blocks = [np.array([0.0, 0.5]), np.array([200.0])]
    assert decide_levels(blocks, dtype=np.dtype(float), source="X").factor == 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([-0.5, 1.0]), r"values in -0.5..1, expected"),
        (np.array([0.0, 300.0]), r"values in 0..300"),
        (np.array([0.0, np.nan]), "not finite"),
        (np.array([0.0, np.inf]), "not finite"),
        (np.array([0, 4095], np.uint16), "0..4095"),
        (np.array([True, False]), "holds bool"),
        (np.array([1j]), "holds complex"),
    ],
)
def test_other_values_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decide(values)
