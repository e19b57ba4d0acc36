"""The short form of an audit: the counts and the one worst finding, from the manifest alone.

It looks at no pixels and runs no network, so it can stand under every import and every comparison. The weights are
those of the whole audit: the share of test scans, of labels or of errors that a finding can account for, copies across
a split threefold.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.audit.published_parts import find_published_parts
from tumorlens.datasets import Dataset, short_check
from tumorlens.reports.audit_words import percent
from tumorlens.reports.wording import counted

__all__ = ["short_finding", "worst_finding"]

_TRIVIAL = {
    "file format": ("format",),
    "image mode": ("mode",),
    "size": ("height", "width"),
    "brain area": ("area",),
    "brightness": ("brightness",),
    "area and brightness": ("area", "brightness"),
}
_MOST_VALUES = 24
_BINS = 8
_FOLDS = 5
_SEED = 0
_COPIES_COUNT = 3.0
_TWINS_COUNT = 0.3
_WORTH_SAYING = 0.01
_ERRORS_ABOVE = 2.0


def short_finding(dataset: Dataset) -> list[str]:
    """Say in a few sentences what a reader must know before any figure on these scans.

    Args:
        dataset: The scans.

    Returns:
        The counts; the worst finding, where there is one; the command for the whole audit.
    """
    worst = worst_finding(dataset)
    said = [] if worst is None else [f"Worst: {worst}"]
    return [_counts(dataset), *said, f"The whole audit: tumorlens data audit {dataset.name}"]


def worst_finding(dataset: Dataset) -> str | None:
    """The worst finding in a sentence, without a word before it; ``None`` where nothing is worth saying.

    Args:
        dataset: The scans.
    """
    findings = [*_published(dataset), *_shortcuts(dataset), *_mixed_clusters(dataset), *_twins(dataset)]
    weight, worst = max(findings, default=(0.0, ""))
    return worst if weight >= _WORTH_SAYING else None


def _counts(dataset: Dataset) -> str:
    check = short_check(dataset)
    twins = "" if check.near_twins is None else f"; {check.near_twins:,} have an upright near-twin"
    copies = f" ({check.scans_in_copies:,} are exact copies)" if check.scans_in_copies else ""
    groups = counted(check.groups, check.groups_are.removesuffix("s"))
    return f"{counted(check.scans, 'scan')} in {groups}, {check.distinct:,} distinct{copies}{twins}."


def _published(dataset: Dataset) -> Iterator[tuple[float, str]]:
    """Test scans of the published split with the same pixels in its training part."""
    parts = find_published_parts(dataset)
    if parts is None:
        return
    digests = dataset.digests
    leaked = int(np.isin(digests[parts.tested], digests[parts.trained]).sum())
    total = int(parts.tested.sum())
    yield (
        min(1.0, _COPIES_COUNT * leaked / total),
        f"{leaked:,} of {total:,} scans of the published {parts.held_out} part ({percent(leaked / total)}) have the "
        "same pixels in its training part.",
    )


def _shortcuts(dataset: Dataset) -> Iterator[tuple[float, str]]:
    """What a table of a trivial fact's values, made on other groups, tells about the label beyond chance."""
    labels = dataset.labels
    folds = _folds(dataset.groups)
    if folds is None:
        return
    majority = float(np.bincount(labels).max() / len(labels))
    for name, columns in _TRIVIAL.items():
        right = _table_right(_codes(dataset.manifest, columns), labels, folds)
        accuracy = float(right.mean())
        if accuracy - majority <= _ERRORS_ABOVE * _standard_error(right, dataset.groups):
            continue
        yield (
            (accuracy - majority) / (1.0 - majority),
            f"{name} alone tells about {percent(accuracy)} of the labels (the commonest class: "
            f"{percent(majority)}), with no look at the disease.",
        )


def _folds(groups: npt.NDArray[np.str_]) -> npt.NDArray[np.int64] | None:
    """Each scan's fold, whole groups by lot; nothing where there is one group."""
    names, places = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return None
    lots = np.random.default_rng(_SEED).permutation(len(names)) % min(_FOLDS, len(names))
    return np.asarray(lots[places], np.int64)


def _codes(manifest: pd.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """One whole number for each value, or for each bin of equally many scans where there are many values."""
    codes = np.zeros(len(manifest), np.int64)
    for column in columns:
        values = manifest[column]
        if values.nunique() > _MOST_VALUES and pd.api.types.is_numeric_dtype(values):
            values = pd.qcut(values, _BINS * (1 if len(columns) > 1 else 2), labels=False, duplicates="drop")
        own = pd.factorize(values)[0]
        codes = codes * (int(own.max()) + 2) + own + 1
    return np.asarray(pd.factorize(codes)[0], np.int64)


def _table_right(
    codes: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """``(n,)``: whether each scan's label is the commonest one of its value in the other folds."""
    counts = np.zeros((int(folds.max()) + 1, int(codes.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (folds, codes, labels), 1)
    others = counts.sum(axis=0) - counts
    commonest = others.sum(axis=1).argmax(axis=1)
    table = np.where(others.sum(axis=2) > 0, others.argmax(axis=2), commonest[:, None])
    return np.asarray(table[folds, codes] == labels, np.bool_)


def _standard_error(right: npt.NDArray[np.bool_], groups: npt.NDArray[np.str_]) -> float:
    """Standard error of the mean of scans that come in groups, of which there are at least two."""
    names, codes = np.unique(groups, return_inverse=True)
    sums = np.bincount(codes, weights=right - right.mean())
    return float(np.sqrt(len(names) / (len(names) - 1) * np.square(sums).sum()) / len(right))


def _mixed_clusters(dataset: Dataset) -> Iterator[tuple[float, str]]:
    """Clusters of near-twins with more than one label; patients may rightly have several."""
    if dataset.groups_are != "clusters":
        return
    counts = pd.crosstab(dataset.groups, dataset.labels).to_numpy()
    mixed = int((np.count_nonzero(counts, axis=1) > 1).sum())
    against = int((counts.sum(axis=1) - counts.max(axis=1)).sum())
    yield (
        against / len(dataset),
        f"{mixed:,} of {counted(len(counts), 'cluster')} of near-twins hold more than one label; "
        f"{counted(against, 'scan')} contradict most of their cluster.",
    )


def _twins(dataset: Dataset) -> Iterator[tuple[float, str]]:
    near = dataset.record.near_twins
    if near is None or dataset.groups_are != "clusters":
        return
    share = near / max(len(dataset), 1)
    yield (
        _TWINS_COUNT * share,
        f"{percent(share)} of the scans have an upright near-twin and no patient is named: a random split would put "
        "them on both sides.",
    )
