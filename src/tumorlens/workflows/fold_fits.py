"""One head a fold and repeat on cached features: predictions for every scan by heads that never saw its fold.

Folds are fitted side by side, one thread each: they need not wait for each other at every strength, as inner folds do.
Where the features of that many folds would not fit the memory set aside, fewer run at a time and each takes more
threads. Neither changes what is computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from threading import Lock
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from tumorlens.evaluation import MAJORITY_CLASS, TRIVIAL_BASELINE, area_and_brightness, majority_class
from tumorlens.features import FeatureSet
from tumorlens.progress import Task
from tumorlens.types import Features, Probabilities
from tumorlens.workflows.fold_context import FoldContext
from tumorlens.workflows.heads import FoldFit, row_probabilities

__all__ = ["OutOfFold", "fit_baseline_folds", "fit_head_folds"]

_Read: TypeAlias = Callable[[npt.NDArray[np.int64]], Features]

_MOST_FEATURE_BYTES = 2 << 30
_COPIES = 2  # a fold's rows, and the standardised copy its head makes of them


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions of all scans, each by heads that were fitted without its fold.

    Attributes:
        probabilities: ``(repeats, n, k)`` float64.
        strengths: By repeat and fold the chosen weight of the L2 term; ``None`` for heads without one.
    """

    probabilities: npt.NDArray[np.float64]
    strengths: tuple[tuple[float | None, ...], ...]

    @property
    def averaged(self) -> Probabilities:
        """``(n, k)``: the mean over the repeats."""
        return self.probabilities.mean(axis=0)


@dataclass(frozen=True)
class _FittedFold:
    repeat: int
    fold: int
    probabilities: Probabilities
    strength: float | None


def fit_head_folds(context: FoldContext, fit: FoldFit, features: FeatureSet, *, title: str) -> OutOfFold:
    """Fit a head on the scans outside each fold of each repeat.

    Args:
        context: Data set, folds and feature store.
        fit: Fits one head.
        features: Cached features of all scans.
        title: What the progress bar is called.
    """
    workers, inner = _share_threads(context, width=features.kind.width)
    places = list(product(range(context.folds.repeats), range(context.folds.folds)))
    with (
        threadpool_limits(limits=1),  # around all fits: each sets the same limit, and must not lift it for the others
        context.progress.task(title, total=len(places)) as task,
        ThreadPoolExecutor(workers) as pool,
    ):
        read = _reader(context, features)
        fits = [
            pool.submit(_fit_fold, context, fit, read, repeat=repeat, fold=fold, threads=inner)
            for repeat, fold in places
        ]
        return _gather(context, _finished(fits, task))


def fit_baseline_folds(context: FoldContext) -> dict[str, OutOfFold]:
    """Majority class, and area and brightness, fitted on the scans outside each fold of each repeat."""
    dataset = context.dataset
    n_classes = len(dataset.classes)
    area, brightness = (dataset.manifest[name].to_numpy() for name in ("area", "brightness"))

    def commonest(rows: npt.NDArray[np.int64]) -> Probabilities:
        return majority_class(dataset.labels, train_rows=rows, n_classes=n_classes)

    def trivial(rows: npt.NDArray[np.int64]) -> Probabilities:
        return area_and_brightness(area, brightness, dataset.labels, train_rows=rows, n_classes=n_classes)

    with threadpool_limits(limits=1):  # two numbers a scan: threads lose more by waiting than they win
        return {
            MAJORITY_CLASS: _gather(context, _baseline_folds(context, commonest)),
            TRIVIAL_BASELINE: _gather(context, _baseline_folds(context, trivial)),
        }


def _share_threads(context: FoldContext, *, width: int) -> tuple[int, int]:
    """Folds at a time, and threads within each."""
    threads = context.threads or os.cpu_count() or 1
    bytes_a_fold = _COPIES * len(context.dataset) * width * np.dtype(np.float32).itemsize
    workers = max(1, min(threads, _MOST_FEATURE_BYTES // bytes_a_fold))
    return workers, max(1, threads // workers)


def _fit_fold(context: FoldContext, fit: FoldFit, read: _Read, *, repeat: int, fold: int, threads: int) -> _FittedFold:
    trained_on, held_out = context.folds.sides(repeat, fold)
    fitted = fit(
        read(trained_on),
        context.dataset.labels[trained_on],
        context.folds.units[trained_on].astype(np.str_),
        n_classes=len(context.dataset.classes),
        seed=context.seed + repeat,
        threads=threads,
    )
    strength = fitted.settings.get("strength")
    return _FittedFold(
        repeat,
        fold,
        row_probabilities(fitted.head, read(held_out)),
        None if strength is None else float(strength),
    )


def _reader(context: FoldContext, features: FeatureSet) -> _Read:
    """Reads rows one call at a time: when another process lets the store grow, it is opened anew under all readers."""
    lock = Lock()

    def read(rows: npt.NDArray[np.int64]) -> Features:
        with lock:
            return context.store.read(features.kind, [features.digests[row] for row in rows])

    return read


def _finished(fits: list[Future[_FittedFold]], task: Task) -> Iterator[_FittedFold]:
    """Fits as they end; when one fails or the user stops, those that have not begun never do."""
    try:
        for future in as_completed(fits):
            yield future.result()
            task.advance()
    finally:
        for future in fits:
            future.cancel()


def _baseline_folds(
    context: FoldContext, predict: Callable[[npt.NDArray[np.int64]], Probabilities]
) -> Iterator[_FittedFold]:
    for repeat, fold in product(range(context.folds.repeats), range(context.folds.folds)):
        trained_on, held_out = context.folds.sides(repeat, fold)
        yield _FittedFold(repeat, fold, predict(trained_on)[held_out], None)


def _gather(context: FoldContext, fitted: Iterator[_FittedFold]) -> OutOfFold:
    folds, dataset = context.folds, context.dataset
    probabilities = np.full((folds.repeats, len(dataset), len(dataset.classes)), np.nan)
    strengths: dict[tuple[int, int], float | None] = {}
    for one in fitted:
        probabilities[one.repeat, folds.of_row[one.repeat] == one.fold] = one.probabilities
        strengths[one.repeat, one.fold] = one.strength
    return OutOfFold(
        probabilities,
        tuple(tuple(strengths[repeat, fold] for fold in range(folds.folds)) for repeat in range(folds.repeats)),
    )
