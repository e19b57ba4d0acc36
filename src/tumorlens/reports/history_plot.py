"""How training went: by epoch, along the regularisation path of a linear head, or as members joined an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from tumorlens.reports.details import HistoryRow
from tumorlens.reports.style import BLUE, GREY, ORANGE, PLOT_WIDTH_IN, new_figure, plot_style

__all__ = ["history_figure"]


def history_figure(history: Sequence[HistoryRow], *, title: str) -> Figure | None:
    """How training went: accuracy and loss by epoch, by regularisation strength, or by models that joined.

    ``None`` for an empty history.
    """
    if not history:
        return None
    with plot_style():
        figure, axes = new_figure(PLOT_WIDTH_IN, 2.5, columns=2)
        if "strength" in history[0]:
            _draw_path(axes, history)
        elif "joined" in history[0]:
            _draw_selection(axes, history)
        else:
            _draw_epochs(axes, history)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    return figure


def _draw_epochs(axes: Sequence[Axes], history: Sequence[HistoryRow]) -> None:
    epochs = [float(entry["epoch"] or 0) for entry in history]
    labels = ("accuracy", f"loss{_penalty_words(history)}, nats")
    for axis, figure, ylabel in zip(axes, ("accuracy", "loss"), labels, strict=True):
        for part, colour, style in (("train", ORANGE, (0, (4, 2))), ("val", BLUE, "-")):
            values = [_value(entry.get(f"{part}_{figure}")) for entry in history]
            axis.plot(epochs, values, color=colour, linestyle=style, marker="o", markersize=3)
        axis.set(xlabel="epoch", ylabel=ylabel)
        for epoch in [float(entry["epoch"] or 0) for entry in history if entry.get("kept")]:
            axis.axvline(epoch, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.grid(axis="y")
    _label_ends(axes[0], history, epochs[-1])


def _penalty_words(history: Sequence[HistoryRow]) -> str:
    """What losses hold beside cross-entropy: a penalty on both curves, or what only training minimises."""
    last = history[-1]
    training, validation = (
        abs(_value(last.get(f"{part}_loss")) - _value(last.get(f"{part}_cross_entropy"))) > 1e-6
        for part in ("train", "val")
    )
    if validation:
        return " with L2"
    return " (training: smoothed, mixed)" if training else ""


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


def _draw_selection(axes: Sequence[Axes], history: Sequence[HistoryRow]) -> None:
    joined = [_value(entry["joined"]) for entry in history]
    kept = max((_value(entry["joined"]) for entry in history if entry.get("kept")), default=joined[-1])
    for axis, figure, ylabel in zip(axes, ("accuracy", "loss"), ("accuracy", "loss, nats"), strict=True):
        values = [_value(entry.get(f"val_{figure}")) for entry in history]
        axis.plot(joined, values, color=BLUE, marker="o", markersize=3)
        axis.axvline(kept, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
        axis.set(xlabel="models joined", ylabel=f"validation {ylabel}")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.grid(axis="y")


def _value(value: float | int | str | None) -> float:
    return float("nan") if value is None else float(value)
