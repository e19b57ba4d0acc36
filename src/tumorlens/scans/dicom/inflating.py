"""Inflates a deflated DICOM data set with a bound, so that a crafted file costs little."""

from __future__ import annotations

import zlib

from tumorlens.errors import InputError
from tumorlens.scans.limits import ReadLimits

__all__ = ["inflate"]


def inflate(packed: bytes, *, limits: ReadLimits, source: str) -> bytes:
    """Inflate a raw deflate stream (PS3.5 A.5); never more than the limits allow comes into being.

    Args:
        packed: All bytes after the file meta information.
        limits: Largest inflated size and ratio.
        source: The file's name, for messages.

    Raises:
        InputError: It would grow too much, is damaged or cut off.
    """
    allowed = int(min(limits.decoded_bytes, max(limits.ratio_from_bytes, limits.ratio * len(packed))))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(packed, allowed + 1)
    except zlib.error as error:
        raise InputError(
            f"{source} is damaged (its deflated data cannot be unpacked): replace or remove it."
        ) from error
    if len(data) > allowed:
        limits.check_decoded(len(data), file_bytes=len(packed), source=source)
    if not stream.eof:
        raise InputError(f"{source} is truncated (its deflated data end early): replace or remove it.")
    return data
