"""Out-of-fold models for ``pointing.py``: for each fold a model that saw neither its scans nor their groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.datasets import Dataset
from tumorlens.explanation.methods import ModelFiles
from tumorlens.runtime import FeatureGraph, Head, attach_head, build_keras_bundle_model
from tumorlens.runtime.graphs import save_graph
from tumorlens.runtime.resized_graphs import resized_graph
from tumorlens.training import fit_linear, fit_mlp
from tumorlens.training.folds import grouped_folds

__all__ = ["finer", "fit_heads", "write_models"]


def fit_heads(
    dataset: Dataset, pooled: npt.NDArray[np.float32], *, kind: str
) -> tuple[npt.NDArray[np.int64], dict[int, Head]]:
    """The fold of each row, and by fold the head that was fitted on the others."""
    folds = grouped_folds(dataset.labels, dataset.groups)
    return folds, {int(fold): _fit(dataset, pooled, folds, int(fold), kind) for fold in np.unique(folds)}


def write_models(
    heads: dict[int, Head], graph: FeatureGraph, spec: BackboneSpec, weights: Weights, *, keras: bool, folder: Path
) -> dict[int, ModelFiles]:
    """Graphs by fold, and with ``keras`` the models for Grad-CAM."""
    models = {}
    for fold, head in heads.items():
        place = folder / str(fold)
        attach_head(graph.path, head, out=place / "model.xml")
        if keras:
            build_keras_bundle_model(spec, weights, size=graph.size, head=head, out=place / "model.keras")
        models[fold] = ModelFiles(place / "model.xml", place / "model.keras" if keras else None)
    return models


def finer(models: dict[int, ModelFiles], *, size: int) -> dict[int, ModelFiles]:
    """The same models whose graphs take a larger input."""
    found = {}
    for fold, model in models.items():
        path = model.graph.with_name("finer.xml")
        save_graph(resized_graph(model.graph, size=size), path)
        found[fold] = ModelFiles(path)
    return found


def _fit(dataset: Dataset, pooled: npt.NDArray[np.float32], folds: npt.NDArray[np.int64], fold: int, kind: str) -> Head:
    train, classes = folds != fold, len(dataset.classes)
    if kind == "linear":
        return fit_linear(pooled[train], dataset.labels[train], dataset.groups[train], n_classes=classes).head
    stop = folds == (fold + 1) % (folds.max() + 1)  # says when to stop training
    train &= ~stop
    return fit_mlp(pooled[train], dataset.labels[train], pooled[stop], dataset.labels[stop], n_classes=classes).head
