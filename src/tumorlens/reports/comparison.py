"""The result of one comparison, as data: which classifiers, on which scans, with which figures.

It is what ``compare --json`` prints and every table, plot and report is made from. Knows nothing
about how it looks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from tumorlens.datasets import ResidualNeighbours
from tumorlens.errors import IntegrityError
from tumorlens.evaluation import Difference, GroupsAre, RowFigures

__all__ = [
    "LEAKY",
    "MISTAKE",
    "RANDOM_WEIGHTS",
    "RESEARCH_ONLY",
    "SYNTHETIC",
    "Comparison",
    "Protocol",
]

Protocol: TypeAlias = Literal["grouped", "strict", "study", "cross-validation"]

RESEARCH_ONLY = "research output, not for patient care"
"""Stands on every picture, export and answer."""

LEAKY = "leaky: for comparison with the published table"
"""Mark of the study's protocol."""

SYNTHETIC = "synthetic"
"""Mark of made-up scans."""

RANDOM_WEIGHTS = "random weights"
"""Mark of networks that were not pretrained."""

MISTAKE = "mistake on purpose"
"""Mark of runs in which something is done wrong to show what comes of it."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several classifiers on one split of one data set.

    Attributes:
        protocol: "grouped", "study" for the original, leaky split, or "cross-validation".
        dataset: Name of the data set.
        split_digest: Digest of the split, 64 hex digits.
        groups_are: What a group of the data set is: the unit of the intervals, and what a grouped split keeps together.
        classes: Class names in order.
        positive_class: The class whose ROC area is given; ``None`` for more than two classes.
        residual_neighbours: Test scans that look like a training scan; ``None`` where not counted.
        parts: Scans by part and class.
        rows: One per classifier, in the order they are shown.
        best: Run of the row that is best on validation; ``None`` without one.
        differences: Between rows on the same test scans, the best row's first.
        marks: What must be said wherever the figures are shown.
        notes: Further sentences to show under the table.
        seed: Of the split (the study's is 42); ``None`` where it was read from a file that keeps none.
        created: ISO 8601 time, with offset.
        versions: Package to version.
        machine: Processor, cores and memory in one line.
    """

    protocol: Protocol
    dataset: str
    split_digest: str
    groups_are: GroupsAre
    classes: tuple[str, ...]
    positive_class: str | None
    residual_neighbours: ResidualNeighbours | None
    parts: Mapping[str, Mapping[str, int]]
    rows: tuple[RowFigures, ...]
    best: str | None = None
    differences: tuple[Difference, ...] = ()
    marks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seed: int | None = None
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""

    @property
    def best_row(self) -> RowFigures | None:
        """The row whose run is :attr:`best`."""
        return next((row for row in self.rows if row.run is not None and row.run == self.best), None)

    def to_json(self) -> dict[str, Any]:
        """The comparison as in ``docs/json.md``: plain values, ready for :func:`json.dumps`."""
        neighbours = self.residual_neighbours
        return {
            "protocol": self.protocol,
            "dataset": self.dataset,
            "split_digest": self.split_digest,
            "residual_neighbours": None if neighbours is None else neighbours.to_json(),
            "rows": [row.to_json() for row in self.rows],
            "groups_are": self.groups_are,
            "classes": list(self.classes),
            "positive_class": self.positive_class,
            "parts": {part: dict(counts) for part, counts in self.parts.items()},
            "best": self.best,
            "differences": [asdict(difference) for difference in self.differences],
            "marks": list(self.marks),
            "notes": list(self.notes),
            "seed": self.seed,
            "created": self.created,
            "versions": dict(self.versions),
            "machine": self.machine,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        """Read what :meth:`to_json` gave; keys of a newer version are left aside.

        Raises:
            IntegrityError: A key is missing or holds something else.
        """
        try:
            return cls(
                protocol=value["protocol"],
                dataset=value["dataset"],
                split_digest=value["split_digest"],
                groups_are=value["groups_are"],
                classes=tuple(value["classes"]),
                positive_class=value["positive_class"],
                residual_neighbours=_read_neighbours(value["residual_neighbours"]),
                parts={part: dict(counts) for part, counts in value["parts"].items()},
                rows=tuple(RowFigures.from_json(row) for row in value["rows"]),
                best=value["best"],
                differences=tuple(_read_difference(entry) for entry in value.get("differences", ())),
                marks=tuple(value["marks"]),
                notes=tuple(value["notes"]),
                seed=value["seed"],
                created=value["created"],
                versions=dict(value["versions"]),
                machine=value["machine"],
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise IntegrityError(f"The stored comparison is damaged ({error}): run the comparison again.") from error

    def dumps(self) -> str:
        """:meth:`to_json` as one indented document; NaN is refused."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False)


def _read_difference(value: Mapping[str, Any]) -> Difference:
    known = {entry.name for entry in fields(Difference)}
    return Difference(**{name: entry for name, entry in value.items() if name in known})


def _read_neighbours(value: Mapping[str, int] | None) -> ResidualNeighbours | None:
    if value is None:
        return None
    return ResidualNeighbours(value["test_scans"], value["above_0.95"], value["above_0.98"])
