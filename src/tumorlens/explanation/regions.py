"""Marked parts of a scan on the grid of a map: from boxes or from a mask, so that both are scored alike.

Knows nothing about maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["Box", "Region", "region_of_boxes", "region_of_mask"]

_RESOLUTION = 32


@dataclass(frozen=True)
class Box:
    """A rectangle in shares of a scan's width and height, 0..1, from the upper left corner.

    Attributes:
        left: Left edge.
        top: Upper edge.
        right: Right edge, larger than ``left``.
        bottom: Lower edge, larger than ``top``.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Check the edges.

        Raises:
            InputError: They lie outside the scan or in the wrong order.
        """
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise InputError(
                "A box needs 0 <= left < right <= 1 and 0 <= top < bottom <= 1, got "
                f"{self.left:g}, {self.top:g}, {self.right:g}, {self.bottom:g}."
            )

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in shares of width and height, lies in the box or on its edge."""
        return self.left <= x <= self.right and self.top <= y <= self.bottom


@dataclass(frozen=True, eq=False)
class Region:
    """Marked parts of a scan on the grid of a map.

    Attributes:
        covered: ``(h, w)`` float64 in 0..1: the share of each cell that is marked.
        holds_centre: ``(h, w)`` bool: whether the centre of each cell is marked.
        area: Share of the scan that is marked, 0..1: what pointing at random would reach.
    """

    covered: npt.NDArray[np.float64]
    holds_centre: npt.NDArray[np.bool_]
    area: float


def region_of_boxes(boxes: Sequence[Box], *, shape: tuple[int, int], resolution: int = _RESOLUTION) -> Region:
    """The region that one or more boxes mark, overlaps counted once.

    Args:
        boxes: At least one.
        shape: ``(h, w)`` of the map.
        resolution: Points along each side of a cell at which coverage is sampled.

    Raises:
        InputError: There is no box.
    """
    if not boxes:
        raise InputError("Expected at least one box to score a map against, got none.")
    rows, columns = shape
    y = (np.arange(rows * resolution) + 0.5)[:, None] / (rows * resolution)
    x = (np.arange(columns * resolution) + 0.5)[None] / (columns * resolution)
    marked = np.zeros((rows * resolution, columns * resolution), bool)
    for box in boxes:
        marked |= (box.left <= x) & (x <= box.right) & (box.top <= y) & (y <= box.bottom)
    cells = marked.reshape(rows, resolution, columns, resolution)
    centres = [
        [any(box.holds((j + 0.5) / columns, (i + 0.5) / rows) for box in boxes) for j in range(columns)]
        for i in range(rows)
    ]
    return Region(cells.mean(axis=(1, 3)), np.array(centres, bool), float(marked.mean()))


def region_of_mask(mask: npt.NDArray[np.bool_], *, shape: tuple[int, int], resolution: int = _RESOLUTION) -> Region:
    """The region that a mask marks.

    Args:
        mask: ``(H, W)`` bool over the whole scan, of any size; some of it marked.
        shape: ``(h, w)`` of the map.
        resolution: Points along each side of a cell at which the mask is sampled.

    Raises:
        InputError: The mask is not such an array, or marks nothing.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or not mask.any():
        raise InputError(
            "A mask to score a map against must be bool of shape (height, width) with some of it marked, "
            f"got {mask.dtype} of shape {mask.shape} with {np.count_nonzero(mask)} marked."
        )
    rows, columns = shape
    sampled = _sample(mask, rows * resolution, columns * resolution)
    covered = sampled.reshape(rows, resolution, columns, resolution).mean(axis=(1, 3))
    return Region(covered, _sample(mask, rows, columns), float(mask.mean()))


def _sample(mask: npt.NDArray[np.bool_], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """The mask at the centres of a grid of ``rows`` and ``columns``."""
    height, width = mask.shape
    down = (2 * np.arange(rows) + 1) * height // (2 * rows)
    across = (2 * np.arange(columns) + 1) * width // (2 * columns)
    return mask[np.ix_(down, across)]
