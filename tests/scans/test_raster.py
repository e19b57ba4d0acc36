from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans import ReadLimits, decode_scan, quiet_decoding, read_scan

GREY = np.random.default_rng(1).integers(0, 256, (7, 5), np.uint8)
COLOUR = np.random.default_rng(2).integers(0, 256, (7, 5, 3), np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    body = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + body
    crc = struct.pack(">I", zlib.crc32(chunk))
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(body)) + chunk + crc
    return start + struct.pack(">I", 100) + b"IDAT"


@pytest.mark.parametrize(
    ("kind", "suffix", "options"),
    [
        ("PNG", "png", {}),
        ("TIFF", "tif", {}),
        ("TIFF", "tiff", {"compression": "tiff_lzw"}),
        ("BMP", "bmp", {}),
        ("WEBP", "webp", {"lossless": True}),
    ],
)
def test_lossless_formats_give_the_exact_values(
    tmp_path: Path, kind: str, suffix: str, options: dict[str, object]
) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(encoded(Image.fromarray(COLOUR), kind, **options))
    scan = read_scan(file)
    np.testing.assert_array_equal(scan.pixels, COLOUR)
    assert (scan.format, scan.mode, scan.source) == (kind, "RGB", str(file))
    assert scan.pixels.dtype == np.uint8
    assert scan.pixels.flags.c_contiguous


def test_jpeg_equals_what_pillow_decodes() -> None:
    data = encoded(Image.fromarray(GREY), "JPEG", quality=90)
    reference = np.asarray(Image.open(io.BytesIO(data)))
    scan = decode_scan(data, source="a.jpg")
    assert (scan.format, scan.mode) == ("JPEG", "L")
    for channel in range(3):
        np.testing.assert_array_equal(scan.pixels[:, :, channel], reference)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo(GREY)))
    scan = decode_scan(encoded(stored, exif=exif), source="a.png")
    np.testing.assert_array_equal(scan.pixels[:, :, 0], GREY)


def whole() -> bytes:
    return encoded(Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64), np.uint8)))


def stack() -> bytes:
    pages = [Image.fromarray(GREY), Image.fromarray(GREY)]
    return encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"this is text", "is not a readable image"),
        (whole()[:200], "is truncated or damaged"),
        (whole()[:2000], "is truncated or damaged"),
        (encoded(Image.new("L", (64, 64)), "JPEG")[:300], "is truncated or damaged"),
        (encoded(Image.fromarray(COLOUR), "TIFF")[:60], "is"),
        (encoded(Image.fromarray(COLOUR), "GIF"), "is not a readable image"),
        (stack(), "is a stack of 2 pictures"),
        (png_header(9000, 9000), r"9000x9000 pixels, the limit for one scan is 50 million"),
        (png_header(60000, 60000), r"limit for one scan"),
        (encoded(Image.fromarray(GREY.astype(np.float32)), "TIFF"), "holds floats"),
        (encoded(Image.fromarray(GREY.astype(np.int32)), "TIFF"), "holds 32-bit integers"),
    ],
    ids=[
        "empty",
        "text",
        "png cut early",
        "png cut late",
        "jpeg cut",
        "tiff cut",
        "gif",
        "stack",
        "large",
        "bomb",
        "floats",
        "32-bit",
    ],
)
def test_bad_bytes_are_refused_in_one_sentence_that_names_the_file(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "bad.png"
    file.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read_scan(file)
    assert "bad.png" in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.integers(0, 3000), st.integers(0, 255), st.sampled_from(["PNG", "TIFF", "BMP", "JPEG"]))
def test_a_changed_byte_gives_a_scan_or_an_input_error(place: int, value: int, kind: str) -> None:
    data = bytearray(encoded(Image.fromarray(np.resize(COLOUR, (24, 24, 3))), kind))
    data[place % len(data)] = value
    with quiet_decoding():
        try:
            scan = decode_scan(bytes(data), source="a")
        except InputError as error:
            assert str(error).startswith("a ")
        else:
            assert scan.pixels.dtype == np.uint8
            assert scan.pixels.shape[2] == 3


def test_limits_are_checked_before_decoding(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(whole())
    with pytest.raises(InputError, match="the limit for one file is"):
        read_scan(file, limits=ReadLimits(file_bytes=100))
    with pytest.raises(InputError, match="64x64 pixels"):
        read_scan(file, limits=ReadLimits(pixels=64 * 64 - 1))
    assert read_scan(file, limits=ReadLimits(pixels=64 * 64)).pixels.shape == (64, 64, 3)


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        read_scan(tmp_path / "a.png")
    with pytest.raises(InputError, match="is a folder"):
        read_scan(tmp_path)


def test_quiet_decoding_silences_decoders_only() -> None:
    with quiet_decoding(), pytest.raises(UserWarning, match="ours"):
        warnings.warn("ours", stacklevel=1)
