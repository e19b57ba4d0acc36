"""Whether maps point at marked tumours: out-of-fold maps of several methods, scored on boxes or masks.

Five folds keep groups together; each scan's map comes from a model that saw neither the scan nor its group. Regions are
YOLO files (class, centre and size in shares of the scan) or mask pictures (above 0: marked), named like the scans, or
the data set's own masks. ``pointing``, ``energy`` and ``overlap`` (the best threshold's IoU, an upper bound) need the
region; ``deletion`` and ``insertion`` the model alone: area under its probability of the positive class while cells
give way to a blurred scan, or come back into it. ``middle`` is a blob in the middle of the scan, ``random`` a map of
noise, each on the grid of the first method; ``area`` is the marked share. Intervals: bootstrap over groups.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from measuring import report
from pointing_folds import finer, fit_heads, write_models
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.evaluation.bootstrap import bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.explanation import (
    Box,
    Region,
    best_overlap,
    blurred_picture,
    deletion_curve,
    energy_inside,
    insertion_curve,
    points_inside,
    region_of_boxes,
    region_of_mask,
)
from tumorlens.explanation.methods import METHODS, ModelFiles, find_method
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import CompiledGraph, compile_graph, feature_graph
from tumorlens.types import Pixels
from tumorlens.workspace import Workspace

Evidence = npt.NDArray[np.floating]
Marks = list[Box] | npt.NDArray[np.bool_]


def main() -> None:
    arguments = _arguments()
    workspace = Workspace.locate()
    dataset = load_dataset(workspace, arguments.dataset)
    marks = dict(read_marks(dataset, arguments.regions))
    rows = sampled(sorted(marks), arguments.sample)
    spec = find_backbone(arguments.backbone)
    weights = resolve_weights(spec)
    graph = feature_graph(spec, weights, size=arguments.size, cache=workspace.graphs)
    with FeatureStore(workspace.features) as store:
        pooled = extract_features(dataset, graph, store, views=("pooled",))["pooled"].matrix(store)
    folds, heads = fit_heads(dataset, pooled, kind=arguments.head)
    with tempfile.TemporaryDirectory() as folder, dataset.open_pixels() as pixels:
        models = write_models(heads, graph, spec, weights, keras="gradcam" in arguments.methods, folder=Path(folder))
        scans = {row: pixels.get(dataset.digests[row]) for row in rows}
        mapped = models if arguments.map_size is None else finer(models, size=arguments.map_size)
        maps = {name: make_maps(name, mapped, folds, scans, dataset) for name in arguments.methods}
        maps |= trivial_maps(next(iter(maps.values())))
        curved = sampled(rows, arguments.curves)
        curves = {name: curve_areas(each, models, folds, scans, curved, dataset) for name, each in maps.items()}
    shapes = {name: next(iter(each.values())).shape for name, each in maps.items()}
    scores = {name: score(each, marks) for name, each in maps.items()}
    report(
        {
            **{key: str(value) for key, value in vars(arguments).items() if value is not None},
            "scans": len(rows),
            "scans_with_curves": len(curved),
            "grids": shapes,
            "scores": {
                name: with_intervals(scores[name], dataset, rows) | with_intervals(curves[name], dataset, curved)
                for name in maps
            },
        }
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="name of a data set of the workspace with two classes")
    parser.add_argument("regions", type=Path, nargs="?", help="folder of YOLO files or masks; else the data set's own")
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--map-size", type=int, help="larger input for the maps of method cam")
    parser.add_argument("--head", choices=("linear", "mlp"), default="linear")
    parser.add_argument("--methods", type=lambda words: words.split(","), default=["cam"], help=", ".join(METHODS))
    parser.add_argument("--sample", type=int, help="score this many scans, drawn at random (seed 0)")
    parser.add_argument("--curves", type=int, default=60, help="deletion and insertion on this many of them")
    return parser.parse_args()


def read_marks(dataset: Dataset, folder: Path | None) -> Iterator[tuple[int, Marks]]:
    """What is marked on each positive scan that has a mark, by row."""
    positive = np.flatnonzero(dataset.manifest["label"].to_numpy() == dataset.positive_class)
    if folder is None:
        with dataset.open_masks() as store:
            masks = [(int(row), store.get(dataset.digests[row])) for row in positive]
        yield from ((row, mask) for row, mask in masks if mask is not None and mask.any())
        return
    for row in positive:
        stem = folder / Path(dataset.manifest["source"][row]).stem
        if stem.with_suffix(".txt").is_file():
            yield int(row), read_boxes(stem.with_suffix(".txt"))
        elif stem.with_suffix(".png").is_file():
            with Image.open(stem.with_suffix(".png")) as picture:
                mask = np.asarray(picture.convert("L")) > 0
            if mask.any():
                yield int(row), mask


def read_boxes(file: Path) -> list[Box]:
    boxes = []
    for line in file.read_text(encoding="utf-8").splitlines():
        x, y, width, height = (float(word) for word in line.split()[1:])
        edges = np.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 0.0, 1.0)
        boxes.append(Box(*map(float, edges)))
    return boxes


def sampled(rows: Sequence[int], count: int | None) -> list[int]:
    """``count`` of the rows in their order, drawn at random; all without a count."""
    if count is None or count >= len(rows):
        return list(rows)
    return sorted(int(row) for row in np.random.default_rng(0).choice(rows, count, replace=False))


def make_maps(
    name: str,
    models: Mapping[int, ModelFiles],
    folds: npt.NDArray[np.int64],
    scans: Mapping[int, Pixels],
    data: Dataset,
) -> dict[int, Evidence]:
    """The map of the positive class for each scan, from the model of its fold."""
    target = _target(data)
    found: dict[int, Evidence] = {}
    for fold, model in models.items():
        rows = [row for row in scans if folds[row] == fold]
        made = find_method(name)(model).evidence([scans[row] for row in rows], targets=[target] * len(rows))
        found.update(zip(rows, made, strict=True))
    return found


def trivial_maps(maps: Mapping[int, Evidence]) -> dict[str, dict[int, Evidence]]:
    """A blob in the middle, and noise."""
    shape = next(iter(maps.values())).shape
    y, x = ((np.arange(side) + 0.5) / side - 0.5 for side in shape)
    middle = np.exp(-8 * (y[:, None] ** 2 + x[None] ** 2))
    return {
        "middle": dict.fromkeys(maps, middle),
        "random": {row: np.random.default_rng(row).random(shape) for row in maps},
    }


def score(maps: Mapping[int, Evidence], marks: Mapping[int, Marks]) -> dict[str, list[float]]:
    """Every score that needs the region, a value a scan in the order of ``maps``' sorted rows."""
    found: dict[str, list[float]] = {"pointing": [], "energy": [], "overlap": [], "area": []}
    for row, evidence in sorted(maps.items()):
        region = _region(marks[row], evidence)
        found["pointing"].append(float(points_inside(evidence, region)))
        found["energy"].append(energy_inside(evidence, region) or 0.0)
        found["overlap"].append(best_overlap(evidence, region).iou)
        found["area"].append(region.area)
    return found


