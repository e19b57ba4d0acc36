"""The result of a search as data: what was tried, what was chosen, and the test figures. Knows nothing about how it
looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tumorlens.errors import IntegrityError
from tumorlens.evaluation import Difference, RowFigures
from tumorlens.reports.comparison import Comparison
from tumorlens.training import Trial, trial_words
from tumorlens.training.search_space import Stage

__all__ = ["DEFAULT", "DEFAULT_TUNED", "FOUND", "Chosen", "SearchRecord"]

FOUND, DEFAULT, DEFAULT_TUNED = "found", "default", "default_fine_tuned"
"""Roles of the runs at the end of a search."""


@dataclass(frozen=True)
class Chosen:
    """A configuration that became a run.

    Attributes:
        stage: ``frozen`` or ``fine-tuned``.
        params: Its parameters.
        validation_loss: Of its trial, nats.
        run: Name of the run; ``None`` until it is made.
    """

    stage: str
    params: Mapping[str, Any]
    validation_loss: float
    run: str | None = None

    @property
    def words(self) -> str:
        """The configuration in a line."""
        return trial_words(self.params)


@dataclass(frozen=True, kw_only=True)
class SearchRecord:
    """A finished search.

    Attributes:
        search: Its name.
        dataset: Name of the data set.
        split_digest: Digest of its split.
        seed: Seed of split, trials and heads.
        budget: The time it was given, such as ``20m``; ``None`` where trials were counted.
        wanted_trials: The number of trials it was given; ``None`` where time was.
        plan: How that was divided, in a sentence.
        seconds: Work in all, the last step included.
        validation_scans: Scans that all trials were judged on.
        validation_groups: Groups that they are of.
        trials: Every trial that ended, in order.
        chosen: By role, what became a run: :data:`FOUND`, :data:`DEFAULT` and, where its trial finished in time,
            :data:`DEFAULT_TUNED`.
        importances: By stage, how much of the spread of the loss each parameter explains; ``None`` with too few trials.
        test: The runs on the test part, with baselines and differences.
        openings: Lines of the ledger about this test part, oldest first.
        notes: What else must be said.
    """

    search: str
    dataset: str
    split_digest: str
    seed: int
    budget: str | None
    wanted_trials: int | None
    plan: str
    seconds: float
    validation_scans: int
    validation_groups: int
    trials: tuple[Trial, ...]
    chosen: Mapping[str, Chosen]
    importances: Mapping[Stage, Mapping[str, float] | None]
    test: Comparison
    openings: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def found(self) -> Chosen:
        """What the search found."""
        return self.chosen[FOUND]

    @property
    def own_openings(self) -> tuple[Mapping[str, Any], ...]:
        """Openings of the test part by this search."""
        return tuple(opening for opening in self.openings if opening.get("search") == self.search)

    @property
    def openings_before(self) -> int:
        """Openings of the test part by others before."""
        own = self.own_openings
        return self.openings.index(own[0]) if own else len(self.openings)

    def row(self, role: str) -> RowFigures | None:
        """The test figures of a role."""
        chosen = self.chosen.get(role)
        return None if chosen is None else next((row for row in self.test.rows if row.run == chosen.run), None)

    def difference(self, role: str) -> Difference | None:
        """What was found against another role on the same test scans; ``None`` where both are one."""
        other = self.chosen.get(role)
        names = (self.found.run, None if other is None else other.run)
        return next((one for one in self.test.differences if (one.first, one.second) == names), None)

    def to_json(self) -> dict[str, Any]:
        """Keys as in ``docs/json.md``."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "trials": [asdict(trial) | {"words": trial_words(trial.params)} for trial in self.trials],
            "chosen": {role: asdict(chosen) | {"words": chosen.words} for role, chosen in self.chosen.items()},
            "importances": {stage: None if found is None else dict(found) for stage, found in self.importances.items()},
            "test": self.test.to_json(),
            "openings": [dict(opening) for opening in self.openings],
            "openings_before": self.openings_before,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SearchRecord:
        """Read what :meth:`to_json` gave.

        Raises:
            IntegrityError: A key is missing or holds something else.
        """
        try:
            return cls(
                **{name: value[name] for name in _PLAIN},
                trials=tuple(_read_trial(entry) for entry in value["trials"]),
                chosen={role: Chosen(*(entry[name] for name in _CHOSEN)) for role, entry in value["chosen"].items()},
                importances=value["importances"],
                test=Comparison.from_json(value["test"]),
                openings=tuple(value["openings"]),
                notes=tuple(value["notes"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise IntegrityError(
                f"The stored search is damaged ({error}): remove its folder and search anew."
            ) from error


_PLAIN = (
    "search",
    "dataset",
    "split_digest",
    "seed",
    "budget",
    "wanted_trials",
    "plan",
    "seconds",
    "validation_scans",
    "validation_groups",
)
_CHOSEN = ("stage", "params", "validation_loss", "run")


def _read_trial(value: Mapping[str, Any]) -> Trial:
    known = {name: entry for name, entry in value.items() if name != "words"}
    return Trial(**{**known, "epochs": tuple(known["epochs"])})
