"""Test accuracy of every row on one axis: intervals, baselines and published figures together."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.evaluation import PublishedFigures, RowFigures
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.style import BLUE, GREY, ORANGE, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import number, stacked_title

__all__ = ["overview_figure"]

_LABEL_CHARACTERS = 54  # in a line below the axis


def overview_figure(comparison: Comparison, *, of: str = "test accuracy") -> Figure:
    """Accuracy of every row as a dot on its interval, with baselines and published figures.

    Args:
        comparison: The figures.
        of: What the axis is called.
    """
    rows = comparison.rows
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 0.9 + _row_height_in(rows) * len(rows))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(_lower_limit(rows), 1.0)
        for place, row in enumerate(rows):
            _draw_accuracy(axes, row, place, is_best=row is comparison.best_row)
        axes.set_yticks(range(len(rows)), [_tick_label(row) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel(_overview_label(comparison, of))
    return figure


def _lower_limit(rows: Sequence[RowFigures]) -> float:
    lowest = [row.test_accuracy_low or row.test_accuracy for row in rows if not row.collapsed]
    lowest += [row.published.test_accuracy for row in rows if row.published]
    return max(0.0, np.floor(20 * min(lowest, default=0.0)) / 20 - 0.02)


def _row_height_in(rows: Sequence[RowFigures]) -> float:
    """Names of mistakes take four lines."""
    return 0.5 if all(row.mistake is None for row in rows) else 0.68


def _tick_label(row: RowFigures) -> str:
    name, *behind = stacked_title(row).split("\n")
    return "\n".join([name, *(line.replace(", ", ",\n") for line in behind)])


def _overview_label(comparison: Comparison, label: str) -> str:
    interval = next((row.interval for row in comparison.rows if row.interval), None)
    if interval is not None:
        label += f" with {100 * interval.level:g} % interval over {interval.n_groups:,} {interval.unit}"
    label = textwrap.fill(label, _LABEL_CHARACTERS)
    if any(row.published for row in comparison.rows):
        label += "\nhollow diamond: as published"
    return label


def _draw_accuracy(axes: Axes, row: RowFigures, place: int, *, is_best: bool) -> None:
    colour = GREY if row.kind == "baseline" else BLUE if row.mistake is None else ORANGE
    if row.published:
        _draw_published(axes, row.published, place)
    if row.collapsed:
        axes.annotate(
            f"collapsed: {row.collapsed_because}",
            (axes.get_xlim()[0], place),
            xytext=(8, 7),
            textcoords="offset points",
        )
        return
    if row.test_accuracy_low is not None and row.test_accuracy_high is not None:
        ends = [row.test_accuracy_low, row.test_accuracy_high]
        axes.plot(ends, [place, place], color=colour, linewidth=2.6, solid_capstyle="round", clip_on=False)
    marker = "s" if row.kind == "baseline" else "o"
    axes.plot(row.test_accuracy, place, marker, color=colour, markersize=7, clip_on=False)
    words = number(row.test_accuracy) + (" best on validation" if is_best else "")
    to_the_left = row.test_accuracy > np.mean(axes.get_xlim())
    axes.annotate(
        words,
        (row.test_accuracy, place),
        xytext=(0, 7),
        textcoords="offset points",
        ha="right" if to_the_left else "left",
        fontweight="bold" if is_best else "normal",
    )


def _draw_published(axes: Axes, published: PublishedFigures, place: int) -> None:
    colour = GREY if published.collapsed else ORANGE
    axes.plot(published.test_accuracy, place, "D", mfc="none", mec=colour, mew=1.4, ms=7, clip_on=False)
    if published.collapsed:
        axes.annotate(
            "published: collapsed",
            (published.test_accuracy, place),
            xytext=(8, -3),
            textcoords="offset points",
            color=GREY,
        )
