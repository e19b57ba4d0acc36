"""A segmentation beside a volume: which pixels of a slice it marks. Knows nothing about labels of scans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.nifti.volume import Volume, read_volume
from tumorlens.scans.reading import Plane

__all__ = ["LesionMask", "read_mask"]

_SHIFT_TOLERANCE = 0.1
_WHOLE_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class LesionMask:
    """A segmentation that lies on its image voxel by voxel.

    Attributes:
        volume: The segmentation.
        labels: Values that mean tumour; empty: all above 0.
    """

    volume: Volume
    labels: tuple[int, ...] = ()

    def marked(self, plane: Plane, index: int) -> npt.NDArray[np.bool_]:
        """Return where a slice shows tumour, ``(h, w)`` bool, in the orientation of :meth:`Volume.slice_values`.

        Raises:
            InputError: The slice holds values that are no whole numbers.
        """
        values = np.nan_to_num(self.volume.slice_values(plane, index), nan=0.0, posinf=0.5, neginf=0.5)
        whole = np.rint(values)
        odd = np.abs(values - whole) > _WHOLE_TOLERANCE
        if odd.any():
            raise InputError(
                f"The mask {self.volume.source} holds {values[odd][0]:g}, expected whole numbers (one for each kind of "
                "tissue): replace it."
            )
        return np.isin(whole, self.labels) if self.labels else whole > 0

    def area_mm2(self, plane: Plane, index: int) -> float:
        """Return the area a slice marks, from the spacing of its pixels; 0 only where it marks none.

        Raises:
            InputError: The slice holds values that are no whole numbers.
        """
        rows, columns = self.volume.pixel_spacing_mm(plane)
        return int(np.count_nonzero(self.marked(plane, index))) * rows * columns


def read_mask(
    path: Path, image: Volume, *, labels: tuple[int, ...] = (), limits: ReadLimits = DEFAULT_LIMITS
) -> LesionMask:
    """Read the segmentation of ``image``.

    It may be stored in another order of axes, as long as each voxel lies where the image's does: no corner further
    off than a tenth of a voxel.

    Args:
        path: The mask.
        image: What it marks.
        labels: Values that mean tumour; empty: all above 0.
        limits: As for the image.

    Raises:
        NotFoundError: There is no such file.
        InputError: It cannot be read, holds several volumes, or lies elsewhere than the image.
    """
    mask = read_volume(path, limits=limits)
    if mask.volumes > 1:
        raise InputError(f"The mask {path} holds {mask.volumes} volumes, expected one: save the one that fits.")
    if mask.voxels.shape != image.voxels.shape:
        raise InputError(
            f"The mask {path} has {_size(mask)} voxels and its image {image.source} {_size(image)} (right, front, up): "
            "replace or remove it."
        )
    if _shift(mask, image) > _SHIFT_TOLERANCE * min(image.spacing_mm):
        raise InputError(
            f"The mask {path} lies {_shift(mask, image):.2g} mm off its image {image.source}: resample or remove it."
        )
    return LesionMask(mask, labels)


def _size(volume: Volume) -> str:
    return "x".join(str(size) for size in volume.voxels.shape)


def _shift(mask: Volume, image: Volume) -> float:
    """Largest distance of corresponding corners, mm."""
    ends = [(0, size - 1) for size in image.voxels.shape]
    corners = np.array([(x, y, z, 1) for x in ends[0] for y in ends[1] for z in ends[2]], np.float64)
    return float(np.linalg.norm((corners @ (mask.affine - image.affine).T)[:, :3], axis=1).max())
