"""ROC curves of all rows on the test part."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.evaluation import MAJORITY_CLASS, RowFigures
from tumorlens.reports.details import RowDetail
from tumorlens.reports.style import GREY, LONGEST_NAME, PLOT_WIDTH_IN, SERIES, new_figure, plot_style
from tumorlens.reports.wording import head_name, number, row_name, row_title, shortened

__all__ = ["roc_figure"]


def roc_figure(rows: Sequence[RowFigures], details: Sequence[RowDetail | None]) -> Figure | None:
    """ROC curves on the test part, a colour a row, with the area beside the name.

    With more than two classes a row has a thin curve a class. The majority class and collapsed rows
    are left out; ``None`` where no row has a curve.
    """
    drawn = [
        (row, detail)
        for row, detail in zip(rows, details, strict=True)
        if detail is not None and detail.roc and not row.collapsed and row.backbone != MAJORITY_CLASS
    ]
    if not drawn:
        return None
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 4.3)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        colours = _colours([row for row, _ in drawn])
        for (row, detail), colour in zip(drawn, colours, strict=True):
            for curve in detail.roc.values():
                axes.plot(
                    curve.false_positive_rate,
                    curve.true_positive_rate,
                    color=colour,
                    linewidth=1.8 if len(detail.roc) == 1 else 0.9,
                    linestyle=(0, (4, 2)) if row.kind == "baseline" else "-",
                )
        _name_curves(axes, [row for row, _ in drawn], colours)
        _finish_roc(axes, drawn[0][1])
    return figure


def _colours(rows: Sequence[RowFigures]) -> list[str]:
    remaining = iter(SERIES * (len(rows) // len(SERIES) + 1))
    return [GREY if row.kind == "baseline" else next(remaining) for row in rows]


def _name_curves(axes: Axes, rows: Sequence[RowFigures], colours: Sequence[str]) -> None:
    order = sorted(range(len(rows)), key=lambda index: rows[index].test_roc_auc or 0.0)
    line = 0
    for index in order:
        title = _label(rows[index])
        axes.text(
            0.98,
            0.04 + 0.062 * line,
            f"{title}  {number(rows[index].test_roc_auc)}",
            color=colours[index],
            fontweight="bold",
            fontsize=9,
            ha="right",
            transform=axes.transAxes,
        )
        line += 1 + title.count("\n")
    axes.text(
        0.98,
        0.05 + 0.062 * line,
        "area under the curve",
        ha="right",
        fontsize=9,
        transform=axes.transAxes,
    )


def _label(row: RowFigures) -> str:
    """Name and head in one line; of a mistake, whose name is long, in two."""
    return row_title(row) if row.mistake is None else f"{row_name(row)}\n{head_name(row)}"


def _finish_roc(axes: Axes, detail: RowDetail) -> None:
    one = next(iter(detail.roc)) if len(detail.roc) == 1 else None
    axes.set(
        xlim=(-0.01, 1.0),
        ylim=(0.0, 1.01),
        xlabel="false positive rate, per slice (1 − specificity)",
        ylabel="true positive rate, per slice (sensitivity)",
        title=f"“{shortened(one, LONGEST_NAME)}” against the rest" if one else "Each class against the rest",
    )
    axes.grid()
