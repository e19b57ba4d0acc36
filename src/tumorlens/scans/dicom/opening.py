"""Opens a DICOM file as far as its pixels: header, transfer syntax, and where the pixels lie.

Everything is bounded before it is done: the file's size, the length of each read, and what a deflated data set
inflates to. Knows nothing about series or windows.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tumorlens.errors import InputError, TumorlensError
from tumorlens.scans.dicom.fragments import FramePlace
from tumorlens.scans.dicom.inflating import inflate
from tumorlens.scans.dicom.tags import KEYWORDS
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.refusals import read_errors

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["DicomFile", "PixelPlace", "open_dicom", "quiet_pydicom_log"]

_IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_PIXEL_GROUP = 0x7FE0
_PIXEL_ELEMENT = 0x0010
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class PixelPlace:
    """Where the value of Pixel Data lies.

    Attributes:
        offset: First byte of the value in the (inflated) file.
        length: Its bytes as far as the file holds them; ``None`` for compressed pixels of undefined length.
        vr: ``"OB"``, ``"OW"`` or ``"UN"``.
    """

    offset: int
    length: int | None
    vr: str


@dataclass(frozen=True, eq=False)
class DicomFile:
    """A DICOM file without its pixels.

    Attributes:
        path: The file.
        header: The data elements of :data:`tumorlens.scans.dicom.tags.KEYWORDS` that it has.
        syntax: UID of the transfer syntax of its pixels.
        pixels: Where they lie; ``None`` if it has none.
        size_bytes: Size of the (inflated) file.
        inflated: The inflated data set of a deflated file.
        frame_places: Where compressed frames lie, by their number; found when the first is decoded.
    """

    path: Path
    header: Dataset = field(repr=False)
    syntax: str
    pixels: PixelPlace | None
    size_bytes: int
    inflated: bytes | None = field(default=None, repr=False)
    frame_places: dict[int, tuple[FramePlace, ...]] = field(default_factory=dict, repr=False)

    @property
    def little_endian(self) -> bool:
        """Whether the least significant byte comes first."""
        return self.syntax != _EXPLICIT_BIG

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Open the bytes that :attr:`pixels` refers to."""
        if self.inflated is not None:
            yield io.BytesIO(self.inflated)
            return
        with read_errors(self.path), _BoundedFile(self.path) as stream:
            yield stream


class _BoundedFile(io.BufferedReader):
    """A file that never makes room for more bytes than it has left, whatever length a header claims."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._end = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._end - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


def open_dicom(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> DicomFile:
    """Read a DICOM file up to its pixels.

    Implicit and explicit little-endian, big-endian and deflated data sets are read, with and without preamble and file
    meta information.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is empty, too large, no DICOM file or damaged. The message holds nothing of the header.
    """
    quiet_pydicom_log()
    with read_errors(path):
        size = path.stat().st_size
        limits.check_file(size, source=str(path))
        with _BoundedFile(path) as stream:
            try:
                return _open(path, stream, size=size, limits=limits)
            except TumorlensError:
                raise
            except Exception as error:  # damaged bytes make the parser raise anything, down to RecursionError
                if isinstance(error, OSError) and error.errno is not None:
                    raise  # the disk's; the parser's own have no number
                raise InputError(
                    f"{path} is truncated or damaged (its DICOM header cannot be read): replace or remove it."
                ) from error


def quiet_pydicom_log() -> None:
    """Keep the decoders' logs off the screen: they quote values of headers, and what matters is raised as an error."""
    for name in ("pydicom", "openjpeg", "pylibjpeg"):
        log = logging.getLogger(name)
        log.propagate = False
        if not any(isinstance(handler, logging.NullHandler) for handler in log.handlers):
            log.addHandler(logging.NullHandler())


def _open(path: Path, stream: BinaryIO, *, size: int, limits: ReadLimits) -> DicomFile:
    from pydicom.filereader import dcmread, read_dataset
    from pydicom.tag import Tag

    if _declared_syntax(stream) != _DEFLATED:
        stream.seek(0)
        header = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS))
        if not header and not header.file_meta:
            raise InputError(f"{path} is not a readable DICOM file: replace or remove it.")
        implicit, little = header.original_encoding
        plain = _IMPLICIT_LITTLE if implicit else (_EXPLICIT_LITTLE if little else _EXPLICIT_BIG)
        syntax = str(header.file_meta.get("TransferSyntaxUID") or plain)
        place = _pixel_place(stream, implicit=bool(implicit), little=bool(little), end=size)
        return DicomFile(path, header, syntax, place, size)
    data = inflate(stream.read(), limits=limits, source=str(path))
    inner = io.BytesIO(data)
    tags: list[Any] = [Tag(keyword) for keyword in KEYWORDS]
    plain_header = read_dataset(inner, False, True, stop_when=_at_pixels, specific_tags=tags)
    place = _pixel_place(inner, implicit=False, little=True, end=len(data))
    return DicomFile(path, plain_header, _EXPLICIT_LITTLE, place, len(data), data)


def _declared_syntax(stream: BinaryIO) -> str | None:
    """Read the file meta information; leaves ``stream`` where the data set starts."""
    from pydicom.filereader import read_dataset, read_preamble

    read_preamble(stream, True)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    return str(meta.get("TransferSyntaxUID") or "") or None


def _at_pixels(tag: int, vr: str | None, length: int) -> bool:
    return tag >> 16 == _PIXEL_GROUP and tag & 0xFFFF >= 8


def _pixel_place(stream: BinaryIO, *, implicit: bool, little: bool, end: int) -> PixelPlace | None:
    start, order = stream.tell(), "<" if little else ">"
    head = stream.read(12)
    if len(head) < 8 or struct.unpack(f"{order}HH", head[:4]) != (_PIXEL_GROUP, _PIXEL_ELEMENT):
        return None
    if implicit or not head[4:6].isalpha():  # some writers change to implicit VR within an explicit data set
        vr, offset, (length,) = "OW", start + 8, struct.unpack(f"{order}I", head[4:8])
    else:
        vr = head[4:6].decode("latin-1")
        if vr not in ("OB", "OW", "UN") or len(head) < 12:
            return None
        offset, (length,) = start + 12, struct.unpack(f"{order}I", head[8:12])
    return PixelPlace(offset, None if length == _UNDEFINED else min(length, end - offset), vr)
