"""Many callers at once are given what one after the other would be; too many are refused; closing finishes work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tumorlens.errors import BusyError, InputError, TumorlensError
from tumorlens.runtime import compile_graph
from tumorlens.runtime.graph_queue import GraphQueue

OUTPUTS = ["probabilities", "map", "features"]


@pytest.fixture(scope="module")
def graph(tiny_comparison):
    return tiny_comparison.runs[0].bundle / "model.xml"


@pytest.fixture(scope="module")
def scans() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (40 + place, 64, 3), dtype=np.uint8) for place in range(24)]


def test_answers_are_those_of_the_graph(graph, scans) -> None:
    compiled, queue = compile_graph(graph, outputs=OUTPUTS), GraphQueue(graph, outputs=OUTPUTS)
    expected = [compiled.run(scan[None]) for scan in scans]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda scan: queue.submit(scan).result(timeout=60), scans))
    for want, got in zip(expected, found, strict=True):
        for name in OUTPUTS:
            assert got[name].shape == want[name].shape
            assert got[name] == pytest.approx(want[name], abs=1e-5)
    assert queue.depth == 0
    queue.close()


def test_more_than_may_wait_are_refused_and_the_others_answered(graph, scans) -> None:
    queue = GraphQueue(graph, outputs=OUTPUTS, threads=1, most_waiting=3)
    futures, refused = [], 0
    for scan in scans * 4:
        try:
            futures.append(queue.submit(scan))
        except BusyError as error:
            refused += 1
            assert "3 scans are waiting, as many as may" in str(error)
    assert refused > 0
    assert all(np.isfinite(future.result(timeout=60)["probabilities"]).all() for future in futures)
    queue.close()


def test_a_scan_that_waits_may_be_taken_back(graph, scans) -> None:
    queue = GraphQueue(graph, outputs=OUTPUTS, threads=1)
    futures = [queue.submit(scan) for scan in scans]
    taken_back = [future.cancel() for future in futures[::-1]]
    assert any(taken_back)
    assert queue.submit(scans[0]).result(timeout=60)["probabilities"].shape == (1, 2)
    queue.close()


def test_what_is_no_scan_is_refused_before_it_waits(graph, scans) -> None:
    queue = GraphQueue(graph, outputs=OUTPUTS)
    for wrong in (np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(InputError, match=r"^Expected a scan \(h, w, 3\) of uint8"):
            queue.submit(wrong)
    assert queue.submit(scans[0]).result(timeout=60)["probabilities"].shape == (1, 2)
    queue.close()


def test_closing_finishes_what_was_taken_and_takes_no_more(graph, scans) -> None:
    queue = GraphQueue(graph, outputs=OUTPUTS)
    futures = [queue.submit(scan) for scan in scans]
    queue.close()
    assert all(future.done() for future in futures)
    with pytest.raises(TumorlensError, match="was replaced"):
        queue.submit(scans[0])
