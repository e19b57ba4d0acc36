"""The similarity of candidates: thumbnails shifted onto each other, first at half their size, then in full."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_SHIFT", "aligned_similarity", "halve", "lengths"]

MOST_SHIFT = 2
"""Thumbnail pixels by which two scans may be shifted against each other in either direction."""

_CHUNK = 1024


def lengths(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Length ``(n,)`` of each thumbnail about its mean; infinite for one colour, which correlates with none."""
    result = np.empty(len(thumbnails), np.float32)
    size = thumbnails[0].size if len(thumbnails) else 1
    for start in range(0, len(thumbnails), _CHUNK):
        block = thumbnails[start : start + _CHUNK].reshape(-1, size)
        result[start : start + _CHUNK] = block.std(axis=1) * np.sqrt(size)
    return np.where(result > 0, result, np.inf).astype(np.float32)


def halve(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Average 2 x 2 pixels: ``(n, side // 2, side // 2)`` uint8."""
    side = thumbnails.shape[1] // 2
    half = np.empty((len(thumbnails), side, side), np.uint8)
    for start in range(0, len(thumbnails), _CHUNK):
        block = thumbnails[start : start + _CHUNK, : 2 * side, : 2 * side].astype(np.uint16)
        half[start : start + _CHUNK] = (block.reshape(-1, side, 2, side, 2).sum(axis=(2, 4)) + 2) // 4
    return half


def aligned_similarity(
    query: npt.NDArray[np.uint8],
    references: npt.NDArray[np.uint8],
    reference_lengths: npt.NDArray[np.float32],
    *,
    reach: int = MOST_SHIFT,
) -> npt.NDArray[np.float32]:
    r"""Highest correlation of one thumbnail with each of others, over small shifts.

    .. math:: s(q, r) = \max_{|d_x|, |d_y| \le k} \operatorname{corr}(q(x + d), r(x))

    What moves in at the edge repeats the edge.

    Args:
        query: ``(side, side)`` uint8.
        references: ``(m, side, side)`` uint8.
        reference_lengths: ``(m,)`` from :func:`lengths`.
        reach: Pixels k of shift in either direction.

    Returns:
        ``(m,)`` float32 in -1..1; 0 where one of the two has one colour.
    """
    shifted = _shifted(query, reach)
    products = references.reshape(len(references), -1).astype(np.float32) @ shifted.T
    return np.clip(products.max(axis=1) / reference_lengths, -1, 1).astype(np.float32)


def _shifted(query: npt.NDArray[np.uint8], reach: int) -> npt.NDArray[np.float32]:
    """All shifted versions, each of mean 0 and length 1: ``((2 * reach + 1) ** 2, side * side)``."""
    rows = query.reshape(-1)[_sources(query.shape[0], reach)].astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(length > 1e-3, length, np.inf)[:, None].astype(np.float32)
    return rows


@lru_cache(maxsize=4)
def _sources(side: int, reach: int) -> npt.NDArray[np.intp]:
    """Which pixel comes to lie where, for each shift."""
    padded = np.pad(np.arange(side * side).reshape(side, side), reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(-1, side * side)
