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
    assert (half.low, half.high) == (0.5, 0.5)  # every group is right by half, so draws do not differ


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
