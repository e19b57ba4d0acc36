from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tumorlens.errors import InputError
from tumorlens.runtime.heads import head_logits
from tumorlens.training.fitted import FittedHead
from tumorlens.training.linear import fit_linear
from tumorlens.training.mlp import MlpSettings, fit_mlp
from tumorlens.training.softmax import cross_entropy

Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


def make_checkerboard(n: int, *, k: int = 2, seed: int = 0) -> Rows:
    """No straight line divides the classes: they follow the signs of two features."""
    random = np.random.default_rng(seed)
    plain = random.uniform(-1, 1, size=(n, 4))
    quadrant = (plain[:, 0] > 0).astype(np.int64) + 2 * (plain[:, 1] > 0)
    labels = np.array([0, 1, 1, 0])[quadrant] if k == 2 else np.array([0, 1, 2, 0])[quadrant]
    return (plain * [1, 100, 0.01, 1] + [5, -30, 0, 0]).astype(np.float32), labels


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request: pytest.FixtureRequest) -> tuple[FittedHead, Rows, Rows, int]:
    train, val = (make_checkerboard(n, k=request.param, seed=n) for n in (600, 200))
    settings = MlpSettings(hidden=32, learning_rate=1e-2, max_epochs=40)
    return (
        fit_mlp(*train, *val, n_classes=request.param, settings=settings),
        train,
        val,
        request.param,
    )


def test_it_learns_what_a_linear_head_cannot(
    fitted: tuple[FittedHead, Rows, Rows, int],
) -> None:
    result, train, val, k = fitted
    linear = fit_linear(*train, np.arange(len(train[1])).astype(str), n_classes=k, strengths=[0.01]).head
    assert (head_logits(linear, val[0]).argmax(axis=1) == val[1]).mean() < 0.9
    assert (head_logits(result.head, val[0]).argmax(axis=1) == val[1]).mean() > 0.93


def test_the_head_reproduces_the_best_epoch(fitted: tuple[FittedHead, Rows, Rows, int]) -> None:
    result, train, val, _ = fitted
    best = min(result.history, key=lambda record: record.val_cross_entropy)  # type: ignore[union-attr]
    assert [record for record in result.history if record.kept] == [best]  # type: ignore[union-attr]
    val_loss = cross_entropy(head_logits(result.head, val[0]), val[1])
    train_loss = cross_entropy(head_logits(result.head, train[0]), train[1])
    assert val_loss == pytest.approx(best.val_cross_entropy, rel=1e-3)  # type: ignore[union-attr]
    assert train_loss == pytest.approx(best.train_cross_entropy, rel=1e-3)  # type: ignore[union-attr]
    assert best.val_loss == pytest.approx(best.val_cross_entropy + result.penalty)  # type: ignore[union-attr]


def test_shapes(fitted: tuple[FittedHead, Rows, Rows, int]) -> None:
    result, _, _, k = fitted
    hidden, out = result.head.layers
    assert (hidden.weight.shape, hidden.activation) == ((4, 32), "relu")
    assert (out.weight.shape, out.activation) == ((32, k), "linear")
    assert result.head.input == "pooled"


def test_it_stops_when_validation_no_longer_improves() -> None:
    random = np.random.default_rng(0)
    train, val = ((random.normal(size=(80, 30)).astype(np.float32), np.tile([0, 1], 40)) for _ in range(2))
    history = fit_mlp(*train, *val, n_classes=2, settings=MlpSettings(patience=3)).history
    losses = [record.val_cross_entropy for record in history]  # type: ignore[union-attr]
    assert len(losses) < 100
    assert len(losses) - 1 - int(np.argmin(losses)) == 3


def test_weight_decay_shrinks_the_weights() -> None:
    train, val = make_checkerboard(200, seed=1), make_checkerboard(100, seed=2)
    sizes = []
    for decay in (0.0, 1.0):
        settings = MlpSettings(hidden=16, weight_decay=decay, learning_rate=1e-2, max_epochs=10, patience=10)
        head = fit_mlp(*train, *val, n_classes=2, settings=settings).head
        sizes.append(np.linalg.norm(head.layers[1].weight))
    assert sizes[1] < 0.7 * sizes[0]


def test_the_same_seed_gives_the_same_head() -> None:
    train, val = make_checkerboard(100, seed=1), make_checkerboard(50, seed=2)
    settings = MlpSettings(hidden=8, max_epochs=3)
    heads = [fit_mlp(*train, *val, n_classes=2, settings=settings, seed=seed).head for seed in (4, 4, 5)]
    np.testing.assert_array_equal(heads[0].layers[0].weight, heads[1].layers[0].weight)
    assert not np.array_equal(heads[0].layers[0].weight, heads[2].layers[0].weight)


def test_widths_that_differ_are_refused() -> None:
    features, labels = make_checkerboard(50)
    with pytest.raises(InputError, match="equally wide, got 4 and 3"):
        fit_mlp(features, labels, features[:, :3], labels, n_classes=2)


def test_a_class_missing_from_validation_is_refused() -> None:
    features, labels = make_checkerboard(50)
    with pytest.raises(InputError, match="validation part"):
        fit_mlp(features, labels, features[labels == 0], labels[labels == 0], n_classes=2)
