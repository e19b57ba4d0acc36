"""The picture of ``size_curve.py``: accuracy and loss against speed, a point a size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from tumorlens.reports.style import BLUE, ORANGE, new_figure, plot_style, save_png

__all__ = ["CurvePoint", "draw_curve"]

_WIDTH_IN, _HEIGHT_IN = 9.0, 4.0


class CurvePoint(Protocol):
    """What is drawn of a size."""

    @property
    def size(self) -> int: ...
    @property
    def crop(self) -> bool: ...
    @property
    def loss(self) -> float: ...
    @property
    def accuracy(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def scans_per_second(self) -> float: ...


def draw_curve(points: Sequence[CurvePoint], *, title: str, out: Path) -> Path:
    """Draw both panels; return the file."""
    with plot_style():
        figure, (accuracy, loss) = new_figure(_WIDTH_IN, _HEIGHT_IN, columns=2)
        for crop, colour, words in ((False, BLUE, "as imported"), (True, ORANGE, "--crop brain")):
            line = sorted((point for point in points if point.crop == crop), key=lambda point: point.size)
            side = -1 if crop else 1
            _draw(accuracy, line, [point.accuracy for point in line], colour, words, side=side)
            accuracy.errorbar(
                [point.scans_per_second for point in line],
                [point.accuracy for point in line],
                yerr=[
                    [point.accuracy - point.low for point in line],
                    [point.high - point.accuracy for point in line],
                ],
                fmt="none",
                ecolor=colour,
                alpha=0.4,
            )
            _draw(loss, line, [point.loss for point in line], colour, words, side=-side)
        accuracy.set(title=f"{title}: accuracy", ylabel="accuracy out of fold (95 % interval)")
        loss.set(title="loss", ylabel="log loss out of fold, nats")
        for axes in (accuracy, loss):
            axes.set(xlabel="scans per second, network alone (log scale)", xscale="log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.xaxis.set_major_formatter(ScalarFormatter())
            axes.margins(x=0.14)
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.grid(axis="y")
    return save_png(figure, out, marks=["numbers at the points: input size in pixels"])


def _draw(
    axes: Axes, line: Sequence[CurvePoint], heights: Sequence[float], colour: str, words: str, *, side: int
) -> None:
    """One line; its numbers stand below (1) or above (-1) the points, its name beyond the fastest."""
    speeds = [point.scans_per_second for point in line]
    axes.plot(speeds, heights, marker="o", markersize=4, color=colour)
    for point, speed, height in zip(line, speeds, heights, strict=True):
        axes.annotate(
            str(point.size),
            (speed, height),
            xytext=(0, -11 if side > 0 else 5),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=colour,
        )
    axes.annotate(
        words,
        (speeds[0], heights[0]),
        xytext=(0, 16),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
        color=colour,
    )
