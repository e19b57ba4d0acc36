"""Opens, in the child process, what :mod:`tumorlens.training.sources` describes. Only batches are
read, never the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorlens.datasets import open_pixel_store
from tumorlens.features import FeatureStore
from tumorlens.types import Features, Pixels

__all__ = ["FlatReader", "PixelReader", "Reader"]


class Reader(Protocol):
    """Gives inputs of some rows, one array an input of the model."""

    def read(self, rows: NDArray[np.int64], random: np.random.Generator | None) -> list[NDArray[Any]]:
        """The inputs of ``rows``, augmented as drawn from ``random``; ``None``: as they are."""


class FlatReader:
    """Flattened features by row.

    Args:
        description: From :meth:`StoreSource.describe <tumorlens.training.sources.StoreSource.describe>`.

    Attributes:
        n_features: Length of a vector.

    Raises:
        IntegrityError: The store is damaged.
        KeyError: The first row is not stored.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._reader = FeatureStore(Path(description["path"])).reader(bytes.fromhex(description["prefix"]))
        self._digests: list[str] = description["digests"]
        self.n_features = self._reader.get_many(self._digests[:1]).shape[1]

    def read(self, rows: NDArray[np.int64]) -> Features:
        """The features of ``rows``, ``(b, n_features)`` float32."""
        return self._reader.get_many([self._digests[row] for row in rows], width=self.n_features)


class PixelReader:
    """Scans by row.

    Args:
        description: From :meth:`ViewSource.describe <tumorlens.training.sources.ViewSource.describe>`.

    Raises:
        IntegrityError: The store is missing or damaged.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._open = ExitStack()  # closes with the process
        self._store = self._open.enter_context(open_pixel_store(Path(description["path"])))
        self._digests: list[str] = description["digests"]

    def get(self, row: int) -> Pixels:
        """One scan as it is, ``(h, w, 3)`` uint8."""
        return self._store.get(self._digests[row])
