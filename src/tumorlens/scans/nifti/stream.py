"""Reads a plain or gzipped file from its start, never more of it than is asked for.

What the trailer of a gzip file says about its size is not believed: inflating stops where the reader stops, so that a
decompression bomb costs no more than the volume its header announces.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tumorlens.errors import InputError
from tumorlens.scans.refusals import read_errors

__all__ = ["ByteStream", "open_stream"]

_BLOCK = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FORMAT = 31
_MOST_EMPTY_MEMBERS = 100


class ByteStream:
    """Bytes in order.

    Attributes:
        source: Name of the file, for messages.
        packed: Whether the file is gzipped.
    """

    def __init__(self, pieces: Iterator[bytes], *, source: str, packed: bool) -> None:
        self.source = source
        self.packed = packed
        self._pieces = pieces
        self._rest = memoryview(b"")

    def fill(self, target: memoryview) -> None:
        """Fill ``target``, a view of bytes, with the bytes that come next.

        Raises:
            InputError: The file ends before, or is damaged.
        """
        place = 0
        while place < len(target):
            piece = self._next(len(target) - place)
            target[place : place + len(piece)] = piece
            place += len(piece)

    def read(self, count: int) -> bytes:
        """Return the ``count`` bytes that come next.

        Raises:
            InputError: The file ends before, or is damaged.
        """
        data = bytearray(count)
        self.fill(memoryview(data))
        return bytes(data)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes.

        Raises:
            InputError: The file ends before, or is damaged.
        """
        while count > 0:
            count -= len(self._next(count))

    def finish(self) -> None:
        """Compare the checksum, where the file ends here; what may follow is not read.

        Raises:
            InputError: The checksum differs, or the file is cut off before it.
        """
        if self.packed and not self._rest:
            next(self._pieces, None)

    def _next(self, most: int) -> memoryview:
        if not self._rest:
            piece = next(self._pieces, b"")
            if not piece:
                raise InputError(f"{self.source} is truncated (it ends before its last voxel): replace or remove it.")
            self._rest = memoryview(piece)
        taken, self._rest = self._rest[:most], self._rest[most:]
        return taken


@contextmanager
def open_stream(path: Path) -> Iterator[ByteStream]:
    """Open a file, gzipped or not; its first bytes decide and not its name.

    Raises:
        NotFoundError: There is no such file.
        InputError: It may not be read or, while it is read, turns out damaged.
    """
    try:
        with read_errors(path), path.open("rb") as stream:
            packed = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            stream.seek(0)
            pieces = _inflate(stream) if packed else iter(lambda: stream.read(_BLOCK), b"")
            yield ByteStream(pieces, source=str(path), packed=packed)
    except (zlib.error, EOFError) as error:
        raise InputError(f"{path} is truncated or damaged ({error}): replace or remove it.") from error


def _inflate(stream: IO[bytes]) -> Iterator[bytes]:
    """Inflate all members of a gzip file, in pieces of bounded size."""
    decoder, empty, produced, packed = zlib.decompressobj(_GZIP_FORMAT), 0, False, b""
    while True:
        packed = packed or stream.read(_BLOCK)
        piece = decoder.decompress(packed, _BLOCK)
        if piece:
            produced = True
            yield piece
        if decoder.eof:
            empty += not produced
            if empty > _MOST_EMPTY_MEMBERS:
                raise EOFError("too many empty gzip members")
            packed = decoder.unused_data.lstrip(b"\0") or stream.read(_BLOCK).lstrip(b"\0")
            if not packed:
                return
            decoder, produced = zlib.decompressobj(_GZIP_FORMAT), False
            continue
        if not piece and not packed:
            raise EOFError("the gzip file is cut off")
        packed = decoder.unconsumed_tail
