from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.datasets.pixelstore import open_pixel_store
from tumorlens.errors import InputError
from tumorlens.features.kind import FeatureKind
from tumorlens.features.store import FeatureStore
from tumorlens.training import readers
from tumorlens.training.readers import open_flat, open_pixels
from tumorlens.training.sources import DatasetSource, NpySource, StoreSource

DIGESTS = [f"{number:064x}" for number in range(6)]


def through_json(description: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(description))


def make_store(path: Path) -> tuple[StoreSource, np.ndarray]:
    kind = FeatureKind("vgg16", "w" * 64, 1, 240, "flat", (), 10)
    features = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    with FeatureStore(path) as store:
        store.put_many(kind, list(zip(DIGESTS, features, strict=True)))
    return StoreSource(path, kind.prefix, [*DIGESTS, DIGESTS[2]]), features


def test_flat_features_from_a_file(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    np.save(tmp_path / "flat.npy", features)
    source = NpySource(tmp_path / "flat.npy")
    assert source.n_rows == 6
    reader = open_flat(through_json(source.describe()))
    assert reader.n_features == 10
    np.testing.assert_array_equal(reader.read(np.array([4, 1])), features[[4, 1]])


@pytest.mark.parametrize("mapped_bytes", [1 << 20, 0])
def test_flat_features_from_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped_bytes: int) -> None:
    monkeypatch.setattr(readers, "_MAPPED_BYTES", mapped_bytes)
    source, features = make_store(tmp_path / "features")
    assert source.n_rows == 7
    reader = open_flat(through_json(source.describe()))
    assert reader.n_features == 10
    for rows in ([6, 0], [5], [1, 2, 3]):
        expected = features[[2 if row == 6 else row for row in rows]]
        np.testing.assert_array_equal(reader.read(np.array(rows)), expected)


def test_scans_from_a_file_are_resized(tmp_path: Path) -> None:
    scans = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "scans.npy", scans)
    reader = open_pixels(through_json(NpySource(tmp_path / "scans.npy").describe()))
    np.testing.assert_array_equal(reader.read(np.array([3, 0]), size=8), scans[[3, 0]])
    assert reader.read(np.array([3, 0]), size=16).shape == (2, 16, 16, 3)


def test_scans_from_a_data_set_may_differ_in_size(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    scans = [random.integers(0, 256, (6 + i, 9, 3), dtype=np.uint8) for i in range(6)]
    with open_pixel_store(tmp_path / "pixels", writable=True) as store:
        store.write(zip(DIGESTS, scans, strict=True))
    source = DatasetSource(tmp_path / "pixels", DIGESTS)
    reader = open_pixels(through_json(source.describe()))
    batch = reader.read(np.array([3, 5]), size=9)
    assert batch.shape == (2, 9, 9, 3)
    np.testing.assert_array_equal(batch[0], scans[3])


@pytest.mark.parametrize(
    ("array", "opener", "message"),
    [
        (np.ones((4, 5), np.float64), open_flat, "float32 features"),
        (np.ones((4, 5, 2), np.float32), open_flat, "float32 features"),
        (np.ones((4, 5, 5, 3), np.float32), open_pixels, "uint8 scans"),
        (np.ones((4, 5, 5, 1), np.uint8), open_pixels, "uint8 scans"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, opener: Any, message: str) -> None:
    np.save(tmp_path / "array.npy", array)
    with pytest.raises(InputError, match=message):
        opener(NpySource(tmp_path / "array.npy").describe())


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="npy, store"):
        open_flat({"kind": "cloud"})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"numpy\.save"):
        _ = NpySource(tmp_path / "none.npy").n_rows
