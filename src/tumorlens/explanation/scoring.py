"""How well a map finds a marked region: the pointing game, and how much of the evidence lies inside.

The pointing game asks whether the strongest place of a map lies in the region (Zhang et al., "Top-down neural attention
by excitation backprop", IJCV 126 (2018) 1084-1102; here the centre of the strongest cell, without tolerance); the
energy is the share of positive evidence inside (Wang et al., "Score-CAM", CVPR Workshops 2020). Regions say how
much of each cell is marked, so boxes and masks are scored alike. Knows nothing about how a map was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["Box", "Region", "energy_inside", "points_inside", "region_of_boxes"]


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


def region_of_boxes(boxes: Sequence[Box], *, shape: tuple[int, int], resolution: int = 32) -> Region:
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


def points_inside(evidence: npt.NDArray[np.floating], region: Region) -> bool:
    """Whether the centre of the strongest cell is marked; the first of them when tied.

    Raises:
        InputError: Map and region have different grids.
    """
    _check(evidence, region)
    return bool(region.holds_centre.ravel()[int(np.argmax(evidence))])


def energy_inside(evidence: npt.NDArray[np.floating], region: Region) -> float | None:
    """Share of the positive evidence that lies in the region, 0..1; ``None`` where there is none.

    Raises:
        InputError: Map and region have different grids.
    """
    _check(evidence, region)
    positive = np.clip(evidence.astype(np.float64), 0.0, None)
    total = float(positive.sum())
    return float((positive * region.covered).sum()) / total if total > 0 else None


def _check(evidence: npt.NDArray[np.floating], region: Region) -> None:
    if evidence.shape != region.covered.shape:
        raise InputError(f"A map of {evidence.shape} cells cannot be scored on a region of {region.covered.shape}.")
