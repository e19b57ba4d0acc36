"""The result of a cross-validated comparison, as data. Knows nothing about how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tumorlens.errors import IntegrityError
from tumorlens.evaluation import CrossValidatedFigures
from tumorlens.reports.comparison import Comparison

__all__ = ["CrossValidation"]


@dataclass(frozen=True, kw_only=True)
class CrossValidation(Comparison):
    """Several classifiers on the same folds of one data set, in several repeats.

    It is a comparison in which every scan is tested and none is set aside: ``split_digest`` names the folds, ``parts``
    hold all scans under "test", and no row is the best, for there is nothing left to choose it by.

    Attributes:
        rows: One per classifier, in the order they are shown.
        folds: Number of folds.
        repeats: How often the scans were divided anew.
    """

    rows: tuple[CrossValidatedFigures, ...]
    folds: int
    repeats: int

    def to_json(self) -> dict[str, Any]:
        """As of every comparison, with ``folds`` and ``repeats``."""
        return {**super().to_json(), "folds": self.folds, "repeats": self.repeats}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CrossValidation:
        """Read what :meth:`to_json` gave; keys of a newer version are left aside.

        Raises:
            IntegrityError: A key is missing or holds something else.
        """
        shared = Comparison.from_json(value)
        own = {entry.name: getattr(shared, entry.name) for entry in fields(Comparison)}
        own["rows"] = tuple(CrossValidatedFigures.from_json(row) for row in value["rows"])
        try:
            return cls(**own, folds=int(value["folds"]), repeats=int(value["repeats"]))
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"The stored comparison is damaged ({error}): run the comparison again.") from error
