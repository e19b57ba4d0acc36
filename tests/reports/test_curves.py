"""ROC and precision-recall plots: which rows, in which stroke, with which figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.reports import class_precision_grid
from tumorlens.reports.curves import drawn_rows
from tumorlens.reports.pr_plot import average_precisions, pr_figure
from tumorlens.reports.roc_plot import RocPoint, roc_figure
from tumorlens.reports.style import figure_svg


def _words(figure) -> str:
    return figure_svg(figure, label="x")


def test_lines_differ_in_stroke_so_that_they_can_be_read_in_grey(grouped_example) -> None:
    drawn = drawn_rows(grouped_example.comparison.rows, grouped_example.details)
    assert len(drawn) == 4
    assert len({str(entry.stroke) for entry in drawn}) == len(drawn)


def test_majority_and_collapsed_rows_have_no_precision_recall_curve(grouped_example) -> None:
    svg = _words(pr_figure(grouped_example.comparison.rows, grouped_example.details))
    assert "vgg16, linear head" in svg and "area and brightness" in svg
    assert "majority class" not in svg and "efficientnetb0" not in svg


def test_average_precision_stands_beside_the_name(grouped_example) -> None:
    rows, details = grouped_example.comparison.rows, grouped_example.details
    (curve,) = details[3].precision_recall.values()
    assert average_precisions(rows, details)["vgg16, linear head"] == pytest.approx(curve.average_precision)
    assert f"vgg16, linear head  {curve.average_precision:.3f}" in _words(pr_figure(rows, details))


def test_the_prevalence_is_a_dotted_line(grouped_example) -> None:
    (axes,) = pr_figure(grouped_example.comparison.rows, grouped_example.details).axes
    (curve,) = grouped_example.details[3].precision_recall.values()
    assert any(np.allclose(line.get_ydata(), curve.prevalence) for line in axes.lines if len(line.get_ydata()) == 2)


def test_several_classes_have_a_curve_and_a_line_of_the_table_each(make_example) -> None:
    example = make_example(classes=("a", "b", "c"))
    rows, details = example.comparison.rows, example.details
    assert "mean over classes" in _words(pr_figure(rows, details))
    grid = class_precision_grid(rows, details)
    assert [row.cells[1].main for row in grid.rows[:3]] == ["a", "b", "c"]
    assert len(grid.rows) == 4 * 3


def test_without_curves_there_is_neither_plot_nor_table(grouped_example) -> None:
    rows = grouped_example.comparison.rows
    assert class_precision_grid(rows, [None] * len(rows)) is None
    assert pr_figure(rows, [None] * len(rows)) is None


def test_the_table_has_the_intervals_that_are_known(grouped_example) -> None:
    rows, details = grouped_example.comparison.rows, list(grouped_example.details)
    (name, curve), *_ = details[3].precision_recall.items()
    details[3] = replace(details[3], precision_recall={name: replace(curve, low=0.5, high=0.75)})
    grid = class_precision_grid(rows, details)
    cells = {row.cells[0].main + row.cells[0].sub: row.cells[2] for row in grid.rows}
    assert cells["vgg16linear head"].sub == "0.500–0.750" and cells["vgg16study head"].sub == ""
    assert grid.columns[2].sub == "95 % interval"


def test_an_operating_point_is_a_ring_where_it_lies(grouped_example) -> None:
    rows, details = grouped_example.comparison.rows, grouped_example.details
    plain = roc_figure(rows, details)
    marked = roc_figure(
        rows, details, operating_points={"vgg16-1": RocPoint(0.1, 0.8, 0.42), "unknown": RocPoint(0, 0, 0)}
    )
    rings = [line for line in marked.axes[0].lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in rings] == [(0.1, 0.8)]
    assert "≥ 0.42" in _words(marked) and "operating point" in _words(marked)
    assert "operating point" not in _words(plain)
