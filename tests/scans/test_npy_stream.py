from __future__ import annotations

import errno
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.npy_stream import array_names, open_array

VALUES = np.random.default_rng(0).integers(0, 256, (10, 4, 3), np.uint8)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("rows", [1, 3, 10, 99])
def test_blocks_are_the_array_in_order(tmp_path: Path, save, rows: int) -> None:
    save(tmp_path / "a.npz", X=VALUES, Y=np.arange(10))
    array = open_array(tmp_path / "a.npz", "X")
    blocks = list(array.blocks(rows))
    assert (array.shape, array.dtype) == (VALUES.shape, VALUES.dtype)
    assert max(len(block) for block in blocks) <= rows
    np.testing.assert_array_equal(np.concatenate(blocks), VALUES)
    np.testing.assert_array_equal(array.whole(), VALUES)
    assert array_names(tmp_path / "a.npz") == ("X", "Y")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_large_array_is_never_held_whole(tmp_path: Path, save) -> None:
    save(tmp_path / "a.npz", X=np.zeros((4000, 100, 100), np.uint8))
    tracemalloc.start()
    total = sum(int(block.size) for block in open_array(tmp_path / "a.npz", "X").blocks(50))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 40_000_000
    assert peak < 5_000_000


def test_python_objects_are_refused_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="Python objects, which are never loaded"):
        open_array(tmp_path / "a.npz", "X")


def test_column_order_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.asfortranarray(VALUES))
    with pytest.raises(InputError, match="column order"):
        open_array(tmp_path / "a.npz", "X")


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VALUES)
    data = (tmp_path / "x.npy").read_bytes().replace(b"(10, 4, 3)", b"(99, 4, 3)")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", data)
    with pytest.raises(InputError, match="its header says"):
        open_array(tmp_path / "a.npz", "X")


def test_truncated_foreign_and_missing_files_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "a.npz"
    np.savez(whole, X=VALUES)
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:100])
    (tmp_path / "text.npz").write_text("hello")
    for name in ("cut.npz", "text.npz"):
        with pytest.raises(InputError, match=r"not a readable \.npz file"):
            array_names(tmp_path / name)
    with pytest.raises(NotFoundError, match="does not exist"):
        array_names(tmp_path / "none.npz")


def test_a_changed_byte_is_noticed_by_the_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, X=VALUES)
    data = bytearray(file.read_bytes())
    data[data.index(VALUES.tobytes()) + 5] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="truncated or damaged"):
        open_array(file, "X").whole()


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, X=VALUES)
    array = open_array(file, "X")

    def refuse(path: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("tumorlens.scans.zip_file._Bounded", refuse)
    for read in (lambda: array_names(file), lambda: open_array(file, "X"), array.whole):
        with pytest.raises(InputError, match=r"a\.npz cannot be read \(Permission denied\)"):
            read()


def test_a_folder_is_no_npz_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        array_names(tmp_path)
