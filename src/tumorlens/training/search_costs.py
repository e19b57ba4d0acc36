"""What trials of a search are expected to cost, from what earlier ones did. Knows nothing about files or networks."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tumorlens.training.search_space import TUNED, Place, Trial, views_of

__all__ = ["Costs", "Sizes"]

_HEAD_SECONDS = 5.0
_START_SECONDS = 15.0
_FROZEN_RUN_SECONDS = 10.0
_TUNED_RUN_SECONDS = 40.0
_TRAINED_SHARE = {"last": 0.15, "half": 0.5}
_PASSES_OF_TRAINING, _PASSES_OF_SCORING = 2.0, 0.7
"""Of the trained share of a network, as measured on EfficientNet-Lite0, whose upper layers work on small maps; what
earlier trials took corrects it."""

_LEAST_SCANS = 16


@dataclass(frozen=True)
class Sizes:
    """Numbers of scans: of the training and validation parts, and of the whole data set."""

    training: int
    validation: int
    all: int


@dataclass(frozen=True)
class Costs:
    """Expectations; the more trials there were, the better.

    Attributes:
        sizes: Numbers of scans.
        trials: What was tried, in order.
        probed: Seconds a scan takes in a network at a size, where it was measured beforehand.
    """

    sizes: Sizes
    trials: Sequence[Trial]
    probed: Mapping[tuple[str, int], float] = field(default_factory=dict)

    def seconds_a_scan(self, place: Place) -> float | None:
        """One pass of one scan; ``None`` where the network was never measured.

        A size not measured yet is taken to cost as its pixels do at the nearest size that was.
        """
        measured = {**self.probed, **self._measured()}
        sizes = [size for backbone, size in measured if backbone == place.backbone]
        if not sizes:
            return None
        nearest = min(sizes, key=lambda size: abs(size - place.size))
        return measured[place.backbone, nearest] * (place.size / nearest) ** 2

    def frozen(self, place: Place, head: str, *, missing: int) -> float:
        """A trial on cached features of which ``missing`` are still to be computed."""
        spent = [
            trial.facts["head_seconds"] for trial in self.trials if trial.params.get("head") == head and trial.facts
        ]
        return missing * (self.seconds_a_scan(place) or 0.0) + (statistics.median(spent) if spent else _HEAD_SECONDS)

    def tuned(self, params: Mapping[str, object]) -> float:
        """A trial that fine-tunes, corrected by how far off this was for those that ended by themselves."""
        ended = [trial for trial in self.trials if trial.stage == TUNED and trial.state == "finished"]
        ratios = [
            trial.seconds / self._tuned(trial.params, [other for other in self.trials if other.at < trial.at])
            for trial in ended
        ]
        return self._tuned(params, self.trials) * (statistics.median(ratios) if ratios else 1.0)

    def last_step(self, runs: Sequence[tuple[Place, bool]]) -> float:
        """Making ordinary runs of configurations that were trials, each given with whether it is fine-tuned."""
        total = 0.0
        for place, is_tuned in runs:
            rate = self.seconds_a_scan(place) or 0.0
            others = self.sizes.all - self.sizes.training - self.sizes.validation
            total += others * rate + (self.sizes.all * rate + _TUNED_RUN_SECONDS if is_tuned else _FROZEN_RUN_SECONDS)
        return total

    def _measured(self) -> dict[tuple[str, int], float]:
        rates: dict[tuple[str, int], float] = {}
        for trial in self.trials:
            if trial.facts.get("computed", 0) >= _LEAST_SCANS:
                place = Place.of(trial.params)
                rates[place.backbone, place.size] = trial.facts["feature_seconds"] / trial.facts["computed"]
        return rates

    def _tuned(self, params: Mapping[str, object], before: Sequence[Trial]) -> float:
        rate = self.seconds_a_scan(Place.of(params)) or 0.0
        share = _TRAINED_SHARE[str(params["stage"])]
        passes = int(str(params["epochs"])) * share
        trained = passes * (_PASSES_OF_TRAINING * self.sizes.training + _PASSES_OF_SCORING * self.sizes.validation)
        return _START_SECONDS + rate * (self._maps_to_compute(params, before) * (1.0 - share) + trained)

    def _maps_to_compute(self, params: Mapping[str, object], before: Sequence[Trial]) -> int:
        """Outputs of the frozen part that no earlier trial left in the store."""
        same = [
            trial.params
            for trial in before
            if trial.stage == TUNED
            and trial.state != "failed"
            and all(trial.params[name] == params[name] for name in ("place", "stage"))
        ]
        plain = 0 if same else self.sizes.training + self.sizes.validation
        alike = [views_of(other) for other in same if other["augmentation"] == params["augmentation"]]
        return plain + self.sizes.training * max(0, views_of(params) - max(alike, default=0))
