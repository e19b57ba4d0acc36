"""Quantiles over groups: by hand, and holding for scans of new groups in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.evaluation.hierarchical import group_quantile, groups_needed


@pytest.mark.parametrize(("level", "groups"), [(0.95, 19), (0.99, 99), (0.9, 9), (0.5, 1), (0.94, 16)])
def test_groups_needed(level: float, groups: int) -> None:
    assert groups_needed(level) == groups
    scores = np.arange(groups, dtype=float)
    names = np.arange(groups).astype(str)
    assert group_quantile(scores, names, level=level) == groups - 1
    assert group_quantile(scores[1:], names[1:], level=level) is None


def test_by_hand() -> None:
    # three groups: scores weigh 1/8, 1/8, 1/4, 1/4; the new group 1/4
    scores = np.array([1.0, 5.0, 2.0, 3.0])
    groups = np.array(["a", "a", "b", "c"])
    assert group_quantile(scores, groups, level=0.125) == 1.0
    assert group_quantile(scores, groups, level=0.3) == 2.0
    assert group_quantile(scores, groups, level=0.6) == 3.0
    assert group_quantile(scores, groups, level=0.75) == 5.0
    assert group_quantile(scores, groups, level=0.76) is None
    assert group_quantile(scores[:0], groups[:0], level=0.5) is None


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_scans_alone_give_the_split_conformal_quantile(seed: int, level: float) -> None:
    scores = np.random.default_rng(seed).normal(size=25)
    names = np.arange(25).astype(str)
    rank = int(np.ceil(level * 26 - 1e-9))
    assert group_quantile(scores, names, level=level) == np.sort(scores)[rank - 1]


@given(st.integers(0, 2**32 - 1))
def test_order_and_names_play_no_role(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, groups = rng.normal(size=60), rng.integers(0, 30, 60)
    order = rng.permutation(60)
    first = group_quantile(scores, groups.astype(str), level=0.8)
    assert first == group_quantile(scores[order], (1000 - groups[order]).astype(str), level=0.8)


def test_new_groups_are_covered_where_scans_within_groups_are_alike() -> None:
    rng = np.random.default_rng(0)
    hits, plain = [], []
    for _ in range(1500):
        sizes = rng.integers(1, 25, 26)
        centres = rng.normal(size=26)
        scores = np.repeat(centres, sizes) + 0.1 * rng.normal(size=sizes.sum())
        groups = np.repeat(np.arange(26), sizes)
        new = scores[groups == 25][0]
        limit = group_quantile(scores[groups < 25], groups[groups < 25].astype(str), level=0.95)
        assert limit is not None
        hits.append(new <= limit)
        plain.append(new <= np.quantile(scores[groups < 25], 0.95))
    assert 0.94 <= np.mean(hits) <= 0.985
    assert np.mean(plain) < np.mean(hits)
