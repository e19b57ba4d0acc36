"""Pairs of twins as columns: a large data set has more of them than is good to hold as objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import Twin, TwinKind

__all__ = ["KINDS", "TwinTable"]

KINDS: tuple[TwinKind, ...] = ("exact", "copy", "mirrored", "neighbour")
"""From the closest kind to the least close."""


@dataclass(frozen=True, eq=False)
class TwinTable(Sequence[Twin]):
    """Twins in columns; read as a sequence it gives :class:`~tumorlens.audit.findings.Twin` values.

    Attributes:
        first: ``(p,)`` int64 row ids.
        second: ``(p,)`` int64 row ids.
        kind: ``(p,)`` int8: place in :data:`KINDS`.
        similarity: ``(p,)`` float32 in -1..1.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    similarity: npt.NDArray[np.float32]

    @classmethod
    def of(cls, pairs: Iterable[Twin]) -> TwinTable:
        """Return ``pairs`` as a table; a table stays itself."""
        if isinstance(pairs, TwinTable):
            return pairs
        listed = list(pairs)
        return cls(
            np.array([twin.first for twin in listed], np.int64),
            np.array([twin.second for twin in listed], np.int64),
            np.array([KINDS.index(twin.kind) for twin in listed], np.int8),
            np.array([twin.similarity for twin in listed], np.float32),
        )

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, index: int) -> Twin: ...

    @overload
    def __getitem__(self, index: slice) -> TwinTable: ...

    def __getitem__(self, index: int | slice) -> Twin | TwinTable:
        if isinstance(index, slice):
            return self.take(index)
        kind = KINDS[int(self.kind[index])]
        return Twin(int(self.first[index]), int(self.second[index]), kind, float(self.similarity[index]))

    def take(self, places: slice | npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> TwinTable:
        """Return the pairs at these places, or where a mask is true."""
        return TwinTable(self.first[places], self.second[places], self.kind[places], self.similarity[places])

    def closest_first(self) -> npt.NDArray[np.int64]:
        """Return the places of the pairs by kind, the closest first, and within a kind by similarity."""
        return np.lexsort((self.second, self.first, -self.similarity, self.kind))
