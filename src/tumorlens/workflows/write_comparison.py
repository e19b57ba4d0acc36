"""A comparison becomes a folder: tables, what is kept of the baselines, and the same report that can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorlens.reports import Comparison, write_tables
from tumorlens.workflows.baselines import baseline_probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.report_details import baseline_table
from tumorlens.workflows.report_files import write_report
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.stored_results import BASELINES_FILE, stored_comparison
from tumorlens.workspace import atomic_directory

__all__ = ["write_comparison"]


def write_comparison(folder: Path, comparison: Comparison, context: RunContext, runs: Sequence[RunRecord]) -> None:
    """Write everything a comparison shows; a comparison already there is replaced as a whole.

    Args:
        folder: Where it goes.
        comparison: The figures.
        context: Data set and split; its feature store is closed by now.
        runs: The runs behind its rows.
    """
    baselines = _baselines(context)
    stored = stored_comparison(folder, comparison, runs, dataset=context.dataset, baselines=baselines)
    with atomic_directory(folder, replace=True) as temporary:
        write_tables(comparison, temporary)
        baselines.to_parquet(temporary / BASELINES_FILE, index=False)
        write_report(stored, temporary, workspace=context.workspace, threads=context.threads)


def _baselines(context: RunContext) -> pd.DataFrame:
    rows = context.split.rows("test")
    test = pd.DataFrame({"row_id": rows, "reference_label": context.dataset.manifest["label"].to_numpy()[rows]})
    probabilities = {name: values[rows] for name, values in baseline_probabilities(context).items()}
    return baseline_table(test, probabilities, context.dataset.classes)
