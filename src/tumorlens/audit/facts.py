"""Facts of a scan that have nothing to do with disease: its file, its size, its border, its header.

Knows nothing about labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.audit.border import BORDER_MEASURES, border_measures
from tumorlens.datasets import Dataset
from tumorlens.datasets.pool import ordered_map
from tumorlens.progress import SILENT, Progress

__all__ = ["AREA", "BRIGHTNESS", "Fact", "collect_facts", "same_everywhere"]

AREA = "brain area"
"""Name of the head's share of the scan."""

BRIGHTNESS = "brightness"
"""Name of the head's median grey."""

_FILE_COLUMNS = {"file format": "format", "image mode": "mode"}
_HEADER_COLUMNS = {
    "slice height": "slice_position_mm",
    "maker": "maker",
    "field strength": "field_strength_t",
    "sequence type": "sequence_type",
    "pixel spacing": "spacing_mm",
    "modality": "modality",
    "plane": "plane",
}
_KNOWN = "known"
_WORKERS = 2
_AHEAD = 32


@dataclass(frozen=True, eq=False)
class Fact:
    """One fact of every scan, as numbers, as a category, or both.

    Attributes:
        name: Its name, for a person.
        numbers: ``(n, p)`` float64; NaN where it is not known.
        categories: ``(n, q)`` text; empty where it is not known.
    """

    name: str
    numbers: npt.NDArray[np.float64] = field(repr=False)
    categories: npt.NDArray[np.object_] = field(repr=False)

    @property
    def constant(self) -> bool:
        """Whether it is the same for every scan."""
        columns = [*self.numbers.T, *self.categories.T]
        return all(len(pd.unique(column)) <= 1 for column in columns)

    def value(self) -> str:
        """What a constant fact is, for a person."""
        values = [str(value) for value in self.categories[0] if value != _KNOWN]
        values = values or [f"{value:g}" for value in self.numbers[0]]
        return ", ".join(values) or "not known"


def collect_facts(dataset: Dataset, *, progress: Progress = SILENT) -> tuple[Fact, ...]:
    """Gather the facts of a data set, constant ones included; columns that the manifest lacks are left out.

    "slice height" is there only where a header gave it: area and brightness already stand for it elsewhere.

    Args:
        dataset: The scans; their pixels are read once for the border.
        progress: Told about each distinct scan.
    """
    manifest = dataset.manifest
    height, width = (manifest[name].to_numpy(dtype=np.float64) for name in ("height", "width"))
    sizes = manifest["width"].astype(str) + " x " + manifest["height"].astype(str)
    header = {name: column for name, column in _HEADER_COLUMNS.items() if column in manifest}
    return (
        *(_text(name, manifest[column]) for name, column in _FILE_COLUMNS.items()),
        _fact("size", numbers=[height, width], categories=[sizes.to_numpy(dtype=object)]),
        _fact("aspect", numbers=[width / height]),
        _fact(AREA, numbers=[manifest["area"].to_numpy(dtype=np.float64)]),
        _fact(BRIGHTNESS, numbers=[manifest["brightness"].to_numpy(dtype=np.float64)]),
        *_border_facts(dataset, progress=progress),
        *(_header(name, manifest[column]) for name, column in header.items()),
    )


def same_everywhere(facts: Sequence[Fact]) -> str | None:
    """One sentence on the facts that do not vary, and so cannot be a shortcut; ``None`` where all vary."""
    listed = [f"{fact.name} ({fact.value()})" for fact in facts if fact.constant]
    return f"The same in every scan, so no shortcut: {', '.join(listed)}." if listed else None


def _fact(
    name: str,
    *,
    numbers: Sequence[npt.NDArray[np.float64]] = (),
    categories: Sequence[npt.NDArray[np.object_]] = (),
) -> Fact:
    count = len((*numbers, *categories)[0])
    return Fact(
        name,
        np.stack(numbers, axis=1) if numbers else np.empty((count, 0)),
        np.stack(categories, axis=1) if categories else np.empty((count, 0), object),
    )


def _text(name: str, column: pd.Series) -> Fact:
    return _fact(name, categories=[column.fillna("").astype(str).to_numpy(dtype=object)])


def _header(name: str, column: pd.Series) -> Fact:
    """Numbers where every known value is one, with whether it is known; else text."""
    text = column.fillna("").astype(str)
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
    if (numbers.isna() & (text != "")).any() or numbers.isna().all():
        return _text(name, column)
    known = np.where(numbers.isna(), "", _KNOWN).astype(object)
    return _fact(name, numbers=[numbers.to_numpy(dtype=np.float64)], categories=[known])


def _border_facts(dataset: Dataset, *, progress: Progress) -> list[Fact]:
    """Measured on each distinct content once, as decoding is what takes time."""
    places = dataset.thumbnail_rows()
    digests = dataset.manifest.loc[dataset.manifest["copy_of"] == -1, "pixel_digest"].tolist()
    measured = np.empty((len(digests), sum(BORDER_MEASURES.values())))
    with dataset.open_pixels() as pixels, progress.task("Looking at borders", total=len(digests)) as task:
        values = ordered_map(
            lambda digest: border_measures(pixels.get(digest)), digests, workers=_WORKERS, ahead=_AHEAD
        )
        for place, value in enumerate(values):
            measured[place] = value
            task.advance()
    ends = np.cumsum(list(BORDER_MEASURES.values()))[:-1]
    blocks = np.split(measured[places], ends, axis=1)
    return [_fact(name, numbers=list(block.T)) for name, block in zip(BORDER_MEASURES, blocks, strict=True)]
