"""Draws every plot of an audit once, for PNG files and the page, with words for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from tumorlens.audit.findings import Audit, LeakageCurve, Shortcut
from tumorlens.reports.audit_price_plots import curve_figure, learning_figure, permuted_figure
from tumorlens.reports.audit_words import accuracy_words, grouped_points
from tumorlens.reports.plots import Plot
from tumorlens.reports.style import BLUE, GREY, LONGEST_NAME, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import interval, number, shortened

__all__ = ["audit_plots", "shortcut_figure"]


def audit_plots(audit: Audit) -> tuple[Plot, ...]:
    """All plots of an audit: of kinds ``"price"`` and ``"shortcuts"``; none where there is nothing to draw."""
    return tuple(_plots(audit))


def _plots(audit: Audit) -> Iterator[Plot]:
    leakage = audit.leakage
    if leakage is not None:
        figure = curve_figure(leakage, groups_are=audit.groups_are)
        yield Plot("price", "leakage-curve", _curve_label(leakage), figure)
        if len(leakage.learning) > 1:
            figure = learning_figure(leakage, groups_are=audit.groups_are)
            yield Plot("price", "learning-curve", _learning_label(leakage, audit.groups_are), figure)
        yield Plot("price", "random-labels", _permuted_label(leakage), permuted_figure(leakage))
    if audit.shortcuts:
        yield Plot("shortcuts", "shortcuts", _shortcut_label(audit.shortcuts), shortcut_figure(audit.shortcuts))


def shortcut_figure(shortcuts: Sequence[Shortcut]) -> Figure:
    """Accuracy of every shortcut as a dot on its interval, beside the line of the commonest class."""
    majority = max(shortcut.majority for shortcut in shortcuts)
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 0.9 + 0.36 * len(shortcuts))
        axes.set_ylim(len(shortcuts) - 0.4, -0.9)
        lowest = min(majority, *(shortcut.low for shortcut in shortcuts))
        axes.set_xlim(max(0.0, np.floor(20 * lowest) / 20 - 0.02), 1.0)
        axes.axvline(majority, color=GREY, linestyle=":", linewidth=1.4)
        axes.annotate(
            f"commonest class {number(majority, digits=2)}",
            (majority, -0.9),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            color=GREY,
        )
        for place, shortcut in enumerate(shortcuts):
            _draw_shortcut(figure, shortcut, place)
        axes.set_yticks(range(len(shortcuts)), [shortened(one.name, LONGEST_NAME + 4) for one in shortcuts])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel("accuracy with 95 % interval, out of fold")
    return figure


def _draw_shortcut(figure: Figure, shortcut: Shortcut, place: int) -> None:
    axes = figure.axes[0]
    beats = shortcut.low > shortcut.majority
    colour = BLUE if beats else GREY
    ends = [shortcut.low, shortcut.high]
    axes.plot(ends, [place, place], color=colour, linewidth=2.4, solid_capstyle="round", clip_on=False)
    axes.plot(shortcut.accuracy, place, "o" if beats else "s", color=colour, markersize=6, clip_on=False)
    to_the_left = shortcut.accuracy > np.mean(axes.get_xlim())
    axes.annotate(
        number(shortcut.accuracy, digits=2),
        (shortcut.low if to_the_left else shortcut.high, place),
        xytext=(-6 if to_the_left else 6, 0),
        textcoords="offset points",
        va="center",
        ha="right" if to_the_left else "left",
        fontsize=8.5,
    )


def _shortcut_label(shortcuts: Sequence[Shortcut]) -> str:
    figures = "; ".join(f"{one.name} {number(one.accuracy)} ({interval(one.low, one.high)})" for one in shortcuts)
    return f"How well trivial facts predict the label: {figures}. Commonest class: {number(shortcuts[0].majority)}."


def _curve_label(leakage: LeakageCurve) -> str:
    points = "; ".join(
        f"above {point.removed_above:g} removed: {number(point.removed.accuracy)}, "
        f"as many at random: {number(point.control.accuracy)}"
        for point in grouped_points(leakage)
    )
    start = (
        f"Accuracy as training scans like the test scans are removed. Random folds: {accuracy_words(leakage.random)}"
    )
    return f"{start}; {points}."


def _permuted_label(leakage: LeakageCurve) -> str:
    random, grouped = leakage.permuted_random, leakage.permuted_grouped
    return (
        f"Accuracy with one random label per group. Random folds: {number(random.mean)} "
        f"({interval(random.low, random.high)}); grouped folds: {number(grouped.mean)} "
        f"({interval(grouped.low, grouped.high)}); chance: {number(grouped.chance)}."
    )


def _learning_label(leakage: LeakageCurve, groups_are: str) -> str:
    points = ", ".join(f"{point.groups:,}: {number(point.test.accuracy)}" for point in leakage.learning)
    return f"Test accuracy by number of {groups_are} in training: {points}."
