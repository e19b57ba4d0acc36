"""Networks that tell nothing apart are found; honest ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.evaluation.collapse import (
    CONSTANT_FEATURES,
    ONE_CLASS_ONLY,
    collapse_reason,
    feature_spread,
)

LABELS = np.array([0, 1, 0, 1])
ONE_SIDED = np.zeros(4, dtype=int)
HONEST = np.array([0, 1, 1, 1])


def features(spread: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (5.0 + spread * rng.normal(size=(1_100, 8))).astype(np.float32)


@pytest.mark.parametrize(
    ("labels", "predicted", "spread", "expected"),
    [
        (LABELS, ONE_SIDED, None, ONE_CLASS_ONLY),
        (np.zeros(4, dtype=int), ONE_SIDED, None, None),
        (LABELS, HONEST, None, None),
        (LABELS, HONEST, 1.0, None),
        (LABELS, HONEST, 1e-5, CONSTANT_FEATURES),
        (LABELS, HONEST, 0.0, CONSTANT_FEATURES),
        (LABELS, ONE_SIDED, 1e-5, ONE_CLASS_ONLY),
    ],
)
def test_collapse_reason(labels, predicted, spread, expected):
    given = None if spread is None else features(spread)
    assert collapse_reason(labels, predicted, features=given) == expected


def test_feature_spread_is_relative_and_summed_over_blocks():
    values = features(0.5)
    wide = values.astype(np.float64)
    expected = np.sqrt(wide.var(axis=0).mean() / np.square(wide).mean())
    assert feature_spread(values) == pytest.approx(expected, rel=1e-6)
    assert feature_spread(1_000 * values) == pytest.approx(expected, rel=1e-5)


def test_all_zero_features_have_no_spread():
    assert feature_spread(np.zeros((3, 2), dtype=np.float32)) == 0.0
