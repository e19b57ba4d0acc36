"""What a report says of its shown model beyond accuracy: calibration, sets, novelty, and figures by subgroup.

From the predictions kept in the run; no test part is opened again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tumorlens.bundles import BundleCard
from tumorlens.datasets import Dataset
from tumorlens.evaluation.subgroups import Subgroups, compare_subgroups
from tumorlens.reports import Plot, SubgroupFigure, forest_grid, reliability_plot, subgroup_plot
from tumorlens.reports.grid import Grid
from tumorlens.workflows.evaluation_groups import column_values, shown_columns
from tumorlens.workflows.evaluation_rules import judge_rules, rules_grids
from tumorlens.workflows.report_details import label_codes, probability_columns
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workflows.stored_results import StoredResult

__all__ = ["RuleParts", "rule_parts"]


@dataclass(frozen=True)
class RuleParts:
    """Plots and tables for the page.

    Attributes:
        plots: In order.
        grids: In order.
        columns: Those by which accuracy is given.
    """

    plots: tuple[Plot, ...] = ()
    grids: tuple[Grid, ...] = ()
    columns: tuple[str, ...] = ()


def rule_parts(stored: StoredResult) -> RuleParts:
    """Reliability diagram, tables of the rules, and the forest plot of subgroups.

    There are none where bundle or data set are not at hand, or the model collapsed.
    """
    run, card, dataset = stored.shown, stored.card, stored.dataset
    if run is None or card is None or dataset is None or run.row.collapsed:
        return RuleParts()
    table = read_predictions(run.folder)
    test = table[table["part"] == "test"]
    if test.empty or not test["predicted_label"].isin(card.labels).all():
        return RuleParts()
    rules, forest = _rules(card, dataset, test), _forest(run, card, dataset, test)
    return RuleParts((*rules.plots, *forest.plots), (*rules.grids, *forest.grids), forest.columns)


def _rules(card: BundleCard, dataset: Dataset, test: pd.DataFrame) -> RuleParts:
    found = judge_rules(
        card,
        label_codes(test["reference_label"], card.labels),
        test[probability_columns(card.labels)].to_numpy(dtype=np.float64),
        label_codes(test["predicted_label"], card.labels),
        novelty=None if card.novelty is None else test["novelty"].to_numpy(dtype=np.float64),
        groups=dataset.groups[test["row_id"].to_numpy()],
        unit="scans" if dataset.groups_are == "none" else dataset.groups_are,
    )
    plot = reliability_plot(
        found.after.reliability.bins,
        before=() if found.before is None else found.before.reliability.bins,
        class_name="the predicted class" if card.operating_point is None else card.operating_point.positive_class,
    )
    return RuleParts(() if plot is None else (plot,), rules_grids(card, found))


def _forest(run: RunRecord, card: BundleCard, dataset: Dataset, test: pd.DataFrame) -> RuleParts:
    divided = _subgroups(card, dataset, test, seed=int(run.config["run"]["seed"]))
    rows = [row for found in divided for row in _forest_rows(found)]
    if not rows:
        return RuleParts()
    own = run.row
    whole = SubgroupFigure("", "", len(test), own.test_accuracy, own.test_accuracy_low, own.test_accuracy_high)
    plot = subgroup_plot([whole, *rows], overall=own.test_accuracy)
    grid = forest_grid([whole, *rows], figure_name="accuracy")
    return RuleParts(() if plot is None else (plot,), (grid,), tuple(found.column for found in divided))


def _subgroups(card: BundleCard, dataset: Dataset, test: pd.DataFrame, *, seed: int) -> list[Subgroups]:
    """By every column that divides the test scans."""
    rows = test["row_id"].to_numpy()
    point = card.operating_point
    found = [
        compare_subgroups(
            label_codes(test["reference_label"], card.labels),
            test[probability_columns(card.labels)].to_numpy(dtype=np.float64),
            predicted=label_codes(test["predicted_label"], card.labels),
            groups=dataset.groups[rows],
            groups_are=dataset.groups_are,
            classes=card.labels,
            positive_class=None if point is None else point.positive_class,
            column=column,
            values=column_values(dataset.manifest[column].iloc[rows]),
            seed=seed,
        )
        for column in shown_columns(dataset)
    ]
    return [one for one in found if len(one.levels) > 1]


def _forest_rows(found: Subgroups) -> list[SubgroupFigure]:
    figures = [(level, level.metrics["accuracy"]) for level in found.levels]
    return [
        SubgroupFigure(found.column, level.name, level.n_scans, figure.value, figure.low, figure.high)
        for level, figure in figures
    ]
