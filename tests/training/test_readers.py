from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.errors import IntegrityError
from tumorlens.features import ViewSettings
from tumorlens.training.readers import FlatReader, PixelReader
from tumorlens.training.sources import StoreSource, ViewSource
from tumorlens.training.view_readers import ViewReader


def through_json(description: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(description))


def test_features_come_by_row_and_copies_share_theirs(tmp_path: Path, store_features) -> None:
    features = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    stored = store_features(tmp_path, features)
    source = StoreSource(stored.path, stored.prefix, [*stored.digests, stored.digests[2]])
    assert source.n_rows == 7
    reader = FlatReader(through_json(source.describe()))
    assert reader.n_features == 10
    for rows in ([6, 0], [5], [1, 2, 3]):
        expected = features[[2 if row == 6 else row for row in rows]]
        np.testing.assert_array_equal(reader.read(np.array(rows)), expected)


def test_scans_may_differ_in_size_and_are_resized(tmp_path: Path, store_scans) -> None:
    random = np.random.default_rng(2)
    scans = [random.integers(0, 256, (6 + i, 9, 3), dtype=np.uint8) for i in range(6)]
    source = store_scans(tmp_path, scans, size=9)
    assert source.n_rows == 6
    reader = ViewReader(through_json(source.describe()))
    (batch,) = reader.read(np.array([3, 5]), None)
    assert (batch.shape, batch.dtype) == ((2, 9, 9, 3), np.float32)
    np.testing.assert_array_equal(batch[0], scans[3])
    assert batch.min() >= 0
    assert batch.max() <= 255


def test_scans_are_augmented_only_where_something_is_drawn(tmp_path: Path, store_scans) -> None:
    scans = np.random.default_rng(3).integers(0, 256, (4, 12, 12, 3), dtype=np.uint8)
    reader = ViewReader(through_json(store_scans(tmp_path, scans, size=12, views=ViewSettings()).describe()))
    rows = np.array([0, 2])
    drawn = [reader.read(rows, np.random.default_rng(seed))[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(reader.read(rows, None)[0], scans[rows])


def test_damaged_and_missing_stores_are_refused(tmp_path: Path, store_features) -> None:
    source = store_features(tmp_path, np.ones((2, 3), np.float32))
    (source.path / "data.mdb").write_bytes(b"x" * 9000)
    with pytest.raises(IntegrityError, match="is damaged"):
        FlatReader(source.describe())
    with pytest.raises(IntegrityError):
        PixelReader(ViewSource(tmp_path / "none", source.digests, 9, None).describe())
