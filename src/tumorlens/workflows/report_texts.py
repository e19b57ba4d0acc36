"""What is known of a stored result, gathered for model card, data sheet, references and checklists."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tumorlens.datasets import Dataset, short_check
from tumorlens.evaluation import Figure, Summary, summarise
from tumorlens.reports import ReportFacts, RowDetail
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import FIGURE_NAMES, NO_VALUE, capitalised, interval, number, row_title
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.report_details import label_codes, probability_columns
from tumorlens.workflows.report_table import coded_columns
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workflows.stored_results import StoredResult
from tumorlens.workspace import Workspace

__all__ = ["gather_facts", "summary_grid"]


def gather_facts(
    stored: StoredResult,
    details: tuple[RowDetail | None, ...],
    *,
    workspace: Workspace,
    wrong: int | None,
    data_licence: str = "",
) -> ReportFacts:
    """Gather everything the texts of a report are written from.

    Args:
        stored: The run or comparison.
        details: One a row, of its comparison.
        workspace: Whose ledger counts the openings.
        wrong: Test scans decided wrongly.
        data_licence: Licence of the data, where given.
    """
    run, dataset, comparison = stored.shown, stored.dataset, stored.comparison
    row = None if run is None else next(row for row in comparison.rows if row.run == run.name)
    return ReportFacts(
        comparison=comparison,
        single=stored.single,
        row=row,
        card=stored.card,
        head=dict(run.config.get("head", run.config.get("ensemble", {}))) if run else {},
        detail=None if row is None else details[comparison.rows.index(row)],
        summary=None if run is None or dataset is None else _summary(run, dataset, stored),
        record=dataset.record if dataset else None,
        check=short_check(dataset) if dataset else None,
        formats={} if dataset is None else _counts(dataset.manifest["format"]),
        columns=coded_columns(dataset) if dataset else (),
        label_conflicts=_conflicts(dataset) if dataset else "",
        wrong=wrong,
        test_openings=count_openings(workspace, comparison.split_digest),
        data_licence=data_licence,
    )


def summary_grid(facts: ReportFacts) -> Grid | None:
    """All figures of the model that the report is about, as a table; ``None`` without them."""
    if facts.summary is None or facts.row is None or facts.row.collapsed:
        return None
    found = facts.summary
    rows = [
        GridRow((Cell(capitalised(name)), Cell(number(found.metrics[key].value)), Cell(_ends(found.metrics[key]))))
        for key, name in FIGURE_NAMES.items()
        if key in found.metrics
    ]
    rows += [
        GridRow((Cell(f"{capitalised(name)} of {label}"), Cell(number(figure.value)), Cell(_ends(figure))))
        for label, own in found.per_class.items()
        for name, figure in ((FIGURE_NAMES.get(key, key), value) for key, value in own.items())
        if facts.comparison.positive_class is None
    ]
    columns = (Column("Figure", numeric=False), Column("Value"), Column("Interval", f"{100 * found.level:g} %"))
    return Grid(f"All figures of {row_title(facts.row)} on the test part", columns, tuple(rows))


def _ends(figure: Figure) -> str:
    if figure.value is None:
        return "not defined"
    return interval(figure.low, figure.high) or NO_VALUE


def _summary(run: RunRecord, dataset: Dataset, stored: StoredResult) -> Summary | None:
    """All figures with intervals from the predictions kept in the run."""
    classes = stored.comparison.classes
    table = read_predictions(run.folder)
    test = table[table["part"] == "test"]
    predicted = label_codes(test["predicted_label"], classes)
    if not len(test) or (predicted < 0).any():
        return None
    return summarise(
        label_codes(test["reference_label"], classes),
        test[probability_columns(classes)].to_numpy(dtype=np.float64),
        predicted=predicted,
        groups=dataset.groups[test["row_id"].to_numpy()],
        groups_are=dataset.groups_are,
        classes=classes,
        positive_class=stored.comparison.positive_class,
        seed=int(run.config["run"]["seed"]),
    )


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in values.value_counts().items()}


def _conflicts(dataset: Dataset) -> str:
    dropped = dataset.record.flow.dropped
    left = (
        f"{dropped:,} scans were left out at import because copies had different labels"
        if dropped
        else ("No exact copies have different labels")
    )
    return f"{left}; near-twins that disagree are found by tumorlens data audit {dataset.name}."
