"""Standardisation of features: fitted on training rows only, then folded into the next weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorlens.types import Features

__all__ = ["Scaler", "fit_scaler", "fold_scaler"]

_CHUNK_ROWS = 2048
_CONSTANT = 1e-7  # a spread below this share of the feature's size is rounding, not signal


@dataclass(frozen=True)
class Scaler:
    """``(x - mean) / scale``, each ``(d,)`` float64; a constant feature has scale 1."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def apply(self, features: Features, *, order: NDArray[np.int64] | None = None) -> Features:
        """Standardise into a new float32 array, some rows at a time.

        Args:
            features: ``(n, d)``.
            order: ``(m,)`` the rows wanted, in this order; all by default.
        """
        order = np.arange(len(features)) if order is None else order
        out = np.empty((len(order), features.shape[1]), dtype=np.float32)
        for start in range(0, len(order), _CHUNK_ROWS):
            some = slice(start, start + _CHUNK_ROWS)
            out[some] = (features[order[some]] - self.mean) / self.scale
        return out


def fit_scaler(*blocks: Features) -> Scaler:
    """Mean and standard deviation of each feature over the rows of all ``blocks``, in float64.

    Args:
        blocks: Matrices ``(n_i, d)``; no copy of them is made.
    """
    n_rows = sum(len(block) for block in blocks)
    n_features = blocks[0].shape[1]
    mean = np.zeros(n_features)
    for chunk in _chunks(blocks):
        mean += chunk.sum(axis=0) / n_rows
    variance = np.zeros(n_features)
    for chunk in _chunks(blocks):
        variance += np.square(chunk - mean).sum(axis=0) / n_rows
    scale = np.sqrt(variance)
    constant = scale <= _CONSTANT * np.abs(mean)
    return Scaler(mean=mean, scale=np.where(constant, 1.0, scale))


def fold_scaler(
    scaler: Scaler, weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight ``(d, m)`` and bias ``(m,)`` that do on raw features what these do on standardised."""
    folded = weight / scaler.scale[:, np.newaxis]
    return folded, bias - scaler.mean @ folded


def _chunks(blocks: tuple[Features, ...]) -> Iterator[NDArray[np.float64]]:
    for block in blocks:
        for start in range(0, len(block), _CHUNK_ROWS):
            yield block[start : start + _CHUNK_ROWS].astype(np.float64)
