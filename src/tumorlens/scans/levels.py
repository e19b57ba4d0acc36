"""Turns the numbers of an array into ``uint8`` pixels. The one place where floats are accepted.

The range decides, over the whole array and not scan by scan: 0..1 is multiplied by 255, 0..255 is
taken as it is, anything else is refused, and what was done is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["LevelRule", "decide_levels"]

_TOLERANCE = 1e-6
_STUDY_WARNING = (
    "The floats in 0..1 were multiplied by 255 and rounded to uint8. If they are the original "
    "study's arrays: those were min-max scaled per pixel position over training and test together, "
    "so they are near pixels/255, not equal."
)


@dataclass(frozen=True)
class LevelRule:
    """How numbers become pixels.

    Attributes:
        factor: What each number is multiplied by before rounding.
        note: What was done, for the user; ``None`` where nothing was.
    """

    factor: float
    note: str | None

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return ``values`` as uint8 in 0..255, same shape."""
        if values.dtype == np.uint8:
            return values
        levels = np.rint(values.astype(np.float32) * np.float32(self.factor))
        return np.clip(levels, 0, 255).astype(np.uint8)


def decide_levels(blocks: Iterable[npt.NDArray[Any]], *, dtype: np.dtype[Any], source: str) -> LevelRule:
    """Choose the rule from the range of all values.

    Args:
        blocks: The array, piece by piece; not read for uint8.
        dtype: Its type.
        source: Its name, for the message.

    Raises:
        InputError: The values are no numbers, not finite, or outside 0..1 and 0..255.
    """
    if dtype == np.uint8:
        return LevelRule(1.0, None)
    if dtype.kind not in "uif":
        raise InputError(f"{source} holds {dtype}, expected uint8 or floats in 0..1: convert it.")
    smallest, largest = _range(blocks, source=source)
    text = f"{smallest:g}..{largest:g}"
    if smallest < -_TOLERANCE or largest > 255 + _TOLERANCE:
        raise InputError(
            f"{source} has values in {text}, expected uint8, floats in 0..1 or numbers in 0..255: "
            "scale it and save it again."
        )
    if dtype.kind == "f" and largest <= 1 + _TOLERANCE:
        return LevelRule(255.0, _STUDY_WARNING)
    return LevelRule(
        1.0,
        f"{source} holds {dtype} in {text}: taken as 0..255 because of that range, and rounded to uint8.",
    )


def _range(blocks: Iterable[npt.NDArray[Any]], *, source: str) -> tuple[float, float]:
    smallest, largest = np.inf, -np.inf
    for block in blocks:
        low, high = float(block.min()), float(block.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError(f"{source} has values that are not finite numbers: replace them.")
        smallest, largest = min(smallest, low), max(largest, high)
    return smallest, largest
