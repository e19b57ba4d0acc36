r"""Input size against accuracy and speed, with and without ``--crop brain``, and which size that speaks for.

    size_curve.py DATASET CROPPED --workspace DIR [--backbone B] [--weights W] [--sizes 96,128,…] [--picture FILE]

DATASET is imported plainly, CROPPED is the same source imported with ``--crop brain``; labels, groups and split are
those of DATASET in both, so that only pixels differ. The test and calibration parts play no role: within training and
validation parts together, a linear head is fitted outside each of five folds of whole groups (its strength chosen by
folds inside them) and predicts the fold; this is repeated with other folds and the probabilities are averaged.

The rule, stated before any figure was seen: the smallest size without crop whose loss is above that of the size with
the lowest loss by at most one standard error of this difference, over groups. (Paired, as most of the spread between
groups is common to all sizes.) The default changes where every network and data set measured picks a size other than
it, and then to the largest of their picks.

Speed is that of the graph alone on scans in memory, all sizes in turn in each of several rounds, medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from measuring import report
from size_curve_picture import draw_curve
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, Split, load_dataset
from tumorlens.datasets.grouped_folds import assign_folds
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.evaluation import resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import CompiledGraph, FeatureGraph, compile_graph, feature_graph
from tumorlens.training import fit_linear
from tumorlens.types import Features, Labels, Pixels, Probabilities
from tumorlens.workflows.heads import row_probabilities
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace

_SIZES = "96,128,160,192,224,240,288,320"
_FOLDS = 5
_LEVEL = 0.95
_SCANS_A_ROUND = 64
_TINY = 1e-15


@dataclass(frozen=True)
class Point:
    """One size: loss in nats and accuracy 0..1 out of fold, its 95 % interval over groups, speed of the graph."""

    size: int
    crop: bool
    loss: float
    loss_above_best: float
    standard_error: float
    accuracy: float
    low: float
    high: float
    scans_per_second: float


@dataclass(frozen=True)
class _Rows:
    """Rows of training and validation parts: labels, what stays whole, and the fold of each in each repeat."""

    rows: npt.NDArray[np.int64]
    labels: Labels
    units: npt.NDArray[np.str_]
    folds: list[npt.NDArray[np.int64]]
    n_classes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("cropped")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--weights", default="imagenet", help="imagenet, random or a file")
    parser.add_argument("--sizes", default=_SIZES)
    parser.add_argument("--repeats", type=int, default=3, help="how often the folds are drawn anew")
    parser.add_argument("--rounds", type=int, default=5, help="of the speed measurement")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    workspace = Workspace.locate(arguments.workspace)
    plain, cropped = (load_dataset(workspace, name) for name in (arguments.dataset, arguments.cropped))
    sizes = sorted(int(word) for word in arguments.sizes.split(","))
    graphs = _graphs(arguments.backbone, arguments.weights, sizes, workspace)
    rows = _rows(plain, prepare_split(plain, protocol="grouped", seed=0), repeats=arguments.repeats)
    predicted = {}
    for crop, dataset in ((False, plain), (True, _in_order_of(cropped, plain))):
        for size in sizes:
            predicted[size, crop] = _out_of_fold(_features(dataset, graphs[size], workspace, rows), rows)
            print(f"size {size}, {'cropped' if crop else 'plain'}: done", file=sys.stderr)
    speeds = _speeds(graphs, {False: plain, True: cropped}, rounds=arguments.rounds)
    points = [_point(key, predicted, rows, speeds[key]) for key in predicted]
    if arguments.picture is not None:
        draw_curve(points, title=f"{find_backbone(arguments.backbone).title}, {plain.name}", out=arguments.picture)
    report(
        {
            "dataset": plain.name,
            "backbone": arguments.backbone,
            "scans": len(rows.rows),
            "clusters_or_patients": len(np.unique(rows.units)),
            "repeats": arguments.repeats,
            "picked": {"plain": _pick(points, crop=False), "cropped": _pick(points, crop=True)},
            "points": [asdict(point) for point in points],
        }
    )


def _graphs(backbone: str, weights: str, sizes: list[int], workspace: Workspace) -> dict[int, FeatureGraph]:
    spec = find_backbone(backbone)
    resolved = resolve_weights(spec, weights=weights, weights_dir=None)
    return {size: feature_graph(spec, resolved, size=size, cache=workspace.graphs) for size in sizes}


def _rows(dataset: Dataset, split: Split, *, repeats: int) -> _Rows:
    rows = np.sort(np.concatenate([split.rows("train"), split.rows("validation")]))
    labels = dataset.labels[rows]
    _, units = np.unique(whole_units(dataset.groups, dataset.digests)[rows], return_inverse=True)
    folds = [
        assign_folds(labels, units, classes=dataset.classes, folds=_FOLDS, seed=seed, unit=dataset.groups_are)
        for seed in range(repeats)
    ]
    return _Rows(rows, labels, units.astype(np.str_), folds, len(dataset.classes))


def _in_order_of(cropped: Dataset, plain: Dataset) -> Dataset:
    """The cropped data set with its rows in the plain one's order, by source file."""
    by_source = cropped.manifest.set_index("source", drop=False)
    return Dataset(cropped.path, cropped.record, by_source.loc[plain.manifest["source"]].reset_index(drop=True))


