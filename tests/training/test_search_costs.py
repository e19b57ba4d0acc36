"""What a trial is expected to cost follows from what earlier ones did."""

from __future__ import annotations

import pytest

from tumorlens.training import Costs, Place, Sizes, Trial
from tumorlens.training.search_space import default_tuned

_SIZES = Sizes(training=100, validation=20, all=200)
_PLACE = Place("net", 100, "stored")


def _frozen(place: Place, *, computed: int, seconds: float, at: float, head: str = "linear") -> Trial:
    params = {"backbone": place.backbone, "size": place.size, "crop": place.crop, "head": head}
    facts = {"computed": computed, "feature_seconds": seconds, "head_seconds": 2.0}
    return Trial(stage="frozen", params=params, state="finished", loss=0.5, seconds=seconds + 2, at=at, facts=facts)


_MEASURED = _frozen(_PLACE, computed=120, seconds=60.0, at=70.0)


def test_features_cost_what_they_did_and_grow_with_the_pixels() -> None:
    costs = Costs(_SIZES, [_MEASURED])
    assert costs.frozen(_PLACE, "linear", missing=10) == pytest.approx(10 * 0.5 + 2.0)
    assert costs.frozen(Place("net", 200, "brain"), "linear", missing=10) == pytest.approx(10 * 2.0 + 2.0)
    assert costs.frozen(_PLACE, "linear", missing=0) == pytest.approx(2.0)


def test_what_was_cached_says_nothing_about_speed_but_a_probe_does() -> None:
    cached = _frozen(_PLACE, computed=0, seconds=0.1, at=1.0)
    assert Costs(_SIZES, [cached]).seconds_a_scan(_PLACE) is None
    assert Costs(_SIZES, [cached], {("net", 50): 0.25}).seconds_a_scan(_PLACE) == pytest.approx(1.0)
    assert Costs(_SIZES, [_MEASURED]).seconds_a_scan(Place("other", 100, "stored")) is None


def test_fine_tuning_is_corrected_by_what_it_took() -> None:
    params = default_tuned(_PLACE)
    before = Costs(_SIZES, [_MEASURED])
    expected = before.tuned(params)
    done = Trial(stage="fine-tuned", params=params, state="finished", loss=0.4, seconds=3 * expected, at=100.0)
    other = params | {"epochs": 4}
    again = Costs(_SIZES, [_MEASURED, done])
    uncorrected = Costs(_SIZES, [_MEASURED, Trial(**{**vars(done), "state": "pruned"})])
    assert again.tuned(other) == pytest.approx(3 * uncorrected.tuned(other))


def test_views_that_are_stored_cost_nothing_more() -> None:
    params = default_tuned(_PLACE)
    pruned = Trial(stage="fine-tuned", params=params, state="pruned", loss=None, seconds=9.0, at=100.0)
    fresh, stored = Costs(_SIZES, [_MEASURED]), Costs(_SIZES, [_MEASURED, pruned])
    maps = _SIZES.training * (1 + params["views"]) + _SIZES.validation
    assert fresh.tuned(params) - stored.tuned(params) == pytest.approx(maps * 0.5 * 0.5)
    other = params | {"augmentation": "artefacts"}
    assert fresh.tuned(other) - stored.tuned(other) == pytest.approx((_SIZES.training + _SIZES.validation) * 0.5 * 0.5)


def test_the_last_step_answers_the_other_scans() -> None:
    costs = Costs(_SIZES, [_MEASURED])
    frozen, tuned = costs.last_step([(_PLACE, False)]), costs.last_step([(_PLACE, True)])
    assert frozen > 80 * 0.5 and tuned - frozen > 200 * 0.5
