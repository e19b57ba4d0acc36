from __future__ import annotations

import pytest

from tumorlens.errors import InputError
from tumorlens.scans import ReadLimits

LIMITS = ReadLimits(
    file_bytes=1000, pixels=100, frames=10, decoded_bytes=5000, ratio=10.0, ratio_from_bytes=2000, archive_members=3
)


@pytest.mark.parametrize("size", [1, 1000])
def test_files_up_to_the_limit_pass(size: int) -> None:
    LIMITS.check_file(size, source="a")


@pytest.mark.parametrize(("size", "message"), [(0, r"a is empty \(0 bytes\)"), (1001, "the limit for one file")])
def test_empty_and_large_files_are_refused(size: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        LIMITS.check_file(size, source="a")


def test_pictures_have_pixels_but_not_too_many() -> None:
    LIMITS.check_picture(height=10, width=10, source="a")
    for height, width, message in ((0, 5, "no pixels"), (5, -1, "no pixels"), (101, 1, "101 pixels, the limit")):
        with pytest.raises(InputError, match=message):
            LIMITS.check_picture(height=height, width=width, source="a")


def test_frames_are_counted() -> None:
    LIMITS.check_frames(1, source="a")
    LIMITS.check_frames(10, source="a")
    for frames in (-1, 0, 11):
        with pytest.raises(InputError, match=f"holds {frames} frames, expected 1 to 10"):
            LIMITS.check_frames(frames, source="a")


def test_decoded_bytes_have_a_limit_and_above_a_size_a_ratio() -> None:
    LIMITS.check_decoded(2000, file_bytes=1, source="a")
    LIMITS.check_decoded(5000, file_bytes=500, source="a")
    with pytest.raises(InputError, match="the limit for one file is 0 MB: split"):
        LIMITS.check_decoded(5001, file_bytes=5001, source="a")
    for file_bytes in (499, 0):
        with pytest.raises(InputError, match="10 times its size, as a decompression bomb does"):
            LIMITS.check_decoded(5000, file_bytes=file_bytes, source="a")


def test_the_ratio_counts_whatever_the_largest_size() -> None:
    LIMITS.check_ratio(10_000_000, file_bytes=1_000_000, source="a")
    with pytest.raises(InputError, match="decompression bomb"):
        LIMITS.check_ratio(10_000_001, file_bytes=1_000_000, source="a")
