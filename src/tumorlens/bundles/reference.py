"""Training scans as unit vectors of features: how far a new scan lies from them, and which are nearest.

Holds no pixels. In a bundle the vectors stand alone, without names or labels; the list of neighbours in a run's folder
has both. Needs NumPy alone and knows nothing about thresholds.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.errors import IntegrityError
from tumorlens.types import Features
from tumorlens.workspace import atomic_path

__all__ = ["NEIGHBOURS_FILE", "REFERENCE_FILE", "Neighbour", "Neighbours", "nearest_distance", "nearest_rows"]
__all__ += ["read_reference", "unit_vectors", "write_reference"]

REFERENCE_FILE = "reference.npy"
"""Unit vectors of a bundle, ``(m, d)`` float16."""

NEIGHBOURS_FILE = "neighbours.npz"
"""Unit vectors with labels and sources, beside a run's bundle, or in a bundle that was asked to carry them."""

_ROWS_AT_ONCE = 1024

Vectors = npt.NDArray[np.float16]


def unit_vectors(features: Features) -> Vectors:
    """Features ``(n, d)`` divided by their length, ``(n, d)`` float16; a vector of zeros stays one."""
    length = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return (features / np.where(length > 0, length, 1.0)).astype(np.float16)


def nearest_distance(features: Features, reference: Features | Vectors) -> npt.NDArray[np.float64]:
    """``(n,)`` cosine distance, 0..2, of each of ``(n, d)`` features to the nearest of ``(m, d)`` unit vectors."""
    return nearest_rows(features, reference, count=1)[1][:, 0]


def nearest_rows(
    features: Features, reference: Features | Vectors, *, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The nearest unit vectors of each scan, exactly; a few thousand products at a time.

    Args:
        features: ``(n, d)``.
        reference: ``(m, d)`` unit vectors, m at least ``count``.
        count: How many.

    Returns:
        Rows of ``reference`` and cosine distances 0..2, ``(n, count)`` each, the nearest first.
    """
    wanted = np.asarray(unit_vectors(features), np.float32)
    rows = np.empty((len(wanted), 0), np.int64)
    likeness = np.empty((len(wanted), 0), np.float32)
    for start in range(0, len(reference), _ROWS_AT_ONCE):
        part = wanted @ np.asarray(reference[start : start + _ROWS_AT_ONCE], np.float32).T
        rows = np.hstack([rows, np.broadcast_to(np.arange(start, start + part.shape[1]), part.shape)])
        likeness = np.hstack([likeness, part])
        best = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
        rows, likeness = np.take_along_axis(rows, best, axis=1), np.take_along_axis(likeness, best, axis=1)
    return rows, np.clip(1.0 - likeness.astype(np.float64), 0.0, 2.0)


def write_reference(folder: Path, vectors: Vectors) -> None:
    """Write :data:`REFERENCE_FILE` into ``folder``."""
    with atomic_path(folder / REFERENCE_FILE) as temporary, temporary.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)


def read_reference(folder: Path) -> Features:
    """Read :data:`REFERENCE_FILE` as ``(m, d)`` float32, which products are taken of.

    Raises:
        IntegrityError: It is missing or holds something else.
    """
    path = folder / REFERENCE_FILE
    try:
        vectors: Vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise IntegrityError(f"{path} is missing or damaged: make the bundle again or restore it.") from error
    if vectors.dtype != np.float16 or vectors.ndim != 2 or not len(vectors):
        raise IntegrityError(f"{path} does not hold features: make the bundle again.")
    return np.asarray(vectors, np.float32)


@dataclass(frozen=True)
class Neighbour:
    """A training scan that is like another.

    Attributes:
        source: Where it came from; ``None`` where names are not kept.
        label: Its reference label.
        distance: Cosine distance of the features, 0..2.
        digest: Digest of its pixels.
    """

    source: str | None
    label: str
    distance: float
    digest: str


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Training scans to be looked up by features.

    Attributes:
        vectors: ``(n, d)`` float16 unit vectors.
        labels: ``(n,)`` reference labels.
        sources: ``(n,)`` where each came from; empty texts where names are not kept.
        digests: ``(n,)`` pixel digests.
        split: Digest of the split whose training part they are.
    """

    vectors: Vectors = field(repr=False)
    labels: npt.NDArray[np.str_] = field(repr=False)
    sources: npt.NDArray[np.str_] = field(repr=False)
    digests: npt.NDArray[np.str_] = field(repr=False)
    split: str

    def nearest(self, features: Features, *, count: int = 3) -> list[Neighbour]:
        """The ``count`` training scans nearest to one scan's ``(d,)`` features, the nearest first."""
        rows, distances = nearest_rows(features[None], self.vectors, count=min(count, len(self.vectors)))
        return [
            Neighbour(str(self.sources[row]) or None, str(self.labels[row]), float(distance), str(self.digests[row]))
            for row, distance in zip(rows[0], distances[0], strict=True)
        ]

    def without_sources(self) -> Neighbours:
        """The same without the names of files."""
        return replace(self, sources=np.full(self.sources.shape, ""))

    def write(self, folder: Path) -> None:
        """Write :data:`NEIGHBOURS_FILE` into ``folder``."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with atomic_path(folder / NEIGHBOURS_FILE) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays, split=np.array(self.split))

    @classmethod
    def read(cls, folder: Path) -> Neighbours | None:
        """Read :data:`NEIGHBOURS_FILE` from ``folder``; ``None`` where there is none.

        Raises:
            IntegrityError: It is damaged.
        """
        path = folder / NEIGHBOURS_FILE
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                found = cls(**{name: stored[name] for name in _ARRAYS}, split=str(stored["split"]))
        except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise _damaged(path) from error
        rows = {len(getattr(found, name)) for name in _ARRAYS}
        if len(rows) != 1 or found.vectors.ndim != 2 or found.vectors.dtype != np.float16:
            raise _damaged(path)
        return found


_ARRAYS = ("vectors", "labels", "sources", "digests")


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(f"{path} is damaged: run the command that made the run again.")
