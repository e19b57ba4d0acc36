"""The audit's tables: leaks by split, shortcuts, odd ones by reason and class."""

from __future__ import annotations

from collections.abc import Sequence

from tumorlens.audit.findings import Audit, CurvePoint, LeakageCurve, SplitLeaks, WithInterval
from tumorlens.reports.audit_words import grouped_points, leak_title
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import NO_VALUE, interval, number

__all__ = ["curve_grid", "leaks_grid", "odd_grid", "shortcut_grid", "twins_grid"]


def leaks_grid(audit: Audit) -> Grid:
    """Scans with a twin on the other side, a row a split and a row a data set, by kind of twin."""
    columns = (
        Column("Compared", numeric=False),
        Column("Scans"),
        Column("Same pixels"),
        Column("Copy", "re-encoded, shifted, …"),
        Column("Mirrored", "or turned"),
        Column("Neighbour", "no copy"),
    )
    everything = (*audit.leaks, *audit.against.values())
    return Grid("Scans with a twin on the other side", columns, tuple(_leaks_row(leaks) for leaks in everything))


def twins_grid(audit: Audit) -> Grid:
    """Scans by the closest kind of twin they have anywhere in the data set."""
    columns = (Column("Closest twin", numeric=False), Column("Scans"))
    names = {"exact": "same pixels", "copy": "copy", "mirrored": "mirrored or turned", "neighbour": "neighbour"}
    rows = [GridRow((Cell(names[kind]), Cell(f"{count:,}"))) for kind, count in audit.twins.by_kind.items()]
    without = audit.scans - audit.twins.near_twins
    rows.append(GridRow((Cell("none"), Cell(f"{without:,}"))))
    return Grid("Twins anywhere in the data set", columns, tuple(rows))


def shortcut_grid(audit: Audit) -> Grid:
    """Accuracy and ROC area of each shortcut, the worst first, and the commonest class."""
    auc = "ROC AUC" if len(audit.by_class) == 2 else "ROC AUC (macro)"
    columns = (Column("Known alone", numeric=False), Column("Accuracy", "95 % interval"), Column(auc))
    rows = [
        GridRow((Cell(one.name), Cell(number(one.accuracy), interval(one.low, one.high)), Cell(number(one.roc_auc))))
        for one in audit.shortcuts
    ]
    rows.extend(
        GridRow((Cell("nothing", "commonest class"), Cell(number(one.majority)), Cell("0.500")), "baseline")
        for one in audit.shortcuts[:1]
    )
    return Grid("What trivial facts tell about the label", columns, tuple(rows))


def curve_grid(leakage: LeakageCurve) -> Grid:
    """The curve's figures, with the control and their difference; the random split comes first."""
    columns = (
        Column("Training scans removed", numeric=False),
        Column("Scans left"),
        Column("Accuracy", "95 % interval"),
        Column("Control", "as many at random"),
        Column("Difference", "points"),
    )
    rows = [
        GridRow((Cell("random split"), Cell(NO_VALUE), _accuracy_cell(leakage.random), Cell(NO_VALUE), Cell(NO_VALUE)))
    ]
    rows.extend(_curve_row(point) for point in grouped_points(leakage))
    return Grid("The curve in figures", columns, tuple(rows))


def odd_grid(audit: Audit, *, labels: Sequence[str]) -> Grid:
    """Odd ones out by reason and class.

    Args:
        audit: What was found.
        labels: Label of every row.
    """
    classes = tuple(audit.by_class)
    columns = (Column("Reason", numeric=False), *map(Column, classes), Column("All"))
    rows = []
    for reason in dict.fromkeys(scan.reason for scan in audit.odd):
        found = [labels[scan.row_id] for scan in audit.odd if scan.reason == reason]
        counts = (*(found.count(name) for name in classes), len(found))
        rows.append(GridRow((Cell(reason), *(Cell(f"{count:,}") for count in counts))))
    return Grid("Odd ones out by reason and class", columns, tuple(rows))


def _leaks_row(leaks: SplitLeaks) -> GridRow:
    counts = (leaks.test_scans, leaks.exact, leaks.near, leaks.mirrored, leaks.neighbouring)
    return GridRow((Cell(leak_title(leaks)), *(Cell(f"{count:,}") for count in counts)))


def _curve_row(point: CurvePoint) -> GridRow:
    whole = point.removed_above >= 1
    return GridRow(
        (
            Cell("none, groups together" if whole else f"above {point.removed_above:g}"),
            Cell(f"{point.train_scans:,}"),
            _accuracy_cell(point.removed),
            Cell(NO_VALUE) if whole else _accuracy_cell(point.control),
            Cell(NO_VALUE if whole else _signed(100 * (point.removed.accuracy - point.control.accuracy))),
        )
    )


def _accuracy_cell(value: WithInterval) -> Cell:
    return Cell(number(value.accuracy), interval(value.low, value.high))


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
