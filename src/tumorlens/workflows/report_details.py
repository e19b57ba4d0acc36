"""Stored predictions become what the plots of a report are made from: curves and confusion matrices of each row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.evaluation import Resampling, RowFigures, resample_groups
from tumorlens.reports import RowDetail, row_detail
from tumorlens.types import Labels, Probabilities
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workflows.stored_results import StoredResult

__all__ = ["baseline_table", "label_codes", "probability_columns", "row_details"]


def row_details(stored: StoredResult) -> tuple[RowDetail | None, ...]:
    """One a row of the comparison; ``None`` where its predictions were not kept."""
    return tuple(_detail(stored, row) for row in stored.comparison.rows)


def baseline_table(
    dataset_rows: pd.DataFrame, probabilities: dict[str, Probabilities], classes: tuple[str, ...]
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
    table = _test_table(stored, row, run)
    if table is None or table.empty:
        return None
    classes = stored.comparison.classes
    probabilities = table[probability_columns(classes)].to_numpy(dtype=np.float64)
    return row_detail(
        label_codes(table["reference_label"], classes),
        probabilities,
        probabilities.argmax(axis=1) if run is None else label_codes(table["predicted_label"], classes),
        parts=np.full(len(table), "test"),
        classes=classes,
        positive_class=stored.comparison.positive_class,
        history=[] if run is None else run.history,
        resampling=_resampling(stored, table["row_id"].to_numpy()),
    )


def label_codes(labels: pd.Series, classes: tuple[str, ...]) -> Labels:
    """``(n,)`` indices into the classes."""
    return np.asarray(pd.Categorical(labels, categories=list(classes)).codes, np.int64)


def _test_table(stored: StoredResult, row: RowFigures, run: RunRecord | None) -> pd.DataFrame | None:
    """What a row's classifier said of the test part; ``None`` where it was not kept."""
    if run is not None:
        table = read_predictions(run.folder)
        return table[table["part"] == "test"]
    if row.run is not None or stored.baselines is None:
        return None
    return stored.baselines[stored.baselines["baseline"] == row.backbone]


def _resampling(stored: StoredResult, rows: npt.NDArray[np.int64]) -> Resampling | None:
    """How the groups of the test scans are drawn for intervals; ``None`` without the data set."""
    dataset = stored.dataset
    if dataset is None or stored.comparison.groups_are == "none":
        return None
    return resample_groups(dataset.groups[rows], n_scans=len(rows), unit=dataset.groups_are)
