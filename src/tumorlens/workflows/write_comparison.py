"""A comparison becomes a folder: tables, plots and one self-contained page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tumorlens.datasets import Dataset
from tumorlens.evaluation import RowFigures
from tumorlens.reports import (
    Comparison,
    Picture,
    Report,
    RowDetail,
    comparison_plots,
    row_detail,
    write_html_report,
    write_plots,
    write_tables,
)
from tumorlens.types import Labels
from tumorlens.workflows.baselines import baseline_probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.dataset_facts import check_facts, flow_facts
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workspace import atomic_directory

__all__ = ["sheet_pictures", "write_comparison"]


def write_comparison(folder: Path, comparison: Comparison, context: RunContext, runs: Sequence[RunRecord]) -> None:
    """Write everything a comparison shows; a comparison already there is replaced as a whole.

    Args:
        folder: Where it goes.
        comparison: The figures.
        context: Data set and split.
        runs: The runs behind its rows.
    """
    plots = comparison_plots(comparison, _details(comparison, context, runs))
    with atomic_directory(folder, replace=True) as temporary:
        write_tables(comparison, temporary)
        write_plots(plots, temporary / "plots", marks=comparison.marks)
        best = next((run for run in runs if run.name == comparison.best), None)
        report = Report(
            comparison=comparison,
            plots=plots,
            flow=flow_facts(context.dataset),
            data_check=check_facts(context.dataset),
            facts={"Data set digest": context.dataset.digest, "Input size": f"{context.size} px"},
            test_openings=count_openings(context.workspace, context.split.digest),
            next_commands=next_commands(comparison, best),
            methods="" if best is None else best.methods,
            pictures=sheet_pictures(context.dataset),
        )
        write_html_report(report, temporary / "report.html")


def next_commands(comparison: Comparison, best: RunRecord | None) -> list[str]:
    """What to type after a comparison."""
    commands = [] if best is None else [f"tumorlens predict {best.name} SCAN.png"]
    return [
        *commands,
        f"tumorlens compare {comparison.dataset} --backbones resnet50,vgg16,efficientnetb0",
    ]


def _details(comparison: Comparison, context: RunContext, runs: Sequence[RunRecord]) -> list[RowDetail | None]:
    by_name = {run.name: run for run in runs}
    baselines = baseline_probabilities(context)

    def detail(row: RowFigures) -> RowDetail:
        run = by_name.get(row.run or "")
        stored = None if run is None else read_predictions(run.folder)
        names = [f"probability_{name}" for name in context.dataset.classes]
        probabilities = baselines[row.backbone] if stored is None else stored[names].to_numpy(float)
        return row_detail(
            context.dataset.labels,
            probabilities,
            probabilities.argmax(axis=1)
            if stored is None
            else _codes(stored["predicted_label"], context.dataset.classes),
            # a mistake made on purpose may have other parts than the comparison
            parts=context.split.parts if stored is None else stored["part"].to_numpy(dtype=np.str_),
            classes=context.dataset.classes,
            positive_class=context.dataset.positive_class,
            history=[] if run is None else run.history,
        )

    return [detail(row) for row in comparison.rows]


def _codes(labels: Iterable[str], classes: Sequence[str]) -> Labels:
    return np.array([classes.index(label) for label in labels], np.int64)


def sheet_pictures(dataset: Dataset) -> list[Picture]:
    """The contact sheet of a data set, where it has one."""
    sheet = dataset.contact_sheet
    if not sheet.is_file():
        return []
    kind = "synthetic scans" if dataset.synthetic else "scans"
    return [Picture(sheet.read_bytes(), f"Examples of each class: {kind}.", f"Some of the {kind} by class.")]
