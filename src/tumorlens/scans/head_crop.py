"""The square around the head: found, widened by a margin, cut out. Knows nothing about files or labels.

The head is the largest region above 10 % of the scan's 99.5th percentile, holes filled, with all others of at least a
twentieth of its size: low slices show the temporal lobes beside the cerebellum as islands. Burned-in text, being
smaller, is not taken for head; a bright frame along the edges is peeled off first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.types import Pixels

__all__ = ["MARGIN", "crop_to_head"]

MARGIN = 0.08
"""What is added on each side of the head, as a share of its longer side."""

_LEVEL = 0.1
_PERCENTILE = 0.995
_SEARCH_SIDE = 200
_GAP_SHARE = 0.012
_SMALLEST_SHARE = 0.01
_ISLAND_SHARE = 0.05
_FRAME_DEPTH = 0.1
_FRAME_COVER = 0.9

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Square:
    """A square of a picture; it may reach beyond its edges."""

    top: int
    left: int
    side: int


def crop_to_head(
    pixels: Pixels, mask: Mask | None = None, *, margin: float = MARGIN, limits: ReadLimits = DEFAULT_LIMITS
) -> tuple[Pixels, Mask | None, str]:
    """Cut a scan to the square around its head; where the square leaves the picture, it is black.

    Nothing is resampled, and the same pixels always give the same square.

    Args:
        pixels: ``(h, w, 3)`` uint8, a head on a dark background.
        mask: ``(h, w)`` bool, cut alike.
        margin: Added on each side, as a share of the head's longer side.
        limits: Largest picture: the square around a long strip may hold far more pixels than the strip.

    Returns:
        The square scan, its mask, and the step for the receipt: ``"crop=head 180x180 at 31,25"`` (side, then left and
        top of the square in the picture) or, where no head is found and all is left as it is,
        ``"crop=none (no head found)"``; likewise ``"crop=none (square too large)"``.
    """
    square = _head_square(pixels, margin=margin)
    if square is None:
        return pixels, mask, "crop=none (no head found)"
    if square.side**2 > limits.pixels:
        return pixels, mask, "crop=none (square too large)"
    step = f"crop=head {square.side}x{square.side} at {square.left},{square.top}"
    return _cut(pixels, square), None if mask is None else _cut(mask, square), step


def _head_square(pixels: Pixels, *, margin: float) -> _Square | None:
    """Look for the head on a reduced copy of large scans: a pixel more or less of margin does not matter."""
    grey = Image.fromarray(pixels).convert("L")
    factor = max(1, -(-max(grey.size) // _SEARCH_SIDE))
    bright = _bright(np.asarray(grey.reduce(factor) if factor > 1 else grey))
    box = _head_box(_without_frame(bright))
    if box is None:
        return None
    rows, columns = box
    top, bottom = rows.start * factor, min(rows.stop * factor, pixels.shape[0])
    left, right = columns.start * factor, min(columns.stop * factor, pixels.shape[1])
    longer = max(bottom - top, right - left)
    side = longer + 2 * round(margin * longer)
    return _Square((top + bottom - side) // 2, (left + right - side) // 2, side)


def _bright(grey: npt.NDArray[np.uint8]) -> Mask:
    """Where the scan is above 10 % of its 99.5th percentile, by the rule of the head's area in the manifest."""
    counts = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    return grey > int(_LEVEL * int(np.searchsorted(counts, _PERCENTILE * counts[-1])))


def _without_frame(bright: Mask) -> Mask:
    """Clear the bright lines along the edges, from outside in, at most a tenth of a side deep."""
    cleared = bright.copy()
    for turn in range(4):
        view = np.rot90(cleared, turn)
        deepest = int(_FRAME_DEPTH * len(view))
        covered = view[: deepest + 1].mean(axis=1) >= _FRAME_COVER
        depth = int(np.argmin(covered)) if not covered.all() else 0  # bright as deep as that: no frame
        view[:depth] = False
    return cleared


def _head_box(bright: Mask) -> tuple[slice, slice] | None:
    """The box of the head once small gaps are closed and holes filled; ``None`` below 1 % of the scan."""
    gap = max(1, round(_GAP_SHARE * max(bright.shape)))
    padded = np.pad(bright, gap)
    regions, count = ndimage.label(ndimage.binary_fill_holes(ndimage.binary_closing(padded, iterations=gap)))
    sizes = np.bincount(regions.ravel(), minlength=2)[1:]
    if count == 0 or sizes.max() < _SMALLEST_SHARE * bright.size:
        return None
    head = np.concatenate([[False], sizes >= _ISLAND_SHARE * sizes.max()])[regions]
    rows, columns = ndimage.find_objects(head.astype(np.uint8))[0]
    return _shifted(rows, gap, bright.shape[0]), _shifted(columns, gap, bright.shape[1])


def _shifted(part: slice, gap: int, size: int) -> slice:
    return slice(max(part.start - gap, 0), min(part.stop - gap, size))


def _cut(values: npt.NDArray[np.generic], square: _Square) -> npt.NDArray:
    """Copy a square out of ``(h, w, ...)`` values; what lies outside them is 0."""
    height, width = values.shape[:2]
    cut = np.zeros((square.side, square.side, *values.shape[2:]), values.dtype)
    top, left = max(square.top, 0), max(square.left, 0)
    bottom, right = min(square.top + square.side, height), min(square.left + square.side, width)
    inside = values[top:bottom, left:right]
    cut[top - square.top : bottom - square.top, left - square.left : right - square.left] = inside
    return cut
