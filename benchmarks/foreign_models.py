"""Models for ``foreign.py``: trained at home, asked about the test part at home and every scan abroad.

Frozen: a linear head on pooled features, calibrated on the calibration part, as a run is. Fine-tuned: a run of
``compare``, whose bundle is asked. Neither sees a scan of the other source before it is asked about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foreign_copies import HomeScans
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset, save_split
from tumorlens.evaluation import fit_calibration
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import calibrate, feature_graph
from tumorlens.training import fit_linear
from tumorlens.types import Probabilities
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.heads import row_probabilities
from tumorlens.workflows.runs import read_predictions
from tumorlens.workspace import Workspace

__all__ = ["Answers", "Training", "ask_fine_tuned", "ask_frozen"]


@dataclass(frozen=True)
class Training:
    """How is trained.

    Attributes:
        backbone: The network.
        size: Side of its input, pixels.
        seed: Of split and fit.
        threads: CPU threads; ``None`` for all.
        fine_tune: What is trained further; empty: a head alone.
        changes: Settings of the recipe that differ from the default, such as ``epochs``.
    """

    backbone: str
    size: int
    seed: int
    threads: int | None
    fine_tune: str = ""
    changes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Answers:
    """``(n, 2)`` probabilities, of the test part at home and of all scans abroad, in the order of their rows."""

    home: Probabilities
    abroad: Probabilities


def ask_frozen(workspace: Workspace, home: HomeScans, abroad: Dataset, training: Training) -> Answers:
    """Fit and ask a linear head on the frozen network."""
    spec = find_backbone(training.backbone)
    weights = resolve_weights(spec, weights="imagenet", weights_dir=None)
    graph = feature_graph(spec, weights, size=training.size, cache=workspace.graphs)
    with FeatureStore(workspace.features) as store:
        features, foreign = (
            extract_features(dataset, graph, store, threads=training.threads)["pooled"].matrix(store)
            for dataset in (home.dataset, abroad)
        )
    labels, groups = home.dataset.labels, home.dataset.groups
    train, calibration, test = (home.split.rows(part) for part in ("train", "calibration", "test"))
    head = fit_linear(
        features[train],
        labels[train],
        groups[train],
        n_classes=2,
        seed=training.seed,
        threads=training.threads,
    ).head
    fitted = fit_calibration(
        labels[calibration],
        row_probabilities(head, features[calibration]),
        groups[calibration],
        positive=home.dataset.classes.index(str(home.dataset.positive_class)),
        seed=training.seed,
    ).calibration
    return Answers(*(calibrate(row_probabilities(head, rows), fitted) for rows in (features[test], foreign)))


def ask_fine_tuned(
    workspace: Workspace, home: HomeScans, abroad: Dataset, training: Training, *, augmentation: str
) -> Answers:
    """Fine-tune, or find the finished run, and ask its bundle."""
    settings = FineTuneSettings(fine_tune=training.fine_tune, augmentation=augmentation)
    recipe = settings.recipe.changed(dict(training.changes))
    result = compare_networks(
        home.dataset,
        CompareSettings(
            backbones=(training.backbone,),
            heads=(),
            fine_tune=FineTuneSettings(fine_tune=training.fine_tune, augmentation=augmentation, recipe=recipe),
            size=training.size,
            crop="none",
            seed=training.seed,
            split_file=_split_file(home),
        ),
        workspace=workspace,
        threads=training.threads,
    )
    (run,) = result.runs
    table = read_predictions(run.folder)
    columns = [f"probability_{label}" for label in home.dataset.classes]
    own = table[columns].to_numpy(np.float64)[home.split.rows("test")]
    digests, places = np.unique(abroad.digests, return_inverse=True)
    with abroad.open_pixels() as store:
        predictor = Predictor(run.bundle, threads=training.threads)
        asked = predictor.predict_many(store.get(str(digest)) for digest in digests)
    return Answers(own, asked.probabilities[places])


def _split_file(home: HomeScans) -> Path:
    file = home.dataset.splits / f"foreign-{home.split.digest[:12]}.json"
    if not file.exists():
        save_split(home.split, file)
    return file
