"""Results of many trainings on frozen folds: kept in one JSON file, put together over folds with intervals.

A result is known by variant, settings, protocol, fold and seed, so that a measurement that was stopped goes on, and
results of settings that have changed since are not mixed with others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation import Interval, resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.workspace import write_json

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """One training, scored once on the test part of one fold.

    Attributes:
        variant: Name of the way to train.
        settings: Digest of its settings.
        protocol: Name of the protocol.
        fold: Number of the fold, from 1.
        seed: Seed of the training.
        accuracy: Share of test scans that were right, 0..1.
        loss: Their mean cross-entropy, nats, calibrated as shipped.
        roc_auc: Of the positive class, 0..1.
        validation_accuracy: Share of validation scans that were right, 0..1.
        validation_loss: Their mean cross-entropy, nats.
        epochs: Epochs trained; 0 for a linear head.
        seconds: Wall-clock time, with all that was not cached; other work may have gone on beside it.
        right: One bit a test scan in the order of rows, 1 where it was right, as hexadecimal bytes.
        probabilities: One byte a test scan, its probability of the positive class in 255ths, as hexadecimal bytes.
    """

    variant: str
    settings: str
    protocol: str
    fold: int
    seed: int
    accuracy: float
    loss: float
    roc_auc: float
    validation_accuracy: float
    validation_loss: float
    epochs: int
    seconds: float
    right: str
    probabilities: str

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """What it is known by."""
        return self.variant, self.settings, self.protocol, self.fold, self.seed


class FoldResults:
    """All results in one file; every new one is written at once."""

    def __init__(self, path: Path) -> None:
        """Read ``path`` where it exists."""
        self._path = path
        rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        self._results = {result.key: result for result in (FoldResult(**row) for row in rows)}

    def has(self, key: tuple[str, str, str, int, int]) -> bool:
        """Whether this one is there."""
        return key in self._results

    def add(self, result: FoldResult) -> None:
        """Keep one more."""
        self._results[result.key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, [asdict(self._results[key]) for key in sorted(self._results)])

    def of(self, variant: str, settings: str, protocol: str) -> list[FoldResult]:
        """Those of one variant under one protocol, by fold and seed."""
        wanted = (variant, settings, protocol)
        return [self._results[key] for key in sorted(self._results) if key[:3] == wanted]


def pack(right: npt.NDArray[np.bool_]) -> str:
    """``(n,)`` as hexadecimal bytes."""
    return np.packbits(right).tobytes().hex()


def pack_probabilities(probabilities: npt.NDArray[np.float64]) -> str:
    """``(n,)`` of the positive class, in 255ths, as hexadecimal bytes."""
    return np.rint(255.0 * probabilities).astype(np.uint8).tobytes().hex()


def right_by_row(results: Sequence[FoldResult], test_rows: Mapping[int, npt.NDArray[np.int64]]) -> dict[int, float]:
    """By row of the data set, the share of seeds that were right where the row was tested."""
    marks: dict[int, list[bool]] = {}
    for result in results:
        rows = test_rows[result.fold]
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(result.right), np.uint8), count=len(rows)).astype(bool)
        for row, bit in zip(rows.tolist(), bits.tolist(), strict=True):
            marks.setdefault(row, []).append(bit)
    return {row: sum(bits) / len(bits) for row, bits in marks.items()}


def right_of_mean(
    results: Sequence[FoldResult],
    test_rows: Mapping[int, npt.NDArray[np.int64]],
    positive: npt.NDArray[np.bool_],
) -> dict[int, float]:
    """By row of the data set, 1 where the mean of all results' probabilities for it is on the right side of one half.

    Args:
        results: Of several seeds or variants under one protocol.
        test_rows: By fold, the rows of its test part.
        positive: ``(n,)`` whether a row of the data set has the positive class.
    """
    given: dict[int, list[int]] = {}
    for result in results:
        values = np.frombuffer(bytes.fromhex(result.probabilities), np.uint8)
        for row, value in zip(test_rows[result.fold].tolist(), values.tolist(), strict=True):
            given.setdefault(row, []).append(value)
    return {row: float((np.mean(values) > 127.5) == positive[row]) for row, values in given.items()}


def interval(values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64], *, share: bool) -> Interval:
    """Interval of a mean over scans, by drawing whole groups.

    Args:
        values: ``(n,)`` one value a scan.
        groups: ``(n,)`` its group.
        share: Whether the mean is a share, in 0..1; ``False`` for differences.
    """
    units = groups.astype(np.str_)
    resampling = resample_groups(units, n_scans=len(values), unit="clusters")
    assert resampling is not None
    mean = Mean(values, codes=resampling.codes, share=share)
    found = honest_intervals({"mean": (float(values.mean()), mean)}, resampling=resampling, level=LEVEL)["mean"]
    assert found is not None
    return found
