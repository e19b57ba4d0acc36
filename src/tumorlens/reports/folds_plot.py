"""Accuracy of every fold and every repeat, a row at a time: how much the division of the scans matters."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.evaluation import CrossValidatedFigures
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.style import BLUE, GREY, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import stacked_title

__all__ = ["folds_figure"]

_BAND = 0.62  # of a row's height, for its repeats


def folds_figure(comparison: CrossValidation) -> Figure:
    """A line a repeat: small dots are single folds, the upright stroke is the accuracy over all of them."""
    rows = comparison.rows
    height_in = 1.0 + len(rows) * max(0.5, 0.13 * comparison.repeats + 0.15)
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, height_in)
        for place, row in enumerate(rows):
            _draw_row(axes, row, place)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [stacked_title(row) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel("accuracy on held-out scans\ndots: single folds; strokes: all folds of a repeat")
    return figure


def _draw_row(axes: Axes, row: CrossValidatedFigures, place: int) -> None:
    colour = GREY if row.kind == "baseline" else BLUE
    for height, repeat, accuracy in zip(
        _heights(len(row.by_repeat)), range(1, len(row.by_repeat) + 1), row.by_repeat, strict=True
    ):
        folds = [fold.accuracy for fold in row.by_fold if fold.repeat == repeat]
        line = place + height
        axes.plot([min(folds), max(folds)], [line, line], color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(folds, [line] * len(folds), "o", color=colour, markersize=3.6, alpha=0.75, markeredgewidth=0)
        axes.plot(accuracy, line, "|", color=colour, markersize=11, markeredgewidth=2.4)


def _heights(repeats: int) -> Sequence[float]:
    """Where the lines of a row's repeats lie, from above to below its middle."""
    step = _BAND / max(repeats, 2)
    return [step * (index - (repeats - 1) / 2) for index in range(repeats)]
