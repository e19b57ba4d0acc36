"""The audit's plots show the figures they are given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tumorlens.reports import audit_plots, write_plots
from tumorlens.reports.audit_plots import shortcut_figure
from tumorlens.reports.audit_price_plots import curve_figure, learning_figure, permuted_figure


def _points(figure) -> list[tuple[float, float]]:
    """Places of single markers."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 1 and line.get_marker() not in ("", "None")
    ]


def _texts(figure) -> str:
    axes = figure.axes[0]
    return " ".join(text.get_text() for text in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()])


def test_names_and_labels_carry_the_figures(make_audit):
    plots = audit_plots(make_audit())
    assert [plot.name for plot in plots] == ["leakage-curve", "learning-curve", "random-labels", "shortcuts"]
    assert [plot.kind for plot in plots] == ["price", "price", "price", "shortcuts"]
    curve, learning, permuted, shortcuts = (plot.label for plot in plots)
    assert "above 0.9 removed: 0.861, as many at random: 0.889" in curve and "0.944" in curve
    assert "15: 0.810, 45: 0.870, 96: 0.908" in learning
    assert "Random folds: 0.710 (0.680–0.740)" in permuted and "chance: 0.520" in permuted
    assert "image mode 0.980 (0.970–0.990)" in shortcuts and "Commonest class: 0.550" in shortcuts


def test_what_was_not_computed_is_not_drawn(make_audit, make_bare_audit):
    assert audit_plots(make_bare_audit()) == ()
    leakage = replace(make_audit().leakage, learning=())
    names = [plot.name for plot in audit_plots(make_bare_audit(leakage=leakage))]
    assert names == ["leakage-curve", "random-labels"]


def test_the_curve_stands_beside_its_control(make_audit):
    figure = curve_figure(make_audit().leakage, groups_are="clusters")
    heights = [round(height, 3) for _, height in _points(figure)]
    assert heights == [0.944, 0.908, 0.903, 0.889, 0.908, 0.892, 0.861]
    texts = _texts(figure)
    assert "random\nsplit" in texts and "none\n800" in texts and "0.9\n410" in texts
    assert "as many\nat random" in texts and "the closest\nremoved" in texts


def test_a_curve_without_points_can_be_drawn(make_audit):
    leakage = replace(make_audit().leakage, curve=())
    assert len(_points(curve_figure(leakage, groups_are="patients"))) == 1


def test_null_distributions_beside_chance(make_audit):
    figure = permuted_figure(make_audit().leakage)
    assert [place for place, _ in _points(figure)] == [0.71, 0.522]
    assert "0.710" in _texts(figure) and "0.522" in _texts(figure)
    assert "chance, 0.520" in figure.axes[0].get_xlabel()


def test_learning_curve(make_audit):
    figure = learning_figure(make_audit().leakage, groups_are="clusters")
    assert _points(figure) == [(15, 0.81), (45, 0.87), (96, 0.908)]
    assert figure.axes[0].get_xlabel() == "clusters in training"


@pytest.mark.parametrize("worst", [0.98, 0.55])
def test_shortcuts_beside_the_commonest_class(make_audit, worst):
    shortcuts = tuple(
        replace(one, accuracy=min(one.accuracy, worst), low=min(one.low, worst), high=min(one.high, worst))
        for one in make_audit().shortcuts
    )
    figure = shortcut_figure(shortcuts)
    assert [place for place, _ in _points(figure)] == [one.accuracy for one in shortcuts]
    assert "commonest class 0.55" in _texts(figure)
    assert "image mode" in _texts(figure)


def test_files_carry_the_marks(make_audit, tmp_path):
    plots = audit_plots(make_audit())[-1:]
    (path,) = write_plots(plots, tmp_path, marks=["synthetic"])
    assert b"synthetic" in path.read_bytes()
