"""Figures per patient: by hand, against figures of slices where these are the same, and what no order may change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.evaluation import summarise
from tumorlens.evaluation.patients import score_patients, summarise_patients

TWO, THREE = ("no", "yes"), ("a", "b", "c")
PATIENTS = np.array(["p3", "p1", "p1", "p2", "p1", "p2", "p1"])
LABELS = np.array([0, 0, 1, 0, 0, 0, 0])
SCORES = np.array([0.6, 0.9, 0.8, 0.2, 0.1, 0.4, 0.7])


def two(scores):
    return np.column_stack([1.0 - scores, scores])


def half(probabilities):
    return (probabilities[:, 1] >= 0.5).astype(np.int64)


def test_two_classes_by_hand():
    found = score_patients(LABELS, two(SCORES), patients=PATIENTS, classes=TWO, positive_class="yes")
    assert found.names.tolist() == ["p1", "p2", "p3"]
    assert found.labels.tolist() == [1, 0, 0]  # one slice of the first patient has the class
    assert found.probabilities[:, 1] == pytest.approx([0.8, 0.3, 0.6])  # 0.1 is not among the three highest
    assert found.probabilities.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert "mean of the three highest" in found.aggregation and "'yes'" in found.aggregation

    figures = summarise_patients(
        LABELS, two(SCORES), patients=PATIENTS, classes=TWO, positive_class="yes", decide=half, draws=50
    ).summary
    values = {name: figure.value for name, figure in figures.metrics.items()}
    assert (figures.n_scans, figures.n_groups, figures.groups_are) == (3, 3, "patients")
    assert values == pytest.approx(
        {
            "accuracy": 2 / 3,
            "balanced_accuracy": 3 / 4,
            "sensitivity": 1.0,
            "specificity": 1 / 2,
            "ppv": 1 / 2,
            "npv": 1.0,
            "f1": 2 / 3,
            "mcc": 1 / 2,
            "roc_auc": 1.0,
            "average_precision": 1.0,
            "log_loss": -np.log([0.8, 0.7, 0.4]).mean(),
            "brier": (0.2**2 + 0.3**2 + 0.6**2) / 3,
        }
    )
    assert all(figure.low is None for figure in figures.metrics.values())  # three patients bear no interval


def test_one_wrong_slice_alone_does_not_decide():
    scores = np.array([0.99, 0.1, 0.1, 0.0])
    found = score_patients(
        np.zeros(4, int), two(scores), patients=np.array(["p"] * 4), classes=TWO, positive_class="yes"
    )
    assert found.probabilities[0, 1] == pytest.approx(1.19 / 3)


def test_the_positive_class_may_stand_first():
    found = score_patients(1 - LABELS, two(SCORES)[:, ::-1], patients=PATIENTS, classes=TWO, positive_class="no")
    assert found.labels.tolist() == [0, 1, 1]
    assert found.probabilities[:, 0] == pytest.approx([0.8, 0.3, 0.6])


def test_the_operating_point_decides():
    def low(probabilities):
        return (probabilities[:, 1] >= 0.25).astype(np.int64)

    found = summarise_patients(
        LABELS, two(SCORES), patients=PATIENTS, classes=TWO, positive_class="yes", decide=low, prevalence=0.1, draws=50
    )
    assert found.summary.metrics["accuracy"].value == pytest.approx(1 / 3)
    assert found.summary.metrics["ppv_at_prevalence"].value == pytest.approx(0.1)  # every patient is called positive


def test_patients_of_one_slice_have_the_slices_figures():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 60), np.round(rng.random(60), 2)
    patients = np.char.add("p", np.arange(60).astype(str))
    options = {"classes": TWO, "positive_class": "yes", "draws": 200, "seed": 3}
    found = summarise_patients(labels, two(scores), patients=patients, decide=half, **options).summary
    slices = summarise(
        labels, two(scores), predicted=half(two(scores)), groups=patients, groups_are="patients", **options
    )
    for name, figure in slices.metrics.items():
        mine = found.metrics[name]
        assert (mine.value, mine.low, mine.high) == pytest.approx((figure.value, figure.low, figure.high))


def test_more_classes_are_the_mean_of_all_slices():
    probabilities = np.array([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    patients, labels = np.array(["p", "p", "q"]), np.array([1, 1, 0])
    options = {"patients": patients, "classes": THREE, "positive_class": None}
    found = score_patients(labels, probabilities, **options)
    assert found.probabilities == pytest.approx(np.array([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]))
    assert found.labels.tolist() == [1, 0]
    figures = summarise_patients(labels, probabilities, decide=lambda p: p.argmax(axis=1), draws=50, **options)
    assert figures.summary.metrics["accuracy"].value == 0.5


def test_more_classes_within_a_patient_give_no_figures_and_the_reason():
    probabilities = np.full((3, 3), 1 / 3)
    options = {"patients": np.array(["p", "p", "q"]), "classes": THREE, "positive_class": None}
    assert score_patients(np.array([0, 1, 2]), probabilities, **options) is None
    figures = summarise_patients(np.array([0, 1, 2]), probabilities, decide=lambda p: p.argmax(axis=1), **options)
    assert figures.summary is None and figures.aggregation is None
    assert figures.reason.startswith("1 of 2 patients have slices of several classes")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_no_order_of_rows_changes_a_patient(seed, n):
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 2, n), rng.random(n)
    patients = np.char.add("p", rng.integers(0, 8, n).astype(str))
    order = rng.permutation(n)
    options = {"classes": TWO, "positive_class": "yes"}
    one = score_patients(labels, two(scores), patients=patients, **options)
    other = score_patients(labels[order], two(scores[order]), patients=patients[order], **options)
    assert np.array_equal(one.probabilities, other.probabilities) and np.array_equal(one.labels, other.labels)
    for name, score, label in zip(one.names, one.probabilities[:, 1], one.labels, strict=True):
        own = np.sort(scores[patients == name])[::-1][:3]
        assert score == pytest.approx(own.mean()) and label == labels[patients == name].max()
