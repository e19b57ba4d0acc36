"""Where a slice lies in the patient: plane and position along the normal. Knows nothing about files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.scans.reading import Plane

__all__ = ["Orientation", "orientation_of"]

_SHORTEST = 1e-3
_RAS_SIGNS = (-1.0, -1.0, 1.0)
_PLANES: tuple[Plane, Plane, Plane] = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class Orientation:
    """Directions of rows and columns in patient coordinates (PS3.3 C.7.6.2.1.1).

    Attributes:
        cosines: The six direction cosines of ImageOrientationPatient.
    """

    cosines: tuple[float, ...]

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector across the slice; x to the patient's left, y to the back, z to the head."""
        across = np.cross(self.cosines[:3], self.cosines[3:])
        return np.asarray(across / np.linalg.norm(across))

    @property
    def plane(self) -> Plane:
        """The plane whose normal is nearest; oblique slices have one too."""
        return _PLANES[int(np.abs(self.normal).argmax())]

    def position(self, corner: tuple[float, ...]) -> float:
        """Place along the normal in mm.

        Args:
            corner: ImagePositionPatient: x, y, z of the first pixel's centre, mm.
        """
        return float(np.dot(self.normal, corner))

    def height(self, corner: tuple[float, ...], *, to_centre: tuple[float, float]) -> float:
        """Coordinate of the slice's centre along the patient's axis nearest to the normal, in mm.

        It grows to the right, forward or upward (RAS+), as that of NIfTI volumes, whichever way the normal points.

        Args:
            corner: ImagePositionPatient: x, y, z of the first pixel's centre, mm.
            to_centre: Way from the first pixel to the centre, down the rows and across the columns, mm.
        """
        axis = int(np.abs(self.normal).argmax())
        across, down = self.cosines[axis], self.cosines[3 + axis]
        place = corner[axis] + down * to_centre[0] + across * to_centre[1]
        return _RAS_SIGNS[axis] * place

    def resembles(self, other: Orientation) -> bool:
        """Whether two slices are parallel but for rounding (about 1°)."""
        return max(abs(a - b) for a, b in zip(self.cosines, other.cosines, strict=True)) < 0.02


def orientation_of(cosines: tuple[float, ...]) -> Orientation | None:
    """Check the value of ImageOrientationPatient; ``None`` if it spans no plane."""
    if len(cosines) != 6 or max(abs(value) for value in cosines) > 2:
        return None
    return Orientation(cosines) if np.linalg.norm(np.cross(cosines[:3], cosines[3:])) > _SHORTEST else None
