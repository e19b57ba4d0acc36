"""The rows a network must beat: the commonest class, and area with brightness."""

from __future__ import annotations

from tumorlens.evaluation import (
    MAJORITY_CLASS,
    TRIVIAL_BASELINE,
    Classifier,
    RowFigures,
    area_and_brightness,
    majority_class,
)
from tumorlens.types import Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.rows import row_figures

__all__ = ["baseline_probabilities", "baseline_rows"]


def baseline_probabilities(context: RunContext) -> dict[str, Probabilities]:
    """Probabilities ``(n, k)`` of all rows by baseline, fitted on the training part."""
    dataset = context.dataset
    rows = context.split.rows("train")
    n_classes = len(dataset.classes)
    return {
        MAJORITY_CLASS: majority_class(dataset.labels, train_rows=rows, n_classes=n_classes),
        TRIVIAL_BASELINE: area_and_brightness(
            dataset.manifest["area"].to_numpy(),
            dataset.manifest["brightness"].to_numpy(),
            dataset.labels,
            train_rows=rows,
            n_classes=n_classes,
        ),
    }


def baseline_rows(context: RunContext) -> tuple[RowFigures, ...]:
    """Both baselines on the context's split, through the same figures as a network."""
    return tuple(
        row_figures(context, probabilities, Classifier(kind="baseline", backbone=name))
        for name, probabilities in baseline_probabilities(context).items()
    )
