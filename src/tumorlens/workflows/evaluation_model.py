"""Which run a bundle came from, and which scans it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.bundles import BundleCard, Neighbours, find_bundle, read_card
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.errors import IntegrityError, NotFoundError
from tumorlens.workflows.runs import METRICS_FILE, PREDICTIONS_FILE, RunRecord, read_predictions, read_run
from tumorlens.workspace import Workspace

__all__ = ["SEEN_PARTS", "EvaluatedModel", "find_model"]

SEEN_PARTS = ("train", "validation", "calibration")
"""The parts that a run's model was made with."""


@dataclass(frozen=True)
class EvaluatedModel:
    """A bundle, with the run it came from where that is known.

    Attributes:
        bundle: Its folder.
        card: Its facts.
        run: The run; ``None`` for a bundle whose run is not at hand.
    """

    bundle: Path
    card: BundleCard
    run: RunRecord | None

    def predictions(self) -> pd.DataFrame:
        """What the run predicted for its own data set.

        Raises:
            IntegrityError: The file is missing or damaged.
        """
        if self.run is None:
            raise IntegrityError(f"{self.bundle} has no run at hand.")
        return read_predictions(self.run.folder)

    def seen(self) -> frozenset[str] | None:
        """Digests of the pixels the model was made with, as far as they are known; ``None`` where none is.

        Without its run, a bundle that carries its neighbours knows its training part, but not the scans that it was
        chosen and calibrated with.
        """
        if self.run is None:
            carried = Neighbours.read(self.bundle)
            return None if carried is None else frozenset(carried.digests.tolist())
        table = self.predictions()
        return frozenset(table.loc[table["part"].isin(SEEN_PARTS), "pixel_digest"])

    def tested(self) -> frozenset[str]:
        """Digests of the pixels of its run's test part; empty where the run is not at hand."""
        if self.run is None:
            return frozenset()
        table = self.predictions()
        return frozenset(table.loc[table["part"] == "test", "pixel_digest"])

    def training_thumbnails(self, workspace: Workspace) -> np.ndarray | None:
        """``(m, 60, 60)`` uint8 of the scans it was made with; ``None`` where they are not in the workspace."""
        if self.run is None:
            return None
        try:
            dataset = load_dataset(workspace, str(self.run.config["run"]["dataset"]))
        except NotFoundError:
            return None
        if not self.trained_on(dataset):
            return None
        rows = self.predictions()["part"].isin(SEEN_PARTS).to_numpy()
        return dataset.thumbnails()[rows]

    def trained_on(self, dataset: Dataset) -> bool:
        """Whether this is the data set that the model's split divides."""
        return self.card.manifest_digest == dataset.digest


def find_model(words: str, *, workspace: Workspace) -> EvaluatedModel:
    """Find a model by bundle folder, run folder or run name, and its run beside it or by name in the workspace.

    Raises:
        NotFoundError: There is no such bundle.
        IntegrityError: The bundle or the run is damaged.
    """
    bundle = find_bundle(words, runs=workspace.runs)
    card = read_card(bundle)
    for folder in (bundle.resolve().parent, workspace.runs / card.name):
        if (folder / METRICS_FILE).is_file() and (folder / PREDICTIONS_FILE).is_file():
            run = read_run(folder)
            if read_card(run.bundle).digest == card.digest:
                return EvaluatedModel(bundle, card, run)
    return EvaluatedModel(bundle, card, None)
