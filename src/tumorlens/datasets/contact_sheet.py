"""A picture of a data set: a row of examples per class, so that a mix-up is seen at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from tumorlens.datasets.dataset import Dataset

__all__ = ["contact_sheet", "draw_sheet"]

_TILE = 120
_GAP = 6
_CAPTION = 22
_FOOTER = "Research output, not for patient care"
_BACKGROUND, _TEXT = (24, 24, 24), (235, 235, 235)


def contact_sheet(dataset: Dataset, *, count: int = 8) -> Image.Image:
    """Draw examples of every class.

    Args:
        dataset: What to show.
        count: Most examples a class; they are spread evenly over the class's groups.

    Returns:
        An RGB picture; see :func:`draw_sheet`.
    """
    labels, digests = dataset.labels, dataset.digests
    with dataset.open_pixels() as store:
        rows = [
            (
                f"{name} ({int((labels == index).sum()):,} scans)",
                [store.get(digests[row]) for row in _examples(dataset, labels == index, count=count)],
            )
            for index, name in enumerate(dataset.classes)
        ]
    return draw_sheet(rows, synthetic=dataset.synthetic)


def draw_sheet(rows: Sequence[tuple[str, Sequence[npt.NDArray[np.uint8]]]], *, synthetic: bool) -> Image.Image:
    """Draw rows of scans under captions.

    Args:
        rows: Caption and scans, each ``(h, w)`` or ``(h, w, 3)`` uint8.
        synthetic: Whether the scans are made up.

    Returns:
        An RGB picture: per row its caption and a line of tiles, and below what the picture may be used for.
    """
    columns = max((len(scans) for _, scans in rows), default=0)
    row_height = _CAPTION + _TILE + _GAP
    size = (max(columns * (_TILE + _GAP) + _GAP, 480), len(rows) * row_height + _GAP + _CAPTION)
    sheet = Image.new("RGB", size, _BACKGROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for index, (caption, scans) in enumerate(rows):
        top = _GAP + index * row_height
        pen.text((_GAP, top), _shorten(caption), fill=_TEXT, font=font)
        for place, pixels in enumerate(scans):
            sheet.paste(_tile(pixels), (_GAP + place * (_TILE + _GAP), top + _CAPTION))
    kind = "Synthetic scans. " if synthetic else ""
    pen.text((_GAP, size[1] - _CAPTION), kind + _FOOTER, fill=_TEXT, font=font)
    return sheet


def _examples(dataset: Dataset, mask: npt.NDArray[np.bool_], *, count: int) -> npt.NDArray[np.int64]:
    """Pick rows evenly over the first scan of each group, filled up with others where few."""
    rows = np.flatnonzero(mask)
    _, first = np.unique(dataset.groups[rows], return_index=True)
    leaders = rows[np.sort(first)]
    if len(leaders) < count:
        rest = np.setdiff1d(rows, leaders)
        leaders = np.sort(np.concatenate([leaders, rest[: count - len(leaders)]]))
    places = np.linspace(0, len(leaders) - 1, min(count, len(leaders)))
    return leaders[np.rint(places).astype(np.int64)]


def _tile(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """Fit a scan into a square tile, keeping its proportions."""
    picture = Image.fromarray(pixels)
    scale = _TILE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    tile = Image.new("RGB", (_TILE, _TILE))
    offset = ((_TILE - size[0]) // 2, (_TILE - size[1]) // 2)
    tile.paste(picture.resize(size, Image.Resampling.BICUBIC), offset)
    return tile


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
