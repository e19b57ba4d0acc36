"""Differences between rows as a grid, and the sentence that must stand with them."""

from __future__ import annotations

from tumorlens.evaluation import Difference
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import NO_VALUE, counted, head_name, row_name

__all__ = ["difference_grid", "difference_line", "difference_sentence"]

_SMALLEST_P = 0.001


def difference_grid(comparison: Comparison, *, title: str = "Differences in test accuracy") -> Grid | None:
    """Each difference in points of accuracy, with interval and p-value; ``None`` without differences."""
    if not comparison.differences:
        return None
    columns = (
        Column("Model", numeric=False),
        Column("Against", numeric=False),
        Column("Difference", "points of accuracy"),
        Column("95 % interval", "points"),
        Column("p", "adjusted"),
    )
    rows = tuple(GridRow(_cells(comparison, difference), "plain") for difference in comparison.differences)
    return Grid(title, columns, rows)


def difference_sentence(comparison: Comparison) -> list[str]:
    """How the differences were judged, and what an interval that holds 0 does not say; empty without differences."""
    judged = [difference for difference in comparison.differences if difference.p is not None]
    if not judged:
        return []
    first = judged[0]
    return [
        f"Differences: paired bootstrap and two-sided sign-flip test over {first.n_groups:,} {first.unit}, "
        f"p adjusted for {counted(len(judged), 'difference')} (Holm), intervals not. An interval that holds 0 does "
        "not say that two models are equal: differences up to its ends remain possible."
    ]


def difference_line(difference: Difference) -> str:
    """One difference with interval and test, a sentence."""
    ends = (difference.low, difference.high)
    interval = "no interval" if None in ends else f"95 % interval {' to '.join(_points(end) for end in ends)}"
    over = f"sign-flip test over {difference.n_groups:,} {difference.unit}"
    p = "no test" if difference.p is None else f"p {_p_value(difference.p)}, {over}"
    return f"Test accuracy against {difference.second}: {_points(difference.value)} points ({interval}; {p})."


def _cells(comparison: Comparison, difference: Difference) -> tuple[Cell, ...]:
    ends = (difference.low, difference.high)
    shown = NO_VALUE if None in ends else " to ".join(_points(end) for end in ends)
    return (
        _name(comparison, difference.first),
        _name(comparison, difference.second),
        Cell(_points(difference.value)),
        Cell(shown),
        Cell(_p_value(difference.p_adjusted)),
    )


def _name(comparison: Comparison, name: str) -> Cell:
    """The row's own words; a run that has no row, which a damaged document may hold, keeps its name."""
    row = next((row for row in comparison.rows if row.name == name), None)
    return Cell(name) if row is None else Cell(row_name(row), head_name(row))


def _points(value: float | None) -> str:
    return NO_VALUE if value is None else f"{100 * value:+.1f}"


def _p_value(value: float | None) -> str:
    if value is None:
        return NO_VALUE
    return f"<{_SMALLEST_P}" if value < _SMALLEST_P else f"{value:.3f}"
