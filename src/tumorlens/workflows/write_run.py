"""A trained model becomes a run folder: configuration, figures, history, predictions, methods, bundle.

The folder appears whole or not at all.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
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
from tumorlens.evaluation import RowFigures
from tumorlens.reports import MethodsFacts, methods_paragraph, mistake_paragraph
from tumorlens.runtime import calibrate
from tumorlens.types import Labels, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.differences import rival_differences
from tumorlens.workflows.doctor import version_facts
from tumorlens.workflows.ledger import record_opening
from tumorlens.workflows.measure import ResourceMeter
from tumorlens.workflows.rows import row_figures
from tumorlens.workflows.rules import DecisionRules, fit_rules, training_neighbours
from tumorlens.workflows.runs import (
    BUNDLE_FOLDER,
    CONFIG_FILE,
    HISTORY_FILE,
    METHODS_FILE,
    METRICS_FILE,
    PREDICTIONS_FILE,
    TENSORBOARD_FOLDER,
    RunRecord,
    SharedConfig,
    read_run,
)
from tumorlens.workflows.trained import RunModel
from tumorlens.workspace import atomic_directory, write_json, write_text

__all__ = ["write_run"]


def write_run(context: RunContext, config: SharedConfig, model: RunModel, meter: ResourceMeter) -> RunRecord:
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
        search=context.search,
        original_split=context.original_split,
    )
    rules = fit_rules(
        context,
        model.probabilities,
        model.pooled,
        out_of_fold=model.out_of_fold,
        threshold_basis=model.threshold_basis,
        as_given=model.as_given,
    )
    probabilities = calibrate(model.probabilities, rules.calibrated.calibration)
    predicted = rules.labels_of(probabilities, context.dataset.classes)
    note = " ".join(filter(None, (model.classifier.note, model.precision.words))) or None
    classifier = replace(model.classifier, run=config.name, note=note, precision=model.precision.used)
    row = row_figures(context, probabilities, classifier, features=model.features, predicted=predicted)
    folder = context.workspace.runs / config.name
    with atomic_directory(folder, replace=True) as temporary:
        _write_bundle(temporary / BUNDLE_FOLDER, context, config, model, rules, row, marks=marks, created=created)
        _write_predictions(temporary, context, probabilities, predicted, rules.distances)
        if model.events is not None:
            shutil.copytree(model.events, temporary / TENSORBOARD_FOLDER)
        pd.DataFrame(model.history()).to_csv(temporary / HISTORY_FILE, index=False)
        settings = {
            "run": asdict(config),
            **model.settings(),
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
            {
                "row": measured.to_json(),
                "created": created,
                "marks": list(marks),
                "differences": [
                    asdict(difference)
                    for difference in rival_differences(context, config.name, predicted, rivals=model.rivals)
                ],
            },
        )
    return read_run(folder)


def _write_bundle(
    folder: Path,
    context: RunContext,
    config: SharedConfig,
    model: RunModel,
    rules: DecisionRules,
    row: RowFigures,
    *,
    marks: tuple[str, ...],
    created: str,
) -> None:
    folder.mkdir()
    calibration = rules.calibrated.calibration
    model.write_graph(folder / GRAPH_FILE, calibration)
    if context.mistake is None:  # nobody should train on from a mistake
        model.write_keras(folder / KERAS_FILE, calibration)
    if rules.reference is not None:
        write_reference(folder, rules.reference)
    neighbours = training_neighbours(context, model.pooled)
    neighbours.write(folder.parent)
    if context.carry_neighbours:
        neighbours.without_sources().write(folder)
    heatmap_check = model.check_maps(context, folder / GRAPH_FILE)
    card = BundleCard(
        name=config.name,
        created=created,
        labels=context.dataset.classes,
        **model.card_facts(),
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
    context: RunContext, config: SharedConfig, model: RunModel, rules: DecisionRules, row: RowFigures
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
        row=row,
        **model.methods_facts(config),
        calibration=rules.calibration_words,
        operating_point="" if context.wish is None or point is None else point.basis,
        conformal="" if rules.conformal is None else rules.conformal.basis,
        novelty="" if rules.novelty is None else rules.novelty.basis,
        residual_neighbours=context.neighbours,
        synthetic=record.synthetic,
        scan_steps=context.dataset.scan_steps,
        quantised=model.precision.words if model.precision.used == "int8" else "",
        versions=version_facts(),
    )
