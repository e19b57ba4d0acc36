from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError, IntegrityError
from tumorlens.runtime import compile_graph


def test_batch_and_single_scan_agree(feature_ir: Path, scans: np.ndarray) -> None:
    graph = compile_graph(feature_ir)
    together = graph.run(scans)
    assert together["map"].shape == (4, 3, 3, 5)
    assert together["features"].dtype == np.float32
    for i, scan in enumerate(scans):
        np.testing.assert_array_equal(graph.run(scan)["features"], together["features"][i : i + 1])
    np.testing.assert_allclose(together["map"].mean((1, 2)), together["features"], rtol=1e-5)


def test_stream_keeps_keys_with_their_scans(feature_ir: Path) -> None:
    graph = compile_graph(feature_ir, outputs=["features"])
    rng = np.random.default_rng(0)
    scans = {key: rng.integers(0, 256, (10 + key % 7, 9 + key % 5, 3), dtype=np.uint8) for key in range(40)}
    results = dict(graph.stream(scans.items()))
    assert results.keys() == scans.keys()
    for key, outputs in results.items():
        assert outputs.keys() == {"features"}
        np.testing.assert_array_equal(outputs["features"], graph.run(scans[key])["features"])


def test_stream_reads_no_further_ahead_than_it_computes(feature_ir: Path, scans: np.ndarray) -> None:
    graph, read = compile_graph(feature_ir), 0

    def endless() -> Iterator[tuple[int, np.ndarray]]:
        nonlocal read
        while True:
            read += 1
            yield read, scans[0]

    stream = graph.stream(endless())
    for _ in range(20):
        next(stream)
    stream.close()
    assert read <= 20 + graph.streams + 2


def test_an_error_while_reading_comes_through(feature_ir: Path, scans: np.ndarray) -> None:
    def broken() -> Iterator[tuple[int, np.ndarray]]:
        yield 1, scans[0]
        raise OSError("unreadable")

    graph = compile_graph(feature_ir)
    with pytest.raises(OSError, match="unreadable"):
        list(graph.stream(broken()))
    assert len(list(graph.stream([(1, scans[0])]))) == 1


@pytest.mark.parametrize("goal", ["throughput", "latency"])
def test_settings_do_not_change_the_numbers(feature_ir: Path, scans: np.ndarray, goal: str) -> None:
    expected = compile_graph(feature_ir).run(scans)["features"]
    graph = compile_graph(feature_ir, goal=goal, threads=1, scan_size=(12, 12))  # type: ignore[arg-type]
    np.testing.assert_allclose(graph.run(scans)["features"], expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int8, bool])
def test_anything_but_uint8_is_refused(feature_ir: Path, scans: np.ndarray, dtype: type) -> None:
    graph = compile_graph(feature_ir)
    with pytest.raises(InputError, match="uint8"):
        graph.run(scans.astype(dtype))
    with pytest.raises(InputError, match="uint8"):
        list(graph.stream([(0, scans[0].astype(dtype))]))


@pytest.mark.parametrize("shape", [(12, 12), (12, 12, 1), (1, 12, 12, 4), (0, 12, 12, 3), (1, 1, 12, 12, 3)])
def test_other_shapes_are_refused(feature_ir: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="shape"):
        compile_graph(feature_ir).run(np.zeros(shape, np.uint8))


def test_fixed_scan_size_is_held(feature_ir: Path) -> None:
    with pytest.raises(InputError, match="scan_size"):
        compile_graph(feature_ir, scan_size=(12, 12)).run(np.zeros((13, 12, 3), np.uint8))


def test_unknown_output_lists_the_known(feature_ir: Path) -> None:
    with pytest.raises(InputError, match="map, features"):
        compile_graph(feature_ir, outputs=["logits"])


def test_missing_and_damaged_files(feature_ir: Path, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        compile_graph(tmp_path / "none.xml")
    (tmp_path / "graph.xml").write_bytes(feature_ir.read_bytes())
    (tmp_path / "graph.bin").write_bytes(b"short")
    with pytest.raises(IntegrityError):
        compile_graph(tmp_path / "graph.xml")
