from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumorlens.errors import InputError
from tumorlens.runtime.heads import head_logits
from tumorlens.training.folds import grouped_folds
from tumorlens.training.linear import fit_linear
from tumorlens.training.softmax import softmax


def make_data(
    *, n: int = 240, d: int = 30, k: int = 2, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]:
    """Overlapping classes, features of very different size and place, four rows a group."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    centres = random.normal(size=(k, d))
    plain = 0.5 * centres[labels] + random.normal(size=(n, d))
    sizes = np.geomspace(0.01, 100, d)
    features = (plain * sizes + 5 * sizes * random.normal(size=d)).astype(np.float32)
    groups = np.array([f"p{row // 4:03d}" for row in range(n)])
    return features, labels, groups


def reference(features: NDArray[np.float32], labels: NDArray[np.int64], *, strength: float) -> object:
    classifier = LogisticRegression(C=1 / (len(labels) * strength), tol=1e-10, max_iter=5000)
    return make_pipeline(StandardScaler(), classifier).fit(features.astype(np.float64), labels)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
def test_weights_equal_scikit_learn(k: int, strength: float) -> None:
    features, labels, groups = make_data(k=k)
    head = fit_linear(features, labels, groups, n_classes=k, strengths=[strength]).head
    scaler, classifier = reference(features, labels, strength=strength)  # type: ignore[misc]
    expected = classifier.coef_.T / scaler.scale_[:, np.newaxis]
    if k == 2:
        expected = expected @ [[-0.5, 0.5]]
    weight = head.layers[0].weight
    scaled = (weight - expected) * scaler.scale_[:, np.newaxis]
    largest = np.abs(expected * scaler.scale_[:, np.newaxis]).max()
    assert np.abs(scaled).max() < 1e-3 * largest


@pytest.mark.parametrize("k", [2, 4])
def test_head_on_raw_features_gives_the_probabilities_of_the_standardised_model(k: int) -> None:
    features, labels, groups = make_data(k=k)
    head = fit_linear(features, labels, groups, n_classes=k, strengths=[0.03]).head
    expected = reference(features, labels, strength=0.03).predict_proba(features)  # type: ignore[attr-defined]
    np.testing.assert_allclose(softmax(head_logits(head, features)), expected, atol=2e-4)


def test_a_constant_feature_is_harmless() -> None:
    features, labels, groups = make_data()
    features[:, 3] = 7.3
    fitted = fit_linear(features, labels, groups, n_classes=2)
    assert np.isfinite(fitted.head.layers[0].weight).all()
    assert np.abs(fitted.head.layers[0].weight[3]).max() < 1e-6


def test_out_of_fold_probabilities_come_from_models_and_scalers_of_the_other_folds() -> None:
    features, labels, groups = make_data(n=120, d=8)
    folds = grouped_folds(labels, groups, seed=0)
    features[folds == 0] *= 40  # a scaler that saw these rows would be far off
    fitted = fit_linear(features, labels, groups, n_classes=2, strengths=[0.1])
    expected = np.empty((len(labels), 2))
    for fold in range(folds.max() + 1):
        rest = folds != fold
        model = reference(features[rest], labels[rest], strength=0.1)
        expected[~rest] = model.predict_proba(features[~rest].astype(np.float64))  # type: ignore[attr-defined]
    assert fitted.out_of_fold is not None
    np.testing.assert_allclose(fitted.out_of_fold, expected, atol=5e-3)
    everything = reference(features, labels, strength=0.1).predict_proba(features)  # type: ignore[attr-defined]
    assert np.abs(fitted.out_of_fold - everything).max() > 0.1


def test_the_strength_with_the_lowest_held_out_loss_is_taken() -> None:
    features, labels, groups = make_data(n=200, d=40)
    fitted = fit_linear(features, labels, groups, n_classes=2)
    chosen = [record for record in fitted.history if record.chosen]  # type: ignore[union-attr]
    assert len(chosen) == 1
    assert chosen[0].cv_loss == min(record.cv_loss for record in fitted.history)  # type: ignore[union-attr]
    assert fitted.settings["strength"] == chosen[0].strength  # type: ignore[union-attr]
    assert fitted.out_of_fold is not None
    loss = -np.log(fitted.out_of_fold[np.arange(len(labels)), labels]).mean()
    assert loss == pytest.approx(chosen[0].cv_loss)


def test_noise_is_regularised_to_the_class_shares() -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(300, 50)).astype(np.float32)
    labels = (random.random(300) < 0.3).astype(np.int64)
    fitted = fit_linear(features, labels, np.arange(300).astype(str), n_classes=2)
    probabilities = softmax(head_logits(fitted.head, features))[:, 1]
    assert probabilities.mean() == pytest.approx(labels.mean(), abs=1e-3)
    assert probabilities.std() < 0.1


def test_the_path_goes_from_strong_to_weak_and_stops_when_it_gets_worse() -> None:
    features, labels, groups = make_data(n=100, d=60)
    history = fit_linear(features, labels, groups, n_classes=2).history
    strengths = [record.strength for record in history]  # type: ignore[union-attr]
    losses = [record.cv_loss for record in history]  # type: ignore[union-attr]
    assert strengths == sorted(strengths, reverse=True)
    assert len(losses) - 1 - int(np.argmin(losses)) <= 2


def test_the_same_seed_gives_the_same_head() -> None:
    features, labels, groups = make_data(k=3)
    first = fit_linear(features, labels, groups, n_classes=3, threads=2)
    second = fit_linear(features, labels, groups, n_classes=3, threads=1)
    np.testing.assert_array_equal(first.head.layers[0].weight, second.head.layers[0].weight)
    np.testing.assert_array_equal(first.out_of_fold, second.out_of_fold)


def test_features_are_left_as_they_are() -> None:
    features, labels, groups = make_data()
    before = features.copy()
    features.setflags(write=False)
    fit_linear(features, labels, groups, n_classes=2)
    np.testing.assert_array_equal(features, before)


def test_more_features_than_rows() -> None:
    features, labels, groups = make_data(n=60, d=500)
    head = fit_linear(features, labels, groups, n_classes=2).head
    assert head.layers[0].weight.shape == (500, 2)
    assert (head_logits(head, features).argmax(axis=1) == labels).mean() > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_classes": 1}, "at least 2 classes"),
        ({"n_classes": 3}, "class 2 has no scan"),
        ({"labels": np.full(240, 5)}, r"0\.\.1, got 5\.\.5"),
        ({"labels": np.zeros(240, dtype=np.float64)}, "class indices"),
        ({"features": np.ones((10, 3), np.float32)}, "n = 240"),
        ({"features": np.full((240, 3), np.nan, np.float32)}, "not finite"),
        ({"groups": np.full(240, "p")}, "2 groups of each class"),
        ({"strengths": [0.0]}, "above 0"),
        ({"strengths": []}, "at least one"),
    ],
)
def test_bad_input_is_one_sentence(change: dict[str, object], message: str) -> None:
    features, labels, groups = make_data()
    arguments = {"features": features, "labels": labels, "groups": groups, "n_classes": 2}
    with pytest.raises(InputError, match=message) as caught:
        fit_linear(**{**arguments, **change})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
