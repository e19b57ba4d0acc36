"""What the caches hold, and emptying them."""

from __future__ import annotations

import shutil
from typing import Any

import psutil

from tumorlens.features import FeatureStore
from tumorlens.workflows.resumable import list_resumable, remove_stopped
from tumorlens.workspace import Workspace, folder_size, remove_leftovers

__all__ = ["cache_facts", "clean_cache"]

_BYTES_PER_MB = 1e6


def cache_facts(workspace: Workspace) -> dict[str, Any]:
    """Sizes in MB (10^6 bytes), what features are stored by kind, and trainings that can go on."""
    kinds: list[dict[str, Any]] = []
    if workspace.features.is_dir():
        with FeatureStore(workspace.features) as store:
            kinds = [
                {
                    "backbone": kind.description["backbone"],
                    "view": kind.description["view"],
                    "size": kind.description["size"],
                    "vectors": kind.vectors,
                    "mb": kind.bytes / _BYTES_PER_MB,
                }
                for kind in store.kinds()
            ]
    return {
        "features": kinds,
        "features_mb": folder_size(workspace.features) / _BYTES_PER_MB,
        "graphs_mb": folder_size(workspace.graphs) / _BYTES_PER_MB,
        "trainings": [
            {"run": training.run, "mb": training.bytes / _BYTES_PER_MB, "running": training.running}
            for training in list_resumable(workspace)
        ],
    }


def clean_cache(workspace: Workspace, *, features: bool, graphs: bool, trainings: bool) -> float:
    """Delete caches, and what killed processes left anywhere in the workspace.

    Args:
        workspace: Where.
        features: Whether cached features go.
        graphs: Whether converted networks go.
        trainings: Whether states of stopped trainings go; never one that is running.

    Returns:
        Megabytes (10^6 bytes) freed.
    """
    before = folder_size(workspace.root)
    for folder, wanted in ((workspace.features, features), (workspace.graphs, graphs)):
        if wanted and folder.is_dir():
            shutil.rmtree(folder)
    if trainings:
        remove_stopped(workspace)
    for folder in workspace.training.glob("*-*"):
        if not psutil.pid_exists(int(folder.name.rpartition("-")[2])):
            shutil.rmtree(folder, ignore_errors=True)
    remove_leftovers(workspace.root)
    return (before - folder_size(workspace.root)) / _BYTES_PER_MB
