"""Files that once were read too slowly, with too much memory, or ended in something else than a refusal."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tumorlens.errors import InputError
from tumorlens.scans import decode_scan, open_arrays, quiet_decoding, read_texts
from tumorlens.scans.eight_bit import scale_sixteen_bit, to_pixels
from tumorlens.scans.window import intensity_range, to_grey

IMAGES = np.zeros((2, 3, 3), np.uint8)


def npy(array: npt.NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text: str, values: bytes = b"", version: int = 1) -> bytes:
    """A ``.npy`` file with a header of our choice."""
    body = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(body)) + body + values


def npz(path: Path, packing: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def run_length_bmp(width: int, height: int, runs: bytes) -> bytes:
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + palette + runs


def test_a_bmp_packed_in_runs_is_read() -> None:
    rows = b"\x03\x09\x00\x00" + b"\x02\x05\x01\x07\x00\x01"
    scan = decode_scan(run_length_bmp(3, 2, rows), source="a.bmp")
    np.testing.assert_array_equal(scan.pixels[:, :, 0], [[5, 5, 7], [9, 9, 9]])


@pytest.mark.parametrize(
    "data",
    [
        run_length_bmp(2_097_168, 16, b"\x08\x00\x00\x00"),
        run_length_bmp(8, 8, b"\xff\x00" * 2_100_000),
    ],
    ids=["many pixels", "many runs without pixels"],
)
def test_large_bmps_packed_in_runs_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="BMP packed in runs .* the limit for these is 2 million"):
        decode_scan(data, source="a.bmp")


def chained_tiff(pages: int) -> bytes:
    """A TIFF of so many pages, all of them the same pixel."""
    entries = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(278, 4, 1, 1), (279, 4, 1, 1)]
    first, size = 10, 2 + 12 * len(entries) + 4
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    places = itertools.chain((first + size * number for number in range(1, pages)), [0])
    return (
        struct.pack("<2sHI", b"II", 42, first) + b"\x07\x00" + b"".join(body + struct.pack("<I", at) for at in places)
    )


@pytest.mark.parametrize(("pages", "counted"), [(2, "a stack of 2"), (99, "a stack of 99"), (3000, "at least 100")])
def test_the_pages_of_a_tiff_are_counted_to_a_hundred(pages: int, counted: str) -> None:
    with pytest.raises(InputError, match=counted):
        decode_scan(chained_tiff(pages), source="a.tif")
    assert decode_scan(chained_tiff(1), source="a.tif").pixels.tolist() == [[[7, 7, 7]]]


def test_a_small_file_with_a_large_colour_picture_is_refused_before_decoding() -> None:
    rows = zlib.compress(b"\x00" * (6000 * (6000 * 3 + 1)), 1)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 6000, 6000, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    with pytest.raises(InputError, match="as a decompression bomb does"):
        decode_scan(data, source="a.png")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "CMYK", "1"])
def test_strips_of_rows_give_the_same_pixels(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 256, (11, 7, 4), np.uint8)
    image = Image.fromarray(values, "RGBA")
    image = image.convert("RGB").quantize(9) if mode == "P" else image.convert(mode)
    if mode == "P":
        image.info["transparency"] = 3
    whole = to_pixels(image, source="a")
    monkeypatch.setattr("tumorlens.scans.eight_bit._STRIP_PIXELS", 20)
    np.testing.assert_array_equal(to_pixels(image, source="a"), whole)
    deep = np.random.default_rng(1).integers(0, 4000, (11, 7), np.uint16)
    np.testing.assert_array_equal(scale_sixteen_bit(deep), np.rint(deep * (255.0 / deep.max())).astype(np.uint8))


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3)",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3), }}\n  (\n'''",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3L), ",
        "  \n {'descr': '|u1'\n\t",
        "{'descr': [('a',)], 'fortran_order': False, 'shape': (2, 3, 3)}",
        "{'descr': ('|u1', -1), 'fortran_order': False, 'shape': (2, 3, 3)}",
        "{1: 2, 'shape': 3, b'': 1}",
        "(" * 3000,
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -3, 3)}",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000, 3, 3)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_headers_of_arrays_that_are_no_headers_are_refused(tmp_path: Path, text: str, version: int) -> None:
    file = npz(tmp_path / "a.npz", X=npy_header(text, b"0" * 18, version), Y=npy(np.array([0, 1])))
    with pytest.raises(InputError) as caught:
        open_arrays(file)
    assert "\n" not in str(caught.value)


def test_labels_without_columns_need_no_memory(tmp_path: Path) -> None:
    header = npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 0)}")
    with pytest.raises(InputError, match="1000000000000 values"):
        open_arrays(npz(tmp_path / "a.npz", X=npy(IMAGES), Y=header))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0.0, 1e300]), "no class numbers"),
        (np.array([0.0, np.inf]), "no class numbers"),
        (np.array([0.0, np.nan]), "no class numbers"),
        (np.array(["0", "1e4000"]).astype(np.longdouble), "no class numbers"),
        (np.array([0, 0x7FFFFFFF], np.uint32).view("<U1"), "no text"),
        (np.array([0x61, 0xD800], np.uint32).view("<U1"), "no text"),
        (np.zeros((2, 0), np.uint8), "not one-hot"),
    ],
)
def test_labels_that_are_no_labels_are_refused(tmp_path: Path, labels: npt.NDArray[np.generic], message: str) -> None:
    file = npz(tmp_path / "a.npz", X=npy(IMAGES), Y=npy(labels))
    with pytest.raises(InputError, match=message):
        open_arrays(file)
    if labels.ndim == 1:
        with pytest.raises(InputError, match=message):
            read_texts(file, "Y")


@pytest.mark.parametrize(
    ("dtype", "shape", "message"),
    [
        (np.uint8, (1350, 320, 320), "as a decompression bomb does"),
        (np.float64, (1, 7000, 7000, 3), "as a decompression bomb does"),
    ],
)
def test_arrays_that_promise_far_more_than_the_file_has_are_refused(
    tmp_path: Path, dtype: type, shape: tuple[int, ...], message: str
) -> None:
    description = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    header = npy_header(repr(description))
    file = npz(tmp_path / "a.npz", X=header, Y=npy(np.array([0])))
    data = bytearray(file.read_bytes())
    place = data.index(b"PK\x01\x02") + 24
    size = len(header) + int(np.prod(shape)) * np.dtype(dtype).itemsize
    data[place : place + 4] = struct.pack("<I", size)  # the directory agrees with the header
    file.write_bytes(data)
    with pytest.raises(InputError, match=message):
        open_arrays(file)


def test_scans_with_many_bytes_a_value_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumorlens.scans.arrays._SCAN_BYTES", 71)
    file = npz(tmp_path / "a.npz", X=npy(IMAGES.astype(np.float64)), Y=npy(np.array([0, 1])))
    with pytest.raises(InputError, match="the limit is 0 MB: save it smaller"):
        open_arrays(file)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_take_the_memory_they_claim_are_refused(tmp_path: Path, packing: int) -> None:
    file = npz(tmp_path / "a.npz", packing, X=npy(IMAGES), Y=npy(np.array([0, 1])))
    with pytest.raises(InputError, match="packed in a way that cannot be read"):
        open_arrays(file)


def test_a_directory_that_claims_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    file = npz(tmp_path / "a.npz", X=npy(IMAGES), Y=npy(np.array([0, 1])))
    data = bytearray(file.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 0x7FFFFFFF)
    with file.open("wb") as stream:  # a sparse file, long enough for such a directory
        stream.truncate(0x80000000)
        stream.seek(0x80000000)
        stream.write(data)
    tracemalloc.start()
    with quiet_decoding(), pytest.raises(InputError, match="truncated or damaged"):
        open_arrays(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("value", [1e30, -1e30, 1e300, 5e-324, 0.0, 255.0])
def test_volumes_of_one_value_have_a_range(value: float) -> None:
    values = np.full((4, 3), value)
    low, high = intensity_range([values], count=values.size)
    assert low < high
    assert to_grey(values, low=low, high=high).tolist() == np.zeros((4, 3)).tolist()


def test_volumes_of_values_beyond_all_measure_have_a_range() -> None:
    values = np.array([[-1.7e308, 0.0], [1.0, 1.7e308]])
    low, high = intensity_range([values], count=values.size)
    assert low < high
    assert to_grey(values, low=low, high=high).dtype == np.uint8
