"""What a child process trains on, described in plain JSON so that it can open it itself.

Descriptions only: :mod:`tumorlens.training.readers` and :mod:`tumorlens.training.view_readers` open them in the child.
Knows nothing about labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tumorlens.features import ViewSettings

__all__ = ["BoundarySource", "StoreSource", "ViewSource"]


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
class BoundarySource(_StoredRows):
    """Outputs of a network's frozen part in a :class:`~tumorlens.features.store.FeatureStore`, with their views.

    Attributes:
        path: Folder of the store.
        prefixes: Key prefix of each view; the first is of the scans as they are.
        shapes: Shape of each tensor that crosses into the trained part.
        digests: Pixel digest of each row; repeats are allowed.
    """

    path: Path
    prefixes: Sequence[bytes]
    shapes: Sequence[Sequence[int]]
    digests: Sequence[str]

    def describe(self) -> dict[str, Any]:
        """JSON values from which :class:`~tumorlens.training.view_readers.BoundaryReader` opens it."""
        prefixes = [prefix.hex() for prefix in self.prefixes]
        shapes = [list(shape) for shape in self.shapes]
        return {**super().describe(), "kind": "boundary", "prefixes": prefixes, "shapes": shapes}


@dataclass(frozen=True)
class ViewSource(_StoredRows):
    """The pixels of an imported data set, augmented anew each time.

    Attributes:
        path: Folder of the pixel store.
        digests: Pixel digest of each row; repeats are allowed.
        size: Side to which scans are resized, pixels.
        settings: How far views may go; ``None``: scans as they are.
    """

    path: Path
    digests: Sequence[str]
    size: int
    settings: ViewSettings | None

    def describe(self) -> dict[str, Any]:
        """JSON values from which :class:`~tumorlens.training.view_readers.ViewReader` opens it."""
        settings = None if self.settings is None else asdict(self.settings)
        return {**super().describe(), "kind": "views", "size": self.size, "settings": settings}
