from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.errors import InputError
from tumorlens.evaluation.metrics import log_loss
from tumorlens.evaluation.selection import equal_weights, select_members


def _two(positive: list[float]) -> np.ndarray:
    return np.stack([1 - np.array(positive), np.array(positive)], axis=1)


def _average(models: list[np.ndarray], weights: tuple[float, ...]) -> np.ndarray:
    return sum(weight * each for weight, each in zip(weights, models, strict=True))


LABELS = np.array([1, 1, 1, 0])
SURE_ABOUT_THE_FIRST = _two([0.9, 0.9, 0.5, 0.1])
SURE_ABOUT_THE_LAST = _two([0.5, 0.9, 0.9, 0.1])


def test_two_that_make_up_for_each_other_are_averaged() -> None:
    found = select_members(LABELS, [SURE_ABOUT_THE_FIRST, SURE_ABOUT_THE_LAST])
    assert found.weights == (0.5, 0.5)
    # by hand: alone, three scans at 0.9 and one at 0.5; together, two at 0.9 and two at 0.7
    assert found.steps[0].loss == pytest.approx(-(3 * np.log(0.9) + np.log(0.5)) / 4)
    assert found.steps[1].loss == pytest.approx(-(2 * np.log(0.9) + 2 * np.log(0.7)) / 4)
    assert [step.kept for step in found.steps[:3]] == [True, True, False]
    assert found.steps[1].accuracy == 1.0


def test_a_useless_model_counts_nothing() -> None:
    wrong = _two([0.2, 0.2, 0.2, 0.8])
    found = select_members(LABELS, [wrong, SURE_ABOUT_THE_FIRST, SURE_ABOUT_THE_LAST])
    assert found.weights == (0.0, 0.5, 0.5)


def test_the_better_of_two_counts_more() -> None:
    """With p on the first scan and 1 - p on the second, the best weight of two lies where the gradient is 0."""
    labels = np.array([1, 1])
    found = select_members(labels, [_two([0.9, 0.3]), _two([0.2, 0.9])], rounds=200)
    grid = np.linspace(0, 1, 10_001)
    losses = -(np.log(0.9 * grid + 0.2 * (1 - grid)) + np.log(0.3 * grid + 0.9 * (1 - grid))) / 2
    assert found.weights[0] == pytest.approx(grid[losses.argmin()], abs=0.01)
    assert found.weights[0] != pytest.approx(0.5, abs=0.02)


def test_equal_copies_leave_the_later_out() -> None:
    assert select_members(LABELS, [SURE_ABOUT_THE_FIRST, SURE_ABOUT_THE_FIRST]).weights == (1.0, 0.0)


def test_without_rounds_the_start_is_the_best_few() -> None:
    weak = _two([0.6, 0.6, 0.6, 0.4])
    found = select_members(LABELS, [weak, SURE_ABOUT_THE_FIRST, SURE_ABOUT_THE_LAST], rounds=0)
    assert found.weights == (0.0, 0.5, 0.5)
    assert [step.added for step in found.steps] == [1, 2]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), models=st.integers(1, 5), classes=st.integers(2, 4))
def test_never_worse_than_the_best_single_model(seed: int, models: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 20)
    given_ = [rng.dirichlet(np.ones(classes), 20) for _ in range(models)]
    found = select_members(labels, given_, rounds=10)
    assert sum(found.weights) == pytest.approx(1.0) and min(found.weights) >= 0
    loss = log_loss(labels, _average(given_, found.weights))
    assert loss <= min(log_loss(labels, each) for each in given_) + 1e-8
    assert loss == pytest.approx([step.loss for step in found.steps if step.kept][-1])
    assert loss <= min(step.loss for step in found.steps) + 1e-8


def test_equal_weights_choose_nothing() -> None:
    found = equal_weights(LABELS, [SURE_ABOUT_THE_FIRST, _two([0.2, 0.2, 0.2, 0.8])])
    assert found.weights == (0.5, 0.5)
    assert [step.kept for step in found.steps] == [True, True]
    assert equal_weights(np.empty(0, np.int64), [np.empty((0, 2))] * 4).weights == (0.25,) * 4


def test_refuses_what_cannot_be_averaged() -> None:
    with pytest.raises(InputError, match="same scans and classes"):
        select_members(LABELS, [SURE_ABOUT_THE_FIRST, SURE_ABOUT_THE_FIRST[:2]])
    with pytest.raises(InputError, match="same scans and classes"):
        select_members(LABELS, [])
    with pytest.raises(InputError, match="without scans"):
        select_members(np.empty(0, np.int64), [np.empty((0, 2))])
