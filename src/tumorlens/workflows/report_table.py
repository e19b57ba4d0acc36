"""Table 1: scans, groups and classes by part, and the coded columns of the manifest where there are any.

Columns that could name a person or a file are never shown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets import LEFT_OUT, PARTS, Dataset
from tumorlens.datasets.manifest import MANIFEST_COLUMNS
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.workflows.evaluation_groups import NOT_SHOWN

__all__ = ["coded_columns", "table_one"]

_TECHNICAL = ("format", "mode")
_MOST_LEVELS = 8
_NOT_STATED = "not stated"


def coded_columns(dataset: Dataset) -> tuple[str, ...]:
    """The manifest's columns that Table 1 shows: few levels, or numbers; format and mode where they differ."""
    manifest = dataset.manifest
    technical = [name for name in _TECHNICAL if manifest[name].nunique() > 1]
    kept = [name for name in manifest.columns if name not in MANIFEST_COLUMNS and name not in NOT_SHOWN]
    return (
        *technical,
        *(str(name) for name in kept if _levels(manifest[name]) or _numbers(manifest[name]) is not None),
    )


def table_one(dataset: Dataset, parts: npt.NDArray[np.str_]) -> Grid:
    """Draw up the table.

    Args:
        dataset: The scans.
        parts: ``(n,)`` part of each; scans that are left out have a column of their own.
    """
    shown = [part for part in (*PARTS, LEFT_OUT) if (parts == part).any()]
    chosen = {part: parts == part for part in shown} | {"all": np.ones(len(parts), bool)}
    rows = [
        _row("Scans", [(int(mask.sum()), None) for mask in chosen.values()]),
        _row(
            dataset.groups_are.capitalize(), [(len(np.unique(dataset.groups[mask])), None) for mask in chosen.values()]
        ),
    ]
    rows += _level_rows("Class", dataset.manifest["label"], list(dataset.classes), chosen)
    for name in coded_columns(dataset):
        values = dataset.manifest[name]
        levels, title = _levels(values), name.replace("_", " ").capitalize()
        rows += _level_rows(title, _texts(values), levels, chosen) if levels else [_spread(title, values, chosen)]
    columns = (Column("", numeric=False), *(Column(part) for part in chosen))
    return Grid("Table 1: scans by part", columns, tuple(rows))


def _row(title: str, counts: list[tuple[int, float | None]]) -> GridRow:
    cells = (Cell(f"{count:,}", "" if share is None else f"{100 * share:.1f} %") for count, share in counts)
    return GridRow((Cell(title), *cells))


def _level_rows(
    title: str, values: pd.Series, levels: list[str], chosen: dict[str, npt.NDArray[np.bool_]]
) -> list[GridRow]:
    texts = values.to_numpy(dtype=np.str_)
    return [
        _row(
            f"{title}: {level}",
            [(int((texts[mask] == level).sum()), float((texts[mask] == level).mean())) for mask in chosen.values()],
        )
        for level in levels
    ]


def _spread(title: str, values: pd.Series, chosen: dict[str, npt.NDArray[np.bool_]]) -> GridRow:
    """Median and quartiles of each part."""
    numbers = _numbers(values)
    assert numbers is not None
    cells = [Cell(title, "median (quartiles)")]
    for mask in chosen.values():
        known = numbers[mask][~np.isnan(numbers[mask])]
        if not known.size:
            cells.append(Cell(_NOT_STATED))
            continue
        low, middle, high = np.percentile(known, [25, 50, 75])
        cells.append(Cell(f"{middle:.3g}", f"{low:.3g}–{high:.3g}"))
    return GridRow(tuple(cells))


def _texts(values: pd.Series) -> pd.Series:
    return values.astype("object").where(values.notna(), "").astype(str).str.strip().replace("", _NOT_STATED)


def _levels(values: pd.Series) -> list[str]:
    """The distinct values where they are few, else nothing; one that is the same for all is shown too."""
    found = sorted(set(_texts(values)))
    return found if len(found) <= _MOST_LEVELS and found != [_NOT_STATED] else []


def _numbers(values: pd.Series) -> npt.NDArray[np.float64] | None:
    """The values as numbers, NaN where blank; ``None`` where one is no number."""
    texts = _texts(values)
    numbers = pd.to_numeric(texts.where(texts != _NOT_STATED), errors="coerce").to_numpy(dtype=np.float64)
    return None if np.isnan(numbers[(texts != _NOT_STATED).to_numpy()]).any() or np.isnan(numbers).all() else numbers
