"""Many heads at once: each must be what it would be alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tumorlens.audit.batch_linear import fit_logits, predict_classes, share_rows
from tumorlens.errors import InputError
from tumorlens.training.softmax import softmax


def noisy_rows(n_rows=120, n_features=30, n_classes=2, seed=0):
    """Correlated features of unlike sizes, and labels that some of them tell in part."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_features, n_features)) * rng.uniform(0.01, 30, n_features)
    features = (rng.normal(size=(n_rows, n_features)) @ mixing + 5).astype(np.float32)
    scores = (features - 5) @ np.linalg.inv(mixing)[:, :n_classes] * 2 + rng.gumbel(size=(n_rows, n_classes))
    return features, scores.argmax(axis=1)


def random_masks(n_rows, heads, seed=1, share=0.7):
    return np.random.default_rng(seed).random((n_rows, heads)) < share


def sklearn_probabilities(features, labels, mask, strength):
    scaler = StandardScaler().fit(features[mask].astype(np.float64))
    model = LogisticRegression(C=1 / (strength * mask.sum()), tol=1e-10, max_iter=10_000)
    model.fit(scaler.transform(features[mask].astype(np.float64)), labels[mask])
    return model.predict_proba(scaler.transform(features.astype(np.float64)))


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
def test_every_head_is_scikit_learns(n_classes, strength):
    features, labels = noisy_rows(n_classes=n_classes)
    masks = random_masks(len(labels), 5)
    logits = fit_logits(share_rows(features, strength=strength), labels[:, None], masks, n_classes=n_classes)
    assert logits.shape == (len(labels), 5, n_classes)
    for head in range(5):
        expected = sklearn_probabilities(features, labels, masks[:, head], strength)
        assert softmax(logits[:, head].astype(np.float64)) == pytest.approx(expected, abs=1e-3)


def test_more_features_than_rows():
    features, labels = noisy_rows(n_rows=40, n_features=90)
    masks = random_masks(40, 2)
    logits = fit_logits(share_rows(features, strength=0.1), labels[:, None], masks, n_classes=2)
    expected = sklearn_probabilities(features, labels, masks[:, 1], 0.1)
    assert softmax(logits[:, 1].astype(np.float64)) == pytest.approx(expected, abs=1e-3)


def test_each_head_has_labels_of_its_own():
    features, labels = noisy_rows()
    masks = np.ones((len(labels), 2), bool)
    both = np.stack([labels, 1 - labels], axis=1)
    logits = fit_logits(share_rows(features, strength=0.1), both, masks, n_classes=2)
    assert logits[:, 0] == pytest.approx(-logits[:, 1], abs=2e-3)
    assert np.abs(logits[:, 0]).max() > 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_labels_and_company_outside_its_rows_change_nothing(seed):
    features, labels = noisy_rows(n_rows=60, n_features=8, seed=seed)
    masks = random_masks(60, 3, seed=seed + 1)
    rows = share_rows(features, strength=0.1)
    together = fit_logits(rows, labels[:, None], masks, n_classes=2)[:, 0]
    changed = np.where(masks[:, 0], labels, 1 - labels)
    alone = fit_logits(rows, changed[:, None], masks[:, :1], n_classes=2)[:, 0]
    assert together == pytest.approx(alone, abs=5e-3)


def test_a_head_that_saw_one_class_predicts_it():
    features, labels = noisy_rows()
    mask = (labels == 1)[:, None]
    [(block, predicted)] = predict_classes(share_rows(features, strength=0.1), labels[:, None], mask, n_classes=2)
    assert (block.start, block.stop) == (0, 1)
    assert (predicted == 1).all()


def test_a_feature_that_is_constant_where_trained_does_no_harm():
    features, labels = noisy_rows()
    mask = np.arange(len(labels))[:, None] < 100
    features[:, 3] = np.where(mask[:, 0], 2.0, 900.0)
    logits = fit_logits(share_rows(features, strength=0.1), labels[:, None], mask, n_classes=2)
    without = np.delete(features, 3, axis=1)
    expected = fit_logits(share_rows(without, strength=0.1), labels[:, None], mask, n_classes=2)
    assert logits[:100] == pytest.approx(expected[:100], abs=5e-3)


def test_blocks_cover_all_heads_in_order():
    features, labels = noisy_rows(n_rows=50, n_features=4)
    masks = random_masks(50, 300)
    rows = share_rows(features, strength=0.1)
    blocks = list(predict_classes(rows, labels[:, None], masks, n_classes=2))
    assert len(blocks) > 1
    assert [block.start for block, _ in blocks] == [0, *(block.stop for block, _ in blocks[:-1])]
    assert blocks[-1][0].stop == 300
    predicted = np.concatenate([part for _, part in blocks], axis=1)
    last = fit_logits(rows, labels[:, None], masks[:, 299:], n_classes=2)[:, 0].argmax(axis=1)
    assert (predicted[:, 299] == last).mean() > 0.95


def test_a_strength_must_be_above_zero():
    with pytest.raises(InputError, match="above 0, got 0"):
        share_rows(np.ones((3, 2), np.float32), strength=0)
