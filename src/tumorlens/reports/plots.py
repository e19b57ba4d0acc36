"""The plots of a comparison: histories, confusion matrices, ROC curves, overview of test accuracy.

Each function gives a figure; :mod:`tumorlens.reports.style` makes it a file or a part of a page.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from tumorlens.evaluation import MAJORITY_CLASS, PublishedFigures, RowFigures
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.details import HistoryRow, RowDetail
from tumorlens.reports.style import BLUE, GREY, ORANGE, SERIES, new_figure, plot_style
from tumorlens.reports.wording import head_name, number, row_name, row_title, shortened

__all__ = ["confusion_figure", "history_figure", "overview_figure", "roc_figure"]

_WIDTH_IN = 4.7
_DARK, _LIGHT = "#0d1116", "#ffffff"
_SHARES = LinearSegmentedColormap.from_list("shares", ["#e8f1f8", "#8fbfe0", "#2478b8", "#114a78"])
_MOST_CELLS_WITH_TEXT = 12
_LONGEST_NAME = 18


def overview_figure(comparison: Comparison) -> Figure:
    """Test accuracy of every row as a dot on its interval, with baselines and published figures."""
    rows = comparison.rows
    with plot_style():
        figure, (axes,) = new_figure(_WIDTH_IN, 0.9 + 0.5 * len(rows))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(_lower_limit(rows), 1.0)
        for place, row in enumerate(rows):
            _draw_accuracy(axes, row, place, is_best=row is comparison.best_row)
        axes.set_yticks(range(len(rows)), [_tick_label(row) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel(_overview_label(comparison))
    return figure


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
        figure, (axes,) = new_figure(_WIDTH_IN, 4.3)
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


def confusion_figure(counts: npt.NDArray[np.int64], *, classes: Sequence[str], title: str) -> Figure:
    """A confusion matrix: counts and the share of each reference label's scans.

    Args:
        counts: ``(k, k)``: reference label down, predicted class across.
        classes: Class names in order.
        title: Of the plot.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(classes)
    with plot_style():
        figure, (axes,) = new_figure(1.9 + 0.85 * size, 1.3 + 0.72 * size)
        axes.imshow(shares, cmap=_SHARES, vmin=0.0, vmax=1.0, aspect="auto")
        for (down, across), share in np.ndenumerate(shares):
            if size <= _MOST_CELLS_WITH_TEXT:
                _write_cell(axes, down, across, int(counts[down, across]), float(share))
        names = [shortened(name, _LONGEST_NAME) for name in classes]
        axes.set_xticks(range(size), names)
        axes.set_yticks(range(size), names)
        axes.set_xticks(np.arange(size - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(size - 1) + 0.5, minor=True)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="predicted class", ylabel="reference label")
        axes.set_title(title)
    return figure


def history_figure(history: Sequence[HistoryRow], *, title: str) -> Figure | None:
    """How training went: accuracy and loss by epoch, or the regularisation path of a linear head.

    ``None`` for an empty history.
    """
    if not history:
        return None
    with plot_style():
        figure, axes = new_figure(_WIDTH_IN, 2.5, columns=2)
        if "strength" in history[0]:
            _draw_path(axes, history)
        else:
            _draw_epochs(axes, history)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    return figure


def _lower_limit(rows: Sequence[RowFigures]) -> float:
    lowest = [row.test_accuracy_low or row.test_accuracy for row in rows if not row.collapsed]
    lowest += [row.published.test_accuracy for row in rows if row.published]
    return max(0.0, np.floor(20 * min(lowest, default=0.0)) / 20 - 0.02)


def _tick_label(row: RowFigures) -> str:
    behind = head_name(row).replace(", ", ",\n")
    return f"{row_name(row)}\n{behind}" if behind else row_name(row)


def _overview_label(comparison: Comparison) -> str:
    interval = next((row.interval for row in comparison.rows if row.interval), None)
    label = "test accuracy"
    if interval is not None:
        label += f" with {100 * interval.level:g} % interval over {interval.n_groups:,} {interval.unit}"
    if any(row.published for row in comparison.rows):
        label += "\nhollow diamond: as published"
    return label


def _draw_accuracy(axes: Axes, row: RowFigures, place: int, *, is_best: bool) -> None:
    colour = GREY if row.kind == "baseline" else BLUE
    if row.published:
        _draw_published(axes, row.published, place)
    if row.collapsed:
        axes.annotate(
            f"collapsed: {row.collapsed_because}",
            (axes.get_xlim()[0], place),
            xytext=(8, 7),
            textcoords="offset points",
        )
        return
    if row.test_accuracy_low is not None and row.test_accuracy_high is not None:
        ends = [row.test_accuracy_low, row.test_accuracy_high]
        axes.plot(ends, [place, place], color=colour, linewidth=2.6, solid_capstyle="round", clip_on=False)
    marker = "s" if row.kind == "baseline" else "o"
    axes.plot(row.test_accuracy, place, marker, color=colour, markersize=7, clip_on=False)
    words = number(row.test_accuracy) + (" best on validation" if is_best else "")
    to_the_left = row.test_accuracy > np.mean(axes.get_xlim())
    axes.annotate(
        words,
        (row.test_accuracy, place),
        xytext=(0, 7),
        textcoords="offset points",
        ha="right" if to_the_left else "left",
        fontweight="bold" if is_best else "normal",
    )


