from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.training.npy_rows import NpyRows


@pytest.mark.parametrize("shape", [(5, 7), (5, 4, 3, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_rows_come_in_the_order_asked_for(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    np.save(tmp_path / "rows.npy", array)
    rows = NpyRows(tmp_path / "rows.npy")
    assert rows.shape == shape
    wanted = np.array([3, 0, 3])
    np.testing.assert_array_equal(rows.read(wanted), array[wanted])


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"numpy\.save"):
        NpyRows(path)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.ones((6, 8), np.float32))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"numpy\.save"):
        NpyRows(path)


def test_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([["a", None]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="C order"):
        NpyRows(tmp_path / "rows.npy")


def test_another_order_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.asfortranarray(np.ones((4, 5), np.float32)))
    with pytest.raises(InputError, match="C order"):
        NpyRows(tmp_path / "rows.npy")
