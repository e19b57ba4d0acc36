"""Accuracies with intervals from the same draws of groups."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.intervals import accuracies


def test_each_column_has_its_mean_and_interval():
    right = np.stack([np.arange(100) % 2 == 0, np.arange(100) % 4 != 0], axis=1)
    groups = (np.arange(100) // 4).astype(np.str_)
    half, most = accuracies(right, groups=groups, unit="patients")
    assert (half.accuracy, most.accuracy) == (0.5, 0.75)
    assert most.low < 0.75 < most.high


def test_groups_that_are_all_right_by_the_same_share_are_not_certain():
    right = (np.arange(100) % 2 == 0)[:, None]
    found = accuracies(right, groups=(np.arange(100) // 4).astype(np.str_), unit="patients")[0]
    few = accuracies(right[:8], groups=(np.arange(8) // 4).astype(np.str_), unit="patients")[0]
    assert (found.low, found.high) == pytest.approx((0.297, 0.703), abs=0.005)  # 12.5 of 25
    assert 0 <= few.low < 0.1 and 0.9 < few.high <= 1


def test_draws_follow_the_seed():
    right = np.random.default_rng(0).random((60, 1))
    groups = np.arange(60).astype(np.str_)
    found = [accuracies(right, groups=groups, unit="scans", seed=seed)[0] for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_whole_groups_widen_the_interval():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(20) < 0.7, 10)[:, None]
    by_group = accuracies(right, groups=np.repeat(np.arange(20), 10).astype(np.str_), unit="patients")[0]
    by_scan = accuracies(right, groups=np.arange(200).astype(np.str_), unit="patients")[0]
    assert by_group.high - by_group.low > 2 * (by_scan.high - by_scan.low)
    assert by_group.low < by_group.accuracy < by_group.high


def test_all_right_is_not_certain():
    found = accuracies(np.ones((12, 1)), groups=np.arange(12).astype(np.str_), unit="patients")[0]
    assert (found.accuracy, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 12))


def test_one_group_tells_nothing_of_the_spread():
    found = accuracies(np.array([[1.0], [0.0]]), groups=np.array(["a", "a"]), unit="patients")[0]
    assert (found.accuracy, found.low, found.high) == (0.5, 0, 1)
