"""Draws a heatmap: scan, painted scan, scale. Loaded only when a picture is wanted, as matplotlib takes its time."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tumorlens.explanation.heatmap import Heatmap

__all__ = ["draw_heatmap", "opacities"]

_COLOURS = "inferno"  # perceptually uniform, and rising in lightness, so that it reads in grey
_MOST_OPAQUE = 0.75
_PANEL_IN = 3.2
_ROOM_IN = 1.1
_DPI = 150
_LINE_CHARACTERS = 118
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}


def opacities(evidence: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """``(h, w)`` in 0..0.75: how strongly each cell is painted; 0 where it does not speak for the class."""
    strength = np.clip(evidence.astype(np.float64), 0.0, None)
    return _MOST_OPAQUE * strength / strength.max() if strength.max() > 0 else strength


def draw_heatmap(heatmap: Heatmap, path: Path) -> None:
    """Write the picture of ``heatmap`` as a PNG."""
    height, width = heatmap.scan.shape[:2]
    panel_height = _PANEL_IN * float(np.clip(height / width, 0.4, 2.5))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(2 * _PANEL_IN + 1.0, panel_height + _ROOM_IN), layout="constrained")
        left, right = figure.subplots(1, 2)
        _show_scan(left, heatmap, title="Scan")
        _show_scan(right, heatmap, title=f"Where the score of {_short(heatmap.label)} came from, coarse")
        if heatmap.speaks_for:
            painted = right.imshow(
                heatmap.evidence,
                cmap=_COLOURS,
                vmin=0.0,
                vmax=float(heatmap.evidence.max()),
                alpha=opacities(heatmap.evidence),
                extent=(0, width, height, 0),
                interpolation="nearest",
            )
            scale = figure.colorbar(painted, ax=[left, right], fraction=0.03, pad=0.01)
            if scale.solids is not None:  # the scale shows the colours as they are, not as thin as they are painted
                scale.solids.set_alpha(1.0)
            scale.set_label(f"log-odds of {_short(heatmap.label)}, by cell")
        words = _words(heatmap)
        figure.supxlabel(
            "\n".join(textwrap.fill(line, _LINE_CHARACTERS, break_on_hyphens=False) for line in words), fontsize=7.5
        )
        figure.savefig(path, format="png", dpi=_DPI, metadata={"Description": " ".join(words)})


def _show_scan(axes: Axes, heatmap: Heatmap, *, title: str) -> None:
    height, width = heatmap.scan.shape[:2]
    axes.imshow(heatmap.scan, extent=(0, width, height, 0), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=8.5)


def _words(heatmap: Heatmap) -> list[str]:
    rows, columns = heatmap.evidence.shape
    answer = f"{Path(heatmap.source).name}: {heatmap.label}, probability {heatmap.probability:.3f}."
    cells = f"{columns} x {rows} cells over the whole scan; only cells that speak for {heatmap.label} are painted."
    if not heatmap.speaks_for:
        cells = f"No cell of {columns} x {rows} speaks for {heatmap.label}, so nothing is painted."
    marks = f"{'; '.join(heatmap.marks).capitalize()}. " if heatmap.marks else ""
    return [f"{answer} {cells}", f"{marks}{heatmap.use} Model {heatmap.model}."]


def _short(label: str) -> str:
    return label if len(label) <= 18 else label[:17] + "…"
