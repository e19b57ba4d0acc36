"""A fine-tuned network becomes a run: frozen outputs are cached, the layers above are trained, a bundle comes out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tumorlens.errors import InputError
from tumorlens.evaluation import Classifier
from tumorlens.extras import require_extra
from tumorlens.features import cache_boundary, extract_features
from tumorlens.reports import RANDOM_WEIGHTS
from tumorlens.runtime import BoundaryGraph, boundary_graph
from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.training import (
    EVENTS_FOLDER,
    STATE_FILE,
    BoundarySource,
    EpochRecord,
    FittedNetwork,
    Recipe,
    ViewSource,
    fit_fine_tuned,
)
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fit import Network, backbone_facts
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.runs import FineTunedConfig, RunRecord, find_finished
from tumorlens.workflows.trained_networks import network_model
from tumorlens.workflows.training_settings import TrainingSettings
from tumorlens.workflows.write_run import write_run
from tumorlens.workspace import atomic_path

__all__ = ["FULL", "FineTuneSettings", "fit_fine_tuned_run", "train_network"]

FULL = "full"
"""In the place of a stage: all layers are trained, nothing is cached."""


@dataclass(frozen=True, kw_only=True)
class FineTuneSettings(TrainingSettings):
    """What is fine-tuned, and how.

    Attributes:
        recipe: How it is trained.
        fine_tune: ``last`` or ``half`` of the network's arithmetic, ``full``, or the first stage to train.
        views: Cached augmented views of each training scan beside the scan itself; with ``full`` every step sees new
            ones.
    """

    recipe: Recipe = field(default_factory=Recipe)
    fine_tune: str = "half"
    views: int = 3

    def __post_init__(self) -> None:
        """Raise where a setting is unknown.

        Raises:
            InputError: Says what was expected.
        """
        super().__post_init__()
        if not 0 <= self.views <= 64:
            raise InputError(f"Expected --views 0 to 64, got {self.views}.")

    def facts(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {"fine_tune": self.fine_tune, "views": self.views, **super().facts()}


def fit_fine_tuned_run(
    context: RunContext, network: Network, settings: FineTuneSettings, *, begun: Path | None = None
) -> RunRecord:
    """Fine-tune a network, or find the finished run that did just this; one that was stopped goes on.

    Args:
        context: Data set, split and workspace.
        network: The pretrained network.
        settings: What is trained, and how.
        begun: Folder of a :func:`train_network` of the same scans and settings, whose state is taken up.

    Returns:
        The finished run.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        InputError: The network has no such stage.
        StorageError: The disk has no room for the frozen part's outputs.
    """
    require_extra("train", purpose="Fine-tuning")
    with ResourceMeter(after=network.conversion) as meter:
        boundary = _boundary(context, network, settings)
        config = _config(context, network, settings, boundary)
        finished = None if context.refit else find_finished(context.workspace, config)
        if finished is not None:
            context.progress.say(f"{network.spec.title}, fine-tuned: finished earlier, nothing to compute.")
            return finished
        with context.resumable_folder(config.name) as folder:
            if begun is not None and (begun / STATE_FILE).is_file() and not (folder / STATE_FILE).exists():
                _take_over(begun, folder)
            fitted = _train(context, network, settings, boundary, folder)
            model = network_model(
                context,
                fitted,
                folder=folder,
                classifier=Classifier(
                    kind="backbone",
                    backbone=network.spec.name,
                    head="fine-tuned",
                    weights=network.weights.kind,
                    trained_from=config.trained_from,
                    note=network.note,
                ),
                backbone=backbone_facts(network) | {"trained_from": config.trained_from},
                marks=(RANDOM_WEIGHTS,) if network.weights.kind == "random" else (),
            )
            return write_run(context, config, model, meter)


def _take_over(begun: Path, folder: Path) -> None:
    """Copy what another folder's training keeps, the state last."""
    shutil.rmtree(folder / EVENTS_FOLDER, ignore_errors=True)
    if (begun / EVENTS_FOLDER).is_dir():
        shutil.copytree(begun / EVENTS_FOLDER, folder / EVENTS_FOLDER)
    with atomic_path(folder / STATE_FILE) as temporary:
        shutil.copyfile(begun / STATE_FILE, temporary)


