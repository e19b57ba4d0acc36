"""The regularisation path of a linear softmax under cross-validation over groups.

Strengths are visited from strong to weak, each fold starting from its last solution, until the
held-out loss has been above its minimum at two strengths in a row. Standardisation is fitted inside
each fold. Knows nothing about which strength is taken.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tumorlens.training.fitted import PathRecord
from tumorlens.training.scaling import Scaler, fit_scaler
from tumorlens.training.softmax import Block, SoftmaxModel, cross_entropy, fit_softmax
from tumorlens.types import Features, Labels

__all__ = ["STRENGTHS", "PathPoint", "fit_along_path", "walk_path"]

STRENGTHS: tuple[float, ...] = tuple(float(s) for s in np.geomspace(10.0, 1e-4, 11))
"""Weights of the L2 term, strong to weak, two a decade."""

_FOLD_TOLERANCE = 1e-6
_FINAL_TOLERANCE = 1e-12
_WORSE_IN_A_ROW = 2


@dataclass(frozen=True)
class PathPoint:
    """What cross-validation found at one strength.

    Attributes:
        record: The figures.
        logits: ``(n, k)`` held-out logits of every row.
    """

    record: PathRecord
    logits: NDArray[np.float64]


@dataclass(frozen=True)
class _Fold:
    train: tuple[Block, Block]
    held_out: Features
    scaler: Scaler


def walk_path(
    rows: Block,
    bounds: NDArray[np.int64],
    *,
    n_classes: int,
    strengths: Sequence[float],
    threads: int | None,
) -> list[PathPoint]:
    """Cross-validate each strength, strong to weak, until it gets worse.

    Args:
        rows: All rows, sorted by fold; no copy of them is made.
        bounds: ``(folds + 1,)`` where each fold begins, and the number of rows.
        n_classes: Number of classes k.
        strengths: Weights of the L2 term.
        threads: Folds fitted at the same time; ``None``: one a processor.

    Returns:
        A point a strength visited.
    """
    folds = [_fold(rows, begin, end) for begin, end in pairwise(bounds.tolist())]
    models: list[SoftmaxModel] | None = None
    points: list[PathPoint] = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for strength in sorted(strengths, reverse=True):
            models = _fit_folds(pool, folds, models, n_classes=n_classes, strength=strength)
            logits = np.concatenate([model.logits(fold.held_out) for fold, model in zip(folds, models, strict=True)])
            record = _record(logits, rows.labels, bounds, strength=strength)
            points.append(PathPoint(record, logits))
            losses = [point.record.cv_loss for point in points]
            if len(losses) - 1 - int(np.argmin(losses)) >= _WORSE_IN_A_ROW:
                break
    return points


def fit_along_path(rows: Block, *, n_classes: int, strengths: Sequence[float]) -> SoftmaxModel:
    """Fit all rows at the last of ``strengths``, closely; those before are only the way there."""
    scaler = fit_scaler(rows.features)
    *way, goal = strengths
    model: SoftmaxModel | None = None
    for strength in way:
        model = fit_softmax(
            [rows],
            n_classes=n_classes,
            scaler=scaler,
            strength=strength,
            start=model,
            tolerance=_FOLD_TOLERANCE,
        )
    return fit_softmax(
        [rows],
        n_classes=n_classes,
        scaler=scaler,
        strength=goal,
        start=model,
        tolerance=_FINAL_TOLERANCE,
    )


def _fold(rows: Block, begin: int, end: int) -> _Fold:
    before = Block(rows.features[:begin], rows.labels[:begin])
    after = Block(rows.features[end:], rows.labels[end:])
    return _Fold(
        train=(before, after),
        held_out=rows.features[begin:end],
        scaler=fit_scaler(before.features, after.features),
    )


def _fit_folds(
    pool: ThreadPoolExecutor,
    folds: Sequence[_Fold],
    starts: Sequence[SoftmaxModel] | None,
    *,
    n_classes: int,
    strength: float,
) -> list[SoftmaxModel]:
    """One model a fold, each from where its fold last stood."""
    fits = [
        pool.submit(
            fit_softmax,
            fold.train,
            n_classes=n_classes,
            scaler=fold.scaler,
            strength=strength,
            start=starts[position] if starts else None,
            tolerance=_FOLD_TOLERANCE,
        )
        for position, fold in enumerate(folds)
    ]
    return [fit.result() for fit in fits]


def _record(logits: NDArray[np.float64], labels: Labels, bounds: NDArray[np.int64], *, strength: float) -> PathRecord:
    right = logits.argmax(axis=1) == labels
    sides = [slice(begin, end) for begin, end in pairwise(bounds.tolist())]
    return PathRecord(
        strength=strength,
        cv_loss=cross_entropy(logits, labels),
        cv_loss_spread=float(np.std([cross_entropy(logits[s], labels[s]) for s in sides], ddof=1)),
        cv_accuracy=float(right.mean()),
        cv_accuracy_spread=float(np.std([right[s].mean() for s in sides], ddof=1)),
        chosen=False,
    )
