"""The classifiers that know next to nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.evaluation.baselines import area_and_brightness, majority_class
from tumorlens.evaluation.metrics import predicted_classes, roc_auc


def test_majority_class_gives_everyone_the_training_shares():
    labels = np.array([0, 1, 1, 1, 0, 2])
    probabilities = majority_class(labels, train_rows=np.array([0, 1, 2, 3]), n_classes=3)
    assert probabilities.tolist() == [[0.25, 0.75, 0.0]] * 6


def scans(n_scans=400, seed=0):
    rng = np.random.default_rng(seed)
    area, brightness = rng.random(n_scans), rng.random(n_scans)
    labels = ((area - 0.5) * (brightness - 0.5) > 0).astype(np.int64)  # only their product tells
    return area, brightness, labels


def test_area_and_brightness_are_used_jointly():
    area, brightness, labels = scans()
    train = np.arange(200)
    probabilities = area_and_brightness(area, brightness, labels, train_rows=train, n_classes=2)
    assert probabilities.shape == (400, 2)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert roc_auc(labels[200:], probabilities[200:], positive=1) > 0.95


def test_labels_outside_training_are_not_looked_at():
    area, brightness, labels = scans()
    train = np.arange(200)
    changed = labels.copy()
    changed[200:] = 1 - changed[200:]
    arguments = {"train_rows": train, "n_classes": 2}
    first = area_and_brightness(area, brightness, labels, **arguments)
    second = area_and_brightness(area, brightness, changed, **arguments)
    assert (first == second).all()


def test_scaling_comes_from_training_alone():
    area, brightness, labels = scans()
    train = np.arange(200)
    brighter = brightness.copy()
    brighter[200:] *= 50
    arguments = {"train_rows": train, "n_classes": 2}
    first = area_and_brightness(area, brightness, labels, **arguments)
    second = area_and_brightness(area, brighter, labels, **arguments)
    assert (first[:200] == second[:200]).all()


def test_a_constant_column_does_no_harm():
    area, _, labels = scans()
    probabilities = area_and_brightness(area, np.full(400, 0.3), labels, train_rows=np.arange(200), n_classes=2)
    assert np.isfinite(probabilities).all()


def test_classes_missing_from_training_get_no_probability():
    area, brightness, labels = scans(40)
    labels[20:] = 2
    probabilities = area_and_brightness(area, brightness, labels, train_rows=np.arange(20), n_classes=3)
    assert (probabilities[:, 2] == 0.0).all()
    one_class = area_and_brightness(
        area, brightness, np.ones(40, dtype=np.int64), train_rows=np.arange(20), n_classes=2
    )
    assert (predicted_classes(one_class) == 1).all()


def test_bad_input_is_refused():
    area, brightness, labels = scans(10)
    with pytest.raises(InputError, match="training part"):
        majority_class(labels, train_rows=np.array([], dtype=np.int64), n_classes=2)
    area[3] = np.nan
    with pytest.raises(InputError, match="finite area and brightness"):
        area_and_brightness(area, brightness, labels, train_rows=np.arange(5), n_classes=2)
