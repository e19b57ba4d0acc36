"""What a header says about its pixels, checked against the limits before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.errors import InputError
from tumorlens.scans.dicom.frame_header import FrameHeader
from tumorlens.scans.dicom.opening import DicomFile
from tumorlens.scans.limits import ReadLimits

__all__ = ["PixelFormat", "pixel_format"]

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_PALETTE = "PALETTE COLOR"


@dataclass(frozen=True)
class PixelFormat:
    """The Image Pixel module (PS3.3 C.7.6.3).

    Attributes:
        rows: Height in pixels.
        columns: Width in pixels.
        frames: Images in the file.
        samples: 1 or 3 values a pixel.
        photometric: ``MONOCHROME1``, ``RGB``, …
        planar: Whether three samples stand in planes (1) or beside each other (0).
        allocated: Bits a value takes: 8, 16 or 32.
        stored: Bits of them that count.
        high_bit: The highest of these.
        signed: Whether values are two's complement.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool

    @property
    def grey(self) -> bool:
        """Whether values are intensities, to which window and percentiles apply."""
        return self.photometric in _GREY

    @property
    def mode(self) -> str:
        """As it stands in a manifest: ``"MONOCHROME2/int16"``."""
        return f"{self.photometric.replace(' ', '_')}/{'int' if self.signed else 'uint'}{self.allocated}"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame as it stands in a file."""
        bits = self.rows * self.columns * self.samples * self.allocated
        return bits * 2 // 24 if self.photometric == "YBR_FULL_422" else bits // 8


def pixel_format(file: DicomFile, *, limits: ReadLimits) -> PixelFormat:
    """Read and check the description of a file's pixels.

    Raises:
        InputError: It is incomplete, contradicts itself, describes what is not read, or exceeds a limit.
    """
    source = str(file.path)
    header = FrameHeader(file.header, frame=None, source=source)
    photometric = header.text("PhotometricInterpretation").upper()
    allocated = _whole(header, "BitsAllocated", least=1, most=64)
    if allocated not in (8, 16, 32):
        raise InputError(f"{source} has {allocated} bits a value, expected 8, 16 or 32: convert or remove it.")
    stored = _whole(header, "BitsStored", least=1, most=allocated, default=allocated)
    found = PixelFormat(
        rows=_whole(header, "Rows", least=0, most=65535),
        columns=_whole(header, "Columns", least=0, most=65535),
        frames=_whole(header, "NumberOfFrames", least=0, most=2**31, default=1),
        samples=_whole(header, "SamplesPerPixel", least=1, most=4, default=1),
        photometric=photometric,
        planar=_whole(header, "PlanarConfiguration", least=0, most=1, default=0),
        allocated=allocated,
        stored=stored,
        high_bit=_whole(header, "HighBit", least=0, most=63, default=stored - 1),
        signed=_whole(header, "PixelRepresentation", least=0, most=1, default=0) == 1,
    )
    _check_kind(found, source=source)
    limits.check_picture(height=found.rows, width=found.columns, source=source)
    limits.check_frames(found.frames, source=source)
    decoded = found.rows * found.columns * found.samples * found.allocated // 8 * found.frames
    limits.check_decoded(decoded, file_bytes=file.size_bytes, source=source)
    return found


def _check_kind(found: PixelFormat, *, source: str) -> None:
    expected = 3 if found.photometric in _COLOUR else 1
    if found.photometric not in _GREY | _COLOUR | {_PALETTE}:
        raise InputError(
            f"{source} has a photometric interpretation that is not read, expected MONOCHROME1 or 2, RGB, YBR or "
            "PALETTE COLOR: convert or remove it."
        )
    if found.samples != expected:
        raise InputError(
            f"{source} is damaged ({found.photometric} with {found.samples} values a pixel, expected {expected}): "
            "replace or remove it."
        )
    if not found.stored - 1 <= found.high_bit < found.allocated:
        raise InputError(
            f"{source} is damaged (its highest bit is {found.high_bit} of {found.stored} stored and "
            f"{found.allocated} allocated): replace or remove it."
        )


def _whole(header: FrameHeader, keyword: str, *, least: int, most: int, default: int | None = None) -> int:
    number = header.number(keyword)
    if number is None and default is not None:
        return default
    if number is None:
        raise InputError(f"{header.source} is damaged (it has no {keyword}): replace or remove it.")
    if number != int(number) or not least <= number <= most:
        raise InputError(
            f"{header.source} is damaged (its {keyword} is {number:g}, expected {least} to {most}): replace or remove "
            "it."
        )
    return int(number)
