"""How often a class occurs where its probability was so high, before and after calibration. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.evaluation import ReliabilityBin
from tumorlens.reports.style import BLUE, GREY, ORANGE, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import number

__all__ = ["reliability_figure", "reliability_words"]


def reliability_figure(
    after: Sequence[ReliabilityBin], *, before: Sequence[ReliabilityBin] = (), class_name: str, basis: str = ""
) -> Figure | None:
    """Observed shares over mean probabilities, with the band of a perfectly calibrated model and the counts below.

    Args:
        after: Bins of the probabilities as they are given.
        before: Bins before calibration; empty where nothing was calibrated.
        class_name: The class.
        basis: What the calibration rests on, in a few words; empty for none.

    Returns:
        The drawing; ``None`` without bins.
    """
    if not after:
        return None
    with plot_style():
        figure, _ = new_figure(PLOT_WIDTH_IN, 4.9)
        figure.clear()
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        _draw_band(upper, after)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        if before:
            _draw_bins(upper, before, colour=ORANGE, marker="^", stroke=(0, (4, 2)), name="before calibration")
        name = "after calibration" if before else "as given"
        _draw_bins(upper, after, colour=BLUE, marker="o", stroke="-", name=name)
        upper.legend(loc="upper left", fontsize=8.5, framealpha=0.0)
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02), ylabel=f"share that is {class_name}", title="Reliability")
        upper.grid()
        _draw_counts(lower, after)
        lower.set_xlabel(f"mean probability of {class_name}" + (f"\n{basis}" if basis else ""))
    return figure


def reliability_words(after: Sequence[ReliabilityBin], *, class_name: str) -> str:
    """What the plot shows, for those who cannot see it."""
    shown = ", ".join(f"{number(entry.predicted, digits=2)} {number(entry.observed, digits=2)}" for entry in after)
    return f"Reliability, mean probability of {class_name} and observed share in each bin: {shown}."


def _draw_bins(axes: Axes, bins: Sequence[ReliabilityBin], *, colour: str, marker: str, stroke: Any, name: str) -> None:
    ordered = sorted(bins, key=lambda entry: entry.predicted)
    axes.plot(
        [entry.predicted for entry in ordered],
        [entry.observed for entry in ordered],
        color=colour,
        marker=marker,
        markersize=5,
        linestyle=stroke,
        linewidth=1.4,
        label=name,
        clip_on=False,
    )


def _draw_band(axes: Axes, bins: Sequence[ReliabilityBin]) -> None:
    label: str | None = "perfectly calibrated: range by chance"
    for entry in bins:
        axes.plot(
            [entry.predicted] * 2,
            [entry.low, entry.high],
            color=GREY,
            alpha=0.45,
            linewidth=9,
            solid_capstyle="butt",
            label=label,
        )
        label = None


def _draw_counts(axes: Axes, bins: Sequence[ReliabilityBin]) -> None:
    axes.vlines([entry.predicted for entry in bins], 0, [entry.n for entry in bins], color=BLUE, linewidth=5)
    axes.set_ylim(0, 1.35 * max(entry.n for entry in bins) or 1)
    axes.set_ylabel("scans")
    axes.grid(axis="y")
    axes.tick_params(axis="y", labelsize=8)
