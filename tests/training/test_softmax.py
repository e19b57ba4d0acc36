from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from tumorlens.training.scaling import Scaler, fit_scaler
from tumorlens.training.softmax import Block, _Objective, cross_entropy, fit_softmax, softmax


def make_blocks(k: int) -> tuple[list[Block], Scaler]:
    random = np.random.default_rng(0)
    features = random.normal(2, 3, size=(50, 6)).astype(np.float32)
    labels = np.concatenate([np.arange(k), random.integers(0, k, 50 - k)])
    return [
        Block(features[:20], labels[:20]),
        Block(features[20:], labels[20:]),
    ], fit_scaler(features)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_gradient_is_that_of_the_loss(k: int) -> None:
    blocks, scaler = make_blocks(k)
    objective = _Objective(blocks, scaler=scaler, strength=0.2, n_classes=k)
    start = objective.pack(None)
    point = np.random.default_rng(1).normal(size=len(start))
    error = check_grad(lambda p: objective(p)[0], lambda p: objective(p)[1], point, epsilon=1e-3)
    assert error < 1e-3 * np.linalg.norm(objective(point)[1])


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    blocks, scaler = make_blocks(3)
    common = {"n_classes": 3, "scaler": scaler, "tolerance": 1e-12}
    near = fit_softmax(blocks, strength=0.3, **common)  # type: ignore[arg-type]
    warm = fit_softmax(blocks, strength=0.1, start=near, **common)  # type: ignore[arg-type]
    cold = fit_softmax(blocks, strength=0.1, **common)  # type: ignore[arg-type]
    np.testing.assert_allclose(warm.weight, cold.weight, atol=1e-4)


def test_empty_blocks_are_harmless() -> None:
    blocks, scaler = make_blocks(2)
    empty = Block(blocks[0].features[:0], blocks[0].labels[:0])
    common = {"n_classes": 2, "scaler": scaler, "strength": 0.1, "tolerance": 1e-10}
    with_empty = fit_softmax([empty, *blocks], **common)  # type: ignore[arg-type]
    without = fit_softmax(blocks, **common)  # type: ignore[arg-type]
    np.testing.assert_array_equal(with_empty.weight, without.weight)


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1e4, 0.0], [0.0, -1e4]])
    np.testing.assert_array_equal(softmax(logits), [[1, 0], [1, 0]])
    assert cross_entropy(logits, np.array([0, 1])) == pytest.approx(5e3)
