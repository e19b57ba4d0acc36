from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tumorlens.scans import decode_scan, scale_sixteen_bit

GREY = np.array([[0, 100], [200, 255]], np.uint8)


def read(image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return decode_scan(stream.getvalue(), source="a").pixels


def grey_of(pixels: np.ndarray) -> np.ndarray:
    assert (pixels == pixels[:, :, :1]).all()
    return pixels[:, :, 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_to_its_largest_value(kind: str) -> None:
    twelve_bit = np.array([[0, 1000], [2000, 4000]], np.uint16)
    expected = [[0, 64], [128, 255]]  # 1000 / 4000 * 255 = 63.75, 127.5 rounds to even
    np.testing.assert_array_equal(grey_of(read(Image.fromarray(twelve_bit), kind)), expected)


def test_full_range_sixteen_bit_is_divided_by_257() -> None:
    wide = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    np.testing.assert_array_equal(scale_sixteen_bit(wide).ravel(), np.arange(256))


def test_black_sixteen_bit_stays_black() -> None:
    assert not scale_sixteen_bit(np.zeros((3, 3), np.uint16)).any()


def test_big_endian_sixteen_bit_is_read() -> None:
    values = np.array([[0, 256], [512, 1024]], np.uint16)
    image = Image.frombytes("I;16B", (2, 2), values.astype(">u2").tobytes())
    np.testing.assert_array_equal(grey_of(read(image, "TIFF")), [[0, 64], [128, 255]])


def test_palette_is_looked_up() -> None:
    image = Image.new("P", (2, 2))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2, 0])
    pixels = read(image)
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[1, 0].tolist() == [70, 80, 90]


def test_bilevel_becomes_black_and_white() -> None:
    image = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(grey_of(read(image)), [[255, 0]])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_composited_on_black(mode: str) -> None:
    alpha = np.array([[255, 255], [128, 0]], np.uint8)
    image = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)]).convert(mode)
    np.testing.assert_array_equal(grey_of(read(image)), [[0, 100], [100, 0]])


def test_transparent_palette_entry_becomes_black() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 200, 200, 50, 50, 50])
    image.putdata([0, 1])
    np.testing.assert_array_equal(grey_of(read(image, transparency=0)), [[0, 50]])


def test_transparent_grey_value_becomes_black() -> None:
    np.testing.assert_array_equal(grey_of(read(Image.fromarray(GREY), transparency=255)), [[0, 100], [200, 0]])


def test_print_colours_become_rgb() -> None:
    pixels = read(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "TIFF")
    assert (pixels == 255).all()
