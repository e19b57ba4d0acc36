"""The training scans whose features are most like a scan's own. Knows nothing about labels, and searches exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.types import Features

__all__ = ["nearest_training_scans"]

_PRODUCTS_AT_ONCE = 4_000_000  # cosines held at once: 16 MB
_MOST_ROWS = 65_536


def nearest_training_scans(
    queries: Features, training: Features, *, k: int = 3
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Find the ``k`` nearest training rows of every query by cosine distance, without approximation.

    Dot products are taken block by block, so memory does not grow with the training part.

    Args:
        queries: ``(n, d)`` features.
        training: ``(m, d)`` features of the training part.
        k: How many to find; fewer come back where the training part holds fewer.

    Returns:
        ``(n, min(k, m))`` int64 rows of ``training``, nearest first, the lower row first among equals, and their
        distances, float32 in 0..2 (0: same direction, 2: opposite). A vector of zeros has distance 1 to all others.

    Raises:
        InputError: The two are not matrices of the same width, hold a value that is not finite, or ``k`` is below 1.
    """
    _check(queries, training, k)
    wanted = min(k, len(training))
    queries, training = _unit(queries), _unit(training)
    indices = np.empty((len(queries), wanted), np.int64)
    distances = np.empty((len(queries), wanted), np.float32)
    at_once = max(1, _PRODUCTS_AT_ONCE // max(1, min(len(training), _MOST_ROWS)))
    for start in range(0, len(queries) if wanted else 0, at_once):
        block = slice(start, start + at_once)
        indices[block], distances[block] = _nearest(queries[block], training, wanted)
    return indices, distances


def _nearest(queries: Features, training: Features, k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The best of the blocks of training rows, merged as they come."""
    rows = np.empty((len(queries), 0), np.int64)
    found = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(training), _MOST_ROWS):
        distances = 1.0 - queries @ training[start : start + _MOST_ROWS].T
        block = np.broadcast_to(np.arange(start, start + distances.shape[1]), distances.shape)
        found = np.concatenate([found, np.clip(distances, 0.0, 2.0).astype(np.float32)], axis=1)
        rows = np.concatenate([rows, block], axis=1)
        order = np.argsort(found, axis=1, kind="stable")[:, :k]
        rows, found = np.take_along_axis(rows, order, 1), np.take_along_axis(found, order, 1)
    return rows, found


def _unit(vectors: Features) -> Features:
    """Rows of length 1; rows of zeros stay, and so have cosine 0 to everything."""
    wide = np.asarray(vectors, np.float32)
    largest = np.abs(wide).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(wide, largest, out=np.zeros_like(wide), where=largest > 0)
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 0)


def _check(queries: Features, training: Features, k: int) -> None:
    if queries.ndim != 2 or training.ndim != 2 or queries.shape[1] != training.shape[1]:
        raise InputError(
            f"Expected two matrices of features of the same width, got shapes {queries.shape} and {training.shape}: "
            "give features of the same network."
        )
    if k < 1:
        raise InputError(f"Expected at least one nearest scan to look for, got {k}: give 1 or more.")
    if not (np.isfinite(queries).all() and np.isfinite(training).all()):
        raise InputError("Expected finite features, got NaN or infinity: compute the features again.")
