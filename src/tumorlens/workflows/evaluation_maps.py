"""Whether a model's heatmaps point at lesions, on scans of a data set that holds reference masks.

The scans are those that an evaluation rests on, as far as they have the positive class and a mask. The middle of the
scan and the area of the mask stand beside the maps: what pointing without looking, and at random, would reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.bundles import GRAPH_FILE
from tumorlens.datasets import Dataset
from tumorlens.errors import InputError
from tumorlens.evaluation import Figure
from tumorlens.evaluation.bootstrap import resample_groups
from tumorlens.evaluation.figure import share_figures
from tumorlens.explanation import class_evidence
from tumorlens.explanation.regions import region_of_mask
from tumorlens.explanation.scoring import best_overlap, energy_inside, points_inside
from tumorlens.progress import Progress
from tumorlens.runtime import CompiledGraph, compile_graph
from tumorlens.workflows.evaluation_groups import JudgedLabels
from tumorlens.workflows.evaluation_model import EvaluatedModel
from tumorlens.workflows.evaluation_steps import compare_steps

__all__ = ["MapFigures", "check_masks", "score_heatmaps"]


@dataclass(frozen=True)
class MapFigures:
    """How well heatmaps of the positive class find the masks, meant over scans; all in 0..1.

    Attributes:
        n_scans: Scans with the positive class and a mask.
        pointing: Share whose strongest cell has its centre in the mask.
        energy: Share of the positive evidence inside the mask.
        overlap: Intersection over union at the threshold that is best for each map: an upper bound.
        centre: Share whose mask holds the middle of the scan.
        area: Share of the scan that the mask covers.
    """

    n_scans: int
    pointing: Figure
    energy: Figure
    overlap: Figure
    centre: Figure
    area: Figure


def check_masks(model: EvaluatedModel, dataset: Dataset) -> None:
    """Raise unless heatmaps can be scored on a data set.

    Raises:
        InputError: It holds no masks, the model has no positive class, or the masks are of pixels without its crop.
    """
    if not dataset.has_masks:
        raise InputError(
            f"The data set {dataset.name!r} holds no lesion masks to score heatmaps on: import it with --mask-pattern "
            "or --layout brats, or leave out --heatmaps."
        )
    if model.card.operating_point is None:
        raise InputError(
            "Heatmaps are scored for the positive of two classes, and the model has none: leave out --heatmaps."
        )
    to_do = compare_steps(model.card.scan_steps, dataset.scan_steps).pixel_steps
    if to_do:
        raise InputError(
            f"The masks of {dataset.name!r} are of scans without the model's {to_do.options}: import it again with it."
        )


def score_heatmaps(
    model: EvaluatedModel, dataset: Dataset, judged: JudgedLabels, *, threads: int | None, progress: Progress
) -> MapFigures:
    """Score the maps of the positive class; see :func:`check_masks`.

    Args:
        model: The model.
        dataset: The scans, with masks.
        judged: Those that count.
        threads: CPU threads; all by default.
        progress: Told of every scan.

    Raises:
        InputError: None of the scans has the positive class and a mask.
    """
    target = judged.classes.index(str(judged.positive_class))
    rows = judged.rows[judged.labels == target]
    graph = compile_graph(model.bundle / GRAPH_FILE, goal="throughput", outputs=["map"], threads=threads)
    rows, table = _scores(graph, dataset, rows, target=target, progress=progress)
    if not len(rows):
        raise InputError("None of the scans has the positive class and a lesion mask: leave out --heatmaps.")
    unit = "scans" if dataset.groups_are == "none" else dataset.groups_are
    resampling = resample_groups(dataset.groups[rows], n_scans=len(rows), unit=unit)
    names, every = ("pointing", "energy", "overlap", "centre", "area"), np.ones(len(rows))
    columns = {name: (values, every) for name, values in zip(names, table.T, strict=True)}
    return MapFigures(n_scans=len(rows), **share_figures(columns, resampling=resampling))


def _scores(
    graph: CompiledGraph, dataset: Dataset, rows: npt.NDArray[np.int64], *, target: int, progress: Progress
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The rows that have a mask, and ``(n, 5)`` their scores."""
    found, scores = [], []
    with dataset.open_pixels() as pixels, dataset.open_masks() as masks:
        masked = ((row, masks.get(str(dataset.digests[row]))) for row in rows)
        marked = [(row, mask) for row, mask in masked if mask is not None and mask.any()]
        by_row = dict(marked)
        with progress.task("Scoring heatmaps", total=len(marked)) as task:
            for row, outputs in graph.stream((row, pixels.get(str(dataset.digests[row]))) for row, _ in marked):
                evidence, mask = class_evidence(outputs["map"][0], target=target), by_row[row]
                region = region_of_mask(mask, shape=evidence.shape)
                middle = bool(mask[mask.shape[0] // 2, mask.shape[1] // 2])
                found.append(row)
                scores.append(
                    (
                        float(points_inside(evidence, region)),
                        energy_inside(evidence, region) or 0.0,
                        best_overlap(evidence, region).iou,
                        float(middle),
                        region.area,
                    )
                )
                task.advance()
    return np.array(found, np.int64), np.array(scores, np.float64).reshape(len(found), 5)
