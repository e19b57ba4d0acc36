"""Reads one array of an ``.npz`` piece by piece, so that 4 GB need a few MB of memory.

An ``.npz`` is a zip of ``.npy`` files. :func:`numpy.load` can only decompress a member as a whole;
here the member's header is parsed by :mod:`numpy.lib.format` and its rows are read in order. Arrays
of Python objects, which would need pickle, are refused.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from tumorlens.errors import InputError
from tumorlens.scans.limits import DEFAULT_LIMITS
from tumorlens.scans.zip_file import open_zip

__all__ = ["StreamedArray", "array_names", "open_array"]


@dataclass(frozen=True)
class StreamedArray:
    """The header of one array inside an ``.npz``.

    Attributes:
        path: The ``.npz`` file.
        member: The zip member, such as ``"X.npy"``.
        shape: Shape of the whole array.
        dtype: Type of its values; never an object.
    """

    path: Path
    member: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def blocks(self, rows: int) -> Iterator[npt.NDArray[Any]]:
        """Yield the array in order, in blocks of at most ``rows`` along the first axis.

        Raises:
            NotFoundError: The file is gone.
            InputError: It is truncated, damaged or may not be read.
        """
        row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        with (
            _reading(self.path) as archive,
            archive.open(self.member) as stream,
        ):
            _read_header(stream)
            for start in range(0, self.shape[0], rows):
                count = min(rows, self.shape[0] - start)
                data = _read_exactly(stream, count * row_bytes)
                yield np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])
            stream.read(1)  # at the end of the member its checksum is compared

    def whole(self) -> npt.NDArray[Any]:
        """Return the whole array; for small ones only."""
        blocks = list(self.blocks(max(self.shape[0], 1)))
        return blocks[0] if blocks else np.empty(self.shape, self.dtype)


def array_names(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an ``.npz`` file.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is not an ``.npz`` file, is damaged or may not be read.
    """
    with _reading(path) as archive:
        return tuple(n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy"))


def open_array(path: Path, name: str) -> StreamedArray:
    """Read the header of the array ``name`` and check it against the member's size.

    Raises:
        NotFoundError: There is no such file.
        InputError: The array is missing, damaged, not to be read, of Python objects, in column order, or packed far
            tighter than arrays are.
    """
    member = f"{name}.npy"
    with _reading(path) as archive:
        with archive.open(member) as stream:
            shape, column_order, dtype = _read_header(stream)
            header_bytes = stream.tell()
        packed = archive.getinfo(member)
    size = packed.file_size
    if dtype.hasobject:
        raise InputError(
            f"{name} in {path} holds Python objects, which are never loaded (pickle runs code): "
            "save it as a plain array of numbers."
        )
    if column_order and len(shape) > 1:
        raise InputError(
            f"{name} in {path} is stored in column order and cannot be streamed: save np.ascontiguousarray of it."
        )
    expected = header_bytes + dtype.itemsize * int(np.prod(shape, dtype=object))
    if size != expected:
        raise InputError(f"{name} in {path} has {size} bytes, its header says {expected}: save the file again.")
    if dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise InputError(f"{name} in {path} has shape {shape} and type {dtype}, so it holds no values: save it again.")
    DEFAULT_LIMITS.check_ratio(size, file_bytes=packed.compress_size, source=f"{name} in {path}")
    return StreamedArray(path, member, shape, dtype)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
    version = npy_format.read_magic(stream)
    if version not in readers:
        raise ValueError(f"array format {version} is not for plain numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on headers written by old versions of Python and NumPy
        try:
            return readers[version](stream)
        except (zipfile.BadZipFile, OSError):
            raise
        except Exception as error:  # a damaged header is parsed as Python text, which raises anything
            raise ValueError("the header of the array is damaged") from error


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError("the array ends too early")
    return data


def _reading(path: Path) -> AbstractContextManager[zipfile.ZipFile]:
    return open_zip(path, kind=".npz file", advice="save it again with numpy.savez")