def _draw_published(axes: Axes, published: PublishedFigures, place: int) -> None:
    colour = GREY if published.collapsed else ORANGE
    look = {"mfc": "none", "mec": colour, "mew": 1.4, "ms": 7}
    axes.plot(published.test_accuracy, place, "D", clip_on=False, **look)
    if published.collapsed:
        axes.annotate(
            "published: collapsed",
            (published.test_accuracy, place),
            xytext=(8, -3),
            textcoords="offset points",
            color=GREY,
        )


def _colours(rows: Sequence[RowFigures]) -> list[str]:
    remaining = iter(SERIES * (len(rows) // len(SERIES) + 1))
    return [GREY if row.kind == "baseline" else next(remaining) for row in rows]


def _name_curves(axes: Axes, rows: Sequence[RowFigures], colours: Sequence[str]) -> None:
    order = sorted(range(len(rows)), key=lambda index: rows[index].test_roc_auc or 0.0)
    for line, index in enumerate(order):
        axes.text(
            0.98,
            0.04 + 0.062 * line,
            f"{row_title(rows[index])}  {number(rows[index].test_roc_auc)}",
            color=colours[index],
            fontweight="bold",
            fontsize=9,
            ha="right",
            transform=axes.transAxes,
        )
    axes.text(
        0.98,
        0.05 + 0.062 * len(order),
        "area under the curve",
        ha="right",
        fontsize=9,
        transform=axes.transAxes,
    )


def _finish_roc(axes: Axes, detail: RowDetail) -> None:
    one = next(iter(detail.roc)) if len(detail.roc) == 1 else None
    axes.set(
        xlim=(-0.01, 1.0),
        ylim=(0.0, 1.01),
        xlabel="false positive rate, per slice (1 − specificity)",
        ylabel="true positive rate, per slice (sensitivity)",
        title=f"“{shortened(one, _LONGEST_NAME)}” against the rest" if one else "Each class against the rest",
    )
    axes.grid()


def _write_cell(axes: Axes, down: int, across: int, count: int, share: float) -> None:
    axes.text(
        across,
        down,
        f"{count:,}\n{100 * share:.1f} %",
        ha="center",
        va="center",
        fontweight="bold" if down == across else "normal",
        color=_LIGHT if share > 0.55 else _DARK,
    )


def _draw_epochs(axes: Sequence[Axes], history: Sequence[HistoryRow]) -> None:
    epochs = [float(entry["epoch"] or 0) for entry in history]
    labels = ("accuracy", f"loss{_penalty_words(history)}, nats")
    for axis, figure, ylabel in zip(axes, ("accuracy", "loss"), labels, strict=True):
        for part, colour, style in (("train", ORANGE, (0, (4, 2))), ("val", BLUE, "-")):
            values = [_value(entry.get(f"{part}_{figure}")) for entry in history]
            axis.plot(epochs, values, color=colour, linestyle=style, marker="o", markersize=3)
        axis.set(xlabel="epoch", ylabel=ylabel)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.grid(axis="y")
    _label_ends(axes[0], history, epochs[-1])


def _penalty_words(history: Sequence[HistoryRow]) -> str:
    last = history[-1]
    differs = _value(last.get("train_loss")) - _value(last.get("train_cross_entropy")) > 1e-6
    return " with L2" if differs else ""


def _label_ends(axis: Axes, history: Sequence[HistoryRow], last: float) -> None:
    ends = {
        "training": history[-1].get("train_accuracy"),
        "validation": history[-1].get("val_accuracy"),
    }
    training_above = _value(ends["training"]) >= _value(ends["validation"])
    for name, value in ends.items():
        above = training_above == (name == "training")
        axis.annotate(
            name,
            (last, _value(value)),
            xytext=(0, 8 if above else -8),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=ORANGE if name == "training" else BLUE,
            fontweight="bold",
        )
    axis.margins(y=0.25)


def _draw_path(axes: Sequence[Axes], history: Sequence[HistoryRow]) -> None:
    ordered = sorted(history, key=lambda entry: _value(entry["strength"]))
    strengths, losses, spreads, accuracies = (
        np.array([_value(entry.get(key)) for entry in ordered])
        for key in ("strength", "cv_loss", "cv_loss_spread", "cv_accuracy")
    )
    axes[0].plot(strengths, accuracies, color=BLUE, marker="o", markersize=3)
    axes[0].set_ylabel("accuracy")
    axes[1].fill_between(strengths, losses - spreads, losses + spreads, color=BLUE, alpha=0.22, linewidth=0)
    axes[1].plot(strengths, losses, color=BLUE, marker="o", markersize=3)
    axes[1].set_ylabel("loss ± SD of folds, nats")
    chosen = [_value(entry["strength"]) for entry in ordered if entry.get("chosen")]
    for axis in axes:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("regularisation strength")
        axis.grid(axis="y")
        for strength in chosen:
            axis.axvline(strength, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))


def _value(value: float | int | None) -> float:
    return float("nan") if value is None else float(value)
