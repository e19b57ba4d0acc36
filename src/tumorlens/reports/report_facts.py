"""What is known when a report is made: the ground of model card, data sheet, references and checklists.

Everything may be unknown but the comparison itself; what is unknown is said to be so, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tumorlens.bundles import BundleCard
from tumorlens.datasets import DataCheck, DatasetRecord
from tumorlens.evaluation import RowFigures, Summary
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.details import RowDetail
from tumorlens.reports.wording import row_name

__all__ = ["NOT_STATED", "ReportFacts"]

NOT_STATED = "not stated"
"""Stands where tumorlens cannot know."""


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What a report's texts are written from.

    Attributes:
        comparison: The figures; of a single run, its row and the baselines beside it.
        single: Whether the report is about one run.
        row: The model that card and checklists are about: the run, or the best on validation; ``None`` without one.
        card: Its bundle's facts; ``None`` where the bundle is gone.
        head: Settings of its training, or of the selection of an ensemble's members; plain values.
        detail: Its confusion matrix and curves.
        summary: All its figures on the test part, with intervals.
        record: What the data set is; ``None`` where it is not in the workspace any more, or was changed.
        check: Copies, near-twins and groups; ``None`` likewise.
        formats: Scans by file format.
        columns: Coded manifest columns that stand in Table 1.
        subgroups: Columns by which accuracy is given on the page.
        label_conflicts: A sentence on labels that disagree; empty where none was looked for.
        wrong: Test scans that the model decides wrongly; ``None`` where not counted.
        test_openings: How often the test part was opened; ``None`` where not counted.
        data_licence: Licence of the data; empty where nobody gave it.
    """

    comparison: Comparison
    single: bool = False
    row: RowFigures | None = None
    card: BundleCard | None = None
    head: Mapping[str, Any] = field(default_factory=dict)
    detail: RowDetail | None = None
    summary: Summary | None = None
    record: DatasetRecord | None = None
    check: DataCheck | None = None
    formats: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    label_conflicts: str = ""
    wrong: int | None = None
    test_openings: int | None = None
    data_licence: str = ""

    @property
    def network(self) -> str:
        """The network's name in text; the row's own word where the bundle is gone; empty without a model."""
        if self.row is None:
            return ""
        if self.row.kind == "scratch":
            return "CNN from scratch"
        return self.card.title if self.card else row_name(self.row)

    @property
    def scans(self) -> int:
        """Scans in all parts."""
        return sum(sum(counts.values()) for counts in self.comparison.parts.values())
