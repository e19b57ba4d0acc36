"""Child's side of training a network step by step: rows, recipe and state of a job are opened, and the loop is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.training.child import Say
from tumorlens.training.recipe import Recipe
from tumorlens.training.reporter import Reporter
from tumorlens.training.stepper import Stepper
from tumorlens.training.training_state import TrainingState
from tumorlens.training.tuning_loop import Rows, tune
from tumorlens.training.view_readers import open_reader

__all__ = ["tune_model"]


def tune_model(job: Mapping[str, Any], model: Any, groups: Sequence[Sequence[Any]], say: Say) -> list[dict[str, Any]]:
    """Train ``model`` as ``job`` says; it has the weights of the kept epoch afterwards.

    Args:
        job: From :func:`~tumorlens.training.tuning_job.tune_in_child`.
        model: From one or more inputs to logits.
        groups: Its trainable variables by distance from the top; see :class:`~tumorlens.training.stepper.Stepper`.
        say: Sends a message to the parent.

    Returns:
        An :class:`~tumorlens.training.fitted.EpochRecord` an epoch, as dictionaries.
    """
    recipe = Recipe(**job["recipe"])
    with np.load(Path(job["folder"]) / "rows.npz", allow_pickle=False) as rows:
        training, validation = (Rows(rows[f"{part}_rows"], rows[f"{part}_labels"]) for part in ("train", "val"))
        class_weights, val_groups = rows["class_weights"], rows["val_groups"]
    steps = -(-len(training.rows) // recipe.batch_size) * recipe.epochs
    history = tune(
        Stepper(model, groups, recipe=recipe, steps=steps, class_weights=class_weights),
        open_reader(job["source"]),
        training,
        validation,
        groups=val_groups,
        recipe=recipe,
        seed=job["seed"],
        state=TrainingState(Path(job["state"]), job["work"]),
        events=Path(job["events"]),
        report=Reporter(say),
        state_seconds=job["state_seconds"],
    )
    return [asdict(record) for record in history]
