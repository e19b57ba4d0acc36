"""A confusion matrix: who was taken for what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tumorlens.reports.style import LONGEST_NAME, new_figure, plot_style
from tumorlens.reports.wording import shortened

__all__ = ["confusion_figure"]

_DARK, _LIGHT = "#0d1116", "#ffffff"  # on cells, whose colour does not follow the page
_SHARES = LinearSegmentedColormap.from_list("shares", ["#e8f1f8", "#8fbfe0", "#2478b8", "#114a78"])
_MOST_CELLS_WITH_TEXT = 12


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
        names = [shortened(name, LONGEST_NAME) for name in classes]
        axes.set_xticks(range(size), names)
        axes.set_yticks(range(size), names)
        axes.set_xticks(np.arange(size - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(size - 1) + 0.5, minor=True)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="predicted class", ylabel="reference label")
        axes.set_title(title)
    return figure


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
