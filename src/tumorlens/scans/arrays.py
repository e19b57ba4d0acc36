"""Reads scans and labels from an ``.npz`` file with ``X`` and ``Y``, one scan at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans.levels import LevelRule, decide_levels
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.npy_stream import StreamedArray, array_names, open_array
from tumorlens.scans.raster import Scan

__all__ = ["ArrayScans", "open_arrays", "read_texts"]

_BLOCK_BYTES = 16 * 1024 * 1024
_SMALL_BYTES = 128 * 1024 * 1024
_SCAN_BYTES = 256 * 1024 * 1024
_MOST_SCANS = 5_000_000
_WHOLE_FLOATS = 2.0**53


@dataclass(frozen=True)
class ArrayScans:
    """The scans of one ``.npz`` file; nothing of ``X`` is held in memory.

    Attributes:
        images: Header of ``X``: ``(n, h, w)``, ``(n, h, w, 1)`` or ``(n, h, w, 3)``.
        labels: The ``n`` labels, as text (``"0"``, ``"1"``, … for numbers).
        rule: How values become pixels.
    """

    images: StreamedArray
    labels: tuple[str, ...]
    rule: LevelRule

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Scan]:
        """Yield every scan in order; its source is ``file.npz#index``."""
        index = 0
        for block in self.images.blocks(_rows_per_block(self.images)):
            for values in block:
                pixels = _three_channels(self.rule.apply(values))
                source = f"{self.images.path.name}#{index}"
                yield Scan(pixels, "NPZ", str(self.images.dtype), source)
                index += 1


def open_arrays(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS, progress: Progress = SILENT) -> ArrayScans:
    """Open an ``.npz`` file with the arrays ``X`` and ``Y``.

    Args:
        path: The file.
        limits: Largest picture.
        progress: Told about the pass over ``X`` that finds its range (not needed for uint8).

    Raises:
        NotFoundError: There is no such file.
        InputError: An array is missing, damaged, of the wrong shape or range, or the numbers of
            images and labels differ.
    """
    names = array_names(path)
    images = open_array(path, _pick(names, "X", path=path))
    texts = open_array(path, _pick(names, "Y", path=path))
    _check_images(images, limits=limits)
    labels = _labels(texts)
    shape = images.shape
    if shape[0] != len(labels):
        raise InputError(
            f"{path} has {shape[0]} images in X and {len(labels)} labels in Y: each image needs one label."
        )
    source = f"X in {path}"
    if images.dtype == np.uint8:
        return ArrayScans(images, labels, LevelRule(1.0, None))
    with progress.task("Finding the range of X", total=shape[0]) as task:

        def blocks() -> Iterator[npt.NDArray[np.generic]]:
            for block in images.blocks(_rows_per_block(images)):
                yield block
                task.advance(len(block))

        rule = decide_levels(blocks(), dtype=images.dtype, source=source)
    return ArrayScans(images, labels, rule)


def read_texts(path: Path, name: str) -> tuple[str, ...]:
    """Read a small array of whole numbers or texts, such as patient ids, as text.

    Args:
        path: The ``.npz`` file.
        name: The array's name.

    Raises:
        InputError: It is missing, damaged, or not one number or text a scan.
    """
    return _texts(open_array(path, _pick(array_names(path), name, path=path)))


def _check_images(images: StreamedArray, *, limits: ReadLimits) -> None:
    shape, path = images.shape, images.path
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise InputError(f"X in {path} has shape {shape}, expected (n, h, w), (n, h, w, 1) or (n, h, w, 3).")
    limits.check_picture(height=shape[1], width=shape[2], source=f"Each scan of X in {path}")
    scan_bytes = images.dtype.itemsize * int(np.prod(shape[1:], dtype=object))
    if scan_bytes > _SCAN_BYTES:
        raise InputError(
            f"Each scan of X in {path} has {scan_bytes / 1e6:.0f} MB, the limit is {_SCAN_BYTES / 1e6:.0f} MB: "
            "save it smaller."
        )


def _pick(names: tuple[str, ...], wanted: str, *, path: Path) -> str:
    for name in (wanted, wanted.lower(), wanted.upper()):
        if name in names:
            return name
    found = ", ".join(names) or "none"
    raise InputError(f"{path} has no array {wanted} (arrays in it: {found}): save it with X and Y.")


def _labels(array: StreamedArray) -> tuple[str, ...]:
    if len(array.shape) != 2 or array.shape[1] == 1:
        return _texts(array)
    one_hot = _small(array)
    ones = one_hot == 1
    if not ((ones | (one_hot == 0)).all() and (ones.sum(axis=1) == 1).all()):
        raise InputError(
            f"Y in {array.path} has shape {array.shape} but its rows are not one-hot (a single 1, "
            "else 0): save one-hot rows or class numbers."
        )
    return tuple(str(index) for index in ones.argmax(axis=1))


def _texts(array: StreamedArray) -> tuple[str, ...]:
    name = array.member.removesuffix(".npy")
    if len(array.shape) != 1 and not (len(array.shape) == 2 and array.shape[1] == 1):
        raise InputError(f"{name} in {array.path} has shape {array.shape}, expected one value a scan, (n,).")
    values = _small(array).ravel()
    kind = values.dtype.kind
    if kind in "uib" or (kind == "f" and bool((np.abs(values) <= _WHOLE_FLOATS).all() and (values % 1 == 0).all())):
        return tuple(str(int(value)) for value in values)
    if kind == "U":
        return _strings(values, array=array)
    raise InputError(
        f"{name} in {array.path} holds {array.dtype} values that are no class numbers: save whole numbers or text."
    )


def _strings(values: npt.NDArray[np.generic], *, array: StreamedArray) -> tuple[str, ...]:
    try:
        texts = tuple(str(value).strip() for value in values)
        "".join(texts).encode()
    except (ValueError, SystemError) as error:  # four bytes that are no character
        raise InputError(f"{array.member} in {array.path} holds bytes that are no text: save it again.") from error
    return texts


def _small(array: StreamedArray) -> npt.NDArray[np.generic]:
    size = array.dtype.itemsize * int(np.prod(array.shape, dtype=object))
    if size > _SMALL_BYTES or array.shape[0] > _MOST_SCANS:
        raise InputError(
            f"{array.member} in {array.path} has {array.shape[0]} values in {size / 1e6:.0f} MB, the limits are "
            f"{_MOST_SCANS} and {_SMALL_BYTES / 1e6:.0f} MB: split the file."
        )
    return array.whole()


def _rows_per_block(array: StreamedArray) -> int:
    row_bytes = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
    return max(1, _BLOCK_BYTES // max(row_bytes, 1))


def _three_channels(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if values.ndim == 2:
        values = values[:, :, np.newaxis]
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else np.array(values)
