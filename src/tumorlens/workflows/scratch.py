"""The CNN from scratch becomes a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tumorlens.evaluation import Classifier
from tumorlens.extras import require_extra
from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.training import SCRATCH_NETWORK, SCRATCH_RECIPE, FittedNetwork, Recipe, ViewSource, fit_from_scratch
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.runs import RunRecord, ScratchConfig, find_finished
from tumorlens.workflows.trained_networks import network_model
from tumorlens.workflows.training_settings import TrainingSettings
from tumorlens.workflows.write_run import write_run

__all__ = ["SCRATCH", "ScratchSettings", "fit_scratch"]

SCRATCH = "scratch"
"""Name of the CNN from scratch in the place of a backbone's."""


@dataclass(frozen=True, kw_only=True)
class ScratchSettings(TrainingSettings):
    """How the CNN from scratch is trained; every step sees scans augmented anew.

    Attributes:
        recipe: How it is trained.
        size: Side of its square input in pixels; ``None``: that of the other networks.
    """

    recipe: Recipe = SCRATCH_RECIPE
    size: int | None = None


def fit_scratch(context: RunContext, settings: ScratchSettings) -> RunRecord:
    """Train the small CNN from random weights, or find the finished run that did just this; a stopped one goes on.

    Args:
        context: Data set, split and workspace.
        settings: How it is trained.

    Returns:
        The finished run.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    config = ScratchConfig(
        **context.config_facts(),
        backbone=SCRATCH,
        head="scratch",
        weights="none",
        weights_digest="",
        graph_digest="",
        size=settings.size or context.size,
        settings_digest=facts_digest({**settings.facts(), **SCRATCH_NETWORK}),
    )
    finished = None if context.refit else find_finished(context.workspace, config)
    if finished is not None:
        context.progress.say("CNN from scratch: finished earlier, nothing to compute.")
        return finished
    require_extra("train", purpose="A CNN from scratch")
    with ResourceMeter() as meter, context.resumable_folder(config.name) as folder:
        model = network_model(
            context,
            _train(context, settings, folder, size=config.size),
            folder=folder,
            classifier=Classifier(kind="scratch", backbone=SCRATCH, head="scratch"),
            backbone={"name": SCRATCH, "title": "CNN from scratch", "weights": "none"},
        )
        return write_run(context, config, model, meter)


def _train(context: RunContext, settings: ScratchSettings, folder: Path, *, size: int) -> FittedNetwork:
    dataset, split = context.dataset, context.split
    digests = tuple(dataset.manifest["pixel_digest"])
    fitted = fit_from_scratch(
        ViewSource(dataset.pixel_folder, digests, size, settings.view_settings),
        labels=dataset.labels,
        train_rows=split.rows("train"),
        val_rows=split.rows("validation"),
        val_groups=context.units[split.rows("validation")],
        n_classes=len(dataset.classes),
        folder=folder,
        recipe=settings.recipe,
        seed=context.seed,
        threads=context.threads,
        progress=context.progress,
    )
    return replace(fitted, settings={**fitted.settings, "augmentation": settings.augmentation})
