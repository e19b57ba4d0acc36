"""Draws every plot of a comparison once, for PNG files and the HTML report, with words for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from tumorlens.evaluation import MAJORITY_CLASS, ReliabilityBin, RowFigures
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.confusion_plot import confusion_figure
from tumorlens.reports.details import RowDetail
from tumorlens.reports.forest_plot import SubgroupFigure, forest_figure, forest_words
from tumorlens.reports.history_plot import history_figure
from tumorlens.reports.overview_plot import overview_figure
from tumorlens.reports.pr_plot import average_precisions, pr_figure
from tumorlens.reports.reliability_plot import reliability_figure, reliability_words
from tumorlens.reports.roc_plot import RocPoint, roc_figure
from tumorlens.reports.style import save_png
from tumorlens.reports.wording import number, row_title, stacked_title

__all__ = ["Plot", "comparison_plots", "plot_file_name", "reliability_plot", "subgroup_plot", "write_plots"]


@dataclass(frozen=True)
class Plot:
    """One plot.

    Attributes:
        kind: "overview", "roc", "pr", "reliability", "confusion", "history", "forest" or "folds".
        name: File name without suffix.
        label: What it shows, figures included, for those who cannot see it.
        figure: The drawing.
    """

    kind: str
    name: str
    label: str
    figure: Figure


def comparison_plots(
    comparison: Comparison,
    details: Sequence[RowDetail | None],
    *,
    operating_points: Mapping[str, RocPoint] | None = None,
) -> tuple[Plot, ...]:
    """All plots of a comparison.

    Args:
        comparison: The figures.
        details: One per row, in the same order; ``None`` where a row has none.
        operating_points: By name of the run, where its answers lie on its ROC curve.
    """
    return tuple(_plots(comparison, details, operating_points or {}))


def reliability_plot(
    after: Sequence[ReliabilityBin], *, before: Sequence[ReliabilityBin] = (), class_name: str, basis: str = ""
) -> Plot | None:
    """The reliability diagram as a plot of the page; ``None`` without bins. Arguments as for its figure."""
    figure = reliability_figure(after, before=before, class_name=class_name, basis=basis)
    if figure is None:
        return None
    return Plot("reliability", "reliability", reliability_words(after, class_name=class_name), figure)


def subgroup_plot(
    rows: Sequence[SubgroupFigure], *, figure_name: str = "accuracy", overall: float | None = None
) -> Plot | None:
    """The forest plot of subgroups as a plot of the page; ``None`` without rows. Arguments as for its figure."""
    figure = forest_figure(rows, figure_name=figure_name, overall=overall)
    return None if figure is None else Plot("forest", "subgroups", forest_words(rows, figure_name=figure_name), figure)


def write_plots(plots: Sequence[Plot], folder: Path, *, marks: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write each plot as a PNG file into ``folder``, with ``marks`` at its foot; return the paths.

    Raises:
        StorageError: They could not be written.
    """
    return tuple(save_png(plot.figure, folder / f"{plot.name}.png", marks=marks) for plot in plots)


def _plots(
    comparison: Comparison, details: Sequence[RowDetail | None], points: Mapping[str, RocPoint]
) -> Iterator[Plot]:
    accuracies = ", ".join(
        f"{row_title(row)} {'collapsed' if row.collapsed else number(row.test_accuracy)}" for row in comparison.rows
    )
    yield Plot(
        "overview",
        "overview",
        f"Test accuracy with intervals: {accuracies}.",
        overview_figure(comparison),
    )
    roc = roc_figure(comparison.rows, details, operating_points=points)
    if roc is not None:
        yield Plot("roc", "roc", f"ROC curves on the test part, with areas: {_areas(comparison)}.", roc)
    precision_recall = pr_figure(comparison.rows, details)
    if precision_recall is not None:
        shown = average_precisions(comparison.rows, details)
        words = ", ".join(f"{name} {number(value)}" for name, value in shown.items())
        yield Plot("pr", "pr", f"Precision-recall curves, average precision: {words}.", precision_recall)
    for place, (row, detail) in enumerate(zip(comparison.rows, details, strict=True), start=1):
        if detail is None or row.backbone == MAJORITY_CLASS:
            continue
        title = row_title(row)
        name = f"{place:02d}-{plot_file_name(title)}"
        yield Plot(
            "confusion",
            f"confusion-{name}",
            f"Confusion matrix on the test part, {title}: {_by_class(row)}.",
            confusion_figure(detail.confusion, classes=comparison.classes, title=stacked_title(row)),
        )
        history = history_figure(detail.history, title=title if row.mistake is None else stacked_title(row))
        if history is not None:
            yield Plot("history", f"history-{name}", f"How training went, {title}.", history)


def _areas(comparison: Comparison) -> str:
    return ", ".join(f"{row_title(row)} {number(row.test_roc_auc)}" for row in comparison.rows)


def _by_class(row: RowFigures) -> str:
    return ", ".join(f"{100 * figures.recall:.1f} % of {name} found" for name, figures in row.per_class.items())


def plot_file_name(title: str) -> str:
    """A title as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
