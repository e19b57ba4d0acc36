r"""How many points of accuracy a mistake adds or costs, with an interval, from the predictions that runs keep.

Both accuracies are computed anew on draws of the groups (the cluster bootstrap of
:mod:`tumorlens.evaluation.bootstrap`). On the same test part the same groups are drawn for both, so that only what the
models do differently counts; a random split has another test part, and the two are drawn apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import Dataset
from tumorlens.evaluation.bootstrap import Mean, resample_groups
from tumorlens.workflows.runs import PREDICTIONS_FILE, RunRecord

__all__ = ["Difference", "accuracy_difference", "shared_groups"]

_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Difference:
    """The accuracy of a second run minus that of a first.

    Attributes:
        value: In -1..1.
        low: Lower end of its 95 % interval; ``None`` where there is none.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


def accuracy_difference(dataset: Dataset, first: RunRecord, second: RunRecord, *, seed: int) -> Difference:
    """Test accuracy of ``second`` minus that of ``first``, each on its own test part.

    Args:
        dataset: The scans of both.
        first: A finished run.
        second: Another one on the same scans.
        seed: Of the bootstrap.
    """
    tables = [_test_table(run) for run in (first, second)]
    same_test = tables[0]["row_id"].tolist() == tables[1]["row_id"].tolist()
    seeds = (seed, seed if same_test else seed + 1)
    hits = [_hits(table) for table in tables]
    value = float(hits[1].mean() - hits[0].mean())
    drawn = [
        _drawn(hit, dataset.groups[table["row_id"]], seed=own)
        for hit, table, own in zip(hits, tables, seeds, strict=True)
    ]
    if drawn[0] is None or drawn[1] is None or (same_test and np.array_equal(hits[0], hits[1])):
        return Difference(value, None, None)
    low, high = np.quantile(drawn[1] - drawn[0], _TAILS)
    return Difference(value, float(low), float(high))


def shared_groups(dataset: Dataset, run: RunRecord) -> tuple[int, int]:
    """How many test scans of a run have a scan of their own group in its training part, and how many there are."""
    table = pd.read_parquet(run.folder / PREDICTIONS_FILE).sort_values("row_id")
    parts = table["part"].to_numpy(dtype=np.str_)
    test = dataset.groups[parts == "test"]
    return int(np.isin(test, dataset.groups[parts == "train"]).sum()), len(test)


def _test_table(run: RunRecord) -> pd.DataFrame:
    table = pd.read_parquet(run.folder / PREDICTIONS_FILE).sort_values("row_id")
    return table[table["part"] == "test"]


def _hits(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """1 for a scan that is predicted right, else 0."""
    return np.asarray(table["predicted_label"] == table["reference_label"], np.float64)


def _drawn(hits: npt.NDArray[np.float64], groups: npt.NDArray[np.str_], *, seed: int) -> npt.NDArray[np.float64] | None:
    """The accuracy on each draw of the groups; ``None`` with fewer than two groups."""
    resampling = resample_groups(groups, n_scans=len(hits), unit="patients", seed=seed)
    if resampling is None:
        return None
    mean = Mean(hits, codes=resampling.codes)
    return np.concatenate([mean.over(counts) for counts in resampling.counts()])
