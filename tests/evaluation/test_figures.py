"""One row of the comparison: keys, parts, intervals, collapse, round trip."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tumorlens.errors import InputError, IntegrityError
from tumorlens.evaluation import (
    ROW_KEYS,
    Classifier,
    RowFigures,
    best_on_validation,
    figures,
    published_figures,
    summarise,
)

CLASSES = ("no tumour", "tumour")
NETWORK = Classifier(kind="backbone", backbone="vgg16", head="linear", weights="file", run="r1")


def predictions(n_scans=240, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_scans)
    score = 1 / (1 + np.exp(-(rng.normal(size=n_scans) + 1.6 * (labels - 0.5))))
    parts = np.resize(np.array(["train", "validation", "calibration", "test"]), n_scans)
    groups = np.char.add("p", (np.arange(n_scans) // 8).astype(str))
    return labels, np.column_stack([1 - score, score]), parts, groups


def row_of(labels, probabilities, parts, groups, **options) -> RowFigures:
    given = {
        "groups_are": "patients",
        "classes": CLASSES,
        "positive_class": "tumour",
        "classifier": NETWORK,
        "draws": 200,
    }
    return figures(labels, probabilities, parts=parts, groups=groups, **(given | options))


def test_decided_labels_count_and_not_the_largest_probability():
    labels = np.array([0] * 18 + [1] * 2)
    score = np.where(labels == 1, 0.3, 0.1)
    probabilities = np.column_stack([1 - score, score])
    parts, groups = np.full(20, "test"), np.arange(20).astype(str)
    at_half = row_of(labels, probabilities, parts, groups)
    assert (at_half.test_accuracy, at_half.collapsed) == (0.9, True)
    lower = row_of(labels, probabilities, parts, groups, predicted=(score >= 0.2).astype(int))
    assert (lower.test_accuracy, lower.collapsed, lower.per_class["tumour"].recall) == (1.0, False, 1.0)
    assert lower.test_loss == at_half.test_loss
    all_called = row_of(labels, probabilities, parts, groups, predicted=np.ones(20, int))
    assert (all_called.test_accuracy, all_called.collapsed) == (0.1, True)


def test_the_best_by_loss_may_be_another_than_by_accuracy():
    one, other = row_of(*predictions()), row_of(*predictions(seed=1))
    one = replace(one, run="one", val_accuracy=0.8, val_loss=0.5)
    other = replace(other, run="other", val_accuracy=0.9, val_loss=0.6)
    assert best_on_validation([one, other]).run == "other"
    assert best_on_validation([one, other], by_loss=True).run == "one"


def test_json_has_the_documented_keys_first_and_plain_values():
    stored = row_of(*predictions()).to_json()
    assert tuple(stored)[: len(ROW_KEYS)] == ROW_KEYS
    assert set(stored["per_class"]["tumour"]) == {"precision", "recall", "f1", "support"}
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored


@pytest.mark.parametrize("published", [None, published_figures(kind="backbone", backbone="vgg16")])
@pytest.mark.parametrize("groups_are", ["patients", "none"])
def test_json_round_trip(published, groups_are):
    row = row_of(*predictions(), published=published, groups_are=groups_are)
    assert RowFigures.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_a_newer_key_is_left_aside_and_a_missing_one_is_an_error():
    stored = row_of(*predictions()).to_json()
    assert RowFigures.from_json(stored | {"sharpness": 1.0}).test_loss == stored["test_loss"]
    del stored["test_accuracy"]
    with pytest.raises(IntegrityError, match="test_accuracy"):
        RowFigures.from_json(stored)


def test_each_part_gives_its_own_figures():
    labels, _, parts, groups = predictions()
    sure = {"train": 1.0, "validation": 0.9, "calibration": 0.0, "test": 0.8}
    own = np.array([sure[part] for part in parts])
    probabilities = np.empty((len(labels), 2))
    probabilities[np.arange(len(labels)), labels] = own
    probabilities[np.arange(len(labels)), 1 - labels] = 1 - own
    row = row_of(labels, probabilities, parts, groups)
    assert (row.train_accuracy, row.val_accuracy, row.test_accuracy) == (1.0, 1.0, 1.0)
    assert row.train_loss == pytest.approx(0.0, abs=1e-6)
    assert row.val_loss == pytest.approx(-np.log(0.9))
    assert row.test_loss == pytest.approx(-np.log(0.8))
    assert row.n_test == 60


def test_calibration_rows_need_no_predictions():
    labels, probabilities, parts, groups = predictions()
    probabilities[parts == "calibration"] = np.nan
    assert row_of(labels, probabilities, parts, groups).test_accuracy > 0.5


def test_intervals_hold_their_figures():
    row = row_of(*predictions())
    assert row.test_accuracy_low <= row.test_accuracy <= row.test_accuracy_high
    assert row.test_loss_low <= row.test_loss <= row.test_loss_high
    assert row.test_roc_auc_low <= row.test_roc_auc <= row.test_roc_auc_high
    assert (row.interval.unit, row.interval.n_groups, row.interval.draws) == ("patients", 30, 200)


def test_row_and_summary_give_one_accuracy_one_interval():
    labels, probabilities, parts, groups = predictions()
    test = parts == "test"
    for kept in (test, test & (np.arange(len(labels)) < 90)):  # many groups, and few
        row = row_of(labels[kept], probabilities[kept], parts[kept], groups[kept])
        summary = summarise(
            labels[kept],
            probabilities[kept],
            predicted=probabilities[kept].argmax(axis=1),
            groups=groups[kept],
            groups_are="patients",
            classes=CLASSES,
            positive_class="tumour",
            draws=200,
        )
        for name, low, high in (
            ("accuracy", row.test_accuracy_low, row.test_accuracy_high),
            ("log_loss", row.test_loss_low, row.test_loss_high),
            ("roc_auc", row.test_roc_auc_low, row.test_roc_auc_high),
        ):
            assert (summary.metrics[name].low, summary.metrics[name].high) == pytest.approx((low, high), abs=1e-12)
        assert summary.metrics["accuracy"].method == row.interval.method


def test_below_five_groups_there_is_no_interval():
    labels, probabilities, parts, groups = predictions()
    groups[parts == "test"] = np.resize(["p0", "p1", "p2", "p3"], 60)
    row = row_of(labels, probabilities, parts, groups)
    assert row.interval is None and row.test_loss_low is None and row.test_roc_auc_high is None


def test_without_groups_scans_are_drawn():
    labels, probabilities, parts, _ = predictions()
    row = row_of(labels, probabilities, parts, None, groups_are="none")
    assert (row.interval.unit, row.interval.n_groups) == ("scans", 60)


def test_one_group_on_test_gives_no_intervals():
    labels, probabilities, parts, groups = predictions()
    groups[parts == "test"] = "p0"
    row = row_of(labels, probabilities, parts, groups)
    assert row.interval is None
    assert (row.test_accuracy_low, row.test_loss_high, row.test_roc_auc_low) == (None, None, None)


def test_positive_class_decides_whose_area_is_given():
    labels = np.array([0, 0, 1, 1])
    # Three classes are not needed: with ties the two classes' own scores differ.
    probabilities = np.array([[0.7, 0.3], [0.4, 0.6], [0.4, 0.6], [0.1, 0.9]])
    parts, groups = np.full(4, "test"), np.array(["a", "b", "c", "d"])
    for name in CLASSES:
        row = row_of(labels, probabilities, parts, groups, positive_class=name)
        assert row.test_roc_auc == pytest.approx(0.875)
        assert row.train_accuracy is None


def test_several_classes():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 90)
    probabilities = rng.dirichlet(np.ones(3), 90)
    row = row_of(
        labels,
        probabilities,
        np.full(90, "test"),
        np.arange(90).astype(str),
        classes=("glioma", "meningioma", "none"),
        positive_class=None,
    )
    assert list(row.per_class) == ["glioma", "meningioma", "none"]
    assert row.test_roc_auc_low < row.test_roc_auc < row.test_roc_auc_high


def test_collapsed_networks_are_flagged_and_baselines_are_not():
    labels, _, parts, groups = predictions()
    one_class = np.tile([0.6, 0.4], (len(labels), 1))
    row = row_of(labels, one_class, parts, groups)
    assert row.collapsed
    assert row.collapsed_because == "predicts one class only"
    baseline = Classifier(kind="baseline", backbone="majority class")
    assert not row_of(labels, one_class, parts, groups, classifier=baseline).collapsed


def test_constant_features_are_flagged():
    labels, probabilities, parts, groups = predictions()
    features = np.ones((len(labels), 4), dtype=np.float32)
    row = row_of(labels, probabilities, parts, groups, features=features)
    assert row.collapsed_because == "features are nearly the same for every scan"


def test_empty_test_part_is_refused():
    labels, probabilities, parts, groups = predictions()
    with pytest.raises(InputError, match="at least one prediction"):
        row_of(labels, probabilities, np.full(len(parts), "train"), groups)


def test_same_seed_same_row():
    assert row_of(*predictions(), seed=3) == row_of(*predictions(), seed=3)


def test_best_is_chosen_on_validation_and_never_collapsed_or_baseline():
    labels, probabilities, parts, groups = predictions()
    weaker = probabilities.copy()
    weaker[parts == "validation"] = 1 - weaker[parts == "validation"]
    rows = [
        row_of(labels, weaker, parts, groups),
        row_of(
            labels,
            probabilities,
            parts,
            groups,
            classifier=Classifier(kind="scratch", backbone="s"),
        ),
        row_of(
            labels,
            np.eye(2)[labels],
            parts,
            groups,
            classifier=Classifier(kind="baseline", backbone="b"),
        ),
    ]
    assert best_on_validation(rows) is rows[1]
    assert best_on_validation(rows[2:]) is None
    assert best_on_validation([]) is None


def test_lower_validation_loss_decides_between_equal_accuracies():
    labels, _, parts, groups = predictions()
    right = np.eye(2)[labels]
    rows = [row_of(labels, 0.5 + (right - 0.5) * sure, parts, groups) for sure in (0.2, 0.8, 0.5)]
    assert best_on_validation(rows) is rows[1]
