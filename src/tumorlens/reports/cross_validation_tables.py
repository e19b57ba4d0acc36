"""A cross-validated comparison as grids: figures with their variation between repeats and folds beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tumorlens.evaluation import CrossValidatedFigures, Figure
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.differences import difference_grid
from tumorlens.reports.grid import Cell, Column, Grid, GridRow, Tone
from tumorlens.reports.wording import NO_VALUE, counted, duration, head_name, interval, number, row_name

__all__ = ["cross_validation_grids", "fold_class_grid", "out_of_fold_grid", "protocol_words"]

_BY_CLASS = ("precision", "recall", "f1")


def cross_validation_grids(comparison: CrossValidation) -> tuple[Grid, ...]:
    """All tables of a cross-validated comparison in the order they are shown."""
    differences = difference_grid(comparison, title="Differences in out-of-fold accuracy")
    grids = (out_of_fold_grid(comparison), fold_class_grid(comparison))
    return grids if differences is None else (*grids, differences)


def protocol_words(comparison: CrossValidation) -> str:
    """``5 folds, 3 repeats``."""
    return f"{counted(comparison.folds, 'fold')}, {counted(comparison.repeats, 'repeat')}"


def out_of_fold_grid(comparison: CrossValidation) -> Grid:
    """Accuracy, loss and ROC area out of fold, with intervals, and how they vary."""
    ends = _ends(comparison)
    area = "ROC AUC by fold" if len(comparison.classes) == 2 else "ROC AUC by fold (macro)"
    columns = (
        Column("Model", numeric=False),
        Column("Accuracy", ends),
        Column("Accuracy by repeat", "mean ± SD; range"),
        Column("Accuracy by fold", "mean ± SD; range"),
        Column(area, f"mean ± SD; {ends}" if ends else "mean ± SD"),
        Column("Log loss", ends),
        Column("Time"),
    )
    rows = tuple(GridRow(_cells(row), _tone(row)) for row in comparison.rows)
    return Grid(f"Out of fold ({protocol_words(comparison)})", columns, rows)


def fold_class_grid(comparison: CrossValidation) -> Grid:
    """Precision, recall, F1 and support of every class of every row, with intervals."""
    ends = _ends(comparison)
    columns = (
        Column("Model", numeric=False),
        Column("Class", numeric=False),
        Column("Precision", ends),
        Column("Recall", ends),
        Column("F1", ends),
        Column("Support"),
    )
    rows = tuple(
        GridRow(
            (
                _name_cell(row) if label == comparison.classes[0] else Cell(""),
                Cell(label),
                *(_figure_cell(figures[name]) for name in _BY_CLASS),
                Cell(f"{row.per_class[label].support:,}"),
            ),
            _tone(row),
        )
        for row in comparison.rows
        for label, figures in row.per_class_intervals.items()
    )
    return Grid("By class, out of fold", columns, rows)


def _ends(comparison: CrossValidation) -> str:
    level = next((row.interval.level for row in comparison.rows if row.interval), None)
    return "" if level is None else f"{100 * level:g} % interval"


def _cells(row: CrossValidatedFigures) -> tuple[Cell, ...]:
    accuracy = Cell(number(row.test_accuracy), interval(row.test_accuracy_low, row.test_accuracy_high))
    return (
        _name_cell(row),
        Cell("collapsed", row.collapsed_because or "") if row.collapsed else accuracy,
        _varying(row.by_repeat, row.repeat_spread),
        _varying([fold.accuracy for fold in row.by_fold], row.fold_spread),
        Cell(
            _mean_words(row.test_roc_auc, row.roc_auc_spread),
            interval(row.test_roc_auc_low, row.test_roc_auc_high),
        ),
        Cell(number(row.test_loss), interval(row.test_loss_low, row.test_loss_high)),
        Cell(duration(row.seconds)),
    )


def _varying(values: Sequence[float], spread: float | None) -> Cell:
    return Cell(_mean_words(float(np.mean(values)), spread), interval(min(values), max(values)))


def _mean_words(mean: float | None, spread: float | None) -> str:
    if mean is None:
        return NO_VALUE
    return number(mean) if spread is None else f"{number(mean)} ± {number(spread)}"


def _figure_cell(figure: Figure) -> Cell:
    return Cell(number(figure.value), interval(figure.low, figure.high))


def _tone(row: CrossValidatedFigures) -> Tone:
    if row.collapsed:
        return "collapsed"
    return "baseline" if row.kind == "baseline" else "plain"


def _name_cell(row: CrossValidatedFigures) -> Cell:
    return Cell(row_name(row), head_name(row))
