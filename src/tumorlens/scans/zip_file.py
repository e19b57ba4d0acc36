"""Opens zip files that may be crafted. Knows nothing about what they hold."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.scans.files import check_regular
from tumorlens.scans.refusals import read_errors

__all__ = ["open_zip"]

_END_BYTES = 22 + 65_536
_DIRECTORY_BYTES = 16 * 1024 * 1024
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_LOCAL_HEADER_BYTES = 30


@contextmanager
def open_zip(path: Path, *, kind: str, advice: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are stored or deflated and lie one after another.

    Args:
        path: The file.
        kind: What it should be, for messages (``".npz file"``).
        advice: What to do when it is damaged, for messages (``"save it again"``).

    Raises:
        NotFoundError: There is no such file.
        InputError: It is not a zip file, damaged, encrypted, packed in another way, or its members overlap, as those
            of a decompression bomb do; also raised for damage met while members are read.
    """
    try:
        with read_errors(path):
            check_regular(path)
            with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
                file.bound = None
                _check_members(archive, path=path, kind=kind, advice=advice)
                yield archive
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, LookupError, OverflowError) as error:
        raise InputError(f"{path} is not a readable {kind} (truncated or damaged): {advice}.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise _unreadable(path, advice) from error


class _Bounded(FileIO):
    """A file of which, until the bound is lifted, no more than so many bytes are read at once.

    :mod:`zipfile` reads the directory in one piece, of the length that the file claims; the rest of the file it reads
    only from where the record that ends a zip file can begin.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.bound: int | None = _DIRECTORY_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """As :meth:`io.FileIO.read`, within the bound."""
        wanted = -1 if size is None else size
        if self.bound is not None and wanted > self.bound:
            raise zipfile.BadZipFile("the directory is too long")
        data = super().read(wanted if self.bound is None or wanted >= 0 else _END_BYTES)
        return b"" if data is None else data


def _check_members(archive: zipfile.ZipFile, *, path: Path, kind: str, advice: str) -> None:
    end = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _PACKINGS:
            raise _unreadable(path, advice)
        if member.header_offset < end:
            raise InputError(f"{path} is no sound {kind}: its members overlap, as in a decompression bomb; remove it.")
        end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size


def _unreadable(path: Path, advice: str) -> InputError:
    return InputError(f"{path} is encrypted or packed in a way that cannot be read: {advice}.")
