"""Differences between classifiers on the same scans, with groups as the unit."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.evaluation.paired import adjust_holm, paired_difference, sign_flip_p


def _answers(rng, *, groups: int, first: float, second: float, size: int = 6):
    """Answers that go wrong group by group, as those about slices of one patient do."""
    names = np.repeat([f"g{g:03d}" for g in range(groups)], size)
    right = [
        rng.random((groups, size)) < rng.beta(share * 4, (1 - share) * 4, groups)[:, None] for share in (first, second)
    ]
    return right[0].ravel(), right[1].ravel(), names


def _difference(first, second, groups, **options):
    return paired_difference(first, second, names=("a", "b"), groups=groups, unit="patients", **options)


def test_value_is_the_difference_of_the_accuracies_and_turns_round() -> None:
    first, second, groups = _answers(np.random.default_rng(0), groups=40, first=0.9, second=0.7)
    there, back = _difference(first, second, groups), _difference(second, first, groups)
    assert there.value == pytest.approx(first.mean() - second.mean())
    assert back.value == -there.value and back.p == there.p
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert there.low < there.value < there.high and there.n_groups == 40 and there.unit == "patients"


def test_large_difference_is_found() -> None:
    first, second, groups = _answers(np.random.default_rng(1), groups=60, first=0.95, second=0.6)
    found = _difference(first, second, groups)
    assert found.low > 0.1 and found.p < 0.001


def test_equal_classifiers_are_told_apart_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(2)
    found = [_difference(*_answers(rng, groups=25, first=0.8, second=0.8), draws=400) for _ in range(200)]
    assert 0.01 <= np.mean([entry.p < 0.05 for entry in found]) <= 0.10
    assert 0.88 <= np.mean([entry.low <= 0 <= entry.high for entry in found]) <= 0.99


def test_same_answers_have_no_interval() -> None:
    right = np.array([True, False, True, True])
    found = _difference(right, right, np.array(["a", "a", "b", "c"]))
    assert (found.value, found.low, found.high, found.p) == (0.0, None, None, 1.0)


def test_one_group_says_nothing() -> None:
    found = _difference(np.array([True, True]), np.array([False, True]), np.array(["a", "a"]))
    assert found.value == 0.5 and found.low is found.high is found.p is found.p_adjusted is None


def test_slices_of_one_group_count_once() -> None:
    first, second = np.ones(300, bool), np.zeros(300, bool)
    groups = np.repeat(["a", "b", "c"], 100)
    assert _difference(first, second, groups).p == pytest.approx(2 / 2**3)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_enumeration_equals_brute_force(sums: list[int]) -> None:
    observed = abs(sum(sums))
    ways = [
        abs(sum(s * sign for s, sign in zip(sums, signs, strict=True))) for signs in product((1, -1), repeat=len(sums))
    ]
    assert sign_flip_p(np.array(sums, float)) == pytest.approx(np.mean([way >= observed for way in ways]))


def test_drawn_signs_agree_with_all_signs() -> None:
    rng = np.random.default_rng(3)
    sums = rng.integers(-3, 5, 16).astype(float)
    moved = sums[sums != 0]
    assert moved.size > 12
    totals = np.array([0.0])
    for value in moved:
        totals = np.concatenate([totals + value, totals - value])
    exact = (np.abs(totals) >= abs(moved.sum()) - 1e-9).mean()
    assert sign_flip_p(sums) == pytest.approx(exact, abs=0.02)


def test_no_p_value_is_zero() -> None:
    assert sign_flip_p(np.ones(200)) == pytest.approx(1 / 10_001)


def test_holm_by_hand() -> None:
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_helps(p_values: list[float]) -> None:
    adjusted = adjust_holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert adjusted[order[0]] == pytest.approx(min(1.0, len(p_values) * min(p_values)))


def test_answers_about_other_scans_are_refused() -> None:
    with pytest.raises(InputError, match="same scans"):
        _difference(np.ones(3, bool), np.ones(2, bool), np.array(["a", "b", "c"]))
