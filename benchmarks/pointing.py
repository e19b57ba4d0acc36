"""Whether class activation maps point at marked tumours: out-of-fold maps of a linear head, scored on boxes.

Five folds keep groups together; each scan's map comes from the head that saw neither the scan nor its group. Boxes are
YOLO files (class, centre and size in shares of the scan) named like the scans. ``centre`` is what pointing at
the middle reaches, ``chance`` what pointing at random does. Intervals: bootstrap over groups.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from measuring import report
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.evaluation.bootstrap import bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.explanation import Box, class_evidence, energy_inside, points_inside, region_of_boxes
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import Head, feature_graph
from tumorlens.training import fit_linear
from tumorlens.training.folds import grouped_folds
from tumorlens.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="name of a data set of the workspace with two classes")
    parser.add_argument("boxes", type=Path, help="folder of YOLO files")
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--size", type=int, default=240)
    arguments = parser.parse_args()
    workspace = Workspace.locate()
    dataset = load_dataset(workspace, arguments.dataset)
    boxes = {row: read_boxes(file) for row, file in box_files(dataset, arguments.boxes).items()}
    spec = find_backbone(arguments.backbone)
    graph = feature_graph(spec, resolve_weights(spec), size=arguments.size, cache=workspace.graphs)
    with FeatureStore(workspace.features) as store:
        sets = extract_features(dataset, graph, store, views=("pooled", "flat"))
        pooled = sets["pooled"].matrix(store)
        heads = fit_folds(dataset, pooled)
        scores = []
        for row, marked in boxes.items():
            flat = store.read(sets["flat"].kind, [sets["flat"].digests[row]])
            scores.append(score(flat.reshape(graph.map_shape), heads[row], marked, dataset))
    table = np.array(scores)
    report(
        {
            "dataset": arguments.dataset,
            "backbone": arguments.backbone,
            "size": arguments.size,
            "grid": graph.map_shape[:2],
            "scans": len(table),
            "scores": with_intervals(table, dataset, list(boxes)),
        }
    )


def box_files(dataset: Dataset, folder: Path) -> dict[int, Path]:
    """The box file of each positive scan that has one, by row."""
    stems = [Path(source).stem for source in dataset.manifest["source"]]
    files = {row: folder / f"{stem}.txt" for row, stem in enumerate(stems)}
    positive = dataset.manifest["label"].to_numpy() == dataset.positive_class
    return {row: file for row, file in files.items() if positive[row] and file.is_file()}


def read_boxes(file: Path) -> list[Box]:
    boxes = []
    for line in file.read_text(encoding="utf-8").splitlines():
        x, y, width, height = (float(word) for word in line.split()[1:])
        edges = np.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 0.0, 1.0)
        boxes.append(Box(*map(float, edges)))
    return boxes


def fit_folds(dataset: Dataset, pooled: npt.NDArray[np.float32]) -> list[Head]:
    """The head of each row's fold."""
    folds = grouped_folds(dataset.labels, dataset.groups)
    heads = {}
    for fold in np.unique(folds):
        train = folds != fold
        fitted = fit_linear(pooled[train], dataset.labels[train], dataset.groups[train], n_classes=len(dataset.classes))
        heads[fold] = fitted.head
    return [heads[fold] for fold in folds]


def score(
    feature_map: npt.NDArray[np.float32], head: Head, boxes: list[Box], dataset: Dataset
) -> tuple[float, float, float, float]:
    """Pointing, energy, pointing at the centre, chance."""
    assert dataset.positive_class is not None
    target = dataset.classes.index(dataset.positive_class)
    evidence = class_evidence(feature_map @ head.layers[0].weight, target=target)
    region = region_of_boxes(boxes, shape=evidence.shape[:2])
    centre = any(box.holds(0.5, 0.5) for box in boxes)
    return float(points_inside(evidence, region)), energy_inside(evidence, region) or 0.0, float(centre), region.area


def with_intervals(table: npt.NDArray[np.float64], dataset: Dataset, rows: list[int]) -> dict[str, dict[str, float]]:
    resampling = resample_groups(dataset.groups[rows], n_scans=len(rows), unit=dataset.groups_are)
    assert resampling is not None
    names = ("pointing", "energy", "centre", "chance")
    statistics = {
        name: (float(values.mean()), Mean(values, codes=resampling.codes))
        for name, values in zip(names, table.T, strict=True)
    }
    found = bootstrap_intervals(statistics, resampling=resampling)
    return {
        name: {"value": interval.value, "low": interval.low, "high": interval.high, "groups": interval.n_groups}
        for name, interval in found.items()
        if interval is not None
    }


if __name__ == "__main__":
    main()
