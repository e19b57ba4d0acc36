"""How large a scan may be; checked before decoding, so that a crafted file costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.errors import InputError

__all__ = ["DEFAULT_LIMITS", "ReadLimits"]


@dataclass(frozen=True)
class ReadLimits:
    """Largest file and largest picture that are read.

    Attributes:
        file_bytes: Bytes of one image file.
        pixels: Height times width of one scan.
    """

    file_bytes: int = 256 * 1024 * 1024
    pixels: int = 50_000_000

    def check_file(self, size_bytes: int, *, source: str) -> None:
        """Raise unless a file of ``size_bytes`` may be read.

        Raises:
            InputError: It is empty or too large.
        """
        if size_bytes == 0:
            raise InputError(f"{source} is empty (0 bytes): replace or remove it.")
        if size_bytes > self.file_bytes:
            raise InputError(
                f"{source} has {size_bytes / 1e6:.0f} MB, the limit for one image is "
                f"{self.file_bytes / 1e6:.0f} MB: save it smaller or remove it."
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


DEFAULT_LIMITS = ReadLimits()
"""256 MiB and 50 million pixels: far above any 2-D scan, and below Pillow's own bomb warning."""
