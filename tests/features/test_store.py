"""The store gives back what was put in, grows, and survives a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest

from tumorlens.errors import StorageError
from tumorlens.features import FeatureKind, FeatureStore

_KIND = FeatureKind("net", "ab" * 32, 240, "pooled", (), 4)


def _digest(number: int) -> str:
    return f"{number:064x}"


def test_round_trip_in_any_order_with_repeats(tmp_path: Path) -> None:
    vectors = {_digest(i): np.arange(4, dtype=np.float32) + i for i in range(5)}
    with FeatureStore(tmp_path) as store:
        store.put_many(_KIND, list(vectors.items()))
        order = [_digest(i) for i in (3, 0, 3, 4)]
        matrix = store.read(_KIND, order)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [vectors[digest] for digest in order])


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "other"},
        {"graph_digest": "cd" * 32},
        {"size": 224},
        {"view": "flat"},
        {"scan_steps": ("crop",)},
    ],
)
def test_anything_that_decides_a_vector_changes_its_key(tmp_path: Path, change: dict[str, object]) -> None:
    other = replace(_KIND, **change)  # type: ignore[arg-type]  # one field at a time, from the table above
    with FeatureStore(tmp_path) as store:
        store.put_many(_KIND, [(_digest(1), np.zeros(4, np.float32))])
        assert store.missing(other, [_digest(1)]) == [_digest(1)]
        assert store.missing(_KIND, [_digest(1), _digest(2), _digest(2)]) == [_digest(2)]
        with pytest.raises(KeyError):
            store.read(other, [_digest(1)])


def test_grows_beyond_its_first_size(tmp_path: Path) -> None:
    wide = replace(_KIND, width=16 << 20)  # 64 MiB a vector, 256 MiB at first
    with FeatureStore(tmp_path) as store:
        for number in range(6):
            store.put_many(wide, [(_digest(number), np.full(wide.width, number, np.float32))])
        assert store.read(wide, [_digest(5)])[0, -1] == 5
        (kind,) = store.kinds()
        assert (kind.vectors, kind.bytes) == (6, 6 * 4 * wide.width)


def test_wrong_shape_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with FeatureStore(tmp_path) as store:
        with pytest.raises(ValueError, match="4 values"):
            store.put_many(
                _KIND,
                [(_digest(1), np.zeros(4, np.float32)), (_digest(2), np.zeros(5, np.float32))],
            )
        assert store.missing(_KIND, [_digest(1)]) == [_digest(1)]


def test_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FeatureStore(tmp_path) as store:

        def full(*_: object, **__: object) -> None:
            raise lmdb.Error("mdb_txn_commit: No space left on device")

        monkeypatch.setattr(store, "_environment", type("Full", (), {"begin": full, "close": lambda _: None})())
        with pytest.raises(StorageError, match="the disk is full"):
            store.put_many(_KIND, [(_digest(1), np.zeros(4, np.float32))])


_WRITER = """
import itertools, sys; import numpy as np; from pathlib import Path
from tumorlens.features import FeatureKind, FeatureStore
kind = FeatureKind("net", "ab" * 32, 240, "pooled", (), 4)
with FeatureStore(Path(sys.argv[1])) as store:
    for n in itertools.count():
        store.put_many(kind, [(f"{2 * n + i:064x}", np.full(4, 2 * n + i, np.float32)) for i in range(2)])
        print(n, flush=True)
"""


def test_killed_writer_keeps_every_finished_transaction(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    said = [int(line) for line in process.stdout]
    process.wait()
    process.stdout.close()
    finished = max(said, default=2)
    with FeatureStore(tmp_path) as store:
        matrix = store.read(_KIND, [_digest(number) for number in range(2 * finished + 2)])
        np.testing.assert_array_equal(matrix[:, 0], np.arange(2 * finished + 2))
        store.put_many(_KIND, [(_digest(10**6), np.zeros(4, np.float32))])


def test_reading_a_large_store_does_not_map_all_of_it(tmp_path: Path) -> None:
    wide = replace(_KIND, width=2 << 20)  # 8 MiB a vector, 320 MiB in all
    with FeatureStore(tmp_path) as store:
        for number in range(40):
            store.put_many(wide, [(_digest(number), np.full(wide.width, number, np.float32))])
    code = (
        "import sys, psutil; from pathlib import Path; from tumorlens.features import FeatureStore\n"
        "store = FeatureStore(Path(sys.argv[1])); reader = store.reader(bytes.fromhex(sys.argv[2]))\n"
        "reader.get_many([f'{0:064x}']); before = psutil.Process().memory_info().rss\n"
        "for number in range(40): assert reader.get_many([f'{number:064x}'])[0, 0] == number\n"
        "print(psutil.Process().memory_info().rss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), wide.prefix.hex()], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 160 << 20
