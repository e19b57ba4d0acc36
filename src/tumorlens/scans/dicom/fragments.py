"""Where each compressed frame lies among the fragments of a file (PS3.5 A.4). Knows nothing about codecs.

The fragments are walked through once for all frames: a file of many frames would be walked through for each otherwise.
"""

from __future__ import annotations

from itertools import takewhile
from typing import BinaryIO

import numpy as np

__all__ = ["FramePlace", "find_frames", "read_frame"]

FramePlace = tuple[tuple[int, int], ...]
"""First byte and length of each part of one frame."""

_ITEM = b"\xfe\xff\x00\xe0"
_DELIMITER = b"\xfe\xff\xdd\xe0"
_HEAD_BYTES = 8
_UNDEFINED = 0xFFFFFFFF
_MOST_FRAGMENTS = 1_000_000
_END_MARKER = b"\xff\xd9"
_LAST_BYTES = 10


def find_frames(stream: BinaryIO, *, count: int, extended: tuple[bytes, bytes] | None) -> tuple[FramePlace, ...]:
    """Find frames by the extended offset table, the basic one, or the fragments themselves.

    Without a table, each fragment is a frame if there are as many as frames; one frame has all of them; and frames of
    several fragments end where a JPEG codestream does.

    Args:
        stream: At the first byte of the value of Pixel Data.
        count: Number of frames that the header says.
        extended: Values of ExtendedOffsetTable and ExtendedOffsetTableLengths, if the file has both.

    Returns:
        The places of the frames, from the first one; fewer than ``count`` in a truncated file.

    Raises:
        ValueError: The fragments are damaged.
    """
    table = _read_item(stream)
    if extended:
        offsets, lengths = (np.frombuffer(part[: 8 * min(count, len(part) // 8)], "<u8").tolist() for part in extended)
        start = stream.tell() + _HEAD_BYTES
        return tuple(((start + offset, length),) for offset, length in zip(offsets, lengths, strict=False))
    start = stream.tell()
    fragments = _walk(stream)
    if table:
        starts = np.frombuffer(table[: 4 * min(count + 1, len(table) // 4)], "<u4").tolist()
        return _by_offsets(fragments, [start + _HEAD_BYTES + offset for offset in starts])[:count]
    if len(fragments) in (1, count):
        return tuple((fragment,) for fragment in fragments)
    if count == 1:
        return (tuple(fragments),) if fragments else ()
    return _by_end_markers(stream, fragments)[:count]


def read_frame(stream: BinaryIO, place: FramePlace) -> bytes:
    """Read the parts of one frame."""
    parts = []
    for offset, length in place:
        stream.seek(offset)
        parts.append(stream.read(length))
    return b"".join(parts)


def _read_item(stream: BinaryIO) -> bytes:
    head = stream.read(_HEAD_BYTES)
    length = int.from_bytes(head[4:], "little")
    if len(head) < _HEAD_BYTES or head[:4] != _ITEM or length == _UNDEFINED:
        raise ValueError("no offset table, be it an empty one")
    return stream.read(length)


def _walk(stream: BinaryIO) -> list[tuple[int, int]]:
    """First byte and length of each fragment."""
    fragments: list[tuple[int, int]] = []
    while len(head := stream.read(_HEAD_BYTES)) >= len(_ITEM) and head[:4] != _DELIMITER:
        length = int.from_bytes(head[4:], "little")
        if len(head) < _HEAD_BYTES or head[:4] != _ITEM or length == _UNDEFINED or len(fragments) == _MOST_FRAGMENTS:
            raise ValueError(f"no fragment at {stream.tell() - len(head)}")
        fragments.append((stream.tell(), length))
        stream.seek(length, 1)
    return fragments


def _by_offsets(fragments: list[tuple[int, int]], starts: list[int]) -> tuple[FramePlace, ...]:
    """Group fragments by the first bytes of the frames."""
    order = {offset: place for place, (offset, _) in enumerate(fragments)}
    places = [order[start] for start in takewhile(order.__contains__, starts)]
    if places != sorted(places):
        raise ValueError("the offset table runs backwards")
    ends = [*places[1:], len(fragments)]
    return tuple(tuple(fragments[first:end]) for first, end in zip(places, ends, strict=True))


def _by_end_markers(stream: BinaryIO, fragments: list[tuple[int, int]]) -> tuple[FramePlace, ...]:
    frames: list[FramePlace] = []
    parts: list[tuple[int, int]] = []
    for offset, length in fragments:
        parts.append((offset, length))
        last = min(length, _LAST_BYTES)
        stream.seek(offset + length - last)
        if _END_MARKER in stream.read(last):
            frames.append(tuple(parts))
            parts = []
    return (*frames, tuple(parts)) if parts else tuple(frames)
