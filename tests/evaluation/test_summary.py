"""All figures of one classifier: against scikit-learn on the scans and on draws, and what must hold for any of them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tumorlens.errors import InputError
from tumorlens.evaluation import summarise
from tumorlens.evaluation.bootstrap import resample_groups
from tumorlens.evaluation.summary_statistics import summary_statistics

TWO, THREE = ("no", "yes"), ("a", "b", "c")


def make_predictions(n_scans=120, n_groups=40, *, classes=TWO, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(classes), n_scans)
    logits = rng.normal(size=(n_scans, len(classes))) + 1.5 * np.eye(len(classes))[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    groups = np.char.add("g", rng.integers(0, n_groups, n_scans).astype(str))
    return labels, np.round(probabilities, 2) if len(classes) == 2 else probabilities, groups


def summary_of(labels, probabilities, groups, *, classes=TWO, predicted=None, **options):
    positive = {"positive_class": classes[1]} if len(classes) == 2 else {"positive_class": None}
    return summarise(
        labels,
        probabilities,
        predicted=probabilities.argmax(axis=1) if predicted is None else predicted,
        groups=groups,
        groups_are="patients",
        classes=classes,
        **{"draws": 300, **positive, **options},
    )


def expected(labels, probabilities, predicted, weights=None):
    """The figures of the second of two classes, by scikit-learn."""
    options = {"sample_weight": weights}
    matrix = sk.confusion_matrix(labels, predicted, **options)
    return {
        "accuracy": sk.accuracy_score(labels, predicted, **options),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted, **options),
        "sensitivity": sk.recall_score(labels, predicted, **options),
        "specificity": sk.recall_score(labels, predicted, pos_label=0, **options),
        "ppv": sk.precision_score(labels, predicted, **options),
        "npv": sk.precision_score(labels, predicted, pos_label=0, **options),
        "f1": sk.f1_score(labels, predicted, **options),
        "mcc": sk.matthews_corrcoef(labels, predicted, **options),
        "roc_auc": sk.roc_auc_score(labels, probabilities[:, 1], **options),
        "average_precision": sk.average_precision_score(labels, probabilities[:, 1], **options),
        "log_loss": sk.log_loss(labels, np.clip(probabilities, 1e-7, 1 - 1e-7), **options),
        "brier": sk.brier_score_loss(labels, probabilities[:, 1], **options),
        "n": matrix.sum(),
    }


def test_two_classes_equal_scikit_learn_at_any_decision():
    labels, probabilities, groups = make_predictions()
    predicted = (probabilities[:, 1] >= 0.3).astype(np.int64)
    summary = summary_of(labels, probabilities, groups, predicted=predicted)
    wanted = expected(labels, probabilities, predicted)
    assert summary.n_scans == wanted.pop("n")
    assert {name: figure.value for name, figure in summary.metrics.items()} == pytest.approx(wanted, abs=1e-12)
    assert (summary.n_groups, summary.groups_are, summary.positive_class) == (len(set(groups)), "patients", "yes")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_draw_equals_scikit_learn_with_weights(seed):
    labels, probabilities, groups = make_predictions(60, 12, seed=seed)
    predicted = probabilities.argmax(axis=1)
    resampling = resample_groups(groups, n_scans=60, unit="patients", draws=4, seed=1)
    options = {"codes": resampling.codes, "classes": TWO, "positive": 1, "prevalence": None}
    statistics = summary_statistics(labels, probabilities, predicted=predicted, **options)
    (counts,) = resampling.counts()
    drawn = {name: statistics["", name].over(counts) for owner, name in statistics if not owner}
    for draw, weights in enumerate(counts[:, resampling.codes]):
        rows = np.repeat(np.arange(60), weights.astype(int))
        if min(len(set(labels[rows])), len(set(predicted[rows]))) < 2:
            continue
        wanted = expected(labels, probabilities, predicted, weights)
        wanted.pop("n")
        assert {name: values[draw] for name, values in drawn.items()} == pytest.approx(wanted, abs=1e-9)


def test_draws_of_single_scans_give_the_point_values_back():
    labels, probabilities, _ = make_predictions(classes=THREE)
    predicted = probabilities.argmax(axis=1)
    summary = summary_of(labels, probabilities, None, classes=THREE)
    options = {"codes": np.arange(120), "classes": THREE, "positive": None, "prevalence": None}
    statistics = summary_statistics(labels, probabilities, predicted=predicted, **options)
    values = {("", name): figure.value for name, figure in summary.metrics.items()}
    values |= {(label, name): figure.value for label, own in summary.per_class.items() for name, figure in own.items()}
    assert {place: statistic.over(np.ones((1, 120)))[0] for place, statistic in statistics.items()} == pytest.approx(
        values
    )


def test_more_classes_are_means_over_classes():
    labels, probabilities, groups = make_predictions(classes=THREE)
    predicted = probabilities.argmax(axis=1)
    summary = summary_of(labels, probabilities, groups, classes=THREE)
    values = {name: figure.value for name, figure in summary.metrics.items()}
    assert values["f1"] == pytest.approx(sk.f1_score(labels, predicted, average="macro"))
    assert values["ppv"] == pytest.approx(sk.precision_score(labels, predicted, average="macro"))
    assert (
        values["sensitivity"]
        == values["balanced_accuracy"]
        == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    )
    assert values["mcc"] == pytest.approx(sk.matthews_corrcoef(labels, predicted))
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, probabilities, multi_class="ovr"))
    assert values["average_precision"] == pytest.approx(sk.average_precision_score(np.eye(3)[labels], probabilities))
    assert values["brier"] == pytest.approx(((probabilities - np.eye(3)[labels]) ** 2).sum(axis=1).mean())
    one = summary.per_class["b"]
    assert one["specificity"].value == pytest.approx(sk.recall_score(labels != 1, predicted != 1))
    assert one["npv"].value == pytest.approx(sk.precision_score(labels != 1, predicted != 1))
    assert summary.positive_class is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.sampled_from([TWO, THREE]))
def test_intervals_surround_the_value_and_stay_in_range(seed, n_groups, classes):
    labels, probabilities, groups = make_predictions(60, n_groups, classes=classes, seed=seed)
    summary = summary_of(labels, probabilities, groups, classes=classes, draws=100)
    for name, figure in summary.metrics.items():
        if figure.low is None:
            continue
        highest = {"log_loss": np.inf, "brier": 2.0}.get(name, 1.0)
        assert (-1.0 if name == "mcc" else 0.0) <= figure.low <= figure.high <= highest
        if figure.method != "percentile bootstrap":
            assert figure.low <= figure.value <= figure.high


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_exchanging_the_classes_exchanges_the_figures(seed):
    labels, probabilities, groups = make_predictions(60, 35, seed=seed)
    one = summary_of(labels, probabilities, groups, draws=50)
    other = summary_of(labels, probabilities, groups, draws=50, positive_class="no")
    pairs = {"sensitivity": "specificity", "ppv": "npv", "accuracy": "accuracy", "mcc": "mcc", "brier": "brier"}
    for name, mirrored in pairs.items():
        assert one.metrics[name].value == pytest.approx(other.metrics[mirrored].value)
        assert one.per_class["yes"].keys() == one.per_class["no"].keys()


def test_predictive_values_at_the_prevalence_of_the_scans_are_those_of_the_scans():
    labels, probabilities, groups = make_predictions()
    summary = summary_of(labels, probabilities, groups, prevalence=float(labels.mean()))
    for name in ("ppv", "npv"):
        assert summary.metrics[f"{name}_at_prevalence"].value == pytest.approx(summary.metrics[name].value)
    rare = summary_of(labels, probabilities, groups, prevalence=0.01)
    sensitivity, specificity = (rare.metrics[name].value for name in ("sensitivity", "specificity"))
    by_hand = sensitivity * 0.01 / (sensitivity * 0.01 + (1 - specificity) * 0.99)
    assert rare.metrics["ppv_at_prevalence"].value == pytest.approx(by_hand)
    assert rare.metrics["ppv_at_prevalence"].low < by_hand < rare.metrics["ppv_at_prevalence"].high
    assert rare.prevalence == 0.01


@pytest.mark.parametrize(("prevalence", "classes"), [(0.0, TWO), (1.0, TWO), (1.5, TWO), (0.1, THREE)])
def test_prevalences_that_are_none_are_refused(prevalence, classes):
    labels, probabilities, groups = make_predictions(classes=classes)
    with pytest.raises(InputError, match="prevalence"):
        summary_of(labels, probabilities, groups, classes=classes, prevalence=prevalence)


def test_an_empty_denominator_gives_no_figure():
    probabilities = np.tile([0.9, 0.1], (40, 1))
    summary = summary_of(np.zeros(40, np.int64), probabilities, np.arange(40).astype(str))
    empty = {name for name, figure in summary.metrics.items() if figure.value is None}
    assert empty == {"sensitivity", "ppv", "f1", "mcc", "roc_auc", "average_precision"}
    assert summary.metrics["accuracy"].method == "exact binomial"
    assert summary.metrics["specificity"].value == summary.metrics["npv"].value == 1.0


def test_perfect_sensitivity_rests_on_the_groups_that_have_the_class():
    labels = np.repeat([0, 1], [80, 20])
    probabilities = np.where(labels[:, None] == [0, 1], 0.8, 0.2)
    summary = summary_of(labels, probabilities, np.repeat(np.arange(50), 2).astype(str))
    assert (summary.metrics["sensitivity"].n_groups, summary.metrics["specificity"].n_groups) == (10, 40)
    assert summary.metrics["sensitivity"].low < summary.metrics["specificity"].low


def test_all_figures_of_3762_scans_take_at_most_two_seconds():
    labels, probabilities, _ = make_predictions(3_762)
    started = time.process_time()
    summary = summary_of(labels, probabilities, np.arange(3_762).astype(str), draws=2_000, prevalence=0.1)
    assert time.process_time() - started < 2.0
    assert all(figure.low is not None for figure in summary.metrics.values())
