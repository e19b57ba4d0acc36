"""A trained model becomes a run folder: configuration, figures, history, predictions, methods, bundle.

The folder appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from tumorlens.bundles import (
    GRAPH_FILE,
    KERAS_FILE,
    BundleCard,
    OperatingPoint,
    decide,
    digest_files,
    write_card,
)
from tumorlens.evaluation import Classifier, RowFigures
from tumorlens.reports import MethodsFacts, methods_paragraph, mistake_paragraph
from tumorlens.runtime import Head, attach_head
from tumorlens.training import FittedHead
from tumorlens.types import Features, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.doctor import version_facts
from tumorlens.workflows.ledger import record_opening
from tumorlens.workflows.map_check import check_run_maps
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.rows import row_figures
from tumorlens.workflows.runs import (
    BUNDLE_FOLDER,
    CONFIG_FILE,
    HISTORY_FILE,
    METHODS_FILE,
    METRICS_FILE,
    PREDICTIONS_FILE,
    RunConfig,
    RunRecord,
    read_run,
)
from tumorlens.workspace import atomic_directory, write_json, write_text

__all__ = ["TrainedModel", "write_run"]

_UNCALIBRATED = "Probabilities are the model's own, not calibrated."
_THRESHOLD = 0.5
_THRESHOLD_BASIS = "the larger of two probabilities"


@dataclass(frozen=True)
class TrainedModel:
    """Everything a run folder is made from.

    Attributes:
        classifier: What its row of the table is about; the measured figures are added.
        fitted: The head with its history.
        probabilities: ``(n, k)`` of all rows of the data set.
        features: ``(m, d)`` what the head was given for some or all rows, to find constant features.
        graph: The network's graph, without head.
        size: Side of its input in pixels.
        backbone: Facts of the network for the bundle.
        marks: What must be said with it beside the context's own marks.
        save_keras: Writes the ``.keras`` model for further training to a path.
        permuted_head: A head of the same kind on permuted labels, to check the heatmaps with.
    """

    classifier: Classifier
    fitted: FittedHead
    probabilities: Probabilities
    features: Features
    graph: Path
    size: int
    backbone: Mapping[str, Any]
    marks: tuple[str, ...]
    save_keras: Callable[[Path], None]
    permuted_head: Head | None = None


def write_run(context: RunContext, config: RunConfig, model: TrainedModel, meter: ResourceMeter) -> RunRecord:
    """Note that the test part is opened, compute the figures and write the folder.

    Args:
        context: Data set, split and workspace.
        config: What the run was.
        model: What came of it.
        meter: Measures the run; read when the folder is nearly done.

    Returns:
        The finished run.
    """
    marks = context.marks + model.marks
    created = datetime.now(UTC).isoformat(timespec="seconds")
    record_opening(
        context.workspace,
        dataset=context.dataset.name,
        split_digest=context.split.digest,
        run=config.name,
        mistake=context.mistake,
    )
    classifier = replace(model.classifier, run=config.name)
    row = row_figures(context, model.probabilities, classifier, features=model.features)
    folder = context.workspace.runs / config.name
    with atomic_directory(folder, replace=True) as temporary:
        _write_bundle(temporary / BUNDLE_FOLDER, context, config, model, row, marks=marks, created=created)
        _write_tables(temporary, context, model)
        settings = {
            "run": asdict(config),
            "head": _plain(model.fitted.settings),
            "versions": version_facts(),
        }
        write_text(temporary / CONFIG_FILE, tomli_w.dumps(settings))
        meter.look()
        measured = replace(row, seconds=round(meter.seconds, 2), peak_memory_mb=round(meter.peak_memory_mb))
        write_text(
            temporary / METHODS_FILE,
            methods_paragraph(_methods_facts(context, config, model, measured))
            if context.mistake is None
            else mistake_paragraph(context.mistake),
        )
        write_json(
            temporary / METRICS_FILE,
            {"row": measured.to_json(), "created": created, "marks": list(marks)},
        )
    return read_run(folder)


def _operating_point(context: RunContext) -> OperatingPoint | None:
    """Where a probability becomes a label: one half for two classes, none for more."""
    positive = context.dataset.positive_class
    return None if positive is None else OperatingPoint(positive, _THRESHOLD, _THRESHOLD_BASIS)


def _predicted_labels(context: RunContext, probabilities: Probabilities) -> list[str]:
    """The labels by the same rule as the bundle's."""
    classes, point = context.dataset.classes, _operating_point(context)
    return [decide(classes, point, dict(zip(classes, row, strict=True))) for row in probabilities]


def _write_bundle(
    folder: Path,
    context: RunContext,
    config: RunConfig,
    model: TrainedModel,
    row: RowFigures,
    *,
    marks: tuple[str, ...],
    created: str,
) -> None:
    folder.mkdir()
    attach_head(model.graph, model.fitted.head, temperature=1.0, out=folder / GRAPH_FILE)
    if context.mistake is None:  # nobody should train on from a mistake
        model.save_keras(folder / KERAS_FILE)
    heatmap_check = check_run_maps(
        context,
        bundle_graph=folder / GRAPH_FILE,
        feature_graph=model.graph,
        permuted_head=model.permuted_head,
    )
    card = BundleCard(
        name=config.name,
        created=created,
        labels=context.dataset.classes,
        backbone=model.backbone,
        head={"kind": model.fitted.head.kind, "input": model.fitted.head.input},
        size=model.size,
        scan_steps=context.dataset.scan_steps,
        temperature=1.0,
        calibration=_UNCALIBRATED,
        operating_point=_operating_point(context),
        manifest_digest=context.dataset.digest,
        split_digest=context.split.digest,
        metrics=row.to_json(),
        marks=marks,
        versions=version_facts(),
        files=digest_files(folder),
        heatmap_check=heatmap_check,
    )
    write_card(folder, card)


def _write_tables(folder: Path, context: RunContext, model: TrainedModel) -> None:
    pd.DataFrame(model.fitted.history_rows()).to_csv(folder / HISTORY_FILE, index=False)
    classes = context.dataset.classes
    table = pd.DataFrame(
        {
            "row_id": context.dataset.manifest["row_id"].to_numpy(),
            "pixel_digest": context.dataset.manifest["pixel_digest"].to_numpy(),
            "part": context.split.parts,
            "reference_label": context.dataset.manifest["label"].to_numpy(),
            "predicted_label": _predicted_labels(context, model.probabilities),
            **{f"probability_{name}": model.probabilities[:, column] for column, name in enumerate(classes)},
        }
    )
    table.to_parquet(folder / PREDICTIONS_FILE, index=False)


def _methods_facts(context: RunContext, config: RunConfig, model: TrainedModel, row: RowFigures) -> MethodsFacts:
    record = context.dataset.record
    return MethodsFacts(
        dataset=record.name,
        classes=record.flow.by_class,
        distinct=record.flow.distinct,
        groups_are=record.groups_are,
        n_groups=record.groups,
        protocol=context.split.protocol,
        seed=context.split.seed,
        parts=context.split.sizes(),
        split_digest=context.split.digest,
        size=model.size,
        row=row,
        network=str(model.backbone["title"]),
        citation=str(model.backbone.get("paper", "")),
        weights_digest=config.weights_digest,
        head=_plain(model.fitted.settings),
        residual_neighbours=context.neighbours,
        synthetic=record.synthetic,
        versions=version_facts(),
    )


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value is not None}
