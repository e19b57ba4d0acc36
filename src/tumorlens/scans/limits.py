"""How large a scan may be; checked before decoding, so that a crafted file costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.errors import InputError

__all__ = ["DEFAULT_LIMITS", "ReadLimits"]

_MB = 1_000_000


@dataclass(frozen=True)
class ReadLimits:
    """Largest file, picture and volume that are read.

    Attributes:
        file_bytes: Bytes of one file.
        pixels: Height times width of one scan.
        frames: Scans in one file (frames of a DICOM file, slices of a volume).
        decoded_bytes: Bytes of everything one file decodes to.
        ratio: Decoded bytes to file bytes, above which a large file is taken for a decompression bomb.
        ratio_from_bytes: Decoded bytes from which on the ratio counts; below, no file can do harm.
        archive_members: Files in one zipped study.
        archive_bytes: Bytes of a zipped study, and of all its files unpacked.
    """

    file_bytes: int = 512 * 1024 * 1024
    pixels: int = 50_000_000
    frames: int = 5_000
    decoded_bytes: int = 512 * 1024 * 1024
    ratio: float = 200.0
    ratio_from_bytes: int = 128 * 1024 * 1024
    archive_members: int = 50_000
    archive_bytes: int = 16 * 1024 * 1024 * 1024

    def check_file(self, size_bytes: int, *, source: str) -> None:
        """Raise unless a file of ``size_bytes`` may be read.

        Raises:
            InputError: It is empty or too large.
        """
        if size_bytes == 0:
            raise InputError(f"{source} is empty (0 bytes): replace or remove it.")
        if size_bytes > self.file_bytes:
            raise InputError(
                f"{source} has {size_bytes / _MB:.0f} MB, the limit for one file is "
                f"{self.file_bytes / _MB:.0f} MB: save it smaller or remove it."
            )

    def check_picture(self, *, height: int, width: int, source: str) -> None:
        """Raise unless a picture of this size may be decoded.

        Raises:
            InputError: It has no pixels or too many.
        """
        if height < 1 or width < 1:
            raise InputError(f"{source} has no pixels ({width}x{height}): replace or remove it.")
        if height * width > self.pixels:
            raise InputError(
                f"{source} has {width}x{height} pixels, the limit for one scan is "
                f"{self.pixels / 1e6:.0f} million: save it smaller or remove it."
            )

    def check_frames(self, frames: int, *, source: str) -> None:
        """Raise unless a file with so many scans may be decoded.

        Raises:
            InputError: It has none or too many.
        """
        if not 1 <= frames <= self.frames:
            raise InputError(
                f"{source} says that it holds {frames} frames, expected 1 to {self.frames}: split or remove it."
            )

    def check_decoded(self, decoded_bytes: int, *, file_bytes: int, source: str) -> None:
        """Raise unless a file of ``file_bytes`` that decodes to ``decoded_bytes`` may be decoded.

        Raises:
            InputError: It decodes to too much, or to suspiciously much for its size.
        """
        if decoded_bytes > self.decoded_bytes:
            raise InputError(
                f"{source} decodes to {decoded_bytes / _MB:.0f} MB, the limit for one file is "
                f"{self.decoded_bytes / _MB:.0f} MB: split or remove it."
            )
        self.check_ratio(decoded_bytes, file_bytes=file_bytes, source=source)

    def check_ratio(self, decoded_bytes: int, *, file_bytes: int, source: str) -> None:
        """Raise unless ``file_bytes`` may grow to ``decoded_bytes``, whatever the largest size.

        Raises:
            InputError: It grows to suspiciously much for its size.
        """
        if decoded_bytes > self.ratio_from_bytes and decoded_bytes > self.ratio * max(file_bytes, 1):
            raise InputError(
                f"{source} would grow from {file_bytes / _MB:.1f} to {decoded_bytes / _MB:.0f} MB, more than "
                f"{self.ratio:.0f} times its size, as a decompression bomb does: remove it."
            )


DEFAULT_LIMITS = ReadLimits()
"""512 MiB a file, 50 million pixels a scan (below Pillow's own bomb warning), 5,000 frames: far above real scans."""
