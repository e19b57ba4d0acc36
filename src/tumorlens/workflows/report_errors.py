"""The test scans that a stored run decides wrongly: pictures, heatmaps and the nearest training scans.

Everything comes from what is stored: predictions, pixels, the bundle's graph, the run's neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from PIL import Image

from tumorlens.bundles import Prediction, Predictor, check_words, read_card
from tumorlens.bundles.card import CARD_FILE
from tumorlens.datasets import Dataset
from tumorlens.explanation.picture import painted_scan
from tumorlens.reports import Neighbour, WrongAnswer, WrongAnswers
from tumorlens.reports.audit_tiles import TILE_SIZE, TileOf, draw_tile, open_tiles
from tumorlens.reports.wording import row_title
from tumorlens.scans import Scan
from tumorlens.workflows.runs import RunRecord, read_predictions

__all__ = ["MOST_SHOWN", "wrong_answers"]

MOST_SHOWN = 24
"""So many wrong answers are shown at most."""

_Predict: TypeAlias = Callable[[str], Prediction]


def wrong_answers(
    run: RunRecord, dataset: Dataset | None, *, pictures: bool, threads: int | None = None
) -> WrongAnswers:
    """Gather the wrong answers of a run on its test part, the most confident first.

    Args:
        run: The run.
        dataset: Its data set; ``None`` where it is not at hand.
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
    shown = _described(run, dataset, chosen, pictures=pictures, threads=threads)
    lost = any(not answer.neighbours for answer in shown)
    notes = ("Nearest training scans are left out: bundle, scans or their features are not at hand.",) if lost else ()
    card = read_card(run.bundle) if (run.bundle / CARD_FILE).is_file() else None
    check = None if card is None else card.heatmap_check
    return WrongAnswers(
        model=row_title(run.row),
        wrong=len(wrong),
        scans=len(test),
        shown=tuple(shown),
        notes=notes,
        heatmap_check="" if card is None else check_words(card.heatmap_check),
        informative=None if check is None else bool(check["informative"]),
    )


def _described(
    run: RunRecord, dataset: Dataset | None, chosen: pd.DataFrame, *, pictures: bool, threads: int | None
) -> list[WrongAnswer]:
    entries = chosen.to_dict("records")
    if dataset is None or not entries:
        return [_answer(entry) for entry in entries]
    rows = {digest: row for row, digest in reversed(list(enumerate(dataset.digests.tolist())))}
    with open_tiles(dataset) as tile, _open_predictions(run, dataset, threads=threads) as predict:
        return [_answer(entry, rows, tile=tile if pictures else None, predict=predict) for entry in entries]


def _answer(
    entry: dict[Hashable, Any],
    rows: Mapping[str, int] | None = None,
    *,
    tile: TileOf | None = None,
    predict: _Predict | None = None,
) -> WrongAnswer:
    prediction = None if predict is None else predict(str(entry["pixel_digest"]))
    neighbours = [
        Neighbour(near.label, near.distance, None if tile is None or rows is None else tile(rows[near.digest]))
        for near in (prediction.similar or () if prediction is not None else ())
    ]
    heatmap = None
    if prediction is not None and tile is not None:
        heatmap = _small_heatmap(prediction, str(entry["predicted_label"]))
    return WrongAnswer(
        row=int(entry["row_id"]),
        reference=str(entry["reference_label"]),
        answer=str(entry["predicted_label"]),
        probability=float(entry["confidence"]),
        tile=None if tile is None else tile(int(entry["row_id"])),
        heatmap=heatmap,
        silent=prediction is not None and tile is not None and heatmap is None,
        neighbours=tuple(neighbours),
    )


@contextmanager
def _open_predictions(run: RunRecord, dataset: Dataset, *, threads: int | None) -> Iterator[_Predict | None]:
    """Give a function of pixel digest that answers as the bundle does; ``None`` where the bundle is gone."""
    if not (run.bundle / CARD_FILE).is_file():
        yield None
        return
    predictor = Predictor(run.bundle, threads=threads)
    with dataset.open_pixels() as store:
        yield lambda digest: predictor.answer(Scan(store.get(digest), "array", "RGB", "array"))


def _small_heatmap(prediction: Prediction, label: str) -> bytes | None:
    """The scan with the cells painted that speak for ``label``, as a JPEG tile; ``None`` where none does."""
    heatmap = prediction.heatmap_of(label)
    if not heatmap.speaks_for:
        return None
    height, width = prediction.pixels.shape[:2]
    factor = TILE_SIZE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = Image.fromarray(prediction.pixels).resize(size, Image.Resampling.BICUBIC)
    return draw_tile(np.asarray(painted_scan(heatmap, small), np.uint8))
