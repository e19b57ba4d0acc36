"""Labels that a model which never saw them contradicts."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.contradictions import find_contradictions, predict_out_of_fold
from tumorlens.audit.findings import Contradiction
from tumorlens.errors import InputError


def certain(tumor):
    return np.stack([1 - np.asarray(tumor), tumor], axis=1)


def test_the_most_confident_come_first(made_up):
    dataset = made_up([0, 0, 1, 1, 0], "abcde")
    found = find_contradictions(dataset, certain([0.95, 0.2, 0.01, 0.6, 0.89]))
    assert found == (
        Contradiction(2, "class1", "class0", 0.99),
        Contradiction(0, "class0", "class1", 0.95),
    )


def test_bounds_can_be_set(made_up):
    dataset = made_up([0, 0, 1, 1, 0], "abcde")
    probabilities = certain([0.95, 0.2, 0.01, 0.6, 0.89])
    assert [one.row_id for one in find_contradictions(dataset, probabilities, least=0.8)] == [2, 0, 4]
    assert [one.row_id for one in find_contradictions(dataset, probabilities, most=1)] == [2]


def test_of_copies_the_first_is_listed(made_up):
    thumbnails = np.zeros((2, 60, 60), np.uint8)
    dataset = made_up([0, 0, 1], "aab", thumbnails=thumbnails, columns={"copy_of": [-1, 0, -1]})
    assert [one.row_id for one in find_contradictions(dataset, certain([0.99, 0.99, 0.9]))] == [0]


def test_every_scan_needs_a_prediction(made_up):
    with pytest.raises(InputError, match=r"Expected probabilities of shape \(2, 2\), got \(1, 2\)"):
        find_contradictions(made_up([0, 1], "ab"), certain([0.5]))


def test_a_planted_wrong_label_is_found_out_of_fold(made_up):
    rng = np.random.default_rng(0)
    groups = np.arange(80) // 2
    truth = groups % 2
    features = (rng.normal(size=(80, 6)) + 4 * truth[:, None]).astype(np.float32)
    labels = truth.copy()
    labels[[10, 33]] = 1 - labels[[10, 33]]
    dataset = made_up(labels, groups)
    predictions = predict_out_of_fold(features, dataset.labels, dataset.groups, n_classes=2)
    assert predictions.probabilities.shape == (80, 2)
    assert predictions.strength > 0
    found = find_contradictions(dataset, predictions.probabilities)
    assert {one.row_id for one in found} == {10, 33}
    assert {one.label for one in found} == {f"class{labels[10]}", f"class{labels[33]}"}


def test_all_contradictions_are_listed(made_up):
    dataset = made_up([0] * 150 + [1], range(151))
    assert len(find_contradictions(dataset, certain([0.95] * 151))) == 150


def test_threads_and_seed_reach_the_fit(monkeypatch):
    seen = {}

    def note(*_, **options):
        seen.update(options)
        raise InputError("seen")

    monkeypatch.setattr("tumorlens.audit.contradictions.fit_linear", note)
    with pytest.raises(InputError, match="seen"):
        predict_out_of_fold(np.ones((2, 2), np.float32), np.arange(2), np.array(["a", "b"]), n_classes=2, threads=1)
    assert (seen["threads"], seen["seed"]) == (1, 0)
