"""Small pictures of single scans for the audit's page. Reads pixels and never writes a file."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageOps

from tumorlens.datasets import Dataset
from tumorlens.reports.wording import shortened
from tumorlens.types import Pixels

__all__ = ["TILE_SIZE", "Tile", "TileOf", "draw_tile", "open_tiles"]

TILE_SIZE = 120
"""Height and width of a tile in pixels."""

_QUALITY = 78
_LONGEST_SOURCE = 60


@dataclass(frozen=True)
class Tile:
    """A scan, small.

    Attributes:
        jpeg: The picture's bytes, of 120x120 pixels.
        source: Where the scan came from; cut in the middle where it is long.
        label: Its label.
    """

    jpeg: bytes
    source: str
    label: str

    @property
    def base64(self) -> str:
        """The bytes as text for a ``data:`` address."""
        return base64.b64encode(self.jpeg).decode("ascii")

    @property
    def alt(self) -> str:
        """What it shows, for those who cannot see it."""
        return f"Scan {self.source}, labelled {self.label}"


TileOf: TypeAlias = Callable[[int], Tile]
"""Gives the tile of a row."""


@contextmanager
def open_tiles(dataset: Dataset) -> Iterator[TileOf]:
    """Give a function that draws the tile of a row of ``dataset``, for the length of the context."""
    sources = dataset.manifest["source"].to_numpy()
    labels = dataset.manifest["label"].to_numpy()
    digests = dataset.digests
    with dataset.open_pixels() as store:

        def tile(row: int) -> Tile:
            return Tile(draw_tile(store.get(str(digests[row]))), _short_source(str(sources[row])), str(labels[row]))

        yield tile


def draw_tile(pixels: Pixels) -> bytes:
    """Fit a scan ``(h, w, 3)`` uint8 into a black square, keeping its proportions; return the JPEG file."""
    picture = Image.fromarray(pixels)
    if (pixels == pixels[:, :, :1]).all():
        picture = picture.convert("L")
    square = ImageOps.pad(picture, (TILE_SIZE, TILE_SIZE), method=Image.Resampling.BICUBIC)
    file = io.BytesIO()
    square.save(file, format="JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def _short_source(source: str) -> str:
    """The end of a path tells more than its start."""
    line = " ".join(source.split())
    return line if len(line) <= _LONGEST_SOURCE else "…" + shortened(line[-(_LONGEST_SOURCE - 1) :], _LONGEST_SOURCE)
