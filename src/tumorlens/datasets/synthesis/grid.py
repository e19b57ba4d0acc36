"""Where in the head a value is wanted: axial planes of regular points, in millimetres.

The frame is that of the MNI152 template (x to the right, y to the front, z to the top of the head);
arrays are ``(z, y, x)`` with y falling, so that the front of the head is the top of a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.settings import FIELD_OF_VIEW_MM

__all__ = ["CENTRE_MM", "HALF_HEAD_MM", "Field", "Grid", "Point", "head_grid"]

Field = npt.NDArray[np.float32]
"""``(z, y, x)`` float32: one value per point of a grid."""

Point = tuple[float, float, float]
"""``(z, y, x)`` in millimetres."""

CENTRE_MM: Point = (0.0, -17.0, 0.0)
"""Middle of the field of view in-plane; the plane of the anterior commissure in height."""

HALF_HEAD_MM: Point = (92.0, 104.0, 86.0)
"""Half the box around :data:`CENTRE_MM` that holds any virtual brain."""


_BLOCK_POINTS = 1_200_000


@dataclass(frozen=True)
class Grid:
    """Points of axial planes.

    Attributes:
        z_mm: ``(z,)`` float32, heights of the planes, in any order.
        y_mm: ``(y,)`` float32, falling.
        x_mm: ``(x,)`` float32, rising.
    """

    z_mm: npt.NDArray[np.float32]
    y_mm: npt.NDArray[np.float32]
    x_mm: npt.NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(z, y, x)``: planes, rows, columns."""
        return len(self.z_mm), len(self.y_mm), len(self.x_mm)

    def offsets(self, point: Point) -> tuple[Field, Field, Field]:
        """Broadcastable differences z, y, x in mm between the grid's points and ``point``."""
        z, y, x = (np.float32(value) for value in point)
        return (
            (self.z_mm - z)[:, None, None],
            (self.y_mm - y)[None, :, None],
            (self.x_mm - x)[None, None, :],
        )

    def near(self, point: Point, *, radius_mm: float) -> tuple[slice, slice, slice]:
        """The rows and columns within ``radius_mm`` of ``point`` (may be empty); all planes."""
        rows = np.flatnonzero(np.abs(self.y_mm - point[1]) <= radius_mm)
        columns = np.flatnonzero(np.abs(self.x_mm - point[2]) <= radius_mm)
        return slice(0, len(self.z_mm)), _span(rows), _span(columns)

    def part(self, window: tuple[slice, slice, slice]) -> Grid:
        """The grid of the points in ``window``."""
        return Grid(self.z_mm[window[0]], self.y_mm[window[1]], self.x_mm[window[2]])

    def blocks(self, *, layers: int = 1) -> Iterator[slice]:
        """Cut the planes into runs that fit into memory when each plane becomes ``layers``."""
        _, rows, columns = self.shape
        planes = max(_BLOCK_POINTS // max(rows * columns * layers, 1), 1)
        for start in range(0, len(self.z_mm), planes):
            yield slice(start, start + planes)

    def thinned(self) -> Grid:
        """The same planes with every third row and column."""
        return replace(self, y_mm=self.y_mm[::3], x_mm=self.x_mm[::3])

    def at_heights(self, z_mm: npt.ArrayLike) -> Grid:
        """The same rows and columns in planes at other heights."""
        return replace(self, z_mm=np.asarray(z_mm, dtype=np.float32))


def head_grid(size: int) -> tuple[Grid, tuple[slice, slice]]:
    """The part of a ``size`` x ``size`` picture that can hold brain.

    Returns:
        A grid without planes, and its rows and columns in the picture.
    """
    pixel_mm = FIELD_OF_VIEW_MM / size
    steps = (np.arange(size) - (size - 1) / 2) * pixel_mm
    rows = _span(np.flatnonzero(np.abs(steps) <= HALF_HEAD_MM[1]))
    columns = _span(np.flatnonzero(np.abs(steps) <= HALF_HEAD_MM[2]))
    y_mm = (CENTRE_MM[1] - steps[rows]).astype(np.float32)
    x_mm = (CENTRE_MM[2] + steps[columns]).astype(np.float32)
    return Grid(np.zeros(0, np.float32), y_mm, x_mm), (rows, columns)


def _span(indices: npt.NDArray[np.intp]) -> slice:
    return slice(int(indices[0]), int(indices[-1]) + 1) if len(indices) else slice(0, 0)