def train_network(
    context: RunContext,
    network: Network,
    settings: FineTuneSettings,
    *,
    folder: Path,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> FittedNetwork:
    """Fine-tune a network on the training part, and look at the validation part alone; one that was stopped goes on.

    Args:
        context: Data set, split and workspace; rows of other parts may be left out of both.
        network: The pretrained network.
        settings: What is trained, and how.
        folder: Where the trained network and the state from which training goes on are kept.
        on_epoch: Given each epoch's record as it comes; what it raises ends the training.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        InputError: The network has no such stage.
        StorageError: The disk has no room for the frozen part's outputs.
    """
    require_extra("train", purpose="Fine-tuning")
    return _train(context, network, settings, _boundary(context, network, settings), folder, on_epoch)


def _boundary(context: RunContext, network: Network, settings: FineTuneSettings) -> BoundaryGraph | None:
    if settings.fine_tune == FULL:
        return None
    return boundary_graph(
        network.spec,
        network.weights,
        size=network.graph.size,
        fine_tune=settings.fine_tune,
        cache=context.workspace.graphs,
        progress=context.progress,
    )


def _config(
    context: RunContext, network: Network, settings: FineTuneSettings, boundary: BoundaryGraph | None
) -> FineTunedConfig:
    return FineTunedConfig(
        **context.config_facts(),
        backbone=network.spec.name,
        head="fine-tuned",
        weights=network.weights.kind,
        weights_digest=network.graph.weights_digest,
        graph_digest=network.graph.digest,
        size=network.graph.size,
        trained_from="all" if boundary is None else boundary.stage,
        settings_digest=facts_digest(settings.facts() | {"fine_tune": "" if boundary is None else boundary.layer}),
    )


def _train(
    context: RunContext,
    network: Network,
    settings: FineTuneSettings,
    boundary: BoundaryGraph | None,
    folder: Path,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> FittedNetwork:
    dataset, split = context.dataset, context.split
    pooled = extract_features(
        dataset, network.graph, context.store, threads=context.threads, progress=context.progress
    )["pooled"]
    fitted = fit_fine_tuned(
        _source(context, network, settings, boundary),
        backbone=network.spec.name,
        weights=network.weights.path,
        size=network.graph.size,
        layer=None if boundary is None else boundary.layer,
        first_head=HEADS["linear"].fit(context, pooled).head,
        labels=dataset.labels,
        train_rows=split.rows("train"),
        val_rows=split.rows("validation"),
        val_groups=context.units[split.rows("validation")],
        n_classes=len(dataset.classes),
        recipe=settings.recipe,
        folder=folder,
        seed=context.seed,
        threads=context.threads,
        progress=context.progress,
        on_epoch=on_epoch,
    )
    views = {} if boundary is None else {"views": settings.views}
    return replace(fitted, settings={**fitted.settings, "augmentation": settings.augmentation, **views})


def _source(
    context: RunContext, network: Network, settings: FineTuneSettings, boundary: BoundaryGraph | None
) -> BoundarySource | ViewSource:
    dataset, split = context.dataset, context.split
    views = settings.view_settings
    if boundary is None:
        digests = tuple(dataset.manifest["pixel_digest"])
        return ViewSource(dataset.pixel_folder, digests, network.graph.size, views)
    training, validation = split.rows("train").tolist(), split.rows("validation").tolist()
    cached = cache_boundary(
        dataset,
        boundary,
        context.store,
        rows=[*training, *validation],
        augmented_rows=training,
        views=0 if views is None else settings.views,
        settings=views,
        folder=context.workspace.features,
        threads=context.threads,
        progress=context.progress,
    )
    prefixes = tuple(kind.prefix for kind in cached.kinds)
    return BoundarySource(context.workspace.features, prefixes, boundary.shapes, cached.digests)
