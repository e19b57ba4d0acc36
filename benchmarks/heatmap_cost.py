"""What an answer costs with its map, and without: the same scans through the same bundle, turn about.

``ratio_with_map`` is the time of a forward pass that also gives the map over one that gives probabilities only, as
medians over the repeats. ``picture_ms`` is what drawing and writing one picture and raw map takes on top.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

from measuring import report
from tumorlens.bundles import GRAPH_FILE, Predictor
from tumorlens.explanation import HeatmapFolder
from tumorlens.runtime import CompiledGraph, compile_graph
from tumorlens.types import Pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="bundle folder")
    parser.add_argument("scans", type=Path, help="folder of pictures")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    predictor = Predictor(arguments.bundle)
    answers = [predictor.predict(file) for file in islice(sorted(arguments.scans.iterdir()), arguments.images)]
    outputs = {"without": ["probabilities"], "with": ["probabilities", "map"]}
    graphs = {
        name: compile_graph(arguments.bundle / GRAPH_FILE, goal="latency", outputs=wanted)
        for name, wanted in outputs.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in graphs}
    for repeat in range(arguments.repeats + 1):  # the first one warms up
        for name, graph in graphs.items():
            elapsed = time_answers(graph, [answer.pixels for answer in answers])
            if repeat:
                seconds[name].append(elapsed)
    with tempfile.TemporaryDirectory() as folder:
        pictures = HeatmapFolder(Path(folder))
        pictures.write(answers[0].heatmap)  # loads matplotlib
        started = time.perf_counter()
        for answer in answers:
            pictures.write(answer.heatmap)
        drawing = (time.perf_counter() - started) / len(answers)
    milliseconds = {name: 1e3 * median(values) / len(answers) for name, values in seconds.items()}
    report(
        {
            "scans": len(answers),
            "repeats": arguments.repeats,
            "ms_a_scan": milliseconds,
            "ratio_with_map": milliseconds["with"] / milliseconds["without"],
            "picture_ms": 1e3 * drawing,
        }
    )


def time_answers(graph: CompiledGraph, scans: list[Pixels]) -> float:
    started = time.perf_counter()
    for scan in scans:
        graph.run(scan)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
