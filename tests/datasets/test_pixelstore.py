from __future__ import annotations

import threading
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tumorlens.datasets import environments, open_pixel_store
from tumorlens.datasets.environments import lmdb_errors
from tumorlens.datasets.pixelstore import decode_pixels, encode_pixels
from tumorlens.errors import IntegrityError, StorageError
from tumorlens.scans import pixel_digest

COLOUR = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
GREY = np.repeat(COLOUR[:, :, :1], 3, axis=2)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2).map(lambda shape: (*shape, 3))))
def test_packing_is_exact(pixels: np.ndarray) -> None:
    unpacked = decode_pixels(encode_pixels(pixels))
    np.testing.assert_array_equal(unpacked, pixels)
    assert unpacked.flags.c_contiguous
    assert unpacked.flags.writeable


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="damaged"):
        decode_pixels(data)


def test_equal_channels_are_stored_once() -> None:
    assert len(encode_pixels(GREY)) < 0.5 * len(encode_pixels(COLOUR))


def test_stores_by_digest_and_deletes(tmp_path: Path) -> None:
    items = [(pixel_digest(pixels), pixels) for pixels in (GREY, COLOUR)]
    with open_pixel_store(tmp_path, writable=True) as store:
        store.write(items)
        store.write(items)
        assert len(store) == 2
        store.delete([items[0][0]])
    with open_pixel_store(tmp_path) as store:
        assert items[0][0] not in store
        assert items[1][0] in store
        assert None not in store
        np.testing.assert_array_equal(store.get(items[1][0]), COLOUR)
        with pytest.raises(IntegrityError, match="are not in"):
            store.get(items[0][0])


def test_grows_when_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_FIRST_MAP_BYTES", 64 * 1024)
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    with open_pixel_store(tmp_path, writable=True) as store:
        for start in (0, 20):
            store.write((pixel_digest(p), p) for p in noise[start : start + 20])
    with open_pixel_store(tmp_path) as store:
        assert len(store) == 40
        np.testing.assert_array_equal(store.get(pixel_digest(noise[39])), noise[39])


def test_may_be_open_several_times_and_in_threads(tmp_path: Path) -> None:
    digest = pixel_digest(COLOUR)
    with open_pixel_store(tmp_path, writable=True) as store:
        store.write([(digest, COLOUR)])
    seen: list[bool] = []

    def read() -> None:
        with open_pixel_store(tmp_path) as mine:
            seen.extend(np.array_equal(mine.get(digest), COLOUR) for _ in range(50))

    with open_pixel_store(tmp_path) as outer, open_pixel_store(tmp_path) as inner:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert np.array_equal(outer.get(digest), inner.get(digest))
    assert seen == [True] * 200


def test_no_store_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="holds no pixels"), open_pixel_store(tmp_path / "no"):
        pass
    (tmp_path / "data.mdb").write_bytes(b"x" * 20000)
    with pytest.raises(IntegrityError, match="is damaged"), open_pixel_store(tmp_path):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [("No space left on device", "disk is full"), ("Read-only file system", "read-only")],
)
def test_a_refusal_to_write_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StorageError, match=message), lmdb_errors(tmp_path):
        raise lmdb.Error(f"mdb_txn_commit: {text}")
    with pytest.raises(lmdb.Error, match="else"), lmdb_errors(tmp_path):
        raise lmdb.Error("something else")
