"""Draws a heatmap: scan, painted scan, scale, words. With Pillow, as a plotted figure takes several times as long.

Loaded only when a picture is wanted.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from tumorlens.explanation.heatmap import Heatmap

__all__ = ["draw_heatmap", "opacities", "painted_scan"]

_COLOURS = "inferno"  # perceptually uniform, and rising in lightness, so that it reads in grey
_MOST_OPAQUE = 0.75
_PANEL = 480
_LEAST_SIDE = 24
_GAP = 16
_TITLE = 26
_LINE = 19
_SCALE = (18, 92)  # width of the bar, and of what is written beside it
_INK, _PAPER = (27, 30, 35), (255, 255, 255)

_Colour = npt.NDArray[np.float64]


def opacities(evidence: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """``(h, w)`` in 0..0.75: how strongly each cell is painted; 0 where it does not speak for the class."""
    strength = np.clip(evidence.astype(np.float64), 0.0, None)
    return _MOST_OPAQUE * strength / strength.max() if strength.max() > 0 else strength


def draw_heatmap(heatmap: Heatmap, out: Path | BinaryIO) -> None:
    """Write the picture of ``heatmap`` as a PNG to a path or a stream."""
    width, height = _panel_size(heatmap)
    scan = Image.fromarray(heatmap.scan).resize((width, height), Image.Resampling.BICUBIC)
    total = 3 * _GAP + 2 * width + (_GAP + sum(_SCALE) if heatmap.speaks_for else 0)
    total = max(total, 2 * _PANEL)
    words = _words(heatmap)
    lines = [line for sentence in words for line in _wrapped(sentence, total - 2 * _GAP)]
    bottom = _TITLE + height + _GAP
    picture = Image.new("RGB", (total, bottom + _LINE * len(lines) + _GAP), _PAPER)
    pen = ImageDraw.Draw(picture)
    for place, (title, panel) in enumerate((("Scan", scan), (_title(heatmap), painted_scan(heatmap, scan)))):
        left = _GAP + place * (width + _GAP)
        pen.text((left, 5), title, fill=_INK, font=_font())
        picture.paste(panel, (left, _TITLE))
    if heatmap.speaks_for:
        _draw_scale(picture, pen, left=3 * _GAP + 2 * width, height=height, most=float(heatmap.evidence.max()))
    for place, line in enumerate(lines):
        pen.text((_GAP, bottom + place * _LINE), line, fill=_INK, font=_font())
    note = PngInfo()
    note.add_itxt("Description", " ".join(words))
    picture.save(out, format="PNG", pnginfo=note)


def _panel_size(heatmap: Heatmap) -> tuple[int, int]:
    height, width = heatmap.scan.shape[:2]
    factor = _PANEL / max(height, width)
    return max(_LEAST_SIDE, round(width * factor)), max(_LEAST_SIDE, round(height * factor))


def painted_scan(heatmap: Heatmap, scan: Image.Image) -> Image.Image:
    """``scan`` (that of ``heatmap``, at any size) under its cells, each a rectangle of one colour and opacity."""
    opacity = opacities(heatmap.evidence)
    width, height = scan.size
    rows = np.arange(height) * opacity.shape[0] // height
    columns = np.arange(width) * opacity.shape[1] // width
    alpha = opacity[np.ix_(rows, columns)][..., None]
    colours = _colours(opacity / _MOST_OPAQUE)[np.ix_(rows, columns)]
    mixed = (1.0 - alpha) * np.asarray(scan, np.float64) + alpha * colours
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _draw_scale(picture: Image.Image, pen: ImageDraw.ImageDraw, *, left: int, height: int, most: float) -> None:
    bar = np.repeat(_colours(np.linspace(1.0, 0.0, height))[:, None], _SCALE[0], axis=1)
    picture.paste(Image.fromarray(np.rint(bar).astype(np.uint8)), (left, _TITLE))
    pen.text((left, 5), "log-odds", fill=_INK, font=_font())
    for share in (0.0, 0.5, 1.0):
        middle = _TITLE + (1.0 - share) * (height - 1)
        pen.line((left + _SCALE[0], middle, left + _SCALE[0] + 4, middle), fill=_INK)
        top = min(max(middle - 8, _TITLE), _TITLE + height - 16)
        pen.text((left + _SCALE[0] + 8, top), f"{share * most:.3g}", fill=_INK, font=_font())


def _colours(shares: npt.NDArray[np.float64]) -> _Colour:
    """Colours ``(…, 3)`` in 0..255 of shares of the strongest cell."""
    return np.asarray(mpl.colormaps[_COLOURS](shares), np.float64)[..., :3] * 255.0


@lru_cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 13)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` pixels, broken between words; a longer word is broken where it must be."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _font().getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if _font().getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _title(heatmap: Heatmap) -> str:
    label = heatmap.label if len(heatmap.label) <= 18 else f"{heatmap.label[:17]}…"
    start = "Not informative: where" if heatmap.informative is False else "Where"
    return f"{start} the score of {label} came from, coarse"


def _words(heatmap: Heatmap) -> list[str]:
    rows, columns = heatmap.evidence.shape
    answer = f"{Path(heatmap.source).name}: {heatmap.label}, probability {heatmap.probability:.3f}."
    cells = f"{columns} x {rows} cells over the whole scan; only cells that speak for {heatmap.label} are painted."
    if not heatmap.speaks_for:
        cells = f"No cell of {columns} x {rows} speaks for {heatmap.label}, so nothing is painted."
    marks = f"{'; '.join(heatmap.marks).capitalize()}. " if heatmap.marks else ""
    sentences = (f"{answer} {cells}", _check_words(heatmap), _size_words(heatmap), _views_words(heatmap))
    return [*filter(None, sentences), f"{marks}{heatmap.use} Model {heatmap.model}."]


def _check_words(heatmap: Heatmap) -> str:
    """What the check of this model's maps says; nothing where they passed."""
    if heatmap.informative is None:
        return "Not checked: whether this model's heatmaps depend on what it learned."
    if heatmap.informative:
        return ""
    return "Not informative: this model's heatmaps hardly change without what it learned, so they say nothing."


def _size_words(heatmap: Heatmap) -> str:
    if heatmap.sizes is None:
        return ""
    of_map, of_answer = heatmap.sizes
    return f"The map is of the scan at {of_map} px; label and probability are those at {of_answer} px."


def _views_words(heatmap: Heatmap) -> str:
    if heatmap.views == 1:
        return ""
    return f"The probability is the mean over {heatmap.views} views; the map is of the scan as it is."
