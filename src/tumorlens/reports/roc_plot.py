"""ROC curves of all rows on the test part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.evaluation import RowFigures
from tumorlens.reports.curves import curve_title, drawn_rows, name_curves
from tumorlens.reports.details import RowDetail
from tumorlens.reports.style import GREY, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.reports.wording import number

__all__ = ["RocPoint", "roc_figure"]


@dataclass(frozen=True)
class RocPoint:
    """Where a row's labels lie on its ROC curve.

    Attributes:
        false_positive_rate: 1 − specificity at the operating point, 0..1.
        true_positive_rate: Sensitivity at the operating point, 0..1.
        threshold: Probability from which on the answer is the positive class, 0..1.
    """

    false_positive_rate: float
    true_positive_rate: float
    threshold: float


def roc_figure(
    rows: Sequence[RowFigures],
    details: Sequence[RowDetail | None],
    *,
    operating_points: Mapping[str, RocPoint] | None = None,
) -> Figure | None:
    """ROC curves on the test part, a line a row, with the area beside the name.

    With more than two classes a row has a thin curve a class. The majority class and collapsed rows
    are left out; ``None`` where no row has a curve.

    Args:
        rows: All rows.
        details: One a row; ``None`` where there is none.
        operating_points: By name of the run, where its answers lie on the curve; marked with a ring.
    """
    drawn = drawn_rows(rows, details)
    if not drawn:
        return None
    points = operating_points or {}
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 4.3)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        for entry in drawn:
            for curve in entry.detail.roc.values():
                axes.plot(curve.false_positive_rate, curve.true_positive_rate, **entry.line)
            point = points.get(entry.row.run or "")
            if point is not None:
                _mark(axes, point, colour=entry.colour)
        name_curves(
            axes,
            drawn,
            shown=lambda entry: number(entry.row.test_roc_auc),
            title="area under the curve",
            at="lower right",
        )
        axes.set(
            xlim=(-0.01, 1.0),
            ylim=(0.0, 1.01),
            xlabel="false positive rate, per slice (1 − specificity)" + ("\nring: operating point" if points else ""),
            ylabel="true positive rate, per slice (sensitivity)",
            title=curve_title(drawn[0].detail.roc),
        )
        axes.grid()
    return figure


def _mark(axes: Axes, point: RocPoint, *, colour: str) -> None:
    axes.plot(
        point.false_positive_rate,
        point.true_positive_rate,
        "o",
        markersize=9,
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=1.8,
        clip_on=False,
    )
    axes.annotate(
        f"≥ {point.threshold:.3g}",
        (point.false_positive_rate, point.true_positive_rate),
        xytext=(9, -12),
        textcoords="offset points",
        color=colour,
        fontsize=8.5,
    )
