"""Opens, in the child process, what fine-tuning trains on: cached outputs of frozen layers, or the scans themselves."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorlens.features import FeatureStore, ViewSettings, draw_view
from tumorlens.scans import apply_view
from tumorlens.training.readers import PixelReader, Reader
from tumorlens.training.resize import resize_bilinear

__all__ = ["BoundaryReader", "ViewReader", "open_reader"]


def open_reader(description: Mapping[str, Any]) -> Reader:
    """The reader of what :class:`~tumorlens.training.sources.BoundarySource` or
    :class:`~tumorlens.training.sources.ViewSource` describes.
    """
    return BoundaryReader(description) if description["kind"] == "boundary" else ViewReader(description)


class BoundaryReader:
    """Cached outputs of frozen layers by row, one of the scan's views at random.

    Args:
        description: From :meth:`BoundarySource.describe <tumorlens.training.sources.BoundarySource.describe>`.

    Raises:
        IntegrityError: The store is damaged.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        store = FeatureStore(Path(description["path"]))
        self._readers = [store.reader(bytes.fromhex(prefix), dtype="<f2") for prefix in description["prefixes"]]
        self._shapes = [tuple(shape) for shape in description["shapes"]]
        self._width = sum(prod(shape) for shape in self._shapes)
        self._digests: list[str] = description["digests"]

    def read(self, rows: NDArray[np.int64], random: np.random.Generator | None) -> list[NDArray[Any]]:
        """One float16 array ``(b, …)`` a crossing tensor."""
        variants = np.zeros(len(rows), int) if random is None else random.integers(0, len(self._readers), len(rows))
        flat = np.empty((len(rows), self._width), np.float16)
        for variant in np.unique(variants):
            places = np.flatnonzero(variants == variant)
            digests = [self._digests[rows[place]] for place in places]
            flat[places] = self._readers[variant].get_many(digests, width=self._width)
        ends = np.cumsum([prod(shape) for shape in self._shapes])[:-1]
        parts = np.split(flat, ends, axis=1)
        return [part.reshape(len(rows), *shape) for part, shape in zip(parts, self._shapes, strict=True)]


class ViewReader:
    """Scans by row, each augmented anew.

    Args:
        description: From :meth:`ViewSource.describe <tumorlens.training.sources.ViewSource.describe>`.

    Raises:
        IntegrityError: The store is missing or damaged.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._scans = PixelReader(description)
        self._size: int = description["size"]
        self._settings = None if description["settings"] is None else ViewSettings(**description["settings"])

    def read(self, rows: NDArray[np.int64], random: np.random.Generator | None) -> list[NDArray[Any]]:
        """One array ``(b, size, size, 3)`` float32 in 0..255."""
        scans = []
        for row in rows:
            pixels = self._scans.get(row)
            if random is not None and self._settings is not None:
                pixels = apply_view(pixels, draw_view(random, self._settings))
            scans.append(resize_bilinear(pixels, size=self._size))
        return [np.stack(scans)]
