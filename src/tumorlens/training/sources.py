"""What a child process trains on, described in plain JSON so that it can open it itself.

Descriptions only: :mod:`tumorlens.training.readers` opens them in the child. Knows nothing about
labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DatasetSource", "StoreSource"]


class _StoredRows:
    """Rows of a training set that lie in a store under their pixel digests."""

    path: Path
    digests: Sequence[str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.digests)

    def describe(self) -> dict[str, Any]:
        """JSON values from which :mod:`tumorlens.training.readers` opens it."""
        return {"path": str(self.path.resolve()), "digests": list(self.digests)}


@dataclass(frozen=True)
class StoreSource(_StoredRows):
    """Flattened features of one kind in a :class:`~tumorlens.features.store.FeatureStore`.

    Attributes:
        path: Folder of the store.
        prefix: Key prefix of the kind of feature.
        digests: Pixel digest of each row; repeats are allowed.
    """

    path: Path
    prefix: bytes
    digests: Sequence[str]

    def describe(self) -> dict[str, Any]:
        """JSON values from which :class:`~tumorlens.training.readers.FlatReader` opens it."""
        return {**super().describe(), "prefix": self.prefix.hex()}


@dataclass(frozen=True)
class DatasetSource(_StoredRows):
    """The pixels of an imported data set.

    Attributes:
        path: Folder of the pixel store.
        digests: Pixel digest of each row; repeats are allowed.
    """

    path: Path
    digests: Sequence[str]
