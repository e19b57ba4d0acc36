"""Draws every plot of a cross-validated comparison, with words for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tumorlens.evaluation import MAJORITY_CLASS, CrossValidatedFigures
from tumorlens.reports.confusion_plot import confusion_figure
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.details import RowDetail
from tumorlens.reports.folds_plot import folds_figure
from tumorlens.reports.overview_plot import overview_figure
from tumorlens.reports.plots import Plot, plot_file_name
from tumorlens.reports.roc_plot import roc_figure
from tumorlens.reports.wording import interval, number, row_title, stacked_title

__all__ = ["cross_validation_plots"]


def cross_validation_plots(comparison: CrossValidation, details: Sequence[RowDetail]) -> tuple[Plot, ...]:
    """All plots of a cross-validated comparison.

    Args:
        comparison: The figures.
        details: One per row, in the same order: confusion matrix of the averaged predictions, and the ROC curve
            averaged over folds.
    """
    return tuple(_plots(comparison, details))


def _plots(comparison: CrossValidation, details: Sequence[RowDetail]) -> Iterator[Plot]:
    yield Plot(
        "overview",
        "overview",
        f"Out-of-fold accuracy with intervals: {_each(comparison, _accuracy)}.",
        overview_figure(comparison, of="out-of-fold accuracy"),
    )
    yield Plot(
        "folds",
        "folds",
        f"Accuracy of each repeat and fold; range over repeats: {_each(comparison, _range)}.",
        folds_figure(comparison),
    )
    roc = roc_figure(comparison.rows, details)
    if roc is not None:
        yield Plot("roc", "roc", f"ROC curves averaged over folds, with areas: {_each(comparison, _area)}.", roc)
    for place, (row, detail) in enumerate(zip(comparison.rows, details, strict=True), start=1):
        if row.backbone == MAJORITY_CLASS:
            continue
        found = ", ".join(f"{100 * entry.recall:.1f} % of {name} found" for name, entry in row.per_class.items())
        yield Plot(
            "confusion",
            f"confusion-{place:02d}-{plot_file_name(row_title(row))}",
            f"Confusion matrix out of fold, {row_title(row)}: {found}.",
            confusion_figure(detail.confusion, classes=comparison.classes, title=stacked_title(row)),
        )


def _each(comparison: CrossValidation, words: Callable[[CrossValidatedFigures], str]) -> str:
    return ", ".join(f"{row_title(row)} {words(row)}" for row in comparison.rows)


def _accuracy(row: CrossValidatedFigures) -> str:
    return "collapsed" if row.collapsed else number(row.test_accuracy)


def _range(row: CrossValidatedFigures) -> str:
    return interval(min(row.by_repeat), max(row.by_repeat))


def _area(row: CrossValidatedFigures) -> str:
    return number(row.test_roc_auc)
