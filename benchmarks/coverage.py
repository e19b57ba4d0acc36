"""How often the interval of the accuracy holds the true accuracy, on simulated predictions.

Groups are of unequal size; scans of one group resemble each other (beta-binomial). Prints one JSON document, and the
same as a Markdown table on standard error.

    .venv/bin/python benchmarks/coverage.py --repetitions 500 --draws 1000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import Interval, Resampling, bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import GroupSums, Ratio
from tumorlens.evaluation.small_groups import honest_intervals

GROUPS = (10, 20, 50, 200)
ACCURACIES = (0.7, 0.9, 0.97, 0.99)
LEVEL = 0.95
MEAN_SCANS = 15  # in a group, 1 or more


def main() -> None:
    options = _options()
    rng = np.random.default_rng(options.seed)
    started = time.process_time()
    cells = [
        _cell(
            rng,
            n_groups,
            accuracy,
            correlation=options.correlation,
            repetitions=options.repetitions,
            draws=options.draws,
        )
        for n_groups in GROUPS
        for accuracy in ACCURACIES
    ]
    document = {
        "level": LEVEL,
        "repetitions": options.repetitions,
        "draws": options.draws,
        "correlation": options.correlation,
        "mean_scans_in_a_group": MEAN_SCANS,
        "cpu_seconds": round(time.process_time() - started, 1),
        "cells": cells,
    }
    print(json.dumps(document, indent=2))
    print(_table(cells), file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--correlation", type=float, default=0.2, help="of two scans of one group being right")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _cell(
    rng: np.random.Generator, n_groups: int, accuracy: float, *, correlation: float, repetitions: int, draws: int
) -> dict[str, Any]:
    held = {"percentile": 0, "shipped": 0}
    widths: list[float] = []
    methods: Counter[str] = Counter()
    for repetition in range(repetitions):
        right, codes = _simulate(rng, n_groups, accuracy, correlation)
        resampling = resample_groups(
            codes.astype(str), n_scans=right.size, unit="patients", draws=draws, seed=repetition
        )
        assert resampling is not None
        pair = _intervals(right, resampling)
        for name, interval in pair.items():
            held[name] += interval.low <= accuracy <= interval.high
        widths.append(pair["shipped"].high - pair["shipped"].low)
        methods[pair["shipped"].method] += 1
    return {
        "groups": n_groups,
        "accuracy": accuracy,
        "percentile_coverage": held["percentile"] / repetitions,
        "coverage": held["shipped"] / repetitions,
        "mean_width": round(float(np.mean(widths)), 4),
        "methods": dict(methods),
    }


def _simulate(
    rng: np.random.Generator, n_groups: int, accuracy: float, correlation: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    sizes = rng.geometric(1.0 / MEAN_SCANS, n_groups)
    precision = 1.0 / correlation - 1.0
    shares = rng.beta(accuracy * precision, (1.0 - accuracy) * precision, n_groups)
    codes = np.repeat(np.arange(n_groups), sizes)
    return (rng.random(codes.size) < shares[codes]).astype(np.float64), codes


def _intervals(right: npt.NDArray[np.float64], resampling: Resampling) -> dict[str, Interval]:
    sums = GroupSums(np.stack([right, np.ones_like(right)], axis=1), codes=resampling.codes)
    ratio = Ratio(sums, top=np.array([1.0, 0.0]), bottom=np.array([0.0, 1.0]))
    statistics = {"accuracy": (float(right.mean()), ratio)}
    percentile = bootstrap_intervals(statistics, resampling=resampling, level=LEVEL)["accuracy"]
    shipped = honest_intervals(statistics, resampling=resampling, level=LEVEL)["accuracy"]
    assert percentile is not None
    assert shipped is not None
    return {"percentile": percentile, "shipped": shipped}


def _table(cells: list[dict[str, Any]]) -> str:
    lines = ["| groups | accuracy | percentile | shipped | mean width | how |", "| --- | --- | --- | --- | --- | --- |"]
    for cell in cells:
        how = ", ".join(f"{name} {count}" for name, count in sorted(cell["methods"].items()))
        lines.append(
            f"| {cell['groups']} | {cell['accuracy']} | {cell['percentile_coverage']:.3f} | {cell['coverage']:.3f} "
            f"| {cell['mean_width']:.3f} | {how} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
