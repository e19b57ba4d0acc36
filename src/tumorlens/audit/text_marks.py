"""Finds text burned into a scan outside the head: names, dates, letters at the edge. Reads none of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["FEWEST_MARKS", "text_marks"]

FEWEST_MARKS = 3
"""So many marks side by side make a line of text."""

_BRIGHT_SHARE = 0.4
_DARKEST = 50
_HEAD_SHARE = 0.1
_LOWEST, _LOWEST_SHARE, _HIGHEST_SHARE = 5, 0.015, 0.08
_WIDEST = 2.0
_MOST_PIECES = 500


@dataclass(frozen=True)
class _Mark:
    left: int
    right: int
    top: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def beside(self, other: _Mark) -> bool:
        """Whether ``other``, further right, could be the next letter of a line."""
        taller = max(self.height, other.height)
        overlap = min(self.bottom, other.bottom) - max(self.top, other.top)
        return (
            overlap >= 0.6 * min(self.height, other.height)
            and min(self.height, other.height) >= 0.5 * taller
            and other.left - self.right <= 1.2 * taller
        )


def text_marks(grey: npt.NDArray[np.uint8]) -> int:
    """Count the marks that stand in lines like letters.

    A mark is a connected patch brighter than 40 % of the scan's brightness (its 99.5th percentile, and 50 grey levels
    at least) that does not touch the head (the largest patch brighter than a tenth), is 1.5 to 8 % of the scan's height
    tall (5 pixels at least) and at most twice as wide. Marks of like height side by side, with gaps of at most 1.2
    times their height, are a line; lines of three marks or more count. Text over the head, and a single letter at the
    side, are not found.

    Args:
        grey: ``(h, w)`` uint8, dark background.

    Returns:
        Marks in lines; 0 where there is no text.
    """
    peak = float(np.percentile(grey, 99.5))
    bright = grey > max(_BRIGHT_SHARE * peak, _DARKEST)
    head = _largest_patch(grey > _HEAD_SHARE * peak)
    pieces, count = ndimage.label(bright & ~head, structure=np.ones((3, 3)))
    if count < FEWEST_MARKS:
        return 0
    marks = [mark for mark in map(_mark, ndimage.find_objects(pieces)) if _is_letter(mark, len(grey))]
    if not FEWEST_MARKS <= len(marks) <= _MOST_PIECES:
        return 0
    return sum(length for length in _line_lengths(marks) if length >= FEWEST_MARKS)


def _largest_patch(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    patches, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if not count:
        return mask
    sizes = np.bincount(patches.ravel())
    sizes[0] = 0
    return np.asarray(patches == sizes.argmax())


def _mark(box: tuple[slice, slice]) -> _Mark:
    rows, columns = box
    return _Mark(columns.start, columns.stop, rows.start, rows.stop)


def _is_letter(mark: _Mark, side: int) -> bool:
    lowest = max(_LOWEST, _LOWEST_SHARE * side)
    return lowest <= mark.height <= _HIGHEST_SHARE * side and mark.right - mark.left <= _WIDEST * mark.height


def _line_lengths(marks: list[_Mark]) -> list[int]:
    """Chain marks from left to right; each joins the line whose last mark it stands beside."""
    lines: list[list[_Mark]] = []
    for mark in sorted(marks, key=lambda one: one.left):
        line = next((line for line in lines if line[-1].beside(mark)), None)
        if line is None:
            lines.append([mark])
        else:
            line.append(mark)
    return [len(line) for line in lines]
