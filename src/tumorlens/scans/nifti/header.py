"""What a NIfTI header says, checked before a voxel is read.

Field layout and the meaning of ``qform``, ``sform``, ``scl_slope`` and ``vox_offset``: the NIfTI-1 and NIfTI-2
standards (https://nifti.nimh.nih.gov). Fields are read by nibabel, with its repairs, so that a file lies here as it
lies there.
"""

from __future__ import annotations

import logging
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.scans.nifti.stream import ByteStream

__all__ = ["NiftiHeader", "read_header"]

_SIZES = {348: 1, 540: 2}
_SINGLE = {1: b"n+1", 2: b"n+2"}
_PAIR = {1: b"ni1", 2: b"ni2"}
_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_REFUSED = {
    1: "single bits",
    32: "complex numbers",
    128: "colours (RGB)",
    1536: "128-bit floats",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "colours (RGBA)",
}
_MM_PER_UNIT = {1: 1000.0, 3: 0.001}
_UNIT_BITS = 0b111
_LEAST_INDEPENDENCE = 1e-4


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """The facts of a volume.

    Attributes:
        shape: Voxels along the three axes of the file.
        volumes: Volumes in the file; 1 for a 3-D one.
        dtype: Type of the stored values, with its byte order.
        offset: Where the values start, bytes.
        bytes_read: Bytes of the file that were read for the header.
        slope: What stored values are multiplied by.
        inter: What is added then.
        affine: ``(4, 4)`` float64, from voxel indices to millimetres in RAS+ space.
        oriented: Whether the file itself says how it lies (``qform`` or ``sform``).
    """

    shape: tuple[int, int, int]
    volumes: int
    dtype: np.dtype[Any]
    offset: int
    bytes_read: int
    slope: float
    inter: float
    affine: npt.NDArray[np.float64]
    oriented: bool


def read_header(stream: ByteStream) -> NiftiHeader:
    """Read and check the header at the start of ``stream``.

    Raises:
        InputError: It is no NIfTI header, is damaged, or describes what is not read here.
    """
    block, version = _read_block(stream)
    fields = _parse(block, version, source=stream.source)
    shape, volumes = _shape([int(size) for size in fields["dim"]], source=stream.source)
    slope, inter = _scaling(fields, source=stream.source)
    return NiftiHeader(
        shape=shape,
        volumes=volumes,
        dtype=_dtype(fields, source=stream.source),
        offset=_offset(fields, len(block), source=stream.source),
        bytes_read=len(block),
        slope=slope,
        inter=inter,
        affine=_affine(fields, source=stream.source),
        oriented=int(fields["sform_code"]) != 0 or int(fields["qform_code"]) != 0,
    )


def _read_block(stream: ByteStream) -> tuple[bytes, int]:
    start = stream.read(4)
    version = next((_SIZES[size] for size in _sizes(start) if size in _SIZES), None)
    if version is None:
        raise InputError(f"{stream.source} is not a NIfTI file (its header has no known size): replace or remove it.")
    size = {1: 348, 2: 540}[version]
    block = start + stream.read(size - 4)
    magic = block[344:347] if version == 1 else block[4:7]
    if magic == _PAIR[version]:
        raise InputError(
            f"{stream.source} is the header of a .hdr/.img pair, expected one file: convert it to .nii.gz."
        )
    if magic != _SINGLE[version]:
        raise InputError(
            f"{stream.source} is not a NIfTI file (an Analyze file, or damaged): convert it to .nii.gz or remove it."
        )
    return block, version


def _sizes(start: bytes) -> tuple[int, int]:
    return struct.unpack("<i", start)[0], struct.unpack(">i", start)[0]


def _parse(block: bytes, version: int, *, source: str) -> Any:
    """The header as nibabel has it after its repairs, whose remarks are not shown."""
    import nibabel

    silent = logging.Logger("silent", logging.CRITICAL + 1)
    kind = nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header
    try:
        with np.errstate(all="ignore"):
            header = kind(block, check=False)
            if int(header["datatype"]) in _DTYPES:  # else refused below, in words that say why
                header.check_fix(logger=silent)
            return header
    except Exception as error:  # damaged fields make the parser raise anything
        raise InputError(f"{source} has a damaged header ({_reason(error)}): replace or remove it.") from error


def _shape(dim: list[int], *, source: str) -> tuple[tuple[int, int, int], int]:
    count = dim[0]
    sizes = dim[1 : count + 1] if 1 <= count <= 7 else []
    if len(sizes) < 3 or any(size != 1 for size in sizes[4:]):
        shown = "x".join(str(size) for size in sizes) or f"{count} axes"
        raise InputError(f"{source} holds {shown}, expected a volume with 3 axes, or 4: convert or remove it.")
    if min(sizes) < 1:
        raise InputError(f"{source} has no voxels ({'x'.join(str(size) for size in sizes)}): replace or remove it.")
    return (sizes[0], sizes[1], sizes[2]), (sizes[3] if len(sizes) > 3 else 1)


def _dtype(fields: Any, *, source: str) -> np.dtype[Any]:
    code = int(fields["datatype"])
    if code not in _DTYPES:
        held = _REFUSED.get(code, f"values of the unknown type {code}")
        raise InputError(f"{source} holds {held}, expected whole numbers or floats of 8 to 64 bits: convert it.")
    return np.dtype(_DTYPES[code]).newbyteorder(fields.endianness)


def _offset(fields: Any, header_bytes: int, *, source: str) -> int:
    offset, first = float(fields["vox_offset"]), header_bytes + 4
    if offset == 0:
        return first
    if not math.isfinite(offset) or offset < first:
        raise InputError(
            f"{source} says that its voxels start at byte {offset:g}, expected {first} or later: replace or remove it."
        )
    return int(offset)


def _scaling(fields: Any, *, source: str) -> tuple[float, float]:
    try:
        slope, inter = fields.get_slope_inter()
    except Exception as error:
        raise InputError(
            f"{source} has a scaling that is no number ({_reason(error)}): replace or remove it."
        ) from error
    return (1.0, 0.0) if slope is None else (float(slope), float(inter))


def _affine(fields: Any, *, source: str) -> npt.NDArray[np.float64]:
    """The best affine, in millimetres."""
    try:
        with np.errstate(all="ignore"):
            affine = np.array(fields.get_best_affine(), np.float64)
            affine[:3] *= _MM_PER_UNIT.get(int(fields["xyzt_units"]) & _UNIT_BITS, 1.0)
            lengths = np.linalg.norm(affine[:3, :3], axis=0)
            sound = bool(np.isfinite(affine).all() and np.isfinite(lengths).all() and lengths.min() > 0)
            sound = sound and np.linalg.svd(affine[:3, :3] / lengths)[1][-1] > _LEAST_INDEPENDENCE
    except Exception:  # damaged fields make nibabel and NumPy raise anything; whatever it is, the affine is not sound
        sound = False
    if not sound:
        raise InputError(
            f"{source} does not say how it lies (its affine is singular or not finite): set its orientation or "
            "remove it."
        )
    return affine


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
