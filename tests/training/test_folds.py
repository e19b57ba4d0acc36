from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.training.folds import check_groups, grouped_folds


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n_groups=st.integers(4, 40), k=st.integers(2, 4))
def test_groups_stay_whole_and_every_class_is_trained_on(seed: int, n_groups: int, k: int) -> None:
    random = np.random.default_rng(seed)
    groups = np.sort(random.integers(0, n_groups, 150)).astype(str)
    labels = random.integers(0, k, 150)
    folds = grouped_folds(labels, groups, seed=seed)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert np.array_equal(np.unique(folds), np.arange(folds.max() + 1))
    for fold in range(folds.max() + 1):
        assert set(labels[folds != fold]) == set(labels)


def test_classes_are_spread_evenly() -> None:
    labels = np.repeat([0, 1], [100, 50])
    groups = np.arange(150).astype(str)
    folds = grouped_folds(labels, groups)
    assert np.bincount(folds[labels == 1]).tolist() == [10] * 5


@pytest.mark.parametrize(("groups_of_class", "expected"), [(2, 2), (3, 3), (5, 5), (9, 5)])
def test_fewer_groups_give_fewer_folds(groups_of_class: int, expected: int) -> None:
    labels = np.repeat([0, 1], [60, groups_of_class * 4])
    groups = np.concatenate([np.arange(60), 100 + np.arange(groups_of_class * 4) // 4]).astype(str)
    assert grouped_folds(labels, groups).max() + 1 == expected


def test_a_class_in_one_group_is_refused() -> None:
    labels = np.repeat([0, 1], [20, 5])
    groups = np.array([*map(str, range(20)), *["one"] * 5])
    for check in (grouped_folds, partial(check_groups, n_classes=2)):
        with pytest.raises(InputError, match="2 groups of each class.*add scans of other groups") as caught:
            check(labels, groups)
        assert "patient" not in str(caught.value)


def test_groups_that_leave_a_class_out_of_training_are_refused() -> None:
    labels = np.array([0, 1, 0, 2, 1, 2])
    groups = np.array(["a", "a", "b", "b", "c", "c"])
    for check in (grouped_folds, partial(check_groups, n_classes=3)):
        with pytest.raises(InputError, match="cannot be divided .* add scans of other groups"):
            check(labels, groups)


def test_groups_that_can_be_divided_pass_the_check() -> None:
    labels, groups = np.tile([0, 1], 6), np.arange(12).astype(str)
    check_groups(labels, groups, n_classes=2)
    with pytest.raises(InputError, match="class 2 has no scan"):
        check_groups(labels, groups, n_classes=3)


def test_few_folds_are_given_and_fewer_than_two_refused() -> None:
    labels = np.array([0, 0, 1, 1])
    groups = np.array(["a", "b", "a", "b"])
    assert grouped_folds(labels, groups).max() == 1
    with pytest.raises(InputError, match="at least 2 folds"):
        grouped_folds(labels, groups, wanted=1)


def test_the_same_seed_gives_the_same_folds() -> None:
    labels = np.tile([0, 1, 1], 40)
    groups = (np.arange(120) // 4).astype(str)
    first = grouped_folds(labels, groups, seed=5)
    np.testing.assert_array_equal(first, grouped_folds(labels, groups, seed=5))
    assert not np.array_equal(first, grouped_folds(labels, groups, seed=6))
