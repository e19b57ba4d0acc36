"""Smooth random fields: cubic B-splines over random coefficients on a coarse lattice.

The lattice is the free-form deformation of Rueckert et al. (1999, doi:10.1109/42.796284). A field
can be evaluated on any grid, and a point has the same value whichever grid it is part of. Plain
elementwise arithmetic: no result depends on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.synthesis.grid import CENTRE_MM, HALF_HEAD_MM, Field, Grid, Point

__all__ = ["SmoothField", "draw_field"]

_RMS_OF_UNIT_SPLINE = (151 / 315) ** 1.5
"""Root mean square of a 3-D cubic B-spline over unit normal coefficients."""


@dataclass(frozen=True)
class SmoothField:
    """A smooth function of position.

    Attributes:
        coefficients: ``(z, y, x)`` float32, the lattice.
        knot_mm: Distance between lattice points.
        origin_mm: Position where the first four lattice points begin to act.
    """

    coefficients: Field
    knot_mm: float
    origin_mm: Point

    def on(self, grid: Grid) -> Field:
        """Values at the points of ``grid``; outside the lattice, those at its edge."""
        values = self.coefficients
        for axis, positions in enumerate((grid.z_mm, grid.y_mm, grid.x_mm)):
            first, weights = self._taps(positions, axis=axis)
            column = tuple(-1 if other == axis else 1 for other in range(3))
            total = np.take(values, first, axis=axis) * weights[0].reshape(column)
            for tap in range(1, 4):
                total += np.take(values, first + tap, axis=axis) * weights[tap].reshape(column)
            values = total
        return values

    def _taps(self, positions: npt.NDArray[np.float32], *, axis: int) -> tuple[npt.NDArray[np.intp], Field]:
        last = self.coefficients.shape[axis] - 3
        place = np.clip((positions.astype(np.float64) - self.origin_mm[axis]) / self.knot_mm, 0, last)
        first = np.minimum(place.astype(np.intp), last - 1)
        t = place - first
        weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
        return first, (weights / 6).astype(np.float32)


def draw_field(
    rng: np.random.Generator,
    *,
    knot_mm: float,
    amplitude: float = 1.0,
    centre_mm: Point = CENTRE_MM,
    half_mm: Point = HALF_HEAD_MM,
) -> SmoothField:
    """Draw a field of mean 0 and RMS ``amplitude`` over the box ``centre_mm`` ± ``half_mm``."""
    cells = [int(np.ceil(2 * half / knot_mm)) for half in half_mm]
    coefficients = rng.standard_normal([cell + 3 for cell in cells], dtype=np.float32)
    coefficients *= np.float32(amplitude / _RMS_OF_UNIT_SPLINE)
    origin = tuple(centre - half for centre, half in zip(centre_mm, half_mm, strict=True))
    return SmoothField(coefficients, knot_mm, (origin[0], origin[1], origin[2]))
