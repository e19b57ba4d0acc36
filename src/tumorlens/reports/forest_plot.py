"""A figure in the parts of the test scans, each on its interval, as a plot and as a table. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.style import BLUE, GREY, INK, LONGEST_NAME, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import NO_VALUE, interval, number, shortened

__all__ = ["SubgroupFigure", "forest_figure", "forest_grid", "forest_words"]

_LEAST_MARK, _MOST_MARK = 4.0, 11.0


@dataclass(frozen=True)
class SubgroupFigure:
    """One figure in one part of the test scans.

    Attributes:
        subgroup: What divides the scans ("maker"); empty for all scans together.
        level: Which of its parts ("Siemens").
        n: Scans in it.
        value: The figure, 0..1; ``None`` where there is none.
        low: Lower end of its interval; ``None`` without one.
        high: Upper end.
    """

    subgroup: str
    level: str
    n: int
    value: float | None
    low: float | None = None
    high: float | None = None


def forest_figure(rows: Sequence[SubgroupFigure], *, figure_name: str, overall: float | None = None) -> Figure | None:
    """A square a subgroup, larger where it holds more scans, on its interval.

    Args:
        rows: In the order they are shown; those of one subgroup stand together.
        figure_name: What is drawn ("accuracy").
        overall: The figure over all scans, as a dotted line; ``None`` for none.

    Returns:
        The drawing; ``None`` without rows.
    """
    if not rows:
        return None
    lines = _lines(rows)
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 0.9 + 0.27 * len(lines))
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_xlim(_lower_limit(rows), 1.0)
        if overall is not None:
            axes.axvline(overall, color=GREY, linewidth=1.0, linestyle=(0, (2, 3)))
        most = max(row.n for row in rows)
        for place, line in enumerate(lines):
            if isinstance(line, SubgroupFigure):
                _draw(axes, line, place, most=most)
        axes.set_yticks(range(len(lines)), [_tick(line) for line in lines])
        for label, line in zip(axes.get_yticklabels(), lines, strict=True):
            label.set_fontweight("bold" if isinstance(line, str) else "normal")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        dotted = "" if overall is None else "; dotted: all scans together"
        axes.set_xlabel(f"{figure_name} with interval\nlarger square: more scans{dotted}")
    return figure


def forest_grid(rows: Sequence[SubgroupFigure], *, figure_name: str) -> Grid:
    """The same as a table, a line a subgroup."""
    columns = (
        Column("Subgroup", numeric=False),
        Column("Level", numeric=False),
        Column("Scans"),
        Column(figure_name.capitalize()),
        Column("Interval"),
    )
    lines = tuple(
        GridRow(
            (
                Cell(row.subgroup or "all scans"),
                Cell(row.level),
                Cell(f"{row.n:,}"),
                Cell(number(row.value)),
                Cell(interval(row.low, row.high) or NO_VALUE),
            )
        )
        for row in rows
    )
    return Grid(f"{figure_name.capitalize()} by subgroup, on the test part", columns, lines)


def forest_words(rows: Sequence[SubgroupFigure], *, figure_name: str) -> str:
    """What the plot shows, for those who cannot see it."""
    names = [" ".join(filter(None, (row.subgroup, row.level))) or "all scans" for row in rows]
    shown = ", ".join(f"{name} {number(row.value)}" for name, row in zip(names, rows, strict=True))
    return f"{figure_name.capitalize()} by subgroup: {shown}."


def _lines(rows: Sequence[SubgroupFigure]) -> list[str | SubgroupFigure]:
    """A heading before every subgroup, then its rows."""
    lines: list[str | SubgroupFigure] = []
    before = ""
    for row in rows:
        if row.subgroup and row.subgroup != before:
            lines.append(row.subgroup)
        before = row.subgroup
        lines.append(row)
    return lines


def _tick(line: str | SubgroupFigure) -> str:
    if isinstance(line, str):
        return shortened(line, LONGEST_NAME)
    return f"{shortened(line.level or 'all scans', LONGEST_NAME)} ({line.n:,})"


def _lower_limit(rows: Sequence[SubgroupFigure]) -> float:
    ends = [end for row in rows for end in (row.low, row.value) if end is not None]
    return max(0.0, min(ends, default=0.0) - 0.05)


def _draw(axes: Axes, row: SubgroupFigure, place: int, *, most: int) -> None:
    if row.value is None:
        axes.annotate(
            "no figure", (axes.get_xlim()[0], place), xytext=(4, -3), textcoords="offset points", fontsize=8.5
        )
        return
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [place, place], color=BLUE, linewidth=1.8, solid_capstyle="butt", clip_on=False)
    size = _LEAST_MARK + (_MOST_MARK - _LEAST_MARK) * (row.n / most) ** 0.5 if most else _LEAST_MARK
    hollow = row.low is None
    axes.plot(
        row.value,
        place,
        "s",
        markersize=size,
        markerfacecolor="none" if hollow else BLUE,
        markeredgecolor=GREY if hollow else INK,
        markeredgewidth=0.8,
        clip_on=False,
    )
