r"""Many linear softmax heads at once, each trained on its own rows with its own labels.

The head is that of :mod:`tumorlens.training.softmax`: standardised features, mean cross-entropy plus
:math:`\frac\lambda2\lVert V\rVert^2`, a free bias. An audit fits hundreds of them on the same features, so a block of
heads shares its matrix products, and each step of :mod:`tumorlens.audit.batch_descent` costs two of them. Knows
nothing about folds or groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from tumorlens.audit.batch_descent import Array, descend
from tumorlens.errors import InputError
from tumorlens.training.scaling import fit_scaler
from tumorlens.types import Features, Labels

__all__ = ["SharedRows", "fit_logits", "predict_classes", "share_rows"]

_COLUMNS_AT_ONCE = 128
_MOST_VALUES_AT_ONCE = 16_000_000  # a number a row and column, held a few times: 64 MB each
_CURVATURE = 0.1  # a typical p(1 - p); only the speed depends on it
_CHUNK_ROWS = 2048
_CONSTANT = 1e-3  # spread within a head's rows, as a share of that over all rows


@dataclass(frozen=True, eq=False)
class SharedRows:
    """Features made ready for many heads of one strength.

    Attributes:
        features: ``(n, d)`` float32. Standardised over all rows, against rounding only: each head standardises again
            on the rows it is trained on.
        precondition: ``(d, d)`` float32, about the inverse of the curvature of every head's loss.
        strength: Weight of the L2 term, lambda.
    """

    features: Features
    precondition: npt.NDArray[np.float32]
    strength: float


def share_rows(features: Features, *, strength: float) -> SharedRows:
    """Prepare features for :func:`fit_logits` and :func:`predict_classes`.

    Args:
        features: ``(n, d)`` float32.
        strength: Weight of the L2 term, above 0.

    Raises:
        InputError: The strength is not above 0.
    """
    if strength <= 0:
        raise InputError(f"Expected a strength of the L2 term above 0, got {strength:g}.")
    rows = fit_scaler(features).apply(features)
    curvature = (rows.T @ rows).astype(np.float64) * (_CURVATURE / len(rows))
    curvature[np.diag_indices_from(curvature)] += strength
    inverse = cho_solve(cho_factor(curvature), np.eye(len(curvature)))
    return SharedRows(rows, inverse.astype(np.float32), strength)


def predict_classes(
    rows: SharedRows, labels: npt.NDArray[np.int64], trained_on: npt.NDArray[np.bool_], *, n_classes: int
) -> Iterator[tuple[slice, Labels]]:
    """Fit heads, block by block, and predict the class of every row with each.

    Args:
        rows: Features.
        labels: ``(n, heads)`` or, one set for all heads, ``(n, 1)``: class indices.
        trained_on: ``(n, heads)``: the rows each head is trained on, at least one of them.
        n_classes: Number of classes k.

    Yields:
        Which heads a block is, and their predictions ``(n, block)``.
    """
    heads = trained_on.shape[1]
    columns = min(_COLUMNS_AT_ONCE, _MOST_VALUES_AT_ONCE // len(trained_on))
    size = max(1, columns // _columns(n_classes))
    for start in range(0, heads, size):
        block = slice(start, min(start + size, heads))
        own = labels if labels.shape[1] == 1 else labels[:, block]
        logits = fit_logits(rows, own, trained_on[:, block], n_classes=n_classes)
        yield block, logits.argmax(axis=2)


def fit_logits(
    rows: SharedRows, labels: npt.NDArray[np.int64], trained_on: npt.NDArray[np.bool_], *, n_classes: int
) -> npt.NDArray[np.float32]:
    """Fit one block of heads.

    Args:
        rows: Features.
        labels: ``(n, heads)`` or ``(n, 1)``: class indices.
        trained_on: ``(n, heads)``: the rows each head is trained on, at least one of them.
        n_classes: Number of classes k.

    Returns:
        ``(n, heads, k)``: the logits of all rows.
    """
    scores = descend(_Heads(rows, labels, trained_on, n_classes=n_classes))
    logits = scores if n_classes > 2 else np.concatenate([-0.5 * scores, 0.5 * scores], axis=1)
    return logits.transpose(0, 2, 1)


class _Heads:
    """The losses of a block of heads, for the descent.

    A point is ``(d + 1, c, heads)``: weights on each head's own standardised features, and the bias last; ``c`` is one
    column (the difference of the logits) for two classes, else one a class.
    """

    def __init__(
        self, rows: SharedRows, labels: npt.NDArray[np.int64], trained_on: npt.NDArray[np.bool_], *, n_classes: int
    ) -> None:
        self._rows = rows
        columns = _columns(n_classes)
        own = np.arange(1, 2) if columns == 1 else np.arange(n_classes)
        self._targets = (labels[:, None, :] == own[:, None]).astype(np.float32)
        self._weights = (trained_on / trained_on.sum(axis=0)).astype(np.float32)[:, None, :]
        self._mean, self._scale = _standardisation(rows.features, trained_on)
        self.shape = (rows.features.shape[1] + 1, columns, trained_on.shape[1])

    def scores(self, point: Array) -> Array:
        """``(n, c, heads)``, linear in the point."""
        folded = point[:-1] / self._scale
        scores = _product(self._rows.features, folded)
        scores += point[-1] - (self._mean * folded).sum(axis=0)
        return scores

    def errors(self, scores: Array) -> Array:
        """``(n, c, heads)``: gradient of the mean cross-entropy on the scores."""
        return self._weights * (_probabilities(scores) - self._targets)

    def gradient(self, errors: Array, point: Array) -> Array:
        """Gradient on the point, from that on the scores, with the L2 term."""
        gradient = np.empty(self.shape, np.float32)
        gradient[-1] = errors.sum(axis=0)
        gradient[:-1] = _product(self._rows.features.T, errors)
        gradient[:-1] -= self._mean * gradient[-1]
        gradient[:-1] /= self._scale
        gradient[:-1] += self._rows.strength * point[:-1]
        return gradient

    def slope_and_bend(self, scores: Array, along: Array) -> tuple[Array, Array]:
        """First and second derivative ``(heads,)`` of each cross-entropy when scores move ``along``."""
        probabilities = _probabilities(scores)
        slope = np.einsum("nch,nch->h", self._weights * (probabilities - self._targets), along)
        if self.shape[1] == 1:
            spread = probabilities * (1 - probabilities) * along * along
        else:
            mean = (probabilities * along).sum(axis=1, keepdims=True)
            spread = (probabilities * (along - mean) ** 2).sum(axis=1, keepdims=True)
        return slope, np.einsum("nch,nch->h", self._weights, spread)

    def penalty_terms(self, point: Array, along: Array) -> tuple[Array, Array]:
        """The same of the L2 terms when the point moves ``along``."""
        strength = self._rows.strength
        return (
            strength * np.einsum("dch,dch->h", point[:-1], along[:-1]),
            strength * np.einsum("dch,dch->h", along[:-1], along[:-1]),
        )

    def precondition(self, gradient: Array) -> Array:
        """A gradient, turned and scaled towards the minimum."""
        towards = np.empty_like(gradient)
        towards[:-1] = _product(self._rows.precondition, gradient[:-1])
        towards[-1] = gradient[-1] / _CURVATURE
        return towards


def _columns(n_classes: int) -> int:
    return 1 if n_classes == 2 else n_classes


def _product(matrix: Array, block: Array) -> Array:
    """``(m, d) @ (d, c, heads)``."""
    return (matrix @ block.reshape(len(block), -1)).reshape(-1, *block.shape[1:])


def _probabilities(scores: Array) -> Array:
    if scores.shape[1] == 1:
        with np.errstate(over="ignore"):  # exp overflows to infinity, its inverse is the right 0
            exponentials = np.exp(-scores)
        exponentials += 1
        return np.reciprocal(exponentials, out=exponentials)
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials


def _standardisation(features: Features, trained_on: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Mean and standard deviation over each head's rows, ``(d, 1, heads)``; heads with the same rows share the work."""
    masks, inverse = np.unique(trained_on, axis=1, return_inverse=True)
    shares = masks / masks.sum(axis=0)
    mean = np.zeros((features.shape[1], shares.shape[1]))
    square = np.zeros_like(mean)
    for start in range(0, len(features), _CHUNK_ROWS):
        chunk = features[start : start + _CHUNK_ROWS].astype(np.float64)
        mean += chunk.T @ shares[start : start + _CHUNK_ROWS]
        square += np.square(chunk).T @ shares[start : start + _CHUNK_ROWS]
    scale = np.sqrt(np.maximum(square - np.square(mean), 0))
    scale[scale < _CONSTANT] = 1.0
    inverse = inverse.reshape(-1)
    return mean.astype(np.float32)[:, None, inverse], scale.astype(np.float32)[:, None, inverse]
