from __future__ import annotations

import numpy as np

from tumorlens.training.scaling import fit_scaler, fold_scaler


def test_blocks_count_as_one_matrix() -> None:
    features = np.random.default_rng(0).normal(3, 2, size=(5000, 4)).astype(np.float32)
    scaler = fit_scaler(features[:1200], features[1200:])
    np.testing.assert_allclose(scaler.mean, features.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(scaler.scale, features.std(axis=0, dtype=np.float64))


def test_standardised_features_have_mean_zero_and_spread_one() -> None:
    features = np.random.default_rng(1).normal(1e3, 0.5, size=(3000, 3)).astype(np.float32)
    standardised = fit_scaler(features).apply(features)
    assert standardised.dtype == np.float32
    np.testing.assert_allclose(standardised.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(standardised.std(axis=0, dtype=np.float64), 1, atol=1e-6)


def test_rows_come_in_the_wanted_order() -> None:
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    scaler = fit_scaler(features)
    order = np.array([4, 0, 5])
    np.testing.assert_array_equal(scaler.apply(features, order=order), scaler.apply(features)[order])


def test_a_constant_feature_keeps_scale_one() -> None:
    features = np.column_stack([np.full(10, 0.1), np.arange(10)]).astype(np.float32)
    scaler = fit_scaler(features)
    assert scaler.scale[0] == 1.0
    np.testing.assert_allclose(scaler.apply(features)[:, 0], 0, atol=1e-7)


def test_folding_gives_the_same_numbers_on_raw_features() -> None:
    random = np.random.default_rng(2)
    features = random.normal(5, [[0.1, 3.0, 50.0]], size=(40, 3)).astype(np.float32)
    scaler = fit_scaler(features)
    weight, bias = random.normal(size=(3, 2)), random.normal(size=2)
    folded, folded_bias = fold_scaler(scaler, weight, bias)
    standardised = (features - scaler.mean) / scaler.scale
    np.testing.assert_allclose(features @ folded + folded_bias, standardised @ weight + bias)
