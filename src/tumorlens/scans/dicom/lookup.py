"""Lookup tables of a header: modality LUT and VOI LUT (PS3.3 C.11.1.1, C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["LookupTable", "lookup_table"]

_MOST_ENTRIES = 65536


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A table from stored values to outputs.

    Attributes:
        entries: ``(n,)`` uint16.
        first: The value that the first entry is for; those below get it too, those above the last.
        bits: Bits of an entry: the largest output is ``2**bits - 1``.
    """

    entries: npt.NDArray[np.uint16]
    first: int
    bits: int

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """Look every value up; those that are not finite count as the lowest. Same shape."""
        whole = np.asarray(values)
        if whole.dtype.kind == "f":
            whole = np.nan_to_num(np.rint(whole), nan=self.first, posinf=2.0**31, neginf=-(2.0**31))
        whole = np.clip(whole, -(2**31), 2**32).astype(np.int64)
        return self.entries[np.clip(whole - self.first, 0, len(self.entries) - 1)]


def lookup_table(item: Any, *, signed: bool, little_endian: bool, source: str) -> LookupTable:
    """Read one item of a LUT sequence.

    Args:
        item: The item, with LUTDescriptor and LUTData.
        signed: Whether the values that are looked up are signed.
        little_endian: Byte order of the file.
        source: The file's name, for messages.

    Raises:
        InputError: It is incomplete or contradicts itself.
    """
    try:
        count, first, bits = (int(part) for part in item.LUTDescriptor)
        data = item.LUTData
        count = count % _MOST_ENTRIES or _MOST_ENTRIES
        entries = _entries(data, count=count, little_endian=little_endian)
    except Exception as error:  # values are converted when they are asked for, and damaged ones raise anything
        raise InputError(f"{source} is damaged (its lookup table cannot be read): replace or remove it.") from error
    if len(entries) < count or not 1 <= bits <= 16:
        raise InputError(
            f"{source} is damaged (its lookup table has {len(entries)} entries of {bits} bits, expected {count} of "
            "1 to 16): replace or remove it."
        )
    if signed and first >= 2**15:
        first -= 2**16
    return LookupTable(entries[:count] & np.uint16(2**bits - 1), first, bits)


def _entries(data: Any, *, count: int, little_endian: bool) -> npt.NDArray[np.uint16]:
    if isinstance(data, bytes):
        if len(data) >= 2 * count:
            return np.frombuffer(data[: 2 * count], "<u2" if little_endian else ">u2").astype(np.uint16)
        return np.frombuffer(data, np.uint8).astype(np.uint16)
    values = [data] if isinstance(data, int) else list(data)
    return np.asarray(values, np.int64).astype(np.uint16)
