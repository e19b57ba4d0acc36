"""The one look of all plots: colours, type, and how a figure becomes a PNG file or an inline SVG.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), set a little darker or lighter
so that each keeps a contrast of 3:1 on white and on near-black; meaning never rests on colour
alone.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.workspace import atomic_path

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "LONGEST_NAME",
    "ORANGE",
    "PLOT_WIDTH_IN",
    "SERIES",
    "figure_svg",
    "new_figure",
    "plot_style",
    "save_png",
]

INK = "#1b1e23"
"""Text and axes; becomes the page's own text colour in inline SVG."""

GREY = "#7d838c"
BLUE = "#2478b8"
ORANGE = "#cf6a08"
SERIES = (BLUE, ORANGE, "#16896a", "#a9569b", "#8a6f14", "#3f8fa8")
"""Colours of rows, in order; baselines are grey."""

PLOT_WIDTH_IN = 4.7
"""Width of most plots in inches: readable on a phone, two abreast on a laptop."""

LONGEST_NAME = 18
"""Class names are cut to so many characters in plots."""

_DPI = 160
_FOOT_CHARACTERS_AN_INCH = 17

_RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": GREY,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.hashsalt": "tumorlens",
}


@contextmanager
def plot_style() -> Iterator[None]:
    """Everything drawn inside has the house style; nothing outside is changed."""
    with mpl.rc_context(_RC):
        yield


def new_figure(width_in: float, height_in: float, *, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of the given size in inches with ``columns`` axes side by side; needs no display."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def save_png(figure: Figure, path: Path, *, marks: Sequence[str] = ()) -> Path:
    """Write ``figure`` to ``path`` atomically, with the words for research use at its foot; return
    the path.

    Args:
        figure: What to draw.
        path: Where to.
        marks: Further words that must go with the picture ("synthetic").

    Raises:
        StorageError: It could not be written.
    """
    words = " · ".join([*marks, RESEARCH_ONLY])
    with plot_style(), atomic_path(path) as temporary:
        lines = textwrap.fill(words, int(_FOOT_CHARACTERS_AN_INCH * figure.get_figwidth()))
        foot = figure.supxlabel(lines, x=0.99, ha="right", fontsize=7.5, color=GREY)
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Description": words})
        foot.set_text("")
    return path


def figure_svg(figure: Figure, *, label: str) -> str:
    """The figure as an ``<svg>`` element to stand in a page.

    It takes the page's font and text colour (so it follows light and dark), is transparent, and
    names nothing outside the page.

    Args:
        figure: What to draw.
        label: What it shows, in a sentence, for those who cannot see it.
    """
    text = io.StringIO()
    with plot_style(), mpl.rc_context({"svg.hashsalt": label}):
        figure.savefig(
            text,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _for_page(text.getvalue(), label)


def _for_page(svg: str, label: str) -> str:
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every drawing, and nothing points to them
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"'DejaVu Sans'(, [^;\"]*)?", "system-ui, sans-serif", svg)
    svg = svg.replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{_attribute(label)}"', 1)


def _attribute(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
