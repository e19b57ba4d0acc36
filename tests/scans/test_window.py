from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.scans import Window, intensity_range, parse_window, to_grey


def test_the_background_does_not_decide_the_contrast() -> None:
    head = np.random.default_rng(0).normal(1000, 100, 20_000)
    little, much = (np.concatenate([np.zeros(count), head]) for count in (20_000, 400_000))
    (_, high_little), (_, high_much) = (intensity_range([values], count=values.size) for values in (little, much))
    assert high_little == pytest.approx(np.percentile(head, 99.5), rel=0.01)
    assert high_much == pytest.approx(high_little, rel=0.01)


def test_the_range_does_not_depend_on_how_values_are_cut() -> None:
    values = np.random.default_rng(1).gamma(2.0, 300.0, (30, 40, 50))
    whole = intensity_range([values], count=values.size)
    assert whole == intensity_range(list(values), count=values.size)


def test_a_constant_and_no_value_at_all_become_black() -> None:
    constant = np.full((4, 4), 7)
    low, high = intensity_range([constant], count=constant.size)
    assert to_grey(constant, low=low, high=high).max() == 0
    assert intensity_range([np.full(3, np.nan)], count=3) == (0.0, 1.0)


def test_values_outside_and_not_finite_are_clipped() -> None:
    grey = to_grey(np.array([-5.0, 0.0, 50.0, 100.0, 900.0, np.nan, np.inf, -np.inf]), low=0, high=100)
    np.testing.assert_array_equal(grey, [0, 0, 128, 255, 255, 0, 255, 0])


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_grey_rises_with_the_value(low: float, span: float) -> None:
    grey = to_grey(np.linspace(low, low + span, 64), low=low, high=low + span).astype(int)
    assert (np.diff(grey) >= 0).all()


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_the_text_of_a_window_keeps_every_digit(one: float, other: float) -> None:
    if one == other:
        return
    window = Window("fixed", low=min(one, other), high=max(one, other))
    assert parse_window(window.text) == window


def test_whole_numbers_keep_their_digits() -> None:
    assert Window("fixed", low=1_000_000, high=1_000_001).text == "1000000.0,1000001.0"
