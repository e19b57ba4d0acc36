"""A trained model becomes a run folder: configuration, figures, history, predictions, methods, bundle.

The folder appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tomli_w

from tumorlens.bundles import (
    GRAPH_FILE,
    KERAS_FILE,
    BundleCard,
    digest_files,
    write_card,
    write_reference,
)
from tumorlens.evaluation import Classifier, RowFigures
from tumorlens.reports import MethodsFacts, methods_paragraph, mistake_paragraph
from tumorlens.runtime import Calibration, Head, attach_head, calibrate
from tumorlens.training import FittedHead
from tumorlens.types import Features, Labels, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.doctor import version_facts
from tumorlens.workflows.ledger import record_opening
from tumorlens.workflows.map_check import check_run_maps
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.precision import FULL_PRECISION, PrecisionChoice
from tumorlens.workflows.rows import row_figures
from tumorlens.workflows.rules import DecisionRules, FeaturesOf, fit_rules, training_neighbours
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


@dataclass(frozen=True)
class TrainedModel:
    """Everything a run folder is made from.

    Attributes:
        classifier: What its row of the table is about; the measured figures are added.
        fitted: The head with its history.
        probabilities: ``(n, k)`` of all rows of the data set, uncalibrated.
        features: ``(m, d)`` what the head was given for some rows, to find constant features.
        pooled: Gives pooled features of some rows.
        graph: The network's graph, without head.
        size: Side of its input in pixels.
        backbone: Facts of the network for the bundle.
        marks: What must be said with it beside the context's own marks.
        save_keras: Writes the ``.keras`` model for further training to a path, given the calibration.
        permuted_head: A head of the same kind on permuted labels, to check the heatmaps with.
        precision: What the network computes in, which ``probabilities``, ``pooled`` and ``graph`` follow.
    """

    classifier: Classifier
    fitted: FittedHead
    probabilities: Probabilities
    features: Features
    pooled: FeaturesOf
    graph: Path
    size: int
    backbone: Mapping[str, Any]
    marks: tuple[str, ...]
    save_keras: Callable[[Path, Calibration], None]
    permuted_head: Head | None = None
    precision: PrecisionChoice = FULL_PRECISION


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
    rules = fit_rules(context, model.fitted, model.probabilities, model.pooled)
    probabilities = calibrate(model.probabilities, rules.calibrated.calibration)
    predicted = rules.labels_of(probabilities, context.dataset.classes)
    note = " ".join(filter(None, (model.classifier.note, model.precision.words))) or None
    classifier = replace(model.classifier, run=config.name, note=note, precision=model.precision.used)
    row = row_figures(context, probabilities, classifier, features=model.features, predicted=predicted)
    folder = context.workspace.runs / config.name
    with atomic_directory(folder, replace=True) as temporary:
        _write_bundle(temporary / BUNDLE_FOLDER, context, config, model, rules, row, marks=marks, created=created)
        _write_predictions(temporary, context, probabilities, predicted, rules.novelty_of(context, model.pooled))
        pd.DataFrame(model.fitted.history_rows()).to_csv(temporary / HISTORY_FILE, index=False)
        settings = {
            "run": asdict(config),
            "head": _plain(model.fitted.settings),
            "calibration": _calibration_facts(rules),
            "precision": {"used": model.precision.used, **model.precision.facts},
            "versions": version_facts(),
        }
        write_text(temporary / CONFIG_FILE, tomli_w.dumps(settings))
        meter.look()
        measured = replace(row, seconds=round(meter.seconds, 2), peak_memory_mb=round(meter.peak_memory_mb))
        write_text(
            temporary / METHODS_FILE,
            methods_paragraph(_methods_facts(context, config, model, rules, measured))
            if context.mistake is None
            else mistake_paragraph(context.mistake),
        )
        write_json(
            temporary / METRICS_FILE,
            {"row": measured.to_json(), "created": created, "marks": list(marks)},
        )
    return read_run(folder)


def _write_bundle(
    folder: Path,
    context: RunContext,
    config: RunConfig,
    model: TrainedModel,
    rules: DecisionRules,
    row: RowFigures,
    *,
    marks: tuple[str, ...],
    created: str,
) -> None:
    folder.mkdir()
    calibration = rules.calibrated.calibration
    attach_head(model.graph, model.fitted.head, calibration=calibration, out=folder / GRAPH_FILE)
    if context.mistake is None:  # nobody should train on from a mistake
        model.save_keras(folder / KERAS_FILE, calibration)
    if rules.reference is not None:
        write_reference(folder, rules.reference)
    neighbours = training_neighbours(context, model.pooled)
    neighbours.write(folder.parent)
    if context.carry_neighbours:
        neighbours.without_sources().write(folder)
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
        temperature=calibration.temperature,
        shift=calibration.shift,
        calibration=rules.calibration_words,
        operating_point=rules.operating_point,
        conformal=rules.conformal,
        novelty=rules.novelty,
        not_offered=rules.not_offered,
        manifest_digest=context.dataset.digest,
        split_digest=context.split.digest,
        metrics=row.to_json(),
        marks=marks,
        versions=version_facts(),
        files=digest_files(folder),
        heatmap_check=heatmap_check,
        precision=model.precision.used,
    )
    write_card(folder, card)


def _write_predictions(
    folder: Path,
    context: RunContext,
    probabilities: Probabilities,
    predicted: Labels,
    novelty: npt.NDArray[np.float64],
) -> None:
    classes = context.dataset.classes
    table = pd.DataFrame(
        {
            "row_id": context.dataset.manifest["row_id"].to_numpy(),
            "pixel_digest": context.dataset.manifest["pixel_digest"].to_numpy(),
            "part": context.split.parts,
            "reference_label": context.dataset.manifest["label"].to_numpy(),
            "predicted_label": np.array(classes)[predicted],
            **{f"probability_{name}": probabilities[:, column] for column, name in enumerate(classes)},
            "novelty": novelty,
        }
    )
    table.to_parquet(folder / PREDICTIONS_FILE, index=False)


def _calibration_facts(rules: DecisionRules) -> dict[str, Any]:
    found = rules.calibrated
    facts = {
        "method": found.method,
        "temperature": found.calibration.temperature,
        "shift": list(found.calibration.shift),
        "scans": found.n_scans,
        "groups": found.n_groups,
        "held_out_losses": found.losses,
    }
    return facts | ({"reason": found.reason} if found.reason else {})


def _methods_facts(
    context: RunContext, config: RunConfig, model: TrainedModel, rules: DecisionRules, row: RowFigures
) -> MethodsFacts:
    record = context.dataset.record
    point = rules.operating_point
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
        calibration=rules.calibration_words,
        operating_point="" if context.wish is None or point is None else point.basis,
        conformal="" if rules.conformal is None else rules.conformal.basis,
        novelty="" if rules.novelty is None else rules.novelty.basis,
        residual_neighbours=context.neighbours,
        synthetic=record.synthetic,
        quantised=model.precision.words if model.precision.used == "int8" else "",
        versions=version_facts(),
    )


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value is not None}
