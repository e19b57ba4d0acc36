"""Thresholds reach what was wished for on the scans they were chosen on, and nothing more than needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.evaluation.threshold import OperatingWish, choose_threshold, parse_wish

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SCORES = np.array([0.1, 0.2, 0.3, 0.7, 0.25, 0.6, 0.8, 0.9])
GIVEN = np.column_stack([1 - SCORES, SCORES])


@pytest.mark.parametrize(
    ("wish", "threshold"),
    [
        (OperatingWish("sensitivity", 0.99), 0.225),
        (OperatingWish("sensitivity", 0.75), 0.45),
        (OperatingWish("sensitivity", 0.5), 0.75),
        (OperatingWish("specificity", 0.75), 0.45),
        (OperatingWish("specificity", 0.99), 0.75),
        (OperatingWish("cost", 1.0), 0.75),
        (OperatingWish("cost", 1.5), 0.225),
        (OperatingWish("cost", 5.0), 0.225),
        (OperatingWish("cost", 0.1), 0.75),
    ],
)
def test_by_hand(wish: OperatingWish, threshold: float) -> None:
    assert choose_threshold(LABELS, GIVEN, wish, positive=1) == pytest.approx(threshold)
    assert choose_threshold(1 - LABELS, GIVEN[:, ::-1], wish, positive=0) == pytest.approx(threshold)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.99), st.sampled_from(["sensitivity", "specificity"]))
def test_the_wish_is_met_and_the_next_threshold_would_not_meet_it(seed: int, value: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([[0, 1], rng.integers(0, 2, 40)])
    scores = np.round(rng.random(42), 2)
    threshold = choose_threshold(labels, np.column_stack([1 - scores, scores]), OperatingWish(kind, value), positive=1)
    called = scores >= threshold
    if kind == "sensitivity":
        assert called[labels == 1].mean() >= value
        assert (scores > scores[called].min())[labels == 1].mean() < value
    else:
        assert (~called)[labels == 0].mean() >= value or threshold == 1.0
        below = scores[~called]
        assert not below.size or (scores < below.max())[labels == 0].mean() < value


@pytest.mark.parametrize(
    ("given_wish", "message"),
    [
        ({"sensitivity": 1.0}, "--sensitivity above 0 and below 1"),
        ({"specificity": float("nan")}, "--specificity"),
        ({"cost": 0.0}, "--cost above 0"),
        ({"cost": float("inf")}, "--cost above 0"),
        ({"cost": 2.0, "sensitivity": 0.9}, "one of"),
    ],
)
def test_bad_wishes_are_refused(given_wish: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_wish(**given_wish)


def test_no_wish_is_none_and_one_class_is_refused() -> None:
    assert parse_wish() is None
    with pytest.raises(InputError, match="both classes"):
        choose_threshold(np.ones(8, int), GIVEN, OperatingWish("cost", 1.0), positive=1)
