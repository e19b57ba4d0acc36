from __future__ import annotations

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tumorlens.errors import InputError, TumorlensError
from tumorlens.scans.dicom import isolation, read_dicom
from tumorlens.scans.dicom.decoding_child import receive, send
from tumorlens.scans.dicom.isolation import DecodingError, decode_isolated

JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
RLE = "1.2.840.10008.1.2.5"


def options(rows: int, columns: int, bits: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "columns": columns,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": bits,
        "bits_stored": bits,
        "pixel_representation": 0,
        "pixel_keyword": "PixelData",
    }


def jpeg(grey: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG")
    return stream.getvalue()


def decode(packed: bytes) -> np.ndarray:
    return decode_isolated(packed, syntax=JPEG, plugin="pillow", options=options(16, 24, 8), pixels=16 * 24)


def picture(level: int) -> np.ndarray:
    return np.full((16, 24), level, np.uint8)


def test_frames_come_back_as_the_decoder_gives_them_from_one_child() -> None:
    for level in (10, 200):
        np.testing.assert_array_equal(decode(jpeg(picture(level))), picture(level))
    assert len(isolation._idle) == 1


def test_threads_get_their_own_frames() -> None:
    levels = range(0, 250, 10)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda level: int(decode(jpeg(picture(level)))[3, 4]), levels))
    assert found == list(levels)
    assert len(isolation._idle) <= 2


def test_what_a_decoder_refuses_leaves_the_child_alive() -> None:
    decode(jpeg(picture(1)))
    child = isolation._idle[-1]
    with pytest.raises(DecodingError):
        decode(b"no picture")
    assert isolation._idle[-1] is child
    np.testing.assert_array_equal(decode(jpeg(picture(7))), picture(7))


def test_a_child_that_died_is_replaced() -> None:
    decode(jpeg(picture(1)))
    child = isolation._idle[-1]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    np.testing.assert_array_equal(decode(jpeg(picture(7))), picture(7))


def test_a_panic_of_a_decoder_in_rust_is_a_refusal() -> None:
    """A run of an RLE frame that is longer than the frame."""
    frame = bytes([2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0]) + bytes(52) + b"\x81\x07" * 2 + b"\x81\x07\x81\x07" * 40
    with pytest.raises(DecodingError):
        decode_isolated(frame, syntax=RLE, plugin="pylibjpeg", options=options(3, 3, 16), pixels=9)


def test_a_decoder_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    large = jpeg(np.random.default_rng(0).integers(0, 256, (2000, 2000), np.uint8))
    arguments = {"syntax": JPEG, "plugin": "pillow", "options": options(2000, 2000, 8)}
    assert decode_isolated(large, **arguments, pixels=2000 * 2000).shape == (2000, 2000)
    child = isolation._idle[-1]
    monkeypatch.setattr(isolation, "_LEAST_SECONDS", 0.004)
    with pytest.raises(DecodingError):
        decode_isolated(large, **arguments, pixels=0)
    assert child.returncode == -signal.SIGPROF
    assert child not in isolation._idle


def test_a_decoder_that_aborts_takes_only_its_child(tmp_path: Path) -> None:
    """GDCM ends its process over a 12-bit JPEG whose tables are damaged."""
    from pydicom.data import get_testdata_file

    data = bytearray(Path(str(get_testdata_file("JPGExtended.dcm", download=False))).read_bytes())
    file = tmp_path / "a.dcm"
    file.write_bytes(data)
    assert next(read_dicom(file)).pixels.shape == (1024, 256, 3)
    start = data.index(b"\xff\xd8\xff\xc1")
    data[start + 84], data[start + 165] = 0x7F, 0
    file.write_bytes(data)
    with pytest.raises(InputError, match="its pixels cannot be decoded"):
        list(read_dicom(file))


def test_messages_are_framed_by_their_length() -> None:
    stream = io.BytesIO()
    send(stream, {"a": 1}, b"x\ny")
    send(stream, {"b": 2})
    stream.seek(0)
    assert receive(stream) == ({"a": 1, "bytes": 3}, b"x\ny")
    assert receive(stream) == ({"b": 2, "bytes": 0}, b"")
    assert receive(stream) is None
    assert receive(io.BytesIO(b'{"bytes": 5}\nabc')) is None
    assert receive(io.BytesIO(b'{"bytes"')) is None


def test_no_process_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_idle", [])
    monkeypatch.setattr(isolation.sys, "executable", "/nonexistent/python")
    with pytest.raises(TumorlensError, match=r"can be started \(No such file or directory\)"):
        decode(jpeg(picture(1)))
