"""Slices of a volume become scans: one intensity window a volume, square pixels, slices without brain left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tumorlens.errors import InputError
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.nifti.volume import AXIS_OF_PLANE, Volume, read_volume
from tumorlens.scans.raster import Scan
from tumorlens.scans.reading import DEFAULT_READING, Plane, Reading
from tumorlens.scans.window import to_grey

__all__ = ["MINIMUM_AREA", "VolumeCut", "head_share", "read_nifti"]

MINIMUM_AREA = 0.05
"""Share of a slice that must be head, else it is left out."""

_HEAD_LEVEL = 26  # the first grey above 10 % of the way from the volume's low to its high value
_SQUARE_TOLERANCE = 1.01
_MOST_STRETCH = 50.0


@dataclass(frozen=True, eq=False)
class VolumeCut:
    """A volume with the plane and the grey range in which its slices are taken.

    Attributes:
        volume: The volume.
        plane: The plane.
        low: Value that becomes 0.
        high: Value that becomes 255.
        rule: Name of the intensity rule, for the receipt.
    """

    volume: Volume
    plane: Plane
    low: float
    high: float
    rule: str

    @classmethod
    def of(cls, volume: Volume, reading: Reading) -> VolumeCut:
        """Settle the grey range of a volume.

        Raises:
            InputError: The intensity rule does not apply to NIfTI, or voxels are far from square in the plane.
        """
        low, high = volume.grey_range(reading.window)
        cut = cls(volume, reading.plane, low, high, reading.window.kind)
        rows, columns = volume.pixel_spacing_mm(cut.plane)
        if max(rows, columns) > _MOST_STRETCH * min(rows, columns):
            raise InputError(
                f"{volume.source} has pixels of {columns:g}x{rows:g} mm in the {cut.plane} plane, expected sides "
                f"within a factor of {_MOST_STRETCH:g}: choose another --plane or remove it."
            )
        return cut

    def name(self, index: int) -> str:
        """What tells a slice from the others: ``"z=43"``, the index in RAS+ order, from 0."""
        return f"{'xyz'[AXIS_OF_PLANE[self.plane]]}={index}"

    def grey(self, index: int) -> npt.NDArray[np.uint8]:
        """Return a slice in grey levels, ``(h, w)``, pixels as stored."""
        with np.errstate(all="ignore"):
            values = self.volume.slice_values(self.plane, index)
            values -= self.low  # before 64-bit values are cut to 32
            return to_grey(values, low=0.0, high=self.high - self.low)

    def scan(
        self, index: int, *, limits: ReadLimits = DEFAULT_LIMITS, mask: npt.NDArray[np.bool_] | None = None
    ) -> Scan:
        """Return a slice as a scan.

        Args:
            index: Which one.
            limits: Largest picture.
            mask: ``(h, w)`` bool over the pixels as stored; goes the way of the pixels, by nearest neighbour.

        Raises:
            InputError: With square pixels the slice is too large.
        """
        grey, (rows, columns) = self.grey(index), self.volume.pixel_spacing_mm(self.plane)
        receipt = (*self._receipt(), f"slice={self.plane} {self.name(index)} of 0..{self._last}", self._window)
        height, width = _square_shape(grey.shape, rows, columns)
        if (height, width) != grey.shape:
            limits.check_picture(height=height, width=width, source=f"{self.volume.source}#{self.name(index)}")
            receipt = (*receipt, f"resized={grey.shape[1]}x{grey.shape[0]} to {width}x{height}, bilinear")
            grey = _resized(grey, (width, height), Image.Resampling.BILINEAR)
            if mask is not None:
                mask = _resized(mask.astype(np.uint8), (width, height), Image.Resampling.NEAREST) > 0
        pixels = np.empty((*grey.shape, 3), np.uint8)
        pixels[...] = grey[:, :, np.newaxis]
        source, mode = f"{self.volume.source}#{self.name(index)}", str(self.volume.voxels.dtype.newbyteorder("="))
        return Scan(pixels, "NIFTI", mode, source, receipt, self._facts(index), mask)

    @property
    def _last(self) -> int:
        return self.volume.slice_count(self.plane) - 1

    @property
    def _window(self) -> str:
        return f"window={self.rule}:{self.low:g}..{self.high:g}"

    def _receipt(self) -> tuple[str, ...]:
        volume = self.volume
        first = (f"volume=1 of {volume.volumes}",) if volume.volumes > 1 else ()
        turned = f"reoriented={volume.stored} to RAS" if volume.stored != "RAS" else "orientation=RAS"
        return (*first, turned if volume.oriented else f"{turned} (assumed, the file does not say)")

    def _facts(self, index: int) -> Mapping[str, str]:
        """The columns of DICOM facts; NIfTI keeps neither modality nor scanner, and of thickness only the distance."""
        rows, columns = self.volume.pixel_spacing_mm(self.plane)
        return {
            "modality": "",
            "plane": self.plane,
            "sequence_type": "",
            "field_strength_t": "",
            "maker": "",
            "spacing_mm": "x".join(dict.fromkeys(f"{step:.4g}" for step in (rows, columns))),
            "slice_thickness_mm": f"{self.volume.spacing_mm[AXIS_OF_PLANE[self.plane]]:.4g}",
            "slice_position_mm": f"{self.volume.slice_position_mm(self.plane, index):.2f}",
        }


def head_share(grey: npt.NDArray[np.uint8]) -> float:
    """Share of a slice, 0..1, that lies above 10 % of the way from the volume's low to its high value."""
    return float(np.count_nonzero(grey >= _HEAD_LEVEL) / grey.size)


def read_nifti(
    path: Path,
    reading: Reading = DEFAULT_READING,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    minimum_area: float = MINIMUM_AREA,
) -> Iterator[Scan]:
    """Read the slices of a volume that hold enough of the head; see :meth:`Volume.slice_values` for how they lie.

    The file is read and checked at once, its slices are made one by one: memory stays at the volume as stored and
    one slice.

    Args:
        path: A ``.nii`` or ``.nii.gz`` file.
        reading: Intensity rule and plane; a crop is not applied here but to scans of every format alike, by
            :func:`tumorlens.scans.prepare_scan`.
        limits: Largest file, slice, number of slices and volume.
        minimum_area: Slices with a smaller share of head are left out; 0 keeps all.

    Returns:
        The slices, from left, back or bottom, with sources such as ``"head.nii.gz#z=43"``.

    Raises:
        NotFoundError: There is no such file.
        InputError: As :func:`read_volume`, or no slice holds enough of the head.
    """
    cut = VolumeCut.of(read_volume(path, limits=limits), reading)
    count = cut.volume.slice_count(cut.plane)
    kept = [index for index in range(count) if head_share(cut.grey(index)) >= minimum_area]
    if not kept:
        raise InputError(
            f"None of the {count} {cut.plane} slices of {path} is head in at least {minimum_area * 100:g} % of its "
            "area: check the file, or choose another --plane or --window."
        )
    return (cut.scan(index, limits=limits) for index in kept)


def _square_shape(shape: tuple[int, ...], rows_mm: float, columns_mm: float) -> tuple[int, int]:
    """The ``(h, w)`` a slice has with square pixels as small as its smaller spacing."""
    height, width = shape
    side = min(rows_mm, columns_mm)
    if max(rows_mm, columns_mm) <= _SQUARE_TOLERANCE * side:
        return height, width
    return max(1, round(height * rows_mm / side)), max(1, round(width * columns_mm / side))


def _resized(values: npt.NDArray[np.uint8], size: tuple[int, int], method: Image.Resampling) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.fromarray(values).resize(size, method))
