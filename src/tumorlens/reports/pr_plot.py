"""Precision against recall of all rows on the test part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tumorlens.evaluation import RowFigures
from tumorlens.reports.curves import DrawnRow, curve_title, drawn_rows, name_curves
from tumorlens.reports.details import RowDetail
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.style import GREY, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import head_name, interval, number, row_name

__all__ = ["average_precisions", "class_precision_grid", "pr_figure"]


def pr_figure(rows: Sequence[RowFigures], details: Sequence[RowDetail | None]) -> Figure | None:
    """Precision-recall curves on the test part, a line a row, with the average precision beside the name.

    With more than two classes a row has a thin curve a class, and the mean of their average precisions beside its
    name. The majority class and collapsed rows are left out; ``None`` where no row has a curve.
    """
    drawn = [entry for entry in drawn_rows(rows, details) if entry.detail.precision_recall]
    if not drawn:
        return None
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 4.3)
        for curve in drawn[0].detail.precision_recall.values():
            axes.axhline(curve.prevalence, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        for entry in drawn:
            for curve in entry.detail.precision_recall.values():
                axes.step(curve.recall, curve.precision, where="pre", **entry.line)
        several = len(drawn[0].detail.precision_recall) > 1
        title = "average precision, mean over classes" if several else "average precision"
        name_curves(axes, drawn, shown=lambda entry: number(_mean(entry)), title=title, at="lower left")
        axes.set(
            xlim=(0.0, 1.01),
            ylim=(0.0, 1.01),
            xlabel="recall, per slice (sensitivity)\ndotted: precision of a guess at random",
            ylabel="precision, per slice",
            title=curve_title(drawn[0].detail.precision_recall),
        )
        axes.grid()
    return figure


def average_precisions(rows: Sequence[RowFigures], details: Sequence[RowDetail | None]) -> dict[str, float]:
    """The mean over classes by name and head of a row, as the plot shows it."""
    drawn = [entry for entry in drawn_rows(rows, details) if entry.detail.precision_recall]
    return {", ".join(filter(None, (row_name(entry.row), head_name(entry.row)))): _mean(entry) for entry in drawn}


def class_precision_grid(rows: Sequence[RowFigures], details: Sequence[RowDetail | None]) -> Grid | None:
    """Average precision of each class of every row, with intervals; ``None`` where no row has a curve."""
    drawn = [entry for entry in drawn_rows(rows, details) if entry.detail.precision_recall]
    if not drawn:
        return None
    any_interval = any(curve.low is not None for entry in drawn for curve in entry.detail.precision_recall.values())
    columns = (
        Column("Model", numeric=False),
        Column("Class", numeric=False),
        Column("Average precision", "95 % interval" if any_interval else ""),
        Column("Share of scans"),
    )
    lines = tuple(
        GridRow(
            (
                Cell(row_name(entry.row), head_name(entry.row)),
                Cell(name),
                Cell(number(curve.average_precision), interval(curve.low, curve.high)),
                Cell(number(curve.prevalence)),
            )
        )
        for entry in drawn
        for name, curve in entry.detail.precision_recall.items()
    )
    return Grid("Average precision by class", columns, lines)


def _mean(entry: DrawnRow) -> float:
    return float(np.mean([curve.average_precision for curve in entry.detail.precision_recall.values()]))
