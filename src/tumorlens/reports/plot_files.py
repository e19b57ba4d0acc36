"""Draws every plot of a comparison once, and keeps its words beside it: for PNG files and for the HTML report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from tumorlens.evaluation import MAJORITY_CLASS
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.details import RowDetail
from tumorlens.reports.plots import confusion_figure, history_figure, overview_figure, roc_figure
from tumorlens.reports.style import save_png
from tumorlens.reports.wording import number, row_title

__all__ = ["Plot", "comparison_plots", "write_plots"]


@dataclass(frozen=True)
class Plot:
    """One plot.

    Attributes:
        kind: "overview", "roc", "confusion" or "history".
        name: File name without suffix.
        caption: What it shows, in a sentence.
        figure: The drawing.
    """

    kind: str
    name: str
    caption: str
    figure: Figure


def comparison_plots(
    comparison: Comparison, details: Sequence[RowDetail | None]
) -> tuple[Plot, ...]:
    """All plots of a comparison.

    Args:
        comparison: The figures.
        details: One per row, in the same order; ``None`` where a row has none.
    """
    return tuple(_plots(comparison, details))


def write_plots(
    plots: Sequence[Plot], folder: Path, *, marks: Sequence[str] = ()
) -> tuple[Path, ...]:
    """Write each plot as a PNG file into ``folder``, with ``marks`` at its foot; return the paths.

    Raises:
        StorageError: They could not be written.
    """
    return tuple(save_png(plot.figure, folder / f"{plot.name}.png", marks=marks) for plot in plots)


def _plots(comparison: Comparison, details: Sequence[RowDetail | None]) -> Iterator[Plot]:
    accuracies = ", ".join(
        f"{row_title(row)} {'collapsed' if row.collapsed else number(row.test_accuracy)}"
        for row in comparison.rows
    )
    yield Plot(
        "overview",
        "overview",
        f"Test accuracy with intervals: {accuracies}.",
        overview_figure(comparison),
    )
    roc = roc_figure(comparison.rows, details)
    if roc is not None:
        yield Plot("roc", "roc", "ROC curves on the test part; areas beside the names.", roc)
    for place, (row, detail) in enumerate(zip(comparison.rows, details, strict=True), start=1):
        if detail is None:
            continue
        title = row_title(row)
        name = f"{place:02d}-{_file_name(title)}"
        if row.backbone != MAJORITY_CLASS:
            yield Plot(
                "confusion",
                f"confusion-{name}",
                f"Confusion matrix on the test part, {title}.",
                confusion_figure(detail.confusion, classes=comparison.classes, title=title),
            )
        history = history_figure(detail.history, title=title)
        if history is not None:
            yield Plot("history", f"history-{name}", f"How training went, {title}.", history)


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
