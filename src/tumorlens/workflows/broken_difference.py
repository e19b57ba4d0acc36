r"""How many points of accuracy a mistake adds or costs, with an interval, from the predictions that runs keep.

On the same test part the two are paired (:mod:`tumorlens.evaluation.paired`); a random split has another test part, and
the accuracies are computed anew on draws of groups made apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import Dataset
from tumorlens.evaluation import paired_difference
from tumorlens.evaluation.bootstrap import resample_groups
from tumorlens.evaluation.group_sums import Mean
from tumorlens.workflows.runs import RunRecord, read_predictions

__all__ = ["MistakeEffect", "accuracy_difference", "shared_groups"]

_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class MistakeEffect:
    """The accuracy of a run with a mistake minus that of the right one.

    Attributes:
        value: In -1..1.
        low: Lower end of its 95 % interval; ``None`` where there is none.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


def accuracy_difference(dataset: Dataset, first: RunRecord, second: RunRecord, *, seed: int) -> MistakeEffect:
    """Test accuracy of ``second`` minus that of ``first``, each on its own test part.

    Args:
        dataset: The scans of both.
        first: A finished run.
        second: Another one on the same scans.
        seed: Of the bootstrap.
    """
    tables = [_test_table(run) for run in (first, second)]
    hits = [_hits(table) for table in tables]
    groups = [dataset.groups[table["row_id"]] for table in tables]
    if tables[0]["row_id"].tolist() == tables[1]["row_id"].tolist():
        names = (second.folder.name, first.folder.name)
        paired = paired_difference(hits[1], hits[0], names=names, groups=groups[0], unit="patients", seed=seed)
        return MistakeEffect(paired.value, paired.low, paired.high)
    value = float(hits[1].mean() - hits[0].mean())
    drawn = [_drawn(hit, own, seed=seed + place) for place, (hit, own) in enumerate(zip(hits, groups, strict=True))]
    if drawn[0] is None or drawn[1] is None:
        return MistakeEffect(value, None, None)
    low, high = np.quantile(drawn[1] - drawn[0], _TAILS)
    return MistakeEffect(value, float(low), float(high))


def shared_groups(dataset: Dataset, run: RunRecord) -> tuple[int, int]:
    """How many test scans of a run have a scan of their own group in its training part, and how many there are."""
    parts = read_predictions(run.folder)["part"].to_numpy(dtype=np.str_)
    test = dataset.groups[parts == "test"]
    return int(np.isin(test, dataset.groups[parts == "train"]).sum()), len(test)


def _test_table(run: RunRecord) -> pd.DataFrame:
    table = read_predictions(run.folder)
    return table[table["part"] == "test"]


def _hits(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each scan is predicted right."""
    return (table["predicted_label"] == table["reference_label"]).to_numpy(dtype=np.bool_)


def _drawn(hits: npt.NDArray[np.bool_], groups: npt.NDArray[np.str_], *, seed: int) -> npt.NDArray[np.float64] | None:
    """The accuracy on each draw of the groups; ``None`` with fewer than two groups."""
    resampling = resample_groups(groups, n_scans=len(hits), unit="patients", seed=seed)
    if resampling is None:
        return None
    mean = Mean(hits, codes=resampling.codes)
    return np.concatenate([mean.over(counts) for counts in resampling.counts()])
