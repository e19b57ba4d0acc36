"""The map of the log-odds: a contrast of maps whose mean is the model's own log-odds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.errors import InputError
from tumorlens.explanation import class_evidence


def test_two_classes_are_opposites() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    first, second = (class_evidence(maps, target=target) for target in (0, 1))
    np.testing.assert_allclose(second, maps[..., 1] - maps[..., 0], rtol=1e-6)
    np.testing.assert_array_equal(first, -second)


def test_more_classes_are_set_against_the_mean_of_the_others() -> None:
    maps = np.zeros((1, 1, 4), np.float32)
    maps[0, 0] = [5.0, 1.0, 2.0, 3.0]
    assert class_evidence(maps, target=0)[0, 0] == pytest.approx(3.0)
    total = sum(class_evidence(maps, target=target)[0, 0] for target in range(4))
    assert total == pytest.approx(0.0, abs=1e-6)


def test_what_all_classes_share_is_no_evidence() -> None:
    maps = np.random.default_rng(1).normal(size=(5, 5, 3)).astype(np.float32)
    shared = np.arange(25, dtype=np.float32).reshape(5, 5, 1)
    np.testing.assert_allclose(class_evidence(maps + shared, target=1), class_evidence(maps, target=1), atol=1e-5)


def test_mean_is_the_log_odds_but_for_the_heads_own_constant(tiny_study, tiny_comparison) -> None:
    predictor = Predictor(tiny_comparison.best_run.bundle)
    (positive,) = {predictor.card.operating_point.positive_class}
    target = predictor.card.labels.index(positive)
    constants = []
    for file in sorted((tiny_study.folder / "images").iterdir())[:12]:
        answer = predictor.predict(file)
        odds = answer.probabilities[positive] / (1 - answer.probabilities[positive])
        constants.append(math.log(odds) - float(class_evidence(answer.class_maps, target=target).mean()))
    assert np.ptp(constants) < 1e-3
    assert np.isfinite(constants).all()


@pytest.mark.parametrize(("shape", "target"), [((3, 3), 0), ((3, 3, 1), 0), ((3, 3, 2), 2), ((3, 3, 2), -1)])
def test_other_maps_and_classes_are_refused(shape: tuple[int, ...], target: int) -> None:
    with pytest.raises(InputError, match="got"):
        class_evidence(np.zeros(shape, np.float32), target=target)