def _features(dataset: Dataset, graph: FeatureGraph, workspace: Workspace, rows: _Rows) -> Features:
    wanted = Dataset(dataset.path, dataset.record, dataset.manifest.iloc[rows.rows].reset_index(drop=True))
    with FeatureStore(workspace.features) as store:
        return extract_features(wanted, graph, store)["pooled"].matrix(store)


def _out_of_fold(features: Features, rows: _Rows) -> Probabilities:
    """``(n, k)``: every row predicted without its fold, averaged over the repeats."""
    total = np.zeros((len(rows.labels), rows.n_classes))
    for seed, folds in enumerate(rows.folds):
        for fold in range(_FOLDS):
            inside, held_out = folds != fold, folds == fold
            fitted = fit_linear(
                features[inside], rows.labels[inside], rows.units[inside], n_classes=rows.n_classes, seed=seed
            )
            total[held_out] += row_probabilities(fitted.head, features[held_out])
    return total / len(rows.folds)


def _speeds(
    graphs: dict[int, FeatureGraph], datasets: dict[bool, Dataset], *, rounds: int
) -> dict[tuple[int, bool], float]:
    """Scans a second of every graph on plain and cropped scans; one round before the first is thrown away."""
    scans = {crop: _some_scans(dataset) for crop, dataset in datasets.items()}
    compiled = {
        (size, crop): compile_graph(graph, outputs=["features"], scan_size=_common_size(scans[crop]))
        for crop in datasets
        for size, graph in graphs.items()
    }
    seconds: dict[tuple[int, bool], list[float]] = {key: [] for key in compiled}
    for _ in range(rounds + 1):
        for key, graph in compiled.items():
            seconds[key].append(_pass(graph, scans[key[1]]))
    return {key: _SCANS_A_ROUND / statistics.median(times[1:]) for key, times in seconds.items()}


def _some_scans(dataset: Dataset) -> list[Pixels]:
    digests = dataset.manifest["pixel_digest"].drop_duplicates()
    chosen = np.random.default_rng(0).choice(len(digests), _SCANS_A_ROUND, replace=False)
    with dataset.open_pixels() as pixels:
        return [pixels.get(digests.iloc[place]) for place in chosen]


def _common_size(scans: list[Pixels]) -> tuple[int, int] | None:
    sizes = {scan.shape[:2] for scan in scans}
    return sizes.pop() if len(sizes) == 1 else None


def _pass(graph: CompiledGraph, scans: list[Pixels]) -> float:
    started = time.perf_counter()
    for _ in graph.stream(enumerate(scans)):
        pass
    return time.perf_counter() - started


def _point(key: tuple[int, bool], predicted: dict[tuple[int, bool], Probabilities], rows: _Rows, speed: float) -> Point:
    losses = {place: _losses(probabilities, rows.labels) for place, probabilities in predicted.items()}
    best = min((place for place in losses if place[1] == key[1]), key=lambda place: losses[place].mean())
    above, error = _difference(losses[key] - losses[best], rows.units)
    right = predicted[key].argmax(axis=1) == rows.labels
    low, high = _interval(right, rows.units)
    return Point(*key, float(losses[key].mean()), above, error, float(right.mean()), low, high, speed)


def _losses(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.float64]:
    return -np.log(np.clip(probabilities[np.arange(len(labels)), labels], _TINY, None))


def _difference(change: npt.NDArray[np.float64], units: npt.NDArray[np.str_]) -> tuple[float, float]:
    """Mean of ``(n,)`` differences, and its standard error over groups (linearised)."""
    _, codes = np.unique(units, return_inverse=True)
    sums = np.bincount(codes, weights=change - change.mean())
    return float(change.mean()), float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(change))


def _interval(right: npt.NDArray[np.bool_], units: npt.NDArray[np.str_]) -> tuple[float, float]:
    resampling = resample_groups(units, n_scans=len(right), unit="clusters")
    assert resampling is not None
    mean = Mean(right, codes=resampling.codes)
    found = honest_intervals({"accuracy": (float(right.mean()), mean)}, resampling=resampling, level=_LEVEL)
    interval = found["accuracy"]
    assert interval is not None
    return interval.low, interval.high


def _pick(points: list[Point], *, crop: bool) -> dict[str, Any]:
    """The size of the rule, and the one with the lowest loss."""
    among = [point for point in points if point.crop == crop]
    near = [point.size for point in among if point.loss_above_best <= point.standard_error]
    return {"size": min(near), "lowest_loss_at": min(among, key=lambda point: point.loss).size}


if __name__ == "__main__":
    main()
