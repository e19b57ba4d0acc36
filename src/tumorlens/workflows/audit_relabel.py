"""A queue that a person has corrected becomes a data set with the right labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumorlens.audit.correction_queue import read_corrections
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.datasets.relabel import OLD_LABEL, relabel
from tumorlens.reports.wording import counted
from tumorlens.workspace import Workspace

__all__ = ["RelabelResult", "relabel_from_queue"]


@dataclass(frozen=True)
class RelabelResult:
    """A data set with corrected labels.

    Attributes:
        dataset: The data set.
        relabelled: Scans whose label changed, copies counted.
    """

    dataset: Dataset
    relabelled: int

    def lines(self) -> list[str]:
        """What was done, for a person."""
        classes = ", ".join(f"{name} {count:,}" for name, count in self.dataset.record.flow.by_class.items())
        return [
            f"{self.dataset.name}: the labels of {counted(self.relabelled, 'scan')} were corrected; now {classes}.",
            f"The old labels are in the manifest's column {OLD_LABEL}.",
        ]


def relabel_from_queue(
    name: str, corrections: Path, *, workspace: Workspace, new_name: str | None = None
) -> RelabelResult:
    """Read a corrected queue and make the data set it asks for.

    Args:
        name: The data set the queue was written for.
        corrections: The CSV with the column ``corrected_label`` filled in.
        workspace: Where the data set is.
        new_name: What to call the corrected data set; ``None``: it replaces the old one.

    Raises:
        NotFoundError: There is no such data set or file.
        InputError: The file is not one of this data set, or nothing in it changes a label.
    """
    wanted = read_corrections(corrections, load_dataset(workspace, name))
    return RelabelResult(relabel(workspace, name, wanted, new_name=new_name), len(wanted))