def _region(marked: Marks, evidence: Evidence) -> Region:
    shape = (evidence.shape[0], evidence.shape[1])
    return region_of_boxes(marked, shape=shape) if isinstance(marked, list) else region_of_mask(marked, shape=shape)


def curve_areas(
    maps: Mapping[int, Evidence],
    models: Mapping[int, ModelFiles],
    folds: npt.NDArray[np.int64],
    scans: Mapping[int, Pixels],
    rows: Sequence[int],
    data: Dataset,
    steps: int = 8,
) -> dict[str, list[float]]:
    """Areas under the curves of deletion and insertion, in the order of ``rows``."""
    graphs: dict[int, CompiledGraph] = {
        fold: compile_graph(model.graph, outputs=["probabilities"]) for fold, model in models.items()
    }
    target = _target(data)
    found: dict[str, list[float]] = {"deletion": [], "insertion": []}
    for row in rows:
        graph, baseline = graphs[int(folds[row])], blurred_picture(scans[row])

        def answer(pictures: Pixels, graph: CompiledGraph = graph) -> Evidence:
            return graph.run(pictures)["probabilities"][:, target]

        for name, curve in (("deletion", deletion_curve), ("insertion", insertion_curve)):
            found[name].append(curve(scans[row], maps[row], answer, baseline=baseline, steps=steps).area)
    return found


def _target(dataset: Dataset) -> int:
    assert dataset.positive_class is not None
    return dataset.classes.index(dataset.positive_class)


def with_intervals(
    scores: Mapping[str, Sequence[float]], dataset: Dataset, rows: Sequence[int]
) -> dict[str, dict[str, float]]:
    resampling = resample_groups(dataset.groups[list(rows)], n_scans=len(rows), unit=dataset.groups_are)
    assert resampling is not None
    statistics = {
        name: (float(np.mean(values)), Mean(values, codes=resampling.codes)) for name, values in scores.items()
    }
    found = bootstrap_intervals(statistics, resampling=resampling)
    return {
        name: {"value": interval.value, "low": interval.low, "high": interval.high, "groups": interval.n_groups}
        for name, interval in found.items()
        if interval is not None
    }


if __name__ == "__main__":
    main()
