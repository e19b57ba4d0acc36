"""Opens, in the child process, what :mod:`tumorlens.training.sources` describes. Only batches are
read, never the whole.

Stores are imported by the reader that needs them: pandas and OpenVINO have no business in the
memory of a child that reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import InputError
from tumorlens.training.npy_rows import NpyRows
from tumorlens.training.resize import resize_bilinear
from tumorlens.types import Features

__all__ = ["FlatReader", "PixelReader", "open_flat", "open_pixels"]


class FlatReader(Protocol):
    """Flattened features by row."""

    n_features: int

    def read(self, rows: NDArray[np.int64]) -> Features:
        """The features of ``rows``, ``(b, n_features)`` float32."""


class PixelReader(Protocol):
    """Scans by row."""

    def read(self, rows: NDArray[np.int64], *, size: int) -> NDArray[np.float32]:
        """The scans of ``rows``, ``(b, size, size, 3)`` float32 in 0..255."""


def open_flat(description: Mapping[str, Any]) -> FlatReader:
    """Open described features.

    Raises:
        InputError: What is described is not there or has another shape.
    """
    return _choose({"npy": _NpyFeatures, "store": _StoredFeatures}, description)


def open_pixels(description: Mapping[str, Any]) -> PixelReader:
    """Open described scans.

    Raises:
        InputError: What is described is not there or has another shape.
    """
    return _choose({"npy": _NpyPixels, "dataset": _StoredPixels}, description)


def _choose(kinds: Mapping[str, Callable[[Mapping[str, Any]], Any]], description: Mapping[str, Any]) -> Any:
    if description["kind"] not in kinds:
        raise InputError(f"A source must be one of {', '.join(kinds)}, got {description['kind']!r}.")
    return kinds[description["kind"]](description)


class _NpyFeatures:
    def __init__(self, description: Mapping[str, Any]) -> None:
        self._rows = NpyRows(Path(description["path"]))
        if len(self._rows.shape) != 2 or self._rows.dtype != np.float32:
            raise InputError(
                f"{description['path']} must hold (n, d) float32 features, got {self._rows.shape} {self._rows.dtype}."
            )
        self.n_features = self._rows.shape[1]

    def read(self, rows: NDArray[np.int64]) -> Features:
        return self._rows.read(rows).astype(np.float32, copy=False)


class _StoredFeatures:
    def __init__(self, description: Mapping[str, Any]) -> None:
        from tumorlens.features.store import FeatureStore

        self._reader = FeatureStore(Path(description["path"])).reader(bytes.fromhex(description["prefix"]))
        self._digests: list[str] = description["digests"]
        self.n_features = self._reader.get_many(self._digests[:1]).shape[1]

    def read(self, rows: NDArray[np.int64]) -> Features:
        return self._reader.get_many([self._digests[row] for row in rows], width=self.n_features)


class _NpyPixels:
    def __init__(self, description: Mapping[str, Any]) -> None:
        self._rows = NpyRows(Path(description["path"]))
        if len(self._rows.shape) != 4 or self._rows.shape[3] != 3 or self._rows.dtype != np.uint8:
            raise InputError(
                f"{description['path']} must hold (n, h, w, 3) uint8 scans, got {self._rows.shape} {self._rows.dtype}."
            )

    def read(self, rows: NDArray[np.int64], *, size: int) -> NDArray[np.float32]:
        return np.stack([resize_bilinear(scan, size=size) for scan in self._rows.read(rows).astype(np.uint8)])


class _StoredPixels:
    def __init__(self, description: Mapping[str, Any]) -> None:
        from tumorlens.datasets.pixelstore import open_pixel_store

        self._open = ExitStack()  # closes with the process
        self._store = self._open.enter_context(open_pixel_store(Path(description["path"])))
        self._digests: list[str] = description["digests"]

    def read(self, rows: NDArray[np.int64], *, size: int) -> NDArray[np.float32]:
        return np.stack([resize_bilinear(self._store.get(self._digests[row]), size=size) for row in rows])
