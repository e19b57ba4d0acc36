"""A comparison becomes a folder: tables, plots and one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

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
from tumorlens.types import Probabilities
from tumorlens.workflows.baselines import baseline_probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.dataset_facts import check_facts, flow_facts
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.runs import PREDICTIONS_FILE, RunRecord
from tumorlens.workspace import atomic_directory

__all__ = ["write_comparison"]


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
            pictures=_pictures(context),
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
        return row_detail(
            context.dataset.labels,
            baselines[row.backbone] if run is None else _stored_probabilities(run, context),
            parts=context.split.parts if run is None else _stored_parts(run),
            classes=context.dataset.classes,
            positive_class=context.dataset.positive_class,
            history=[] if run is None else run.history,
        )

    return [detail(row) for row in comparison.rows]


def _stored_probabilities(run: RunRecord, context: RunContext) -> Probabilities:
    table = pd.read_parquet(run.folder / PREDICTIONS_FILE).sort_values("row_id")
    return table[[f"probability_{name}" for name in context.dataset.classes]].to_numpy(float)


def _stored_parts(run: RunRecord) -> npt.NDArray[np.str_]:
    """The parts that a run was made with; a mistake made on purpose may have others than the comparison."""
    return pd.read_parquet(run.folder / PREDICTIONS_FILE).sort_values("row_id")["part"].to_numpy(dtype=np.str_)


def _pictures(context: RunContext) -> list[Picture]:
    sheet = context.dataset.contact_sheet
    if not sheet.is_file():
        return []
    kind = "synthetic scans" if context.dataset.synthetic else "scans"
    return [Picture(sheet.read_bytes(), f"Examples of each class: {kind}.", f"Some of the {kind} by class.")]
