"""The default head: an L2-regularised linear softmax on pooled features.

The strength of the L2 term is chosen by cross-validation over groups: **the plain minimum of the
held-out cross-entropy**, fixed beforehand. The one-standard-error rule is not used: the spread
between folds here is mostly that between patients, common to all strengths, so the rule would only
shrink the probabilities further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tumorlens.errors import InputError
from tumorlens.runtime.heads import DenseLayer, Head
from tumorlens.training.checks import check_features, check_labels
from tumorlens.training.fitted import FittedHead
from tumorlens.training.folds import WANTED_FOLDS, grouped_folds
from tumorlens.training.path import STRENGTHS, fit_along_path, walk_path
from tumorlens.training.scaling import Scaler, fit_scaler, fold_scaler
from tumorlens.training.softmax import Block, SoftmaxModel, softmax
from tumorlens.types import Features, Labels

__all__ = ["fit_linear"]


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
        strengths: Weights of the L2 term to try, above 0.
        folds: Wanted number of folds; fewer where there are fewer groups.
        threads: Folds fitted at the same time; ``None``: one a processor.

    Returns:
        The head on raw features, the path as history, and the out-of-fold probabilities at the
        chosen strength.

    Raises:
        InputError: Wrong shapes, values that are not finite, a class missing or in one group only.
    """
    _check(features, labels, n_classes=n_classes, strengths=strengths)
    fold_of_row = grouped_folds(labels, groups, wanted=folds, seed=seed)
    order = np.argsort(fold_of_row, kind="stable")
    bounds = np.searchsorted(fold_of_row[order], np.arange(fold_of_row.max() + 2))
    # Only against rounding: each fold standardises again, so the units of the rows change nothing.
    units = fit_scaler(features)
    rows = Block(units.apply(features, order=order), labels[order])
    with threadpool_limits(limits=1):  # threads in BLAS lose more by waiting than they win
        points = walk_path(rows, bounds, n_classes=n_classes, strengths=strengths, threads=threads)
        chosen = int(np.argmin([point.record.cv_loss for point in points]))
        visited = [point.record.strength for point in points[: chosen + 1]]
        model = fit_along_path(rows, n_classes=n_classes, strengths=visited)
    history = [point.record for point in points]
    history[chosen] = replace(history[chosen], chosen=True)
    out_of_fold = np.empty_like(points[chosen].logits)
    out_of_fold[order] = softmax(points[chosen].logits)
    return FittedHead(
        head=_head(model, units=units),
        history=tuple(history),
        settings={
            "head": "linear",
            "strength": visited[-1],
            "strength_rule": "minimum of the held-out cross-entropy",
            "folds": len(bounds) - 1,
            "seed": seed,
        },
        out_of_fold=out_of_fold,
    )


def _check(features: Features, labels: Labels, *, n_classes: int, strengths: Sequence[float]) -> None:
    if not strengths or min(strengths) <= 0:
        raise InputError(f"Strengths of the L2 term must be above 0, got {list(strengths)}: give at least one.")
    check_labels(labels, n_classes=n_classes, of="training part")
    check_features(features, labels, of="training part")


def _head(model: SoftmaxModel, *, units: Scaler) -> Head:
    weight, bias = fold_scaler(units, *model.folded())
    layer = DenseLayer(weight=weight.astype(np.float32), bias=bias.astype(np.float32), activation="linear")
    return Head(kind="linear", input="pooled", layers=(layer,))
