r"""L2-regularised softmax regression by L-BFGS, on blocks of rows that are never copied.

Minimises :math:`\frac1n\sum_i -\log p_{y_i}(x_i) + \frac\lambda2\lVert V\rVert^2`; the bias is
free. Two classes have one column of weights (the difference of the logits), more have one a class,
both as in scikit-learn's ``LogisticRegression`` with :math:`C = 1 / (n\lambda)`. Knows nothing
about folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from tumorlens.training.scaling import Scaler, fold_scaler
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["Block", "SoftmaxModel", "cross_entropy", "fit_softmax", "softmax"]

_TWO_CLASSES = np.array([[-0.5, 0.5]])
_MEMORY_PAIRS = 20
_MAX_STEPS = 2000


@dataclass(frozen=True)
class Block:
    """Rows to learn from: features ``(n, d)`` float32 and labels ``(n,)``."""

    features: Features
    labels: Labels


@dataclass(frozen=True)
class SoftmaxModel:
    """Weights on standardised features.

    Attributes:
        weight: ``(d, c)`` float64, one column for two classes, else ``c = k``.
        bias: ``(c,)`` float64.
        scaler: Standardisation that comes before.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    scaler: Scaler

    def folded(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight ``(d, k)`` and bias ``(k,)`` of the logits on unstandardised features."""
        basis = _basis(len(self.bias))
        return fold_scaler(self.scaler, self.weight @ basis, self.bias @ basis)

    def logits(self, features: Features) -> NDArray[np.float64]:
        """Logits ``(n, k)`` of unstandardised ``(n, d)`` features."""
        weight, bias = self.folded()
        return (features @ weight.astype(np.float32)).astype(np.float64) + bias


def softmax(logits: NDArray[np.float64]) -> Probabilities:
    """Probabilities ``(n, k)`` of logits ``(n, k)``."""
    return np.exp(logits - logsumexp(logits, axis=1, keepdims=True))


def cross_entropy(logits: NDArray[np.float64], labels: Labels) -> float:
    """Mean of ``-log p(label)``, nats, of logits ``(n, k)``."""
    return float(np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]))


def fit_softmax(
    blocks: Sequence[Block],
    *,
    n_classes: int,
    scaler: Scaler,
    strength: float,
    start: SoftmaxModel | None = None,
    tolerance: float,
) -> SoftmaxModel:
    """Find the minimum for one strength.

    Args:
        blocks: Training rows, unstandardised.
        n_classes: Number of classes k.
        scaler: Standardisation, fitted on these rows.
        strength: Weight of the L2 term, lambda.
        start: Where to begin, such as the solution for a stronger L2 term.
        tolerance: Ends when the loss falls by less than this share and no gradient exceeds its
            square root times 0.1.

    Returns:
        The model at the minimum.
    """
    objective = _Objective(blocks, scaler=scaler, strength=strength, n_classes=n_classes)
    found = minimize(
        objective,
        objective.pack(start),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxcor": _MEMORY_PAIRS,
            "maxiter": _MAX_STEPS,
            "ftol": tolerance,
            "gtol": 0.1 * tolerance**0.5,
        },
    )
    weight, bias = objective.unpack(found.x)
    return SoftmaxModel(weight=weight.copy(), bias=bias.copy(), scaler=scaler)


class _Objective:
    """Loss and gradient; the standardisation acts on the weights, so the rows stay as they are."""

    def __init__(self, blocks: Sequence[Block], *, scaler: Scaler, strength: float, n_classes: int) -> None:
        self._blocks = blocks
        self._scaler = scaler
        self._strength = strength
        self._basis = _basis(1 if n_classes == 2 else n_classes)
        self._n_rows = sum(len(block.labels) for block in blocks)

    def __call__(self, point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, bias = self.unpack(point)
        folded, folded_bias = fold_scaler(self._scaler, weight, bias)
        folded32 = folded.astype(np.float32)
        loss = 0.0
        on_weight = np.zeros_like(weight)
        on_bias = np.zeros_like(bias)
        for block in self._blocks:
            logits = (block.features @ folded32 + folded_bias) @ self._basis
            block_loss, error = _loss_and_error(logits, block.labels)
            error = error @ self._basis.T
            loss += block_loss
            on_weight += block.features.T @ error.astype(np.float32)
            on_bias += error.sum(axis=0)
        on_weight -= np.outer(self._scaler.mean, on_bias)
        on_weight /= self._scaler.scale[:, np.newaxis] * self._n_rows
        on_weight += self._strength * weight
        penalty = 0.5 * self._strength * float(np.sum(weight * weight))
        return loss / self._n_rows + penalty, np.concatenate([on_weight.ravel(), on_bias / self._n_rows])

    def pack(self, model: SoftmaxModel | None) -> NDArray[np.float64]:
        """The point L-BFGS starts from."""
        columns = len(self._basis)
        if model is None:
            return np.zeros((len(self._scaler.mean) + 1) * columns)
        return np.concatenate([model.weight.ravel(), model.bias])

    def unpack(self, point: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight ``(d, c)`` and bias ``(c,)`` of a point."""
        columns = len(self._basis)
        return point[:-columns].reshape(-1, columns), point[-columns:]


def _basis(columns: int) -> NDArray[np.float64]:
    """``(c, k)``: from the fitted columns to the logits of all classes."""
    return _TWO_CLASSES if columns == 1 else np.eye(columns)


def _loss_and_error(logits: NDArray[np.float64], labels: Labels) -> tuple[float, NDArray[np.float64]]:
    """Summed cross-entropy and its gradient on the logits."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1)
    loss = float(np.sum(np.log(totals) - shifted[rows, labels]))
    exponentials /= totals[:, np.newaxis]
    exponentials[rows, labels] -= 1.0
    return loss, exponentials
