"""What a child process trains on, described in plain JSON so that it can open it itself.

Descriptions only: :mod:`tumorlens.training.readers` opens them in the child. Knows nothing about
labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tumorlens.errors import InputError

__all__ = ["DatasetSource", "FlatSource", "NpySource", "PixelSource", "StoreSource"]


class FlatSource(Protocol):
    """Flattened features in row order, ``(n_rows, d)`` float32."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    def describe(self) -> dict[str, Any]:
        """JSON values from which :func:`~tumorlens.training.readers.open_flat` opens it."""


class PixelSource(Protocol):
    """Scans in row order, each ``(h, w, 3)`` uint8."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    def describe(self) -> dict[str, Any]:
        """JSON values from which :func:`~tumorlens.training.readers.open_pixels` opens it."""


@dataclass(frozen=True)
class NpySource:
    """A ``.npy`` file: features ``(n, d)`` float32 or scans ``(n, h, w, 3)`` uint8, in C order."""

    path: Path

    @property
    def n_rows(self) -> int:
        """Number of rows, from the file's header.

        Raises:
            InputError: The file cannot be read.
        """
        try:
            return int(np.load(self.path, mmap_mode="r", allow_pickle=False).shape[0])
        except (OSError, ValueError, EOFError, IndexError) as error:
            raise InputError(f"{self.path} is not a .npy file of rows: write it with numpy.save.") from error

    def describe(self) -> dict[str, Any]:
        """``{"kind": "npy", "path"}``."""
        return {"kind": "npy", "path": str(self.path.resolve())}


@dataclass(frozen=True)
class StoreSource:
    """Vectors of one kind in a :class:`~tumorlens.features.store.FeatureStore`.

    Attributes:
        path: Folder of the store.
        prefix: Key prefix of the kind of feature.
        digests: Pixel digest of each row; repeats are allowed.
    """

    path: Path
    prefix: bytes
    digests: Sequence[str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.digests)

    def describe(self) -> dict[str, Any]:
        """``{"kind": "store", "path", "prefix", "digests"}``."""
        return {
            "kind": "store",
            "path": str(self.path.resolve()),
            "prefix": self.prefix.hex(),
            "digests": list(self.digests),
        }


@dataclass(frozen=True)
class DatasetSource:
    """The pixels of an imported data set.

    Attributes:
        path: Folder of the pixel store.
        digests: Pixel digest of each row; repeats are allowed.
    """

    path: Path
    digests: Sequence[str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.digests)

    def describe(self) -> dict[str, Any]:
        """``{"kind": "dataset", "path", "digests"}``."""
        return {
            "kind": "dataset",
            "path": str(self.path.resolve()),
            "digests": list(self.digests),
        }
