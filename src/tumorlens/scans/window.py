"""Scanner values become grey levels by one rule for a whole data set, so that scanners do not differ by rule.

MRI intensities have no unit. The default rule scales each series (or volume) linearly between two percentiles of its
own voxels; ``dicom`` follows the file's own VOI LUT or window; two numbers scale all files alike, as for CT in
Hounsfield units. Knows nothing about file formats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["PERCENTILES", "Window", "intensity_range", "parse_window", "to_grey"]

_LOW_PERCENTILE = 0.5
_HIGH_PERCENTILE = 99.5
_HEAD_SHARE = 0.1
_SAMPLES = 4_000_000

WindowKind = Literal["percentiles", "dicom", "fixed"]


@dataclass(frozen=True)
class Window:
    """The intensity rule of a data set.

    Attributes:
        kind: ``percentiles`` of the series, ``dicom`` (the file's own VOI LUT or window) or ``fixed``.
        index: Which of a file's windows, from 1; for ``dicom``.
        low: Value that becomes 0; for ``fixed``.
        high: Value that becomes 255; for ``fixed``.
    """

    kind: WindowKind = "percentiles"
    index: int = 1
    low: float = 0.0
    high: float = 0.0

    @property
    def text(self) -> str:
        """As on the command line: ``percentiles``, ``dicom:2``, ``-100.0,300.0``."""
        if self.kind == "fixed":
            return f"{float(self.low)!r},{float(self.high)!r}"  # every digit, so that parsing gives the same back
        return f"{self.kind}:{self.index}" if self.kind == "dicom" else self.kind


PERCENTILES = Window()
"""The default rule."""


def parse_window(text: str) -> Window:
    """Read ``percentiles``, ``dicom``, ``dicom:2`` or ``LOW,HIGH``.

    Raises:
        InputError: It is none of these.
    """
    if text == "percentiles":
        return PERCENTILES
    match = re.fullmatch(r"dicom(?::([1-9][0-9]?))?", text)
    if match:
        return Window("dicom", index=int(match.group(1) or 1))
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if math.isfinite(low) and math.isfinite(high) and low < high:
        return Window("fixed", low=low, high=high)
    raise InputError(f"Expected --window percentiles, dicom, dicom:NUMBER or LOW,HIGH (such as 0,1200), got {text!r}.")


def intensity_range(blocks: Iterable[npt.NDArray[Any]], *, count: int) -> tuple[float, float]:
    """Find the range of a series: its 0.5th percentile, and the 99.5th of its head.

    The head are the voxels that lie above the 0.5th percentile by more than 10 % of the way to the 99.5th, so that the
    amount of background does not decide the contrast. At most four million evenly spaced voxels are looked at.

    Args:
        blocks: All values of the series, in pieces of any shape; those that are not finite are left out.
        count: Number of values in all blocks together.

    Returns:
        The values that become 0 and 255; ``(0.0, 1.0)`` above a constant where all values are the same.
    """
    step = max(1, -(-count // _SAMPLES))
    samples = np.concatenate([np.zeros(0), *(_spaced(block, step) for block in blocks)])
    if not samples.size:
        return 0.0, 1.0
    with np.errstate(all="ignore"):
        low, high = (float(value) for value in np.percentile(samples, [_LOW_PERCENTILE, _HIGH_PERCENTILE]))
    head = samples[samples > low + _HEAD_SHARE * (high - low)]
    if head.size:
        high = float(np.percentile(head, _HIGH_PERCENTILE))
    return (low, high) if high > low else (low, low + max(1.0, abs(low)))  # far from 0, adding 1 changes nothing


def to_grey(values: npt.NDArray[Any], *, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Scale values linearly so that ``low`` becomes 0 and ``high`` 255; what lies outside is clipped, NaN is 0."""
    with np.errstate(all="ignore"):  # values beyond float32 become infinite, and are clipped
        scaled = (np.asarray(values, np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0), 0, 255)).astype(np.uint8)


def _spaced(block: npt.NDArray[Any], step: int) -> npt.NDArray[np.float64]:
    values = np.asarray(block).ravel()[::step].astype(np.float64)
    return values[np.isfinite(values)]
