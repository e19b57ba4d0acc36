"""Uploaded files become answers: one group for each picture, volume or series, a volume's slices highest first."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tumorlens.bundles import Prediction
from tumorlens.bundles.card import BundleCard
from tumorlens.errors import InputError
from tumorlens.runtime.compiled import Outputs
from tumorlens.scans import ReadLimits, Scan, pixel_digest, quiet_decoding, scan_units
from tumorlens.scans.units import Refusal, ScanUnit
from tumorlens.serving.model_host import HostedModel
from tumorlens.serving.problems import ProblemError

__all__ = ["Answered", "answer_files"]

_AHEAD = 8
"""Scans of one request that may wait for the network at a time, so that no request holds the queue."""


@dataclass
class Answered:
    """What came of one upload.

    Attributes:
        groups: One for each picture, volume or series: ``source``, ``order`` and ``answers``.
        refused: ``source`` and ``reason`` of each scan that could not be read.
        notes: What was left out.
    """

    groups: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def answer_files(
    model: HostedModel,
    names: Mapping[Path, str],
    *,
    limits: ReadLimits,
    heatmaps: bool,
    similar: bool,
    is_gone: Callable[[], bool],
) -> Answered:
    """Answer for every scan of every file.

    Args:
        model: The model; its bundle says how scans are read.
        names: What the client calls each file.
        limits: Largest file and picture, and most scans in all.
        heatmaps: Whether each answer gets its picture, base64 of a PNG.
        similar: Whether each answer names the training scans most alike.
        is_gone: Whether nobody waits any more; the rest is left undone then.

    Raises:
        ProblemError: There are more scans than may be (413).
        BusyError: Too many scans are waiting.
    """
    with quiet_decoding():
        try:
            listed = scan_units(list(names), model.predictor.reading, limits=limits)
        except InputError as error:
            raise type(error)(_named(str(error), names)) from error
        answered = Answered(notes=[_named(note, names) for note in listed.notes])
        left = limits.frames
        for unit in listed.units:
            predictions, refused = [], []
            for item in _in_turn(model, unit, is_gone):
                left -= 1
                if left < 0:
                    raise ProblemError(413, f"The files hold more than {limits.frames} scans together: send fewer.")
                if isinstance(item, Refusal):
                    refused.append({"source": _named(item.source, names), "reason": _named(item.reason, names)})
                else:
                    predictions.append(replace(item, source=_named(item.source, names)))
            answered.refused += refused
            if predictions:
                source = _named(str(unit.source), names)
                answered.groups.append(_group(model.predictor.card, source, predictions, heatmaps, similar))
    return answered


def _in_turn(model: HostedModel, unit: ScanUnit, is_gone: Callable[[], bool]) -> Iterator[Prediction | Refusal]:
    """Answers in the order of the scans, some of which are computed while others are read."""
    ahead: deque[tuple[Scan, Future[Outputs]]] = deque()

    def next_answer() -> Prediction:
        scan, future = ahead.popleft()
        return model.predictor.answer_from(scan, future.result(), marks=unit.marks)

    try:
        for item in unit.read():
            if is_gone():
                return
            if isinstance(item, Refusal):
                yield item
                continue
            while len(ahead) >= _AHEAD:
                yield next_answer()
            ahead.append((item, model.queue.submit(item.pixels)))
        while ahead:
            yield next_answer()
    finally:
        for _, future in ahead:
            future.cancel()


def _group(
    card: BundleCard, source: str, predictions: Sequence[Prediction], heatmaps: bool, similar: bool
) -> dict[str, Any]:
    positive = None if card.operating_point is None else card.operating_point.positive_class
    ordered, order = list(predictions), "as given"
    if len(ordered) > 1:
        key = positive or "the answered class"
        order = f"probability of {key}, highest first"
        ordered.sort(key=lambda one: one.probabilities[positive or one.label], reverse=True)
    return {"source": source, "order": order, "answers": [_answer(one, heatmaps, similar) for one in ordered]}


def _answer(prediction: Prediction, heatmaps: bool, similar: bool) -> dict[str, Any]:
    document = prediction.to_json() if similar else replace(prediction, find_similar=lambda: None).to_json()
    return {
        **document,
        "pixel_digest": pixel_digest(prediction.pixels),
        "heatmap_check": prediction.heatmap.check,
        "heatmap_png": base64.b64encode(prediction.heatmap.png()).decode("ascii") if heatmaps else None,
    }


def _named(text: str, names: Mapping[Path, str]) -> str:
    """``text`` with the client's name in the place of each of our paths."""
    for path, name in names.items():
        text = text.replace(str(path), name)
    return text
