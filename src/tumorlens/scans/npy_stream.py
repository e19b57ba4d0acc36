"""Reads one array of an ``.npz`` piece by piece, so that 4 GB need a few MB of memory.

An ``.npz`` is a zip of ``.npy`` files. :func:`numpy.load` can only decompress a member as a whole;
here the member's header is parsed by :mod:`numpy.lib.format` and its rows are read in order. Arrays
of Python objects, which would need pickle, are refused.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from tumorlens.errors import InputError
from tumorlens.scans.refusals import read_errors

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
            _reading(self.path),
            zipfile.ZipFile(self.path) as archive,
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
    with _reading(path), zipfile.ZipFile(path) as archive:
        return tuple(n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy"))


def open_array(path: Path, name: str) -> StreamedArray:
    """Read the header of the array ``name`` and check it against the member's size.

    Raises:
        NotFoundError: There is no such file.
        InputError: The array is missing, damaged, not to be read, of Python objects, or in column order.
    """
    member = f"{name}.npy"
    with _reading(path), zipfile.ZipFile(path) as archive:
        with archive.open(member) as stream:
            shape, column_order, dtype = _read_header(stream)
            header_bytes = stream.tell()
        size = archive.getinfo(member).file_size
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
    return StreamedArray(path, member, shape, dtype)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(stream)
    if version == (1, 0):
        return npy_format.read_array_header_1_0(stream)
    if version == (2, 0):
        return npy_format.read_array_header_2_0(stream)
    raise ValueError(f"array format {version} is not for plain numbers")


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError("the array ends too early")
    return data


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        with read_errors(path):
            yield
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise InputError(f"{path} is not a readable .npz file (truncated or damaged): save it again.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path} is encrypted or packed in a way that cannot be read: save it with numpy.savez."
        ) from error
