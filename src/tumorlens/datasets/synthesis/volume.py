"""Maps of one volume, read together at any position by linear interpolation.

Faster than one interpolation a map, and, being plain elementwise arithmetic, the same whatever the
number of threads or the company a point is read in.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.grid import Point

__all__ = ["Volume"]

_CHUNK = 16_384
"""Points read at once: their intermediate results fit into a processor's cache."""


@dataclass(frozen=True)
class Volume:
    """Maps over a regular lattice.

    Attributes:
        values: ``(z, y, x, maps)`` float32.
        step_mm: Distance between neighbouring voxels.
        origin_mm: Position of the first voxel.
    """

    values: npt.NDArray[np.float32]
    step_mm: float
    origin_mm: Point

    def read(self, points_mm: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Values ``(maps, n)`` at positions ``(3, n)`` z, y, x in mm.

        Outside the lattice they are those at its edge.
        """
        count = points_mm.shape[1]
        result = np.empty((self.values.shape[-1], count), np.float32)
        for start in range(0, count, _CHUNK):
            part = slice(start, start + _CHUNK)
            result[:, part] = self._read(points_mm[:, part]).T
        return result

    def _read(self, points_mm: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        first, fraction = self._place(points_mm)
        flat = self.values.reshape(-1, self.values.shape[-1])
        total = np.zeros((points_mm.shape[1], flat.shape[1]), np.float32)
        _, rows, columns, _ = self.values.shape
        base = (first[0] * rows + first[1]) * columns + first[2]
        sides = (1 - fraction, fraction)
        for up, back, right in product((0, 1), repeat=3):
            weight = sides[up][0] * sides[back][1] * sides[right][2]
            step = (up * rows + back) * columns + right
            total += np.take(flat, base + step, axis=0) * weight[:, None]
        return total

    def read_nearest(self, points_mm: npt.NDArray[np.float32], *, channel: int) -> npt.NDArray[np.float32]:
        """Values ``(...)`` of one map at the voxels nearest to positions ``(3, ...)``."""
        indices = tuple(
            np.clip(np.rint((points_mm[axis] - start) / self.step_mm).astype(np.intp), 0, size - 1)
            for axis, (start, size) in enumerate(zip(self.origin_mm, self.values.shape[:3], strict=True))
        )
        return self.values[(*indices, channel)]

    def _place(self, points_mm: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        origin = np.asarray(self.origin_mm, np.float32)[:, None]
        last = np.array(self.values.shape[:3], np.float32)[:, None] - 1
        place = np.clip((points_mm - origin) / np.float32(self.step_mm), 0, last)
        first = np.minimum(place.astype(np.intp), last.astype(np.intp) - 1)
        return first, place - first.astype(np.float32)
