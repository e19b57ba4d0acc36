"""The default head: an L2-regularised linear softmax on pooled features.

The strength of the L2 term is chosen by cross-validation over groups: **the plain minimum of the held-out
cross-entropy**, fixed beforehand. The one-standard-error rule is not used: the spread between folds here is mostly that
between patients, common to all strengths, so the rule would only shrink the probabilities further.

Strengths are visited from strong to weak, each fold starting from its last solution, until the held-out loss has been
above its minimum at two strengths in a row. Standardisation is fitted inside each fold.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tumorlens.runtime.head import DenseLayer, Head
from tumorlens.training.checks import check_features, check_labels
from tumorlens.training.fitted import FittedHead, PathRecord
from tumorlens.training.folds import WANTED_FOLDS, grouped_folds
from tumorlens.training.memory import peak_memory_mb
from tumorlens.training.scaling import Scaler, fit_scaler, fold_scaler
from tumorlens.training.softmax import (
    Block,
    SoftmaxModel,
    cross_entropy,
    fit_softmax,
    softmax,
)
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["STRENGTHS", "fit_linear", "fit_linear_at"]

STRENGTHS: tuple[float, ...] = tuple(float(s) for s in np.geomspace(10.0, 1e-4, 11))
"""Weights of the L2 term, strong to weak, two a decade."""

_FOLD_TOLERANCE = 1e-6
_FINAL_TOLERANCE = 1e-12
_WORSE_IN_A_ROW = 2


def fit_linear(
    features: Features,
    labels: Labels,
    groups: NDArray[np.str_],
    *,
    n_classes: int,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = WANTED_FOLDS,
    threads: int | None = None,
) -> FittedHead:
    """Fit the default head; the strength is chosen by cross-validation over groups.

    Besides ``features`` one float32 copy of them is held.

    Args:
        features: ``(n, d)`` float32 pooled features of the training rows.
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each row.
        n_classes: Number of classes k.
        seed: Seed of the division into folds.
        strengths: Weights of the L2 term to try; sorted from strong to weak.
        folds: Wanted number of folds; fewer where there are fewer groups.
        threads: Folds fitted at the same time; ``None``: one a processor.

    Returns:
        The head on raw features, the path as history, and the out-of-fold probabilities at the chosen strength.

    Raises:
        InputError: Wrong shapes, values that are not finite, a class missing or in one group only.
    """
    begun = time.perf_counter()
    check_labels(labels, n_classes=n_classes, of="training part")
    check_features(features, labels, of="training part")
    fold_of_row = grouped_folds(labels, groups, wanted=folds, seed=seed)
    order = np.argsort(fold_of_row, kind="stable")
    # Only for rounding: the loss is the same whatever scale the rows come in, since each fold standardises again.
    units = fit_scaler(features)
    rows = Block(_sorted_copy(features, order, units=units), labels[order])
    bounds = np.searchsorted(fold_of_row[order], np.arange(fold_of_row.max() + 2))
    with threadpool_limits(limits=1):
        path, logits = _cross_validate(
            rows, bounds, n_classes=n_classes, strengths=strengths, threads=threads
        )
        visited = [record.strength for record in path]
        chosen = int(np.argmin([record.cv_loss for record in path]))
        model = _fit_path([rows], n_classes=n_classes, strengths=visited[: chosen + 1])
    out_of_fold = np.empty_like(logits[chosen])
    out_of_fold[order] = softmax(logits[chosen])
    path[chosen] = replace(path[chosen], chosen=True)
    return FittedHead(
        head=_head(model, units=units),
        history=tuple(path),
        settings={
            "head": "linear",
            "strength": visited[chosen],
            "strength_rule": "minimum of the cross-entropy over grouped folds",
            "folds": len(bounds) - 1,
            "seed": seed,
        },
        seconds=time.perf_counter() - begun,
        peak_memory_mb=peak_memory_mb(),
        out_of_fold=out_of_fold,
    )


def fit_linear_at(
    features: Features, labels: Labels, *, n_classes: int, strength: float
) -> Head:
    """Fit the linear head at a given strength, on all rows and without folds.

    Args:
        features: ``(n, d)`` float32 pooled features.
        labels: ``(n,)`` class indices.
        n_classes: Number of classes k.
        strength: Weight of the L2 term beside the mean cross-entropy.

    Returns:
        The head on raw features.

    Raises:
        InputError: Wrong shapes, values that are not finite or a class missing.
    """
    check_labels(labels, n_classes=n_classes, of="training part")
    check_features(features, labels, of="training part")
    units = fit_scaler(features)
    rows = Block(units.apply(features), labels)
    path = [*(s for s in STRENGTHS if s > strength), strength]
    with threadpool_limits(limits=1):
        model = _fit_path([rows], n_classes=n_classes, strengths=path)
    return _head(model, units=units)


def _sorted_copy(features: Features, order: NDArray[np.int64], *, units: Scaler) -> Features:
    copy = np.empty(features.shape, dtype=np.float32)
    for start in range(0, len(order), 2048):
        rows = order[start : start + 2048]
        copy[start : start + len(rows)] = (features[rows] - units.mean) / units.scale
    return copy


def _cross_validate(
    rows: Block,
    bounds: NDArray[np.int64],
    *,
    n_classes: int,
    strengths: Sequence[float],
    threads: int | None,
) -> tuple[list[PathRecord], list[NDArray[np.float64]]]:
    """The path, and for each strength on it the held-out logits of every row."""
    fits = [_fold(rows, begin, end, n_classes=n_classes) for begin, end in _pairs(bounds)]
    path: list[PathRecord] = []
    logits: list[NDArray[np.float64]] = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for strength in sorted(strengths, reverse=True):
            held_out = list(pool.map(lambda fit, s=strength: fit(s), fits))
            logits.append(np.concatenate(held_out))
            path.append(_record(strength, logits[-1], rows.labels, bounds))
            losses = [record.cv_loss for record in path]
            if len(losses) - 1 - int(np.argmin(losses)) >= _WORSE_IN_A_ROW:
                break
    return path, logits


def _fold(
    rows: Block, begin: int, end: int, *, n_classes: int
) -> Callable[[float], NDArray[np.float64]]:
    """A function that fits one fold at a strength, from where it last stood, and gives its held-out logits."""
    blocks = [
        Block(rows.features[:begin], rows.labels[:begin]),
        Block(rows.features[end:], rows.labels[end:]),
    ]
    scaler = fit_scaler(*(block.features for block in blocks))
    last: SoftmaxModel | None = None

    def fit(strength: float) -> NDArray[np.float64]:
        nonlocal last
        last = fit_softmax(
            blocks,
            n_classes=n_classes,
            scaler=scaler,
            strength=strength,
            start=last,
            tolerance=_FOLD_TOLERANCE,
        )
        return last.logits(rows.features[begin:end])

    return fit


def _fit_path(
    blocks: Sequence[Block], *, n_classes: int, strengths: Sequence[float]
) -> SoftmaxModel:
    """The model at the last of ``strengths``; those before it are only the way there."""
    scaler = fit_scaler(*(block.features for block in blocks))
    model: SoftmaxModel | None = None
    for strength in strengths:
        model = fit_softmax(
            blocks,
            n_classes=n_classes,
            scaler=scaler,
            strength=strength,
            start=model,
            tolerance=_FINAL_TOLERANCE if strength == strengths[-1] else _FOLD_TOLERANCE,
        )
    assert model is not None
    return model


def _head(model: SoftmaxModel, *, units: Scaler) -> Head:
    weight, bias = fold_scaler(units, *model.folded())
    layer = DenseLayer(
        weight=weight.astype(np.float32), bias=bias.astype(np.float32), activation="linear"
    )
    return Head(kind="linear", input="pooled", layers=(layer,))


def _record(
    strength: float, logits: NDArray[np.float64], labels: Labels, bounds: NDArray[np.int64]
) -> PathRecord:
    right = logits.argmax(axis=1) == labels
    losses = [cross_entropy(logits[a:b], labels[a:b]) for a, b in _pairs(bounds)]
    accuracies = [float(right[a:b].mean()) for a, b in _pairs(bounds)]
    return PathRecord(
        strength=strength,
        cv_loss=cross_entropy(logits, labels),
        cv_loss_spread=float(np.std(losses, ddof=1)),
        cv_accuracy=float(right.mean()),
        cv_accuracy_spread=float(np.std(accuracies, ddof=1)),
        chosen=False,
    )


def _pairs(bounds: NDArray[np.int64]) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
