"""``dataset.json``: what a data set is, in one small versioned file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tumorlens.errors import IntegrityError
from tumorlens.workspace import write_json

__all__ = ["DATASET_FORMAT", "DatasetRecord", "GroupKind", "ImportFlow", "read_record"]

DATASET_FORMAT = 1

GroupKind = Literal["patients", "clusters"]


@dataclass(frozen=True)
class ImportFlow:
    """The flow of numbers of an import.

    Attributes:
        files: Files or array entries found.
        readable: Of these, the ones that could be read.
        dropped: Of these, the ones left out because copies had different labels.
        distinct: Different pixel contents among the imported scans.
        by_class: Imported scans of each class, in class order; copies are counted.
    """

    files: int
    readable: int
    dropped: int
    distinct: int
    by_class: dict[str, int]

    @property
    def imported(self) -> int:
        """Rows of the manifest."""
        return sum(self.by_class.values())


@dataclass(frozen=True)
class DatasetRecord:
    """The content of ``dataset.json``.

    Attributes:
        name: Name of the data set.
        classes: Class order.
        positive_class: The positive of two classes.
        groups_are: Whether groups are known patients or inferred clusters.
        digest: Digest of the manifest, 64 hexadecimal digits.
        flow: Numbers of the import.
        groups: Number of groups.
        scan_steps: Steps applied to every scan before the network.
        synthetic: Whether the scans are made up.
        near_twins: Scans with an upright twin whose thumbnail correlates above ``cluster_threshold``, copies included;
            in a prepared copy, those of its original; ``None`` in data sets of older versions that did not count them.
        cluster_threshold: The correlation above which two scans counted as twins; ``None`` likewise.
        notes: What the import said.
        dropped: Sources left out.
    """

    name: str
    classes: tuple[str, ...]
    positive_class: str | None
    groups_are: GroupKind
    digest: str
    flow: ImportFlow
    groups: int
    scan_steps: tuple[str, ...] = ()
    synthetic: bool = False
    near_twins: int | None = None
    cluster_threshold: float | None = None
    notes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = field(default=())

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        write_json(path, {"format": DATASET_FORMAT, **asdict(self)})


def read_record(path: Path) -> DatasetRecord:
    """Read ``dataset.json``.

    Raises:
        IntegrityError: It is missing, damaged, or of a newer format.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = values.pop("format")
        if version > DATASET_FORMAT:
            raise IntegrityError(
                f"{path} has format {version}, this tumorlens reads up to {DATASET_FORMAT}: upgrade tumorlens."
            )
        if values["groups_are"] not in get_args(GroupKind):
            raise ValueError(values["groups_are"])
        values["flow"] = ImportFlow(**values["flow"])
        for name in ("classes", "scan_steps", "notes", "dropped"):
            values[name] = tuple(values[name])
        return DatasetRecord(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path} is damaged: import the data set again.") from error
