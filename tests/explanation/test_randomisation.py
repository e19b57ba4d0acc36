"""The rule by which maps are informative or not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tumorlens.errors import InputError
from tumorlens.explanation.randomisation import check_maps, rank_correlations

GROUPS = np.array([f"g{i // 2}" for i in range(12)])


def _maps(seed: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(size=(12, 6, 6)))


def _check(randomised, permuted, *, groups=GROUPS):
    shares = {0.5: _maps(1), 1.0: randomised}
    return check_maps(_maps(0), randomised=shares, permuted_head=permuted, groups=groups, unit="clusters")


@given(st.integers(0, 2**16), st.integers(2, 6), st.integers(2, 6))
def test_correlation_is_spearmans(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 4, (2, rows, columns)).astype(float)
    if np.ptp(one) and np.ptp(other):
        assert rank_correlations([one], [other])[0] == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
        assert rank_correlations([one], [-one])[0] == pytest.approx(-1.0)
        assert rank_correlations([one], [np.exp(one)])[0] == pytest.approx(1.0)


def test_map_without_differences_ranks_nothing() -> None:
    assert rank_correlations([np.eye(3)], [np.ones((3, 3))]).tolist() == [0.0]


def test_maps_that_change_are_informative() -> None:
    check = _check(_maps(2), _maps(3))
    assert check.informative and "Heatmaps change without" in check.words
    assert (check.n_scans, check.n_groups) == (12, 6)
    for found in (*check.randomised.values(), check.permuted_head):
        assert found.low < found.correlation < found.high and abs(found.correlation) < 0.3


@pytest.mark.parametrize("fails", ["network", "head", "both"])
def test_maps_that_stay_are_not_informative(fails: str) -> None:
    similar = [each + 0.3 * other for each, other in zip(_maps(0), _maps(4), strict=True)]
    check = _check(similar if fails != "head" else _maps(2), similar if fails != "network" else _maps(3))
    assert not check.informative and "not informative" in check.words
    assert check.to_json()["informative"] is False


def test_steps_before_the_last_and_opposite_maps_are_not_judged() -> None:
    opposite = [-each for each in _maps(0)]
    check = check_maps(
        _maps(0), randomised={0.25: _maps(0), 1.0: opposite}, permuted_head=None, groups=GROUPS, unit="patients"
    )
    assert check.informative and check.randomised[0.25].correlation == pytest.approx(1.0)
    assert check.randomised[1.0].correlation == pytest.approx(-1.0) and check.permuted_head is None


def test_few_groups_have_no_interval_and_the_outcome_is_plain_json() -> None:
    facts = _check(_maps(2), None, groups=np.array(["a", "b"] * 6)).to_json()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert [each["share"] for each in facts["randomised"]] == [0.5, 1.0]
    assert facts["randomised"][0]["low"] is None and facts["permuted_head"] is None and facts["limit"] == 0.5


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(InputError, match="share 1"):
        check_maps(_maps(0), randomised={0.5: _maps(1)}, permuted_head=None, groups=GROUPS, unit="clusters")
    with pytest.raises(InputError, match="0 scans"):
        check_maps([], randomised={1.0: []}, permuted_head=None, groups=GROUPS[:0], unit="clusters")
    with pytest.raises(InputError, match="same scans and grids"):
        _check(_maps(1)[:5], None)
    with pytest.raises(InputError, match="same scans and grids"):
        _check([each[:3] for each in _maps(1)], None)
