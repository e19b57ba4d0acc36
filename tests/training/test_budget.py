"""A length of time is read with its unit, and divided so that the last step has its part."""

from __future__ import annotations

import pytest

from tumorlens.errors import InputError
from tumorlens.training import Plan, budget_words, parse_budget


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h30m", 5400), (" 2H ", 7200), ("1m5s", 65)]
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert parse_budget(text) == seconds
    assert parse_budget(budget_words(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "20", "m", "20 min", "1.5h", "30m1h", "-5m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="90s, 20m or 1h30m"):
        parse_budget(text)


def test_a_number_without_its_unit_is_asked_back() -> None:
    with pytest.raises(InputError, match="did you mean 20m or 20s"):
        parse_budget("20")


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="at least 30s"):
        parse_budget("29s")


def test_a_third_is_for_cached_features_and_the_last_step_is_set_aside() -> None:
    plan = Plan(900.0, None, fine_tunes=True)
    assert plan.frozen_seconds_left(100.0, reserve=60.0) == pytest.approx(200.0)
    assert plan.seconds_left(100.0, reserve=60.0) == pytest.approx(740.0)
    assert plan.frozen_trials is None
    assert "at most 5m" in plan.words()


def test_without_fine_tuning_cached_features_have_all_but_the_last_step() -> None:
    plan = Plan(900.0, None, fine_tunes=False)
    assert (
        plan.frozen_seconds_left(100.0, reserve=60.0) == plan.seconds_left(100.0, reserve=60.0) == pytest.approx(740.0)
    )


def test_the_last_step_never_takes_more_than_two_fifths() -> None:
    assert Plan(100.0, None, fine_tunes=True).seconds_left(0.0, reserve=1e6) == pytest.approx(60.0)


def test_trials_are_halved_in_the_place_of_time() -> None:
    assert Plan(None, 7, fine_tunes=True).frozen_trials == 4
    assert Plan(None, 7, fine_tunes=False).frozen_trials == 7
    assert Plan(None, 7, fine_tunes=True).seconds_left(1e9, reserve=1e9) == float("inf")
