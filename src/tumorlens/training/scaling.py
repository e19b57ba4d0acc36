"""Standardisation of features: fitted on training rows only, then folded into the weights that follow it."""

from __future__ import annotations

from collections.abc import Sequence
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

    def apply(self, features: Features) -> Features:
        """Standardise ``(n, d)`` features into a new float32 array, a chunk of rows at a time."""
        out = np.empty(features.shape, dtype=np.float32)
        for start in range(0, len(features), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            out[rows] = (features[rows] - self.mean) / self.scale
        return out


def fit_scaler(*blocks: Features) -> Scaler:
    """Mean and standard deviation of each feature over the rows of all ``blocks``, in float64.

    Args:
        blocks: Matrices ``(n_i, d)``; no copy of them is made.
    """
    n_rows = sum(len(block) for block in blocks)
    mean = sum(_column_sums(blocks)) / n_rows
    variance = sum(_column_sums(blocks, squared_about=mean)) / n_rows
    scale = np.sqrt(variance)
    constant = scale <= _CONSTANT * np.abs(mean)
    return Scaler(mean=mean, scale=np.where(constant, 1.0, scale))


def fold_scaler(
    scaler: Scaler, weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight ``(d, m)`` and bias ``(m,)`` that do on raw features what the given ones do on standardised ones."""
    folded = weight / scaler.scale[:, np.newaxis]
    return folded, bias - scaler.mean @ folded


def _column_sums(
    blocks: Sequence[Features], *, squared_about: NDArray[np.float64] | None = None
) -> list[NDArray[np.float64]]:
    sums = []
    for block in blocks:
        for start in range(0, len(block), _CHUNK_ROWS):
            chunk = block[start : start + _CHUNK_ROWS].astype(np.float64)
            if squared_about is not None:
                chunk -= squared_about
                np.square(chunk, out=chunk)
            sums.append(chunk.sum(axis=0))
    return sums
