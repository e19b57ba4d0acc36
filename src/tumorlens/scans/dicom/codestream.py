"""Size of a compressed picture as its own codestream tells it: JPEG (ITU-T T.81), JPEG-LS (T.87), JPEG 2000 (T.800).

Decoders make room for the size that the codestream claims, not for the header's; both are compared before they run.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["CodestreamSize", "codestream_size"]

_JPEG_START = b"\xff\xd8"
_JPEG2000_START = b"\xff\x4f\xff\x51"
_BOX_START = b"\x00\x00\x00\x0cjP  "
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_BOXES = 64


@dataclass(frozen=True)
class CodestreamSize:
    """What a codestream says of itself.

    Attributes:
        height: In pixels.
        width: In pixels.
        components: Values a pixel.
        precision: Bits a value.
    """

    height: int
    width: int
    components: int
    precision: int


def codestream_size(data: bytes) -> CodestreamSize | None:
    """Read the size from the start of a codestream; ``None`` if it has none."""
    try:
        if data[:2] == _JPEG_START:
            return _jpeg(data)
        start = _inner_codestream(data) if data[:8] == _BOX_START else 0
        return _jpeg2000(data[start : start + 64]) if data[start : start + 4] == _JPEG2000_START else None
    except (struct.error, IndexError):
        return None


def _jpeg(data: bytes) -> CodestreamSize | None:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        if marker in _FRAME_MARKERS:
            precision, height, width, components = struct.unpack(">BHHB", data[place + 4 : place + 10])
            return CodestreamSize(height, width, components, precision)
        place += 2 + max(length, 2)
    return None


def _jpeg2000(data: bytes) -> CodestreamSize:
    right, bottom, left, top = struct.unpack(">IIII", data[8:24])
    (components,) = struct.unpack(">H", data[40:42])
    return CodestreamSize(bottom - top, right - left, components, (data[42] & 0x7F) + 1)


def _inner_codestream(data: bytes) -> int:
    """Where the codestream starts in a JP2 file, which DICOM forbids and some writers make."""
    place = 0
    for _ in range(_MOST_BOXES):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind == b"jp2c":
            return place + 8
        place += max(length, 8)
    return 0
