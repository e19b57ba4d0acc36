"""Folders of finished cross-validations, one a network and head: what decided it, out-of-fold predictions, figures.

A folder's name ends in a digest of everything that decides its result, so the same work is found again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.errors import IntegrityError
from tumorlens.evaluation import CrossValidatedFigures
from tumorlens.workflows.fold_context import FoldContext
from tumorlens.workflows.fold_fits import OutOfFold
from tumorlens.workspace import Workspace, atomic_directory, write_json

__all__ = ["CrossValidationConfig", "FinishedRow", "find_finished_row", "write_finished_row"]

_CONFIG_FILE = "config.json"
_FIGURES_FILE = "figures.json"
_PREDICTIONS_FILE = "predictions.parquet"


@dataclass(frozen=True)
class CrossValidationConfig:
    """Everything that decides what the cross-validation of one network and head gives.

    Attributes:
        dataset: Name of the data set.
        manifest_digest: Its digest.
        folds_digest: SHA-256 over the fold of every scan in every repeat.
        folds: Number of folds.
        repeats: Number of repeats.
        backbone: Name of the network.
        head: Kind of head.
        weights: Where the network's weights came from, in one word.
        weights_digest: SHA-256 over the weight tensors.
        graph_digest: SHA-256 over weights, preprocessing, size and the version of the code that made the graph.
        size: Side of the network's input in pixels.
        seed: Seed of folds, heads and bootstrap.
        tumorlens: Version of tumorlens.
    """

    dataset: str
    manifest_digest: str
    folds_digest: str
    folds: int
    repeats: int
    backbone: str
    head: str
    weights: str
    weights_digest: str
    graph_digest: str
    size: int
    seed: int
    tumorlens: str

    @property
    def digest(self) -> str:
        """SHA-256 over the facts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def name(self) -> str:
        """Name of the folder."""
        return f"{self.dataset}-cv{self.folds}x{self.repeats}-{self.backbone}-{self.head}-{self.digest[:8]}"


@dataclass(frozen=True, eq=False)
class FinishedRow:
    """One network and head, cross-validated.

    Attributes:
        row: Its figures.
        predictions: Its out-of-fold probabilities.
        marks: What must be said with it.
        key: Digest of what decided it; the name for baselines.
    """

    row: CrossValidatedFigures
    predictions: OutOfFold
    marks: tuple[str, ...]
    key: str


def find_finished_row(
    workspace: Workspace, config: CrossValidationConfig, classes: Sequence[str]
) -> FinishedRow | None:
    """The finished cross-validation of exactly this configuration, if there is one.

    Raises:
        IntegrityError: A file of it is missing or damaged.
    """
    folder = workspace.cross_validations / config.name
    if not folder.is_dir():
        return None
    try:
        if json.loads((folder / _CONFIG_FILE).read_text(encoding="utf-8")) != asdict(config):
            return None
        figures = json.loads((folder / _FIGURES_FILE).read_text(encoding="utf-8"))
        row = CrossValidatedFigures.from_json(figures["row"])
        predictions = _read_predictions(folder, config, row, classes)
        return FinishedRow(row, predictions, tuple(figures["marks"]), config.digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The cross-validation {config.name} is damaged ({type(error).__name__}): remove the folder {folder} and "
            "run the command again."
        ) from error


def write_finished_row(context: FoldContext, config: CrossValidationConfig, finished: FinishedRow) -> None:
    """Write one cross-validation's folder; one already there is replaced as a whole."""
    dataset, probabilities = context.dataset, finished.predictions.probabilities
    columns: dict[str, object] = {
        "row_id": dataset.manifest["row_id"].to_numpy(),
        "pixel_digest": dataset.digests,
    }
    for repeat in range(context.folds.repeats):
        columns[f"fold_{repeat + 1}"] = context.folds.of_row[repeat] + 1
        columns |= {
            f"probability_{repeat + 1}_{name}": probabilities[repeat, :, index]
            for index, name in enumerate(dataset.classes)
        }
    with atomic_directory(context.workspace.cross_validations / config.name, replace=True) as folder:
        pd.DataFrame(columns).to_parquet(folder / _PREDICTIONS_FILE, index=False)
        write_json(folder / _FIGURES_FILE, {"row": finished.row.to_json(), "marks": list(finished.marks)})
        write_json(folder / _CONFIG_FILE, asdict(config))


def _read_predictions(
    folder: Path, config: CrossValidationConfig, row: CrossValidatedFigures, classes: Sequence[str]
) -> OutOfFold:
    table = pd.read_parquet(folder / _PREDICTIONS_FILE).sort_values("row_id", ignore_index=True)
    probabilities = np.stack(
        [
            table[[f"probability_{repeat + 1}_{name}" for name in classes]].to_numpy(np.float64)
            for repeat in range(config.repeats)
        ]
    )
    by_place = {(fold.repeat, fold.fold): fold.strength for fold in row.by_fold}
    strengths = tuple(
        tuple(by_place[repeat, fold] for fold in range(1, config.folds + 1)) for repeat in range(1, config.repeats + 1)
    )
    return OutOfFold(probabilities, strengths)
