"""Point figures against values worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from tumorlens.errors import InputError
from tumorlens.evaluation.metrics import (
    ClassFigures,
    accuracy,
    check_predictions,
    confusion_matrix,
    log_loss,
    per_class,
    positive_index,
    predicted_classes,
    roc_auc,
    roc_curve,
)

# Reference labels 0 0 0 1 1; the third and the fifth scan are predicted wrongly.
LABELS = np.array([0, 0, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.75, 0.25]])
PREDICTED = predicted_classes(PROBABILITIES)


def test_accuracy_by_hand():
    assert accuracy(LABELS, PREDICTED) == pytest.approx(3 / 5)


def test_log_loss_by_hand():
    expected = -np.log([0.9, 0.8, 0.3, 0.6, 0.25]).mean()
    assert log_loss(LABELS, PROBABILITIES) == pytest.approx(expected)


def test_log_loss_is_clipped_not_infinite():
    certain_and_wrong = np.array([[1.0, 0.0]])
    assert log_loss(np.array([1]), certain_and_wrong) == pytest.approx(-np.log(1e-7))


def test_confusion_matrix_has_reference_labels_down():
    assert confusion_matrix(LABELS, PREDICTED, n_classes=2).tolist() == [[2, 1], [1, 1]]


def test_per_class_by_hand():
    figures = per_class(LABELS, PREDICTED, classes=("no tumour", "tumour"))
    assert list(figures) == ["no tumour", "tumour"]
    assert figures["no tumour"] == ClassFigures(
        precision=pytest.approx(2 / 3),
        recall=pytest.approx(2 / 3),
        f1=pytest.approx(2 / 3),
        support=3,
    )
    assert figures["tumour"] == ClassFigures(
        precision=pytest.approx(1 / 2),
        recall=pytest.approx(1 / 2),
        f1=pytest.approx(1 / 2),
        support=2,
    )


def test_a_class_never_predicted_and_never_present_gets_zeros():
    figures = per_class(np.array([0, 1]), np.array([0, 0]), classes=("a", "b", "c"))
    assert figures["b"] == ClassFigures(0.0, 0.0, 0.0, 1)
    assert figures["c"] == ClassFigures(0.0, 0.0, 0.0, 0)


def test_roc_auc_by_hand():
    # Scores of tumour scans 0.6, 0.25; of others 0.1, 0.2, 0.7: 2 + 2 of 6 pairs in the right order.
    assert roc_auc(LABELS, PROBABILITIES, positive=1) == pytest.approx(4 / 6)


def test_roc_auc_of_the_other_class_looks_at_its_own_scores():
    assert roc_auc(LABELS, PROBABILITIES, positive=0) == pytest.approx(4 / 6)
    uneven = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]])
    assert roc_auc(np.array([0, 1, 1]), uneven, positive=1) == pytest.approx(0.75)


def test_roc_auc_is_macro_one_versus_rest_with_more_classes():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 60)
    probabilities = rng.dirichlet(np.ones(3), 60)
    expected = sklearn_metrics.roc_auc_score(labels, probabilities, multi_class="ovr")
    assert roc_auc(labels, probabilities, positive=None) == pytest.approx(expected)


def test_roc_auc_leaves_out_an_absent_class():
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    assert roc_auc(np.array([0, 1, 0]), probabilities, positive=None) == pytest.approx(1.0)


def test_one_class_has_no_roc():
    labels = np.array([1, 1])
    assert roc_auc(labels, PROBABILITIES[:2], positive=1) is None
    assert roc_curve(labels, PROBABILITIES[:2], target=1) is None


def test_roc_curve_runs_from_corner_to_corner():
    curve = roc_curve(LABELS, PROBABILITIES, target=1)
    assert curve is not None
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0.0, 0.0)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1.0, 1.0)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(roc_auc(LABELS, PROBABILITIES, positive=1))


@pytest.mark.parametrize(
    ("classes", "positive", "expected"),
    [
        (("a", "b"), None, 1),
        (("a", "b"), "a", 0),
        (("a", "b"), "b", 1),
        (("a", "b", "c"), None, None),
        (("a", "b", "c"), "b", None),
    ],
)
def test_positive_index(classes, positive, expected):
    assert positive_index(classes, positive) == expected


def test_unknown_positive_class_is_refused_with_the_choices():
    with pytest.raises(InputError, match="one of no, yes, got 'maybe'"):
        positive_index(("no", "yes"), "maybe")


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5]], "one row of probabilities for each of 2 labels"),
        ([], np.zeros((0, 2)), "at least one prediction"),
        ([2], [[0.5, 0.5]], r"labels in 0\.\.1, got 2\.\.2"),
        ([-1], [[0.5, 0.5]], r"labels in 0\.\.1"),
        ([0], [[2.0, -1.0]], "not logits"),
        ([0], [[0.5, 0.1]], "not logits"),
        ([0], [[np.nan, np.nan]], "not logits"),
    ],
)
def test_bad_predictions_are_refused(labels, probabilities, message):
    with pytest.raises(InputError, match=message):
        check_predictions(np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=float))


@given(st.integers(1, 40), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_figures_agree_with_each_other(n_scans, n_classes, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_scans)
    probabilities = rng.dirichlet(np.ones(n_classes), n_scans)
    predicted = predicted_classes(probabilities)
    confusion = confusion_matrix(labels, predicted, n_classes=n_classes)
    assert accuracy(labels, predicted) == pytest.approx(np.trace(confusion) / n_scans)
    figures = per_class(labels, predicted, classes=[str(code) for code in range(n_classes)])
    assert [entry.support for entry in figures.values()] == confusion.sum(axis=1).tolist()
    assert log_loss(labels, probabilities) >= 0.0
