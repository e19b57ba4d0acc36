"""A file becomes pixels: the only path from image bytes to arrays. Knows nothing about labels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tumorlens.errors import InputError
from tumorlens.scans.eight_bit import SIXTEEN_BIT_MODES, to_pixels
from tumorlens.scans.files import check_regular
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.refusals import read_errors
from tumorlens.types import Pixels

__all__ = ["Scan", "decode_scan", "quiet_decoding", "read_scan"]

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_STACKS = frozenset({"PNG", "TIFF", "WEBP"})
_MOST_PAGES = 100
_MOST_RUNS = 2_000_000  # Pillow unpacks them in Python, up to a second for a million


@dataclass(frozen=True, eq=False)
class Scan:
    """One 2-D image.

    Attributes:
        pixels: ``(h, w, 3)`` uint8 in 0..255, upright.
        format: What it was read from (``"PNG"``, ``"JPEG"``, ``"NPZ"``, …).
        mode: How its values were stored (Pillow's mode, ``"L"``, ``"RGB"``, ``"I;16"``, … or the
            dtype of an array).
        source: Where it came from.
        receipt: The steps that made the pixels, in order, with their values (``"window=12..1890"``).
        facts: Coded facts of the header (modality, plane, spacing, …) by manifest column; never a name or a date.
        mask: ``(h, w)`` bool, where a reference segmentation marks a lesion; ``None`` without one.
    """

    pixels: Pixels = field(repr=False)
    format: str
    mode: str
    source: str
    receipt: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    mask: npt.NDArray[np.bool_] | None = field(default=None, repr=False)


def read_scan(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> Scan:
    """Read one PNG, JPEG, TIFF, BMP or WebP file.

    Args:
        path: The file.
        limits: Largest file and picture; both are checked before decoding.

    Returns:
        The scan, with its EXIF orientation applied and its values as in
        :mod:`tumorlens.scans.eight_bit`.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is empty, truncated, damaged, too large, of another format, or a stack.
    """
    check_regular(path)
    with read_errors(path), path.open("rb") as file:
        limits.check_file(path.stat().st_size, source=str(path))
        data = file.read(limits.file_bytes + 1)
    return decode_scan(data, source=str(path), limits=limits)


def decode_scan(data: bytes, *, source: str, limits: ReadLimits = DEFAULT_LIMITS) -> Scan:
    """Decode the bytes of one image file; like :func:`read_scan` otherwise.

    Args:
        data: The whole file.
        source: Its name, for messages.
        limits: Largest file and picture.

    Raises:
        InputError: As for :func:`read_scan`.
    """
    limits.check_file(len(data), source=source)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image, file_bytes=len(data), limits=limits, source=source)
            _check_single(image, source=source)
            image.load()
            upright = ImageOps.exif_transpose(image)
            pixels = to_pixels(upright, source=source)
            return Scan(pixels, image.format or "", image.mode, source)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{source} has more than {limits.pixels / 1e6:.0f} million pixels, the limit for one "
            "scan: save it smaller or remove it."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{source} is not a readable image (expected PNG, JPEG, TIFF, BMP or WebP): replace or remove it."
        ) from error
    except Exception as error:  # damaged bytes make decoders raise anything, down to struct.error
        raise InputError(f"{source} is truncated or damaged ({_reason(error)}): replace or remove it.") from error


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence the remarks of Pillow and pydicom on odd metadata while many files are read.

    They name no file, pydicom's quote values of the header, and what matters is raised as an error. Python's warning
    filters belong to the whole process: enter this once, around a pool of threads, not in each of them.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
        yield


def _check_size(image: Image.Image, *, file_bytes: int, limits: ReadLimits, source: str) -> None:
    limits.check_picture(height=image.height, width=image.width, source=source)
    grey_bytes = 2 if image.mode in SIXTEEN_BIT_MODES else 1
    pixel_bytes = grey_bytes if len(image.getbands()) == 1 else 4  # Pillow takes four for any kind of colour
    limits.check_decoded(image.height * image.width * pixel_bytes, file_bytes=file_bytes, source=source)
    runs = max(image.height * image.width, file_bytes // 2)
    if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ())) and runs > _MOST_RUNS:
        raise InputError(
            f"{source} is a BMP packed in runs with {image.width}x{image.height} pixels, the limit for these is "
            f"{_MOST_RUNS / 1e6:.0f} million: save it as PNG."
        )


def _check_single(image: Image.Image, *, source: str) -> None:
    frames = _count_pages(image) if image.format == "TIFF" else getattr(image, "n_frames", 1)
    if image.format in _STACKS and frames > 1:
        counted = f"at least {frames}" if frames == _MOST_PAGES else str(frames)
        raise InputError(
            f"{source} is a stack of {counted} pictures, expected one scan: save each as a file of its own."
        )


def _count_pages(image: Image.Image) -> int:
    """Count the pages of a TIFF up to 100; Pillow's own count takes the square of their number."""
    for page in range(1, _MOST_PAGES):
        try:
            image.seek(page)
        except EOFError:
            image.seek(0)
            return page
    return _MOST_PAGES


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
