"""The reliability diagram: bins, bands, counts, before and after."""

from __future__ import annotations

import pytest

from tumorlens.evaluation import ReliabilityBin
from tumorlens.reports import reliability_plot
from tumorlens.reports.reliability_plot import reliability_figure
from tumorlens.reports.style import BLUE, GREY, ORANGE, figure_svg

_AFTER = [
    ReliabilityBin(0.8, 0.75, 40, 0.65, 0.9),
    ReliabilityBin(0.1, 0.12, 60, 0.04, 0.18),
    ReliabilityBin(0.5, 0.4, 5, 0.2, 0.8),
]
_BEFORE = [ReliabilityBin(0.05, 0.12, 60, 0.0, 0.1), ReliabilityBin(0.95, 0.75, 45, 0.9, 1.0)]


def _line(figure, colour: str):
    return next(line for line in figure.axes[0].lines if line.get_color() == colour and line.get_marker() in "o^")


def test_bins_are_joined_from_left_to_right() -> None:
    figure = reliability_figure(_AFTER, class_name="tumor")
    line = _line(figure, BLUE)
    assert list(line.get_xdata()) == [0.1, 0.5, 0.8] and list(line.get_ydata()) == [0.12, 0.4, 0.75]
    assert line.get_label() == "as given"


def test_every_bin_has_its_band() -> None:
    figure = reliability_figure(_AFTER, class_name="tumor")
    bands = [line for line in figure.axes[0].lines if line.get_linewidth() == 9]
    assert sorted(tuple(line.get_ydata()) for line in bands) == [(0.04, 0.18), (0.2, 0.8), (0.65, 0.9)]
    assert {line.get_color() for line in bands} == {GREY}


def test_before_and_after_differ_in_stroke_and_mark() -> None:
    figure = reliability_figure(_AFTER, before=_BEFORE, class_name="tumor", basis="on 40 clusters")
    before, after = _line(figure, ORANGE), _line(figure, BLUE)
    assert (before.get_marker(), after.get_marker()) == ("^", "o")
    assert before.get_linestyle() != after.get_linestyle()
    svg = figure_svg(figure, label="x")
    for words in ("before calibration", "after calibration", "on 40 clusters", "share that is tumor"):
        assert words in svg


def test_counts_are_drawn_below() -> None:
    upper, lower = reliability_figure(_AFTER, class_name="tumor").axes
    (bars,) = lower.collections
    assert sorted(float(segment[1][1]) for segment in bars.get_segments()) == [5, 40, 60]
    assert upper.get_xlim() == lower.get_xlim()


def test_words_and_nothing_without_bins() -> None:
    plot = reliability_plot(_AFTER, class_name="tumor")
    assert plot.kind == "reliability" and "0.80 0.75" in plot.label
    assert reliability_plot([], class_name="tumor") is None


def test_a_bin_without_scans_is_drawn() -> None:
    figure = reliability_figure([ReliabilityBin(0.5, 0.5, 0, 0.2, 0.8)], class_name="x")
    assert figure.axes[1].get_ylim() == pytest.approx((0, 1))
