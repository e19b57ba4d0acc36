"""Decodes the scans of a source once and stores their pixels, masks and thumbnails, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import MASK_FOLDER, PIXEL_FOLDER
from tumorlens.datasets.measures import THUMBNAIL_SIZE, grey_image, head_measures, thumbnail
from tumorlens.datasets.pixelstore import PixelStore, encode_pixels, open_pixel_store
from tumorlens.datasets.pool import ordered_map
from tumorlens.datasets.source import ScanSource
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import PixelSteps, Scan, pixel_digest, prepare_scan, quiet_decoding

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
        receipt: The steps that made its pixels.
        facts: Coded facts of its header, by manifest column.
    """

    row: int
    digest: str
    height: int
    width: int
    format: str
    mode: str
    area: float
    brightness: float
    receipt: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


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
    mask: bytes | None
    thumbnail: npt.NDArray[np.uint8]


def ingest(
    source: ScanSource, folder: Path, *, steps: PixelSteps, skip_unreadable: bool, progress: Progress
) -> Ingested:
    """Read every scan of ``source`` and store its pixels, and masks where there are any, in subfolders.

    Args:
        source: What to read.
        folder: The data set's (temporary) folder.
        steps: What is done to every scan after reading.
        skip_unreadable: Whether unreadable files are left out instead of stopping the import.
        progress: Told about each scan.

    Raises:
        InputError: Scans are unreadable and not to be skipped; all are counted, the first named.
        StorageError: The disk is full or may not be written.
    """
    scans: list[StoredScan] = []
    unreadable: list[str] = []
    with (
        quiet_decoding(),
        _Writer(folder) as writer,
        progress.task("Reading scans", total=len(source.rows)) as task,
    ):
        prepare = partial(_prepare, steps=steps)
        for result in ordered_map(prepare, enumerate(source.loaders()), workers=_WORKERS, ahead=_AHEAD):
            if isinstance(result, _Prepared):
                writer.add(result)
                scans.append(result.scan)
            else:
                unreadable.append(result)
            task.advance()
    if unreadable and not skip_unreadable:
        raise _unreadable_error(unreadable, total=len(source.rows))
    return Ingested(tuple(scans), writer.thumbnails(), tuple(writer.places), tuple(unreadable))


def _prepare(job: tuple[int, Callable[[], Scan]], *, steps: PixelSteps) -> _Prepared | str:
    row, load = job
    try:
        scan = prepare_scan(load(), steps)
    except InputError as error:
        return str(error)
    grey = grey_image(scan.pixels)
    area, brightness = head_measures(grey)
    height, width, _ = scan.pixels.shape
    stored = StoredScan(
        row=row,
        digest=pixel_digest(scan.pixels),
        height=height,
        width=width,
        format=scan.format,
        mode=scan.mode,
        area=area,
        brightness=brightness,
        receipt=scan.receipt,
        facts=scan.facts,
    )
    mask = None if scan.mask is None else encode_pixels(_mask_pixels(scan.mask))
    return _Prepared(stored, encode_pixels(scan.pixels), mask, thumbnail(grey))


def _mask_pixels(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """A mask as a picture, so that masks are stored as scans are."""
    return np.repeat(np.where(mask, 255, 0).astype(np.uint8)[:, :, None], 3, axis=2)


class _Writer:
    """Writes distinct pixels and their masks in batches and keeps their thumbnails (3,600 bytes each)."""

    def __init__(self, folder: Path) -> None:
        self.places: dict[str, int] = {}
        self._folder = folder
        self._open = ExitStack()
        self._stores: dict[str, PixelStore] = {}
        self._thumbnails: list[npt.NDArray[np.uint8]] = []
        self._batches: dict[str, list[tuple[str, bytes]]] = {PIXEL_FOLDER: [], MASK_FOLDER: []}
        self._bytes = 0

    def __enter__(self) -> _Writer:
        self._store(PIXEL_FOLDER)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._open:
            if kind is None:
                self._flush()

    def add(self, prepared: _Prepared) -> None:
        """Store one scan unless its pixels are stored already."""
        digest = prepared.scan.digest
        if digest in self.places:
            return
        self.places[digest] = len(self.places)
        self._thumbnails.append(prepared.thumbnail)
        self._batches[PIXEL_FOLDER].append((digest, prepared.value))
        self._bytes += len(prepared.value)
        if prepared.mask is not None:
            self._batches[MASK_FOLDER].append((digest, prepared.mask))
            self._bytes += len(prepared.mask)
        if self._bytes >= _BATCH_BYTES:
            self._flush()

    def thumbnails(self) -> npt.NDArray[np.uint8]:
        """Return the thumbnails, ``(d, 60, 60)``."""
        shape = (len(self.places), THUMBNAIL_SIZE, THUMBNAIL_SIZE)
        return np.array(self._thumbnails, np.uint8).reshape(shape)

    def _flush(self) -> None:
        for name, batch in self._batches.items():
            if batch:
                self._store(name).write_encoded(batch)
                batch.clear()
        self._bytes = 0

    def _store(self, name: str) -> PixelStore:
        if name not in self._stores:
            self._stores[name] = self._open.enter_context(open_pixel_store(self._folder / name, writable=True))
        return self._stores[name]


def _unreadable_error(reasons: Iterable[str], *, total: int) -> InputError:
    listed = list(reasons)
    if len(listed) == 1:
        return InputError(listed[0])
    return InputError(f"{len(listed)} of {total} scans cannot be read; the first: {' '.join(listed[:3])}")
