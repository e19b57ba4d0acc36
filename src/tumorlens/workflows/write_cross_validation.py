"""A cross-validated comparison becomes a folder: tables, plots, one self-contained page, and the predictions behind
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorlens.reports import (
    CrossValidation,
    CrossValidationPage,
    cross_validation_plots,
    fold_detail,
    write_cross_validation_page,
    write_cross_validation_tables,
    write_plots,
)
from tumorlens.workflows.dataset_facts import check_facts, flow_facts
from tumorlens.workflows.fold_context import FoldContext
from tumorlens.workflows.fold_store import FinishedRow
from tumorlens.workflows.sheet_pictures import sheet_pictures
from tumorlens.workspace import atomic_directory

__all__ = ["prediction_table", "train_commands", "write_cross_validation"]


def write_cross_validation(
    folder: Path, comparison: CrossValidation, context: FoldContext, rows: Sequence[FinishedRow]
) -> None:
    """Write everything a cross-validated comparison shows; one already there is replaced as a whole.

    Args:
        folder: Where it goes.
        comparison: The figures.
        context: Data set and folds.
        rows: Its rows with their predictions.
    """
    dataset = context.dataset
    details = [
        fold_detail(
            dataset.labels,
            one.predictions.probabilities,
            folds=context.folds.of_row,
            classes=dataset.classes,
            positive_class=dataset.positive_class,
        )
        for one in rows
    ]
    plots = cross_validation_plots(comparison, details)
    with atomic_directory(folder, replace=True) as temporary:
        write_cross_validation_tables(comparison, temporary)
        write_plots(plots, temporary / "plots", marks=comparison.marks)
        prediction_table(context, rows).to_parquet(temporary / "predictions.parquet", index=False)
        page = CrossValidationPage(
            comparison=comparison,
            plots=plots,
            flow=flow_facts(dataset),
            data_check=check_facts(dataset),
            facts={"Data set digest": dataset.digest},
            next_commands=train_commands(comparison),
            pictures=sheet_pictures(dataset),
        )
        write_cross_validation_page(page, temporary / "report.html")


def prediction_table(context: FoldContext, rows: Sequence[FinishedRow]) -> pd.DataFrame:
    """A line a scan: what it is, its fold in each repeat (from 1), and for every row the probabilities of each class,
    averaged and repeat by repeat.
    """
    dataset = context.dataset
    columns: dict[str, object] = {
        "row_id": dataset.manifest["row_id"].to_numpy(),
        "pixel_digest": dataset.digests,
        "group": dataset.groups,
        "reference_label": dataset.manifest["label"].to_numpy(),
        **{f"fold_{repeat}": of_row + 1 for repeat, of_row in enumerate(context.folds.of_row, start=1)},
    }
    for one in rows:
        for index, label in enumerate(dataset.classes):
            name = f"probability_{one.row.name}_{label}"
            columns[name] = one.predictions.averaged[:, index]
            columns |= {
                f"{name}_repeat_{repeat}": probabilities[:, index]
                for repeat, probabilities in enumerate(one.predictions.probabilities, start=1)
            }
    return pd.DataFrame(columns)


def train_commands(comparison: CrossValidation) -> list[str]:
    """What to type to make a model of each network compared."""
    return [
        f"tumorlens train {comparison.dataset} --backbone {row.backbone}"
        + ("" if row.head == "linear" else f" --head {row.head}")
        for row in comparison.rows
        if row.kind != "baseline" and not row.collapsed
    ]
