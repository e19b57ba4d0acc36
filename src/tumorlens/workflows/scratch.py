"""The CNN from scratch becomes a run."""

from __future__ import annotations

from tumorlens.evaluation import Classifier
from tumorlens.extras import require_extra
from tumorlens.training import DatasetSource, fit_from_scratch
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.runs import RunConfig, RunRecord, find_finished
from tumorlens.workflows.trained_networks import network_model
from tumorlens.workflows.write_run import write_run

__all__ = ["SCRATCH", "fit_scratch"]

SCRATCH = "scratch"
"""Name of the CNN from scratch in the place of a backbone's."""


def fit_scratch(context: RunContext, *, size: int) -> RunRecord:
    """Train the small CNN from random weights, or find the finished run that did just this.

    Args:
        context: Data set, split and workspace.
        size: Side of its square input in pixels.

    Returns:
        The finished run.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    config = RunConfig(
        **context.config_facts(),
        backbone=SCRATCH,
        head="scratch",
        weights="none",
        weights_digest="",
        graph_digest="",
        size=size,
    )
    finished = None if context.refit else find_finished(context.workspace, config)
    if finished is not None:
        context.progress.say("CNN from scratch: finished earlier, nothing to compute.")
        return finished
    require_extra("train", purpose="A CNN from scratch")
    with ResourceMeter() as meter, context.training_folder(config.name) as folder:
        fitted = fit_from_scratch(
            DatasetSource(context.dataset.pixel_folder, tuple(context.dataset.manifest["pixel_digest"])),
            labels=context.dataset.labels,
            train_rows=context.split.rows("train"),
            val_rows=context.split.rows("validation"),
            n_classes=len(context.dataset.classes),
            folder=folder,
            size=size,
            seed=context.seed,
            threads=context.threads,
            progress=context.progress,
        )
        model = network_model(
            context,
            fitted,
            folder=folder,
            classifier=Classifier(
                kind="scratch", backbone=SCRATCH, head="scratch", loss_penalty=fitted.penalty or None
            ),
            backbone={"name": SCRATCH, "title": "CNN from scratch", "weights": "none"},
        )
        return write_run(context, config, model, meter)
