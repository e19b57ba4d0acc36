"""The price of leakage in pictures: the curve with its control, the null distributions, the learning curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.audit.findings import CurvePoint, LeakageCurve, NullDistribution, WithInterval
from tumorlens.reports.audit_words import grouped_points
from tumorlens.reports.style import BLUE, GREY, ORANGE, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import number

__all__ = ["curve_figure", "learning_figure", "permuted_figure"]

_HEIGHT_IN = 3.3


def curve_figure(leakage: LeakageCurve, *, groups_are: str) -> Figure:
    """Accuracy as training scans closer than r are removed, r falling; the random split stands at the left.

    Beside it the control: as many training scans removed at random.
    """
    points = grouped_points(leakage)
    places = np.arange(1, len(points) + 1)
    removed = [point.removed for point in points]
    control = [point.control for point in points]
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, _HEIGHT_IN)
        _point(axes, 0, leakage.random, colour=GREY, marker="D")
        _line(axes, places + 0.07, control, colour=ORANGE, marker="s", style="--")
        _line(axes, places - 0.07, removed, colour=BLUE, marker="o", style="-")
        if places.size:
            _name_lines(axes, float(places[-1]), removed[-1].accuracy, control[-1].accuracy)
        axes.set_xticks([0, *places], ["random\nsplit", *(_removed_tick(point) for point in points)])
        axes.tick_params(axis="x", labelsize=8)
        axes.set_xlim(-0.5, len(places) + (0.35 + 0.28 * len(places) if places.size else 0.5))
        axes.grid(axis="y")
        axes.set_ylabel("accuracy, 95 % interval")
        axes.set_xlabel(
            f"{groups_are} kept together; training scans above this similarity\nremoved (below: scans left)"
        )
    return figure


def permuted_figure(leakage: LeakageCurve) -> Figure:
    """Accuracies with one random label per group, under both ways of drawing folds, beside chance."""
    rows = (("random folds", leakage.permuted_random, ORANGE), ("grouped folds", leakage.permuted_grouped, BLUE))
    values = [value for _, null, _ in rows for value in (null.low, null.high, null.chance)]
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 2.1)
        axes.set_ylim(1.6, -0.85)
        margin = max(0.02, 0.12 * (max(values) - min(values)))
        axes.set_xlim(max(0.0, min(values) - margin), min(1.0, max(values) + margin))
        for place, (_, null, colour) in enumerate(rows):
            _draw_null(axes, null, place, colour)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel(
            f"accuracy with one random label per group, {rows[0][1].draws:,} draws\n"
            f"(line: 95 % of them; grey bar: chance, {number(rows[1][1].chance)})"
        )
    return figure


def learning_figure(leakage: LeakageCurve, *, groups_are: str) -> Figure:
    """Accuracy on the same test scans by the number of groups in training."""
    groups = [point.groups for point in leakage.learning]
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, _HEIGHT_IN)
        axes.set_xscale("log")
        _line(axes, np.array(groups, float), [point.test for point in leakage.learning], colour=BLUE, marker="o")
        axes.set_xticks(groups, [f"{count:,}" for count in groups])
        axes.minorticks_off()
        axes.grid(axis="y")
        axes.set_ylabel("test accuracy, 95 % interval")
        axes.set_xlabel(f"{groups_are} in training")
    return figure


def _removed_tick(point: CurvePoint) -> str:
    words = "none" if point.removed_above >= 1 else f"{point.removed_above:g}"
    return f"{words}\n{point.train_scans:,}"


def _line(
    axes: Axes, places: np.ndarray, values: Sequence[WithInterval], *, colour: str, marker: str, style: str = "-"
) -> None:
    axes.plot(places, [value.accuracy for value in values], style, color=colour, linewidth=1.4)
    for place, value in zip(places, values, strict=True):
        _point(axes, float(place), value, colour=colour, marker=marker)


def _point(axes: Axes, place: float, value: WithInterval, *, colour: str, marker: str) -> None:
    axes.plot([place, place], [value.low, value.high], color=colour, linewidth=1.6, alpha=0.55)
    axes.plot(place, value.accuracy, marker, color=colour, markersize=6)


def _name_lines(axes: Axes, place: float, removed: float, control: float) -> None:
    """Name both lines to the right of their ends, the upper one upwards and the lower one downwards."""
    above = control >= removed
    for words, value, colour, up in (
        ("as many\nat random", control, ORANGE, above),
        ("the closest\nremoved", removed, BLUE, not above),
    ):
        axes.annotate(
            words,
            (place, value),
            xytext=(13, -3 if up else 3),
            textcoords="offset points",
            va="bottom" if up else "top",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            linespacing=1.05,
        )


def _draw_null(axes: Axes, null: NullDistribution, place: int, colour: str) -> None:
    axes.plot([null.low, null.high], [place, place], color=colour, linewidth=2.6, solid_capstyle="round")
    axes.plot(null.mean, place, "o", color=colour, markersize=7)
    axes.plot([null.chance, null.chance], [place - 0.28, place + 0.28], color=GREY, linewidth=2.2)
    axes.annotate(
        number(null.mean),
        (null.mean, place),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
    )
