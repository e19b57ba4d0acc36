"""Two graphs' speed on the same scans, in turns, so that whatever else the machine does meets both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from tumorlens.runtime.compiled import CompiledGraph, compile_graph
from tumorlens.types import Pixels

__all__ = ["SpeedRatio", "compare_speed"]

_ROUNDS = 7
_SECONDS_A_PASS = 0.4
_FEWEST_A_PASS = 4


@dataclass(frozen=True)
class SpeedRatio:
    """What was measured.

    Attributes:
        first: Scans a second of the first graph, median over the rounds.
        second: The same of the second.
        ratio: How many times as fast the second is: the median of the rounds' own ratios.
        rounds: Number of rounds.
    """

    first: float
    second: float
    ratio: float
    rounds: int


def compare_speed(
    first: Path, second: Path, scans: Sequence[Pixels], *, output: str = "features", threads: int | None = None
) -> SpeedRatio:
    """Measure two graphs side by side for a few seconds.

    Each round is a pass of either graph, over so many scans that it takes some tenths of a second; which goes first
    alternates. A round before the first is thrown away.

    Args:
        first: A graph with an output called ``output``.
        second: Another one.
        scans: ``(h, w, 3)`` uint8 each, gone through again and again.
        output: What is computed.
        threads: CPU threads; ``None``: all.
    """
    sizes = {scan.shape[:2] for scan in scans}
    size = (scans[0].shape[0], scans[0].shape[1]) if len(sizes) == 1 else None
    graphs = [compile_graph(path, outputs=[output], threads=threads, scan_size=size) for path in (first, second)]
    for graph in graphs:
        _pass(graph, list(islice(cycle(scans), graph.streams + 1)))
    at_once = list(islice(cycle(scans), 4 * _FEWEST_A_PASS))
    wanted = round(_SECONDS_A_PASS * len(at_once) / _pass(graphs[0], at_once))
    portion = list(islice(cycle(scans), max(_FEWEST_A_PASS, wanted)))
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(_ROUNDS):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            seconds[place].append(_pass(graphs[place], portion))
    return SpeedRatio(
        first=len(portion) / statistics.median(seconds[0]),
        second=len(portion) / statistics.median(seconds[1]),
        ratio=statistics.median(one / other for one, other in zip(*seconds, strict=True)),
        rounds=_ROUNDS,
    )


def _pass(graph: CompiledGraph, scans: Sequence[Pixels]) -> float:
    started = time.perf_counter()
    for _ in graph.stream(enumerate(scans)):
        pass
    return time.perf_counter() - started
