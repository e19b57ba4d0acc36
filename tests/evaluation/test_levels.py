"""A column's values become levels: words, few numbers, many numbers, blanks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.evaluation.levels import NOT_GIVEN, divide_by_value, has_few_levels


@pytest.mark.parametrize(
    ("values", "names", "codes"),
    [
        (["b", " a", "", "b", None], ("a", "b", NOT_GIVEN), [1, 0, 2, 1, 2]),
        (["10", "3", "1.5", "10"], ("1.5", "3", "10"), [2, 1, 0, 2]),
        ([512, 256, 512], ("256", "512"), [1, 0, 1]),
        ([0.5, float("nan"), 0.25], ("0.25", "0.5", NOT_GIVEN), [1, 2, 0]),
        (["10", "3", "x"], ("10", "3", "x"), [0, 1, 2]),
        (["", None], (NOT_GIVEN,), [0, 0]),
    ],
)
def test_a_level_for_each_value(values, names, codes):
    levels = divide_by_value(values)
    assert (levels.names, levels.codes.tolist(), levels.cuts) == (names, codes, None)


def test_more_than_ten_numbers_are_cut_at_their_quartiles():
    levels = divide_by_value([*(str(number) for number in range(1, 13)), ""])
    assert levels.cuts == (3.75, 6.5, 9.25)
    assert levels.names == ("up to 3.75", "3.75 to 6.5", "6.5 to 9.25", "above 9.25", NOT_GIVEN)
    assert levels.codes.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    assert divide_by_value(range(1, 11)).cuts is None


def test_equal_values_stay_together():
    levels = divide_by_value([0.0] * 30 + list(range(1, 12)))
    assert levels.cuts == (0.0, 1.0)
    assert levels.names == ("up to 0", "0 to 1", "above 1")
    assert np.bincount(levels.codes).tolist() == [30, 1, 10]


def test_levels_without_a_scan_are_left_out():
    levels = divide_by_value([*range(11), *[10] * 100])
    assert levels.names == ("up to 10",) and not levels.codes.any()


def test_names_have_the_digits_that_tell_them_apart():
    levels = divide_by_value([1000 + number / 1000 for number in range(12)])
    assert levels.names[0] == "up to 1000.003" and len(set(levels.names)) == 4


@pytest.mark.parametrize(("n", "few"), [(20, True), (21, False)])
def test_at_most_twenty_words_but_any_number_of_numbers(n, few):
    assert has_few_levels([f"w{number}" for number in range(n)]) is few
    assert has_few_levels([*(f"w{number}" for number in range(n)), ""]) is few
    assert has_few_levels(range(1000))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_every_number_lies_in_its_level(values):
    levels = divide_by_value(values)
    assert sorted(set(levels.codes.tolist())) == list(range(len(levels.names)))
    order = np.argsort(values, kind="stable")
    assert (np.diff(levels.codes[order]) >= 0).all()  # levels stand by size
    if levels.cuts is not None:
        assert len(levels.names) <= 4
        lowest = np.asarray(values) <= levels.cuts[0]
        assert np.array_equal(levels.codes == 0, lowest)
