"""Figures of out-of-fold predictions, against figures computed one by one."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, precision_score, recall_score, roc_auc_score

from tumorlens.errors import IntegrityError
from tumorlens.evaluation import (
    Classifier,
    CrossValidatedFigures,
    cross_validated_figures,
    mean_roc_curve,
    summarise,
)

_GENERATOR = np.random.default_rng(5)
LABELS = _GENERATOR.integers(0, 2, 240)
GROUPS = np.array([f"g{row // 4}" for row in range(240)])
FOLDS = np.stack([np.repeat(_GENERATOR.permutation(60) % 5, 4) for _ in range(3)])


def _scores(shift: float) -> np.ndarray:
    """``(3, n, 2)``: each repeat's scores; those of odd folds are moved up by ``shift``, as another head's would be."""
    logits = _GENERATOR.normal(size=(3, 240)) + 1.6 * (2 * LABELS - 1) + shift * (FOLDS % 2)
    positive = 1 / (1 + np.exp(-logits))
    return np.stack([1 - positive, positive], axis=2)


PROBABILITIES = _scores(0.0)


def _row(probabilities: np.ndarray = PROBABILITIES, **changes) -> CrossValidatedFigures:
    repeats = len(probabilities)
    given = {
        "folds": FOLDS[:repeats],
        "strengths": [[0.1] * 5] * repeats,
        "groups": GROUPS,
        "groups_are": "patients",
        "classes": ("no", "yes"),
        "positive_class": "yes",
        "classifier": Classifier(kind="backbone", backbone="net", head="linear"),
        "draws": 400,
    }
    return cross_validated_figures(LABELS, probabilities, **(given | changes))


def test_figures_are_those_of_averaged_probabilities() -> None:
    row, averaged = _row(), PROBABILITIES.mean(axis=0)
    predicted = averaged.argmax(axis=1)
    assert row.test_accuracy == accuracy_score(LABELS, predicted)
    assert row.test_loss == pytest.approx(log_loss(LABELS, averaged))
    assert row.per_class["yes"].precision == pytest.approx(precision_score(LABELS, predicted))
    assert row.per_class_intervals["yes"]["recall"].value == pytest.approx(recall_score(LABELS, predicted))
    assert row.by_repeat == tuple(accuracy_score(LABELS, scores.argmax(axis=1)) for scores in PROBABILITIES)
    assert row.repeat_spread == pytest.approx(np.std(row.by_repeat, ddof=1))
    assert row.n_test == 240
    assert row.train_accuracy is row.val_accuracy is row.train_loss is row.val_loss is None
    assert row.name == "net-linear"


def test_intervals_follow_the_rule_of_every_other_figure() -> None:
    row, averaged = _row(), PROBABILITIES.mean(axis=0)
    summary = summarise(
        LABELS,
        averaged,
        predicted=averaged.argmax(axis=1),
        groups=GROUPS,
        groups_are="patients",
        classes=("no", "yes"),
        positive_class="yes",
        draws=400,
    )
    accuracy = summary.metrics["accuracy"]
    assert (row.test_accuracy_low, row.test_accuracy_high) == pytest.approx((accuracy.low, accuracy.high))
    names = {"precision": "ppv", "recall": "sensitivity", "f1": "f1"}
    for label, found in row.per_class_intervals.items():
        assert found == {name: summary.per_class[label][key] for name, key in names.items()}


def test_areas_are_computed_inside_folds() -> None:
    probabilities = _scores(4.0)
    row = _row(probabilities)
    areas = [
        roc_auc_score(LABELS[of_row == fold], scores[of_row == fold, 1])
        for scores, of_row in zip(probabilities, FOLDS, strict=True)
        for fold in range(5)
    ]
    assert [fold.roc_auc for fold in row.by_fold] == pytest.approx(areas)
    assert row.test_roc_auc == pytest.approx(np.mean(areas))
    assert row.roc_auc_spread == pytest.approx(np.std(areas, ddof=1))
    assert row.test_roc_auc_low < row.test_roc_auc < row.test_roc_auc_high
    pooled = roc_auc_score(LABELS, probabilities[0][:, 1])
    assert row.test_roc_auc > pooled + 0.03  # heads on another scale spoil the pool, not the folds


def test_interval_of_the_mean_area_is_that_of_the_draws() -> None:
    """One repeat in one fold is the plain area, whose interval the other figures already have."""
    whole = _row(PROBABILITIES[:1], folds=np.zeros((1, 240), np.int64), strengths=[[0.1]])
    summary = summarise(
        LABELS,
        PROBABILITIES[0],
        predicted=PROBABILITIES[0].argmax(axis=1),
        groups=GROUPS,
        groups_are="patients",
        classes=("no", "yes"),
        positive_class="yes",
        draws=400,
    )
    area = summary.metrics["roc_auc"]
    found = (whole.test_roc_auc, whole.test_roc_auc_low, whole.test_roc_auc_high)
    assert found == pytest.approx((area.value, area.low, area.high))
    assert whole.repeat_spread is None


def test_every_head_has_its_figures() -> None:
    row = _row(strengths=[[0.1, 0.2, 0.3, 0.4, 0.5]] * 3)
    assert [(fold.repeat, fold.fold) for fold in row.by_fold] == [(r, f) for r in (1, 2, 3) for f in range(1, 6)]
    assert [fold.strength for fold in row.by_fold[:5]] == [0.1, 0.2, 0.3, 0.4, 0.5]
    for fold in row.by_fold:
        held_out = FOLDS[fold.repeat - 1] == fold.fold - 1
        scores = PROBABILITIES[fold.repeat - 1][held_out]
        assert fold.scans == held_out.sum()
        assert fold.accuracy == pytest.approx(accuracy_score(LABELS[held_out], scores.argmax(axis=1)))
        assert fold.log_loss == pytest.approx(log_loss(LABELS[held_out], scores))
    weights = [fold.scans for fold in row.by_fold[:5]]
    assert np.average([fold.accuracy for fold in row.by_fold[:5]], weights=weights) == pytest.approx(row.by_repeat[0])


def test_constant_scores_have_an_area_of_one_half() -> None:
    row = _row(np.full((3, 240, 2), 0.5), classifier=Classifier(kind="baseline", backbone="majority class"))
    assert (row.test_roc_auc, row.test_roc_auc_low, row.test_roc_auc_high) == (0.5, 0.5, 0.5)
    assert row.name == "majority class"
    assert not row.collapsed
    assert _row(np.full((3, 240, 2), 0.5)).collapsed_because == "predicts one class only"


def test_more_than_two_classes_have_macro_areas() -> None:
    labels = np.arange(240) % 3
    scores = _GENERATOR.dirichlet(np.ones(3), (3, 240)) + 0.3 * np.eye(3)[labels]
    scores /= scores.sum(axis=2, keepdims=True)
    row = cross_validated_figures(
        labels,
        scores,
        folds=FOLDS,
        strengths=[[None] * 5] * 3,
        groups=GROUPS,
        groups_are="clusters",
        classes=("a", "b", "c"),
        positive_class=None,
        classifier=Classifier(kind="backbone", backbone="net", head="mlp"),
        draws=200,
    )
    first = FOLDS[0] == 0
    areas = [roc_auc_score(labels[first] == target, scores[0][first, target]) for target in range(3)]
    assert row.by_fold[0].roc_auc == pytest.approx(np.mean(areas))
    assert row.test_roc_auc_low < row.test_roc_auc < row.test_roc_auc_high


def test_mean_curve_encloses_the_mean_area() -> None:
    curve = mean_roc_curve(LABELS, PROBABILITIES, folds=FOLDS, target=1)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(_row().test_roc_auc, abs=2e-3)
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
    assert curve.true_positive_rate[-1] == 1
    assert mean_roc_curve(np.zeros(240, np.int64), PROBABILITIES, folds=FOLDS, target=1) is None


def test_json_and_back() -> None:
    row = _row()
    stored = json.loads(json.dumps(row.to_json(), allow_nan=False))
    assert CrossValidatedFigures.from_json(stored) == row
    assert stored["by_fold"][0] == asdict(row.by_fold[0])
    assert stored["repeat_spread"] == row.repeat_spread
    for key, broken in (("by_fold", [{"fold": 1}]), ("by_repeat", None), ("per_class_intervals", 3)):
        with pytest.raises(IntegrityError, match="damaged"):
            CrossValidatedFigures.from_json(stored | {key: broken})
