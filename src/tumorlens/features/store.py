"""Feature vectors on disk, by what made them and by the pixels they belong to.

One LMDB environment: transactional, one writer and many readers, grows when full. A killed writer loses at most the
transaction in flight. Knows nothing about data sets or networks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import lmdb
import numpy as np

from tumorlens.errors import IntegrityError
from tumorlens.features.kind import StoredFeature
from tumorlens.types import Features
from tumorlens.workspace import storage_errors
from tumorlens.workspace.lmdb_errors import lmdb_errors

__all__ = ["FeatureReader", "FeatureStore", "StoredKind"]

_INITIAL_BYTES = 1 << 28
_MOST_BYTES_MAPPED = 64 << 20
_BYTES_MAPPED_A_READ = 64 << 10  # the system maps cached pages around the one that is asked for
_KINDS = b"kinds"
_VECTORS = b"vectors"


@dataclass(frozen=True)
class StoredKind:
    """One kind of feature in the store.

    Attributes:
        description: The facts of its kind.
        vectors: How many vectors are stored.
        bytes: What they occupy, without the store's own overhead.
    """

    description: dict[str, Any]
    vectors: int
    bytes: int


class FeatureStore:
    """The feature store of a workspace; a context manager.

    Args:
        path: Its folder; made when missing.

    Raises:
        StorageError: The folder cannot be written.
        IntegrityError: The store is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        self._open()

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self._environment.close()

    def release_after(self, bytes_read: int) -> None:
        """Give mapped pages back once enough was read: they would add up to the whole store in memory."""
        self._bytes_mapped += bytes_read
        if self._bytes_mapped > _MOST_BYTES_MAPPED:
            self.close()
            self._open()

    def missing(self, kind: StoredFeature, digests: Iterable[str]) -> list[str]:
        """Those of ``digests`` (distinct, in order) that have no vector of ``kind``."""
        with self._begin() as transaction:
            cursor = transaction.cursor(db=self._vectors)
            return [
                digest for digest in dict.fromkeys(digests) if not cursor.set_key(kind.prefix + bytes.fromhex(digest))
            ]

    def put_many(self, kind: StoredFeature, vectors: Sequence[tuple[str, Features]]) -> None:
        """Store vectors of shape ``(kind.width,)`` in one transaction: all of them or none.

        Raises:
            ValueError: A vector has another shape.
            StorageError: The disk is full; the store stays as it was.
        """
        items = [(kind.prefix + bytes.fromhex(digest), _encode(vector, kind)) for digest, vector in vectors]
        while True:
            try:
                with _refusals(self._path), self._begin(write=True) as transaction:
                    transaction.put(kind.prefix, kind.describe().encode(), db=self._kinds)
                    for key, value in items:
                        transaction.put(key, value, db=self._vectors)
                return
            except lmdb.MapFullError:
                self._grow(sum(len(value) for _, value in items))

    def read(self, kind: StoredFeature, digests: Sequence[str]) -> Features:
        """The vectors of ``digests`` in order, ``(n, kind.width)`` of the kind's type.

        Raises:
            KeyError: One is not stored.
        """
        return self.reader(kind.prefix, dtype=kind.dtype).get_many(digests, width=kind.width)

    def reader(self, prefix: bytes, *, dtype: str = "<f4") -> FeatureReader:
        """Read access to the vectors of one kind, named by its prefix, whose values are of ``dtype``."""
        return FeatureReader(self, prefix, np.dtype(dtype))

    def kinds(self) -> list[StoredKind]:
        """What the store holds, by kind."""
        with self._begin() as transaction:
            return [
                StoredKind(json.loads(description), *self._measure(transaction, prefix))
                for prefix, description in transaction.cursor(db=self._kinds)
            ]

    def _open(self) -> None:
        with _refusals(self._path):
            self._environment = lmdb.open(
                str(self._path), map_size=_INITIAL_BYTES, max_dbs=2, readahead=False, max_readers=512
            )
            self._vectors = self._environment.open_db(_VECTORS)
            self._kinds = self._environment.open_db(_KINDS)
        self._bytes_mapped = 0

    def _measure(self, transaction: lmdb.Transaction[bytes], prefix: bytes) -> tuple[int, int]:
        count = size = 0
        cursor = transaction.cursor(db=self._vectors)
        if cursor.set_range(prefix):
            for key, value in cursor:
                if not key.startswith(prefix):
                    break
                count, size = count + 1, size + len(value)
        return count, size

    def _grow(self, needed: int) -> None:
        current = self._environment.info()["map_size"]
        self._environment.set_mapsize(max(2 * current, current + 4 * needed))

    @contextmanager
    def _begin(self, *, write: bool = False) -> Iterator[lmdb.Transaction[bytes]]:
        while True:
            try:
                transaction = self._environment.begin(write=write)
                break
            except lmdb.MapResizedError:  # another process made the map larger
                self._environment.set_mapsize(0)
        with transaction:
            yield transaction


class FeatureReader:
    """Reads vectors of one kind by pixel digest."""

    def __init__(self, store: FeatureStore, prefix: bytes, dtype: np.dtype[Any]) -> None:
        self._store = store
        self._prefix = prefix
        self._dtype = dtype

    def get_many(self, digests: Sequence[str], *, width: int | None = None) -> Features:
        """The vectors of ``digests`` in order, ``(n, width)``.

        Args:
            digests: Pixel digests; repeats are allowed.
            width: Values in a vector; taken from the first one when not given.

        Raises:
            KeyError: One is not stored.
            IntegrityError: A stored vector has another length.
        """
        if not digests:
            return np.empty((0, width or 0), self._dtype)
        matrix = np.empty((len(digests), width or self._width(digests[0])), self._dtype)
        at_once = max(1, _MOST_BYTES_MAPPED // max(self._dtype.itemsize * matrix.shape[1], _BYTES_MAPPED_A_READ))
        for start in range(0, len(digests), at_once):
            self._read_into(matrix[start : start + at_once], digests[start : start + at_once])
        return matrix

    def _read_into(self, matrix: Features, digests: Sequence[str]) -> None:
        with self._store._begin() as transaction:
            for row, digest in enumerate(digests):
                vector = self._vector(transaction, digest)
                if len(vector) != matrix.shape[1]:
                    raise IntegrityError(
                        f"A stored feature vector should have {matrix.shape[1]} values but has {len(vector)}: "
                        "run tumorlens cache clean --features and repeat the command."
                    )
                matrix[row] = vector
        self._store.release_after(max(matrix.nbytes, len(digests) * _BYTES_MAPPED_A_READ))

    def _width(self, digest: str) -> int:
        with self._store._begin() as transaction:
            return len(self._vector(transaction, digest))

    def _vector(self, transaction: lmdb.Transaction[bytes], digest: str) -> Features:
        value = transaction.get(self._prefix + bytes.fromhex(digest), db=self._store._vectors)
        if value is None:
            raise KeyError(digest)
        return np.frombuffer(value, dtype=self._dtype)


def _encode(vector: Features, kind: StoredFeature) -> bytes:
    flat = np.ascontiguousarray(vector, dtype=kind.dtype).reshape(-1)
    if flat.size != kind.width:
        raise ValueError(f"expected a vector of {kind.width} values, got shape {vector.shape}")
    return flat.tobytes()


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn LMDB's refusals to write or to read into sentences."""
    try:
        with lmdb_errors(path):
            yield
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.PageNotFoundError) as error:
        raise IntegrityError(
            f"The feature store {path} is damaged: run tumorlens cache clean --features; features are computed again."
        ) from error
