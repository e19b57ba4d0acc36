"""What the ROC and the precision-recall plot share: which rows are drawn, in which line, named how.

Lines differ in stroke as well as in colour, so a plot can be read in grey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes

from tumorlens.evaluation import MAJORITY_CLASS, RowFigures
from tumorlens.reports.details import RowDetail
from tumorlens.reports.style import GREY, LONGEST_NAME, SERIES
from tumorlens.reports.wording import head_name, row_name, row_title, shortened

__all__ = ["DrawnRow", "curve_title", "drawn_rows", "name_curves"]

_STROKES = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (9, 2)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
_BASELINE_STROKE = (0, (2, 3))


@dataclass(frozen=True)
class DrawnRow:
    """A row of the comparison with its line.

    Attributes:
        row: The row.
        detail: Its curves.
        colour: Of its line.
        stroke: Of its line, as Matplotlib takes it.
    """

    row: RowFigures
    detail: RowDetail
    colour: str
    stroke: Any

    @property
    def line(self) -> dict[str, Any]:
        """Colour, stroke and width of a curve: thinner where each class has one."""
        single = len(self.detail.roc) == 1
        return {"color": self.colour, "linestyle": self.stroke, "linewidth": 1.8 if single else 0.9}


def drawn_rows(rows: Sequence[RowFigures], details: Sequence[RowDetail | None]) -> list[DrawnRow]:
    """The rows that have curves; the majority class and collapsed rows are left out.

    Args:
        rows: All rows.
        details: One a row; ``None`` where there is none.
    """
    drawn = []
    place = 0
    for row, detail in zip(rows, details, strict=True):
        if detail is None or not detail.roc or row.collapsed or row.backbone == MAJORITY_CLASS:
            continue
        if row.kind == "baseline":
            drawn.append(DrawnRow(row, detail, GREY, _BASELINE_STROKE))
            continue
        drawn.append(DrawnRow(row, detail, SERIES[place % len(SERIES)], _STROKES[place % len(_STROKES)]))
        place += 1
    return drawn


def name_curves(
    axes: Axes,
    drawn: Sequence[DrawnRow],
    *,
    shown: Callable[[DrawnRow], str],
    title: str,
    at: Literal["lower left", "lower right"],
) -> None:
    """Name every row beside a piece of its line, with its figure.

    Args:
        axes: Where.
        drawn: The rows.
        shown: The figure of a row, as text.
        title: What the figures are.
        at: Corner, as Matplotlib names it.
    """
    handles = [
        axes.plot([], [], color=entry.colour, linestyle=entry.stroke, label=f"{_label(entry.row)}  {shown(entry)}")[0]
        for entry in drawn
    ]
    legend = axes.legend(
        handles=handles, title=title, loc=at, fontsize=8.5, title_fontsize=8.5, handlelength=2.6, framealpha=0.0
    )
    legend.set_zorder(3)


def curve_title(curves: Mapping[str, object]) -> str:
    """Which class the curves are of."""
    one = next(iter(curves)) if len(curves) == 1 else None
    return f"“{shortened(one, LONGEST_NAME)}” against the rest" if one else "Each class against the rest"


def _label(row: RowFigures) -> str:
    """Name and head in one line; of a mistake, whose name is long, in two."""
    return row_title(row) if row.mistake is None else f"{row_name(row)}\n{head_name(row)}"
