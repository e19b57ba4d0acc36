"""Decodes the scans of a source once and stores their pixels and thumbnails, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import PIXEL_FOLDER
from tumorlens.datasets.measures import THUMBNAIL_SIZE, grey_image, head_measures, thumbnail
from tumorlens.datasets.pixelstore import PixelStore, encode_pixels, open_pixel_store
from tumorlens.datasets.pool import ordered_map
from tumorlens.datasets.source import ScanSource
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import Scan, pixel_digest, quiet_decoding

__all__ = ["Ingested", "StoredScan", "ingest"]

_WORKERS = 2
_AHEAD = 32
_BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class StoredScan:
    """What is known of one scan once its pixels are stored.

    Attributes:
        row: Its place among the source's rows.
        digest: Digest of its pixels.
        height: In pixels.
        width: In pixels.
        format: What it was read from.
        mode: How its values were stored.
        area: The head's share of the scan, 0..1.
        brightness: Median grey of the head, 0..1.
    """

    row: int
    digest: str
    height: int
    width: int
    format: str
    mode: str
    area: float
    brightness: float


@dataclass(frozen=True)
class Ingested:
    """The outcome of reading a source.

    Attributes:
        scans: The readable scans, in import order.
        thumbnails: Thumbnail of each distinct digest, in order of appearance, ``(d, 60, 60)``.
        digests: The distinct digests, in the same order.
        unreadable: One sentence for each scan that could not be read.
    """

    scans: tuple[StoredScan, ...]
    thumbnails: npt.NDArray[np.uint8] = field(repr=False)
    digests: tuple[str, ...] = field(repr=False)
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class _Prepared:
    scan: StoredScan
    value: bytes
    thumbnail: npt.NDArray[np.uint8]


def ingest(source: ScanSource, folder: Path, *, skip_unreadable: bool, progress: Progress) -> Ingested:
    """Read every scan of ``source`` and store its pixels in its subfolder for pixels.

    Args:
        source: What to read.
        folder: The data set's (temporary) folder.
        skip_unreadable: Whether unreadable files are left out instead of stopping the import.
        progress: Told about each scan.

    Raises:
        InputError: Scans are unreadable and not to be skipped; all are counted, the first named.
        StorageError: The disk is full or may not be written.
    """
    scans: list[StoredScan] = []
    unreadable: list[str] = []
    jobs = enumerate(source.loaders())
    with (
        quiet_decoding(),
        open_pixel_store(folder / PIXEL_FOLDER, writable=True) as store,
        _Writer(store) as writer,
        progress.task("Reading scans", total=len(source.rows)) as task,
    ):
        for result in ordered_map(_prepare, jobs, workers=_WORKERS, ahead=_AHEAD):
            if isinstance(result, _Prepared):
                writer.add(result)
                scans.append(result.scan)
            else:
                unreadable.append(result)
            task.advance()
    if unreadable and not skip_unreadable:
        raise _unreadable_error(unreadable, total=len(source.rows))
    return Ingested(tuple(scans), writer.thumbnails(), tuple(writer.places), tuple(unreadable))


def _prepare(job: tuple[int, Callable[[], Scan]]) -> _Prepared | str:
    row, load = job
    try:
        scan = load()
    except InputError as error:
        return str(error)
    grey = grey_image(scan.pixels)
    area, brightness = head_measures(grey)
    height, width, _ = scan.pixels.shape
    digest = pixel_digest(scan.pixels)
    stored = StoredScan(row, digest, height, width, scan.format, scan.mode, area, brightness)
    return _Prepared(stored, encode_pixels(scan.pixels), thumbnail(grey))


class _Writer:
    """Writes distinct pixels in batches and keeps their thumbnails (3,600 bytes each)."""

    def __init__(self, store: PixelStore) -> None:
        self.places: dict[str, int] = {}
        self._store = store
        self._thumbnails: list[npt.NDArray[np.uint8]] = []
        self._batch: list[tuple[str, bytes]] = []
        self._bytes = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()

    def add(self, prepared: _Prepared) -> None:
        """Store one scan unless its pixels are stored already."""
        digest = prepared.scan.digest
        if digest in self.places:
            return
        self.places[digest] = len(self.places)
        self._thumbnails.append(prepared.thumbnail)
        self._batch.append((digest, prepared.value))
        self._bytes += len(prepared.value)
        if self._bytes >= _BATCH_BYTES:
            self._flush()

    def thumbnails(self) -> npt.NDArray[np.uint8]:
        """Return the thumbnails, ``(d, 60, 60)``."""
        shape = (len(self.places), THUMBNAIL_SIZE, THUMBNAIL_SIZE)
        return np.array(self._thumbnails, np.uint8).reshape(shape)

    def _flush(self) -> None:
        self._store.write_encoded(self._batch)
        self._batch, self._bytes = [], 0


def _unreadable_error(reasons: Iterable[str], *, total: int) -> InputError:
    listed = list(reasons)
    if len(listed) == 1:
        return InputError(listed[0])
    return InputError(f"{len(listed)} of {total} scans cannot be read; the first: {' '.join(listed[:3])}")
