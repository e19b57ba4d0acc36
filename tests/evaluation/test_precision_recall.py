"""Precision against recall: worked out by hand, and as the bootstrap counts it."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.evaluation import precision_recall_curve, resample_groups, summarise
from tumorlens.evaluation.average_precision import AveragePrecision


def _both(scores: list[float]) -> np.ndarray:
    positive = np.array(scores)
    return np.column_stack([1 - positive, positive])


def test_by_hand() -> None:
    labels = np.array([1, 0, 1, 0])
    curve = precision_recall_curve(labels, _both([0.9, 0.8, 0.7, 0.1]), target=1)
    assert curve.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert curve.prevalence == 0.5
    pairs = set(zip(curve.recall.tolist(), curve.precision.round(4).tolist(), strict=True))
    assert {(0.0, 1.0), (0.5, 1.0), (0.5, 0.5), (1.0, 0.6667), (1.0, 0.5)} == pairs
    assert (np.diff(curve.recall) >= 0).all()


def test_constant_scores_give_the_prevalence() -> None:
    curve = precision_recall_curve(np.array([0, 0, 0, 1]), _both([0.5] * 4), target=1)
    assert curve.average_precision == curve.prevalence == 0.25


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_one_class_has_no_curve(labels) -> None:
    assert precision_recall_curve(np.array(labels), _both([0.2, 0.7]), target=1) is None


def test_it_is_the_figure_that_has_the_interval() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    probabilities = _both((rng.integers(0, 8, 60) / 8).tolist())
    curve = precision_recall_curve(labels, probabilities, target=1)
    drawn = AveragePrecision(probabilities[:, [1]], labels[:, None] == 1, codes=np.arange(60))
    assert curve.average_precision == pytest.approx(drawn.over(np.ones((1, 60)))[0])


def test_the_interval_is_that_of_evaluate_and_needs_groups() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 90)
    probabilities = _both(np.clip(labels * 0.3 + rng.random(90) * 0.7, 0, 1).tolist())
    groups = np.char.add("g", (np.arange(90) // 3).astype(str))
    resampling = resample_groups(groups, n_scans=90, unit="patients", draws=200)
    curve = precision_recall_curve(labels, probabilities, target=1, resampling=resampling)
    summary = summarise(
        labels,
        probabilities,
        predicted=probabilities.argmax(axis=1),
        groups=groups,
        groups_are="patients",
        classes=("a", "b"),
        positive_class="b",
        draws=200,
    )
    figure = summary.metrics["average_precision"]
    assert (curve.average_precision, curve.low, curve.high) == pytest.approx((figure.value, figure.low, figure.high))
    assert curve.low < curve.average_precision < curve.high
    few = resample_groups(np.repeat(["a", "b", "c"], 30), n_scans=90, unit="patients", draws=200)
    assert precision_recall_curve(labels, probabilities, target=1, resampling=few).low is None
    assert precision_recall_curve(labels, probabilities, target=1).low is None
