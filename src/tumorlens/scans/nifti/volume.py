"""One volume in memory, in RAS+ order and in the type it is stored in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.files import check_regular
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.nifti.header import NiftiHeader, read_header
from tumorlens.scans.nifti.names import is_nifti
from tumorlens.scans.nifti.stream import ByteStream, open_stream
from tumorlens.scans.reading import Plane
from tumorlens.scans.window import Window, intensity_range

__all__ = ["AXIS_OF_PLANE", "Volume", "read_volume"]

AXIS_OF_PLANE: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The RAS+ axis along which a plane is cut."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume in RAS+ order: the first index grows to the patient's right, the second forward, the third upward.

    Attributes:
        voxels: ``(x, y, z)`` stored values: a view of the array as it was read, which costs no memory.
        slope: What stored values are multiplied by.
        inter: What is added then.
        affine: ``(4, 4)`` float64, from indices of ``voxels`` to millimetres in RAS+ space.
        stored: How the axes of the file run, such as ``"LPS"``.
        oriented: Whether the file says so itself; else nibabel's assumption for such files holds.
        volumes: Volumes in the file; the first is the one read.
        source: Where it came from.
    """

    voxels: npt.NDArray[Any] = field(repr=False)
    slope: float
    inter: float
    affine: npt.NDArray[np.float64] = field(repr=False)
    stored: str
    oriented: bool
    volumes: int
    source: str

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between the centres of neighbouring voxels along x, y and z."""
        x, y, z = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    def slice_count(self, plane: Plane) -> int:
        """Number of slices in a plane."""
        return int(self.voxels.shape[AXIS_OF_PLANE[plane]])

    def slice_values(self, plane: Plane, index: int) -> npt.NDArray[np.floating]:
        """Return one slice as a picture, ``(h, w)``, scaled by slope and inter.

        It is float32 where that holds every stored value (floats of 32 bits, whole numbers of 16), else float64.

        Axial: front at the top, the patient's right on the left of the picture. Coronal: top of the head at the top,
        the patient's right on the left. Sagittal: top of the head at the top, front on the left. So DICOM pictures are
        usually shown.

        Args:
            plane: In which plane.
            index: Index along the plane's axis, from left, back or bottom.
        """
        stored = np.moveaxis(self.voxels, AXIS_OF_PLANE[plane], 0)[index]
        with np.errstate(all="ignore"):
            values = stored.T[::-1, ::-1].astype(np.result_type(stored.dtype, np.float32))
            values *= self.slope
            values += self.inter
        return values

    def pixel_spacing_mm(self, plane: Plane) -> tuple[float, float]:
        """Distance between rows and between columns of a slice as it is shown."""
        across, along = (self.spacing_mm[axis] for axis in range(3) if axis != AXIS_OF_PLANE[plane])
        return along, across

    def slice_position_mm(self, plane: Plane, index: int) -> float:
        """Coordinate of a slice's centre along its RAS+ axis: of an axial slice, its height."""
        axis = AXIS_OF_PLANE[plane]
        centre = (np.array(self.voxels.shape, np.float64) - 1) / 2
        centre[axis] = index
        return float(self.affine[axis, :3] @ centre + self.affine[axis, 3])

    def grey_range(self, window: Window) -> tuple[float, float]:
        """Return the values that become 0 and 255 in all slices of this volume.

        Raises:
            InputError: The rule is the file's own window, which NIfTI files do not have.
        """
        if window.kind == "dicom":
            raise InputError(
                "--window dicom needs the windows of DICOM files, which NIfTI volumes do not have: "
                "use percentiles or LOW,HIGH."
            )
        if window.kind == "fixed":
            return window.low, window.high
        axial = range(self.slice_count("axial"))  # always axial, so that the plane does not change the contrast
        with np.errstate(all="ignore"):
            blocks = (self.slice_values("axial", index) for index in axial)
            return intensity_range(blocks, count=self.voxels.size)


def read_volume(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file, gzipped or not; the first volume where it holds several.

    Needs the memory of that volume as stored. Sizes are checked from the header, before memory is taken; a gzip file
    is inflated only up to the end of the volume, whatever follows.

    Args:
        path: The file.
        limits: Largest file, slice, number of slices and volume.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is empty, too large, truncated, damaged, no NIfTI volume of numbers, or does not say how it lies.
    """
    if not is_nifti(path):
        raise InputError(f"Expected a NIfTI volume (.nii or .nii.gz), got {path}: convert it, pairs of .hdr/.img too.")
    check_regular(path)
    file_bytes = path.stat().st_size
    limits.check_file(file_bytes, source=str(path))
    with open_stream(path) as stream:
        header = read_header(stream)
        _check_size(header, limits, file_bytes=file_bytes, stream=stream)
        stream.skip(header.offset - header.bytes_read)
        values = np.empty(header.shape, header.dtype, order="F")
        stream.fill(values.reshape(-1, order="F").view(np.uint8).data)
        if header.volumes == 1:
            stream.finish()
    return _oriented(values, header, source=str(path))


def _check_size(header: NiftiHeader, limits: ReadLimits, *, file_bytes: int, stream: ByteStream) -> None:
    source, shape = stream.source, header.shape
    limits.check_frames(max(shape), source=source)
    limits.check_picture(height=sorted(shape)[1], width=sorted(shape)[2], source=f"A slice of {source}")
    needed = header.offset + shape[0] * shape[1] * shape[2] * header.dtype.itemsize
    limits.check_decoded(needed, file_bytes=file_bytes, source=source)
    if not stream.packed and file_bytes < needed:
        raise InputError(f"{source} is truncated ({file_bytes} bytes, its header says {needed}): replace or remove it.")


def _oriented(values: npt.NDArray[Any], header: NiftiHeader, *, source: str) -> Volume:
    from nibabel import orientations

    orientation = orientations.io_orientation(header.affine)
    return Volume(
        voxels=orientations.apply_orientation(values, orientation),
        slope=header.slope,
        inter=header.inter,
        affine=header.affine @ orientations.inv_ornt_aff(orientation, header.shape),
        stored="".join(orientations.ornt2axcodes(orientation)),
        oriented=header.oriented,
        volumes=header.volumes,
        source=source,
    )
