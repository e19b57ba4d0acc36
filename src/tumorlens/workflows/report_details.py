"""Stored predictions become what the plots of a report are made from: curves and confusion matrices of each row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tumorlens.evaluation import RowFigures
from tumorlens.reports import RowDetail, row_detail
from tumorlens.workflows.runs import read_predictions
from tumorlens.workflows.stored_results import StoredResult

__all__ = ["baseline_table", "probability_columns", "row_details"]


def row_details(stored: StoredResult) -> tuple[RowDetail | None, ...]:
    """One a row of the comparison; ``None`` where its predictions were not kept."""
    return tuple(_detail(stored, row) for row in stored.comparison.rows)


def baseline_table(
    dataset_rows: pd.DataFrame, probabilities: dict[str, np.ndarray], classes: tuple[str, ...]
) -> pd.DataFrame:
    """What is kept of the baselines: their probabilities on the test part.

    Args:
        dataset_rows: ``row_id`` and ``reference_label`` of the test part.
        probabilities: By baseline, ``(n, k)`` of the same rows.
        classes: In the order of the columns.
    """
    tables = [
        dataset_rows.assign(baseline=name, **dict(zip(probability_columns(classes), values.T, strict=True)))
        for name, values in probabilities.items()
    ]
    return pd.concat(tables, ignore_index=True)


def probability_columns(classes: tuple[str, ...]) -> list[str]:
    """Names of the columns with probabilities, in class order."""
    return [f"probability_{name}" for name in classes]


def _detail(stored: StoredResult, row: RowFigures) -> RowDetail | None:
    run = stored.runs.get(row.run or "")
    if run is None and (row.run is not None or stored.baselines is None):
        return None
    if run is not None:
        table = read_predictions(run.folder)
        table = table[table["part"] == "test"]
    else:
        assert stored.baselines is not None
        table = stored.baselines[stored.baselines["baseline"] == row.backbone]
    classes = stored.comparison.classes
    labels = pd.Categorical(table["reference_label"], categories=list(classes)).codes
    return (
        row_detail(
            np.asarray(labels, np.int64),
            table[probability_columns(classes)].to_numpy(dtype=np.float64),
            parts=np.full(len(table), "test"),
            classes=classes,
            positive_class=stored.comparison.positive_class,
            history=[] if run is None else run.history,
        )
        if len(table)
        else None
    )
