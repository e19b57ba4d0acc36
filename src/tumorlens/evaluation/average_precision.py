r"""The area under the precision-recall curve, for many draws at once. Knows nothing about models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.group_sums import divided

__all__ = ["AveragePrecision"]

Vector = npt.NDArray[np.float64]


class AveragePrecision:
    r"""Average precision of a target; with several, the mean of theirs.

    With weights :math:`w` it is :math:`\sum_i w_i\, P_i / W^+` over the target's scans, where :math:`P_i` is the
    precision of all scans that score at least as high as scan :math:`i`, as scikit-learn defines it (no interpolation).
    """

    def __init__(self, scores: Vector, is_target: npt.NDArray[np.bool_], *, codes: npt.NDArray[np.int64]) -> None:
        """Sort once: ``scores`` and ``is_target`` are ``(n, targets)``, ``codes`` is ``(n,)``."""
        self._ranked = [_RankedTarget(scores[:, at], is_target[:, at], codes) for at in range(scores.shape[1])]

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: the mean over the targets that occur in a draw; NaN where none does."""
        each = np.stack([ranked.over(counts) for ranked in self._ranked])
        return divided(np.nansum(each, axis=0), (~np.isnan(each)).sum(axis=0).astype(np.float64))

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """``None``: there is no exact interval."""
        return None


class _RankedTarget:
    """Scores of one target and of the rest, highest first, with the places up to which each threshold reaches."""

    def __init__(self, scores: Vector, is_target: npt.NDArray[np.bool_], codes: npt.NDArray[np.int64]) -> None:
        own_order = np.argsort(-scores[is_target], kind="stable")
        other_order = np.argsort(-scores[~is_target], kind="stable")
        own, others = -scores[is_target][own_order], -scores[~is_target][other_order]
        self._own_groups = codes[is_target][own_order]
        self._other_groups = codes[~is_target][other_order]
        self._own_reach = np.searchsorted(own, own, side="right")
        self._other_reach = np.searchsorted(others, own, side="right")

    def over(self, counts: Vector) -> Vector:
        own = counts[:, self._own_groups]
        hits = _cumulated(own)[:, self._own_reach]
        alarms = _cumulated(counts[:, self._other_groups])[:, self._other_reach]
        total = own.sum(axis=1)
        won = np.einsum("ij,ij->i", own, _divided_or_zero(hits, hits + alarms))
        return divided(won, total)


def _cumulated(weights: Vector) -> Vector:
    """``(chunk, n + 1)``: sums of the first 0, 1, ... n weights."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _divided_or_zero(top: Vector, bottom: Vector) -> Vector:
    """``top / bottom``; 0 where ``bottom`` is 0, which is where the scan itself was not drawn."""
    return np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)
