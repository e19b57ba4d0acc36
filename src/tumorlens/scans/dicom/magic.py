"""Tells whether a file is DICOM, from its first bytes alone."""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["is_dicom"]

_PREAMBLE = 128
_MAGIC = b"DICM"
_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
_FIRST_GROUPS = frozenset({0x0002, 0x0008})
_MOST_ELEMENT = 0x0100
_MOST_LENGTH = 1024


def is_dicom(path: Path) -> bool:
    """Whether ``path`` is a DICOM file.

    It has the letters ``DICM`` after a preamble of 128 bytes (PS3.10 7.1); or, as old files without a preamble do, it
    is named ``.dcm``, ``.dicom`` or ``.ima`` and starts with a data element of the groups that stand first. A file that
    cannot be opened is none.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_PREAMBLE + len(_MAGIC))
    except OSError:
        return False
    if head[_PREAMBLE:] == _MAGIC:
        return True
    return path.suffix.lower() in _SUFFIXES and (head[:4] == _MAGIC or _starts_plausibly(head))


def _starts_plausibly(head: bytes) -> bool:
    if len(head) < 8:
        return False
    for order in "<>":
        group, element = struct.unpack(f"{order}HH", head[:4])
        if group in _FIRST_GROUPS and element <= _MOST_ELEMENT:
            (length,) = struct.unpack(f"{order}I", head[4:8])
            return length <= _MOST_LENGTH or (head[4:6].isalpha() and head[4:6].isupper())
    return False
