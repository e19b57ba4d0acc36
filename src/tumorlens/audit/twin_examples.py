"""Which few of many twins to show a person. Knows nothing about how they were found."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from tumorlens.audit.findings import Twin
from tumorlens.audit.twin_table import KINDS, TwinTable
from tumorlens.datasets.dataset import Dataset

__all__ = ["telling_examples"]

_EACH = 12
_LOOKED_AT = 2000


def telling_examples(pairs: TwinTable, dataset: Dataset, other: Dataset | None = None) -> tuple[Twin, ...]:
    """Choose up to twelve pairs of every kind, the most telling first.

    Pairs with different labels come first, then pairs from different folders (published parts, classes), then the most
    alike; no scan is shown twice under one kind.

    Args:
        pairs: ``first`` are rows of ``dataset``, ``second`` rows of ``other``.
        dataset: Whose rows they are.
        other: The other data set, where there are two. Labels of two data sets are compared by their names.
    """
    other = other or dataset
    differ = _labels(dataset)[pairs.first] != _labels(other)[pairs.second]
    apart = _folders(dataset)[pairs.first] != _folders(other)[pairs.second]
    chosen: list[Twin] = []
    for kind in range(len(KINDS)):
        places = np.flatnonzero(pairs.kind == kind)
        order = np.lexsort((-pairs.similarity[places], ~apart[places], ~differ[places]))
        chosen += _without_repeats(pairs, places[order[:_LOOKED_AT]])
    return tuple(chosen)


def _without_repeats(pairs: TwinTable, places: npt.NDArray[np.int64]) -> list[Twin]:
    firsts: set[int] = set()
    seconds: set[int] = set()
    chosen: list[Twin] = []
    for place in places.tolist():
        twin = pairs[place]
        if twin.first not in firsts and twin.second not in seconds:
            chosen.append(twin)
            firsts.add(twin.first)
            seconds.add(twin.second)
        if len(chosen) == _EACH:
            break
    return chosen


def _labels(dataset: Dataset) -> npt.NDArray[np.str_]:
    return dataset.manifest["label"].to_numpy(dtype=np.str_)


def _folders(dataset: Dataset) -> npt.NDArray[np.str_]:
    return np.array([str(PurePosixPath(source).parent) for source in dataset.manifest["source"]], dtype=np.str_)
