"""The test scans that a stored run decides wrongly: pictures, heatmaps and the nearest training scans.

Everything comes from what is stored: predictions, pixels, the bundle's graph, cached features.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from PIL import Image

from tumorlens.backbones import BACKBONES
from tumorlens.bundles import Predictor
from tumorlens.bundles.card import CARD_FILE
from tumorlens.datasets import Dataset
from tumorlens.explanation.picture import painted_scan
from tumorlens.features import FeatureKind, FeatureStore, nearest_training_scans
from tumorlens.reports import Neighbour, WrongAnswer, WrongAnswers
from tumorlens.reports.audit_tiles import TILE_SIZE, TileOf, draw_tile, open_tiles
from tumorlens.reports.wording import row_title
from tumorlens.scans import Scan
from tumorlens.types import Pixels
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workspace import Workspace

__all__ = ["MOST_SHOWN", "wrong_answers"]

MOST_SHOWN = 24
"""So many wrong answers are shown at most."""

_NEIGHBOURS = 3

_Paint: TypeAlias = Callable[[str, str], bytes | None]


@dataclass(frozen=True)
class _Near:
    """The nearest training rows of some scans by digest, with distances, or why there are none."""

    rows: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    note: str = ""


def wrong_answers(
    run: RunRecord, dataset: Dataset | None, *, workspace: Workspace, pictures: bool, threads: int | None = None
) -> WrongAnswers:
    """Gather the wrong answers of a run on its test part, the most confident first.

    Args:
        run: The run.
        dataset: Its data set; ``None`` where it is not at hand.
        workspace: Where features lie.
        pictures: Whether scans may be shown.
        threads: CPU threads; all by default.
    """
    table = read_predictions(run.folder)
    test = table[table["part"] == "test"]
    known = {name.removeprefix("probability_") for name in table.columns if name.startswith("probability_")}
    wrong = test[(test["predicted_label"] != test["reference_label"]) & test["predicted_label"].isin(known)]
    confidence = [entry[f"probability_{entry['predicted_label']}"] for entry in wrong.to_dict("records")]
    chosen = (
        wrong.assign(confidence=confidence)
        .sort_values(["confidence", "row_id"], ascending=[False, True])
        .drop_duplicates("pixel_digest")
        .head(MOST_SHOWN)
    )
    near = _nearest(run, dataset, table, chosen["pixel_digest"].tolist(), workspace=workspace)
    shown = _pictured(run, dataset, chosen, table, near, pictures=pictures, threads=threads)
    notes = (near.note,) if near.note and len(chosen) else ()
    return WrongAnswers(row_title(run.row), len(wrong), len(test), tuple(shown), notes)


def _pictured(
    run: RunRecord,
    dataset: Dataset | None,
    chosen: pd.DataFrame,
    table: pd.DataFrame,
    near: _Near,
    *,
    pictures: bool,
    threads: int | None,
) -> list[WrongAnswer]:
    entries = chosen.to_dict("records")
    if not pictures or dataset is None or not entries:
        return [_answer(entry, table, near) for entry in entries]
    with open_tiles(dataset) as tile, _open_heatmaps(run, dataset, threads=threads) as paint:
        return [_answer(entry, table, near, tile=tile, paint=paint) for entry in entries]


def _answer(
    entry: dict[Hashable, Any],
    table: pd.DataFrame,
    near: _Near,
    *,
    tile: TileOf | None = None,
    paint: _Paint | None = None,
) -> WrongAnswer:
    neighbours = [
        Neighbour(str(table.at[row, "reference_label"]), distance, None if tile is None else tile(row))
        for row, distance in near.rows.get(str(entry["pixel_digest"]), [])
    ]
    heatmap = None if paint is None else paint(str(entry["pixel_digest"]), str(entry["predicted_label"]))
    return WrongAnswer(
        row=int(entry["row_id"]),
        reference=str(entry["reference_label"]),
        answer=str(entry["predicted_label"]),
        probability=float(entry["confidence"]),
        tile=None if tile is None else tile(int(entry["row_id"])),
        heatmap=heatmap,
        silent=paint is not None and heatmap is None,
        neighbours=tuple(neighbours),
    )


@contextmanager
def _open_heatmaps(run: RunRecord, dataset: Dataset, *, threads: int | None) -> Iterator[_Paint | None]:
    """Give a function of pixel digest and label that draws a small heatmap; ``None`` where the bundle is gone."""
    if not (run.bundle / CARD_FILE).is_file():
        yield None
        return
    predictor = Predictor(run.bundle, threads=threads)
    with dataset.open_pixels() as store:
        yield lambda digest, label: _small_heatmap(predictor, store.get(digest), label)


def _small_heatmap(predictor: Predictor, pixels: Pixels, label: str) -> bytes | None:
    """The scan with the cells painted that speak for ``label``, as a JPEG tile; ``None`` where none does."""
    heatmap = predictor.answer(Scan(pixels, "array", "RGB", "array")).heatmap_of(label)
    if not heatmap.speaks_for:
        return None
    height, width = pixels.shape[:2]
    factor = TILE_SIZE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return draw_tile(np.asarray(painted_scan(heatmap, small), np.uint8))


def _nearest(
    run: RunRecord, dataset: Dataset | None, table: pd.DataFrame, wanted: list[str], *, workspace: Workspace
) -> _Near:
    """The nearest training scans by the network's pooled features, each pixel content once."""
    kind = _kind(run, dataset)
    training = table[table["part"] == "train"].drop_duplicates("pixel_digest")
    missing = _Near(note="Nearest training scans are left out: the pooled features of these scans are not stored.")
    if kind is None or not wanted or training.empty or not workspace.features.is_dir():
        return missing
    digests = training["pixel_digest"].tolist()
    with FeatureStore(workspace.features) as store:
        if store.missing(kind, [*digests, *wanted]):
            return missing
        indices, distances = nearest_training_scans(store.read(kind, wanted), store.read(kind, digests), k=_NEIGHBOURS)
    rows = training["row_id"].to_numpy()
    pairs = zip(wanted, indices, distances, strict=True)
    return _Near(
        {
            digest: [(int(rows[at]), float(far)) for at, far in zip(places, apart, strict=True)]
            for digest, places, apart in pairs
        }
    )


def _kind(run: RunRecord, dataset: Dataset | None) -> FeatureKind | None:
    """What the run's pooled features are kept under; ``None`` for a CNN from scratch, whose features are not kept."""
    config = run.config["run"]
    spec = BACKBONES.get(str(config["backbone"]))
    if spec is None or dataset is None:
        return None
    return FeatureKind(
        backbone=spec.name,
        graph_digest=str(config["graph_digest"]),
        size=int(config["size"]),
        view="pooled",
        scan_steps=dataset.scan_steps,
        width=spec.width,
    )
