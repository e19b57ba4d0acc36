"""Natural order: ``Image2`` before ``Image10``. Knows nothing about files or labels."""

from __future__ import annotations

import re

__all__ = ["NaturalKey", "natural_key"]

NaturalKey = tuple[tuple[tuple[bool, int, str], ...], str]

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> NaturalKey:
    """Return a sort key in which runs of digits count as numbers and case does not matter.

    Texts that differ only in case or leading zeros are ordered by their characters, so that the
    order of distinct texts is never left to chance.
    """
    parts = tuple(
        (False, int(part), "") if index % 2 else (True, 0, part)
        for index, part in enumerate(_DIGITS.split(text.casefold()))
        if part
    )
    return parts, text
