"""The forest plot of subgroups and its table."""

from __future__ import annotations

import pytest

from tumorlens.reports import SubgroupFigure, forest_grid, subgroup_plot
from tumorlens.reports.forest_plot import forest_figure
from tumorlens.reports.style import figure_svg

_ROWS = [
    SubgroupFigure("", "", 100, 0.9, 0.85, 0.94),
    SubgroupFigure("maker", "one", 80, 0.95, 0.9, 0.98),
    SubgroupFigure("maker", "other", 15, 0.7, 0.5, 0.85),
    SubgroupFigure("age", "young <b>", 3, 1.0),
    SubgroupFigure("age", "old", 2, None),
]


def test_a_heading_a_subgroup_and_a_line_a_level() -> None:
    (axes,) = forest_figure(_ROWS, figure_name="accuracy").axes
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    assert ticks == ["all scans (100)", "maker", "one (80)", "other (15)", "age", "young <b> (3)", "old (2)"]
    weights = [label.get_fontweight() for label in axes.get_yticklabels()]
    assert [weight == "bold" for weight in weights] == [False, True, False, False, True, False, False]


def test_intervals_squares_and_overall_are_where_they_belong() -> None:
    (axes,) = forest_figure(_ROWS, figure_name="accuracy", overall=0.9).axes
    bars = [sorted(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [0.5, 0.85] in bars and [0.9, 0.9] in bars
    squares = {float(line.get_xdata()[0]): line for line in axes.lines if line.get_marker() == "s"}
    assert set(squares) == {0.9, 0.95, 0.7, 1.0}
    assert squares[0.9].get_markersize() > squares[0.95].get_markersize() > squares[0.7].get_markersize()
    assert squares[1.0].get_markerfacecolor() == "none"
    assert axes.get_xlim()[0] == pytest.approx(0.45)


def test_the_plot_has_words_and_is_escaped() -> None:
    plot = subgroup_plot(_ROWS, figure_name="sensitivity", overall=0.9)
    assert (plot.kind, plot.name) == ("forest", "subgroups")
    assert plot.label.startswith("Sensitivity by subgroup: all scans 0.900, maker one 0.950, maker other 0.700")
    svg = figure_svg(plot.figure, label=plot.label)
    assert "no figure" in svg and "dotted: all scans together" in svg and "<b>" not in svg


def test_the_table_says_the_same() -> None:
    grid = forest_grid(_ROWS, figure_name="accuracy")
    assert [[cell.main for cell in row.cells] for row in grid.rows] == [
        ["all scans", "", "100", "0.900", "0.850–0.940"],
        ["maker", "one", "80", "0.950", "0.900–0.980"],
        ["maker", "other", "15", "0.700", "0.500–0.850"],
        ["age", "young <b>", "3", "1.000", "–"],
        ["age", "old", "2", "–", "–"],
    ]


def test_without_rows_there_is_nothing() -> None:
    assert subgroup_plot([]) is None
