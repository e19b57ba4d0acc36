"""The trials of a search: many on cached features first, then fine-tuning at the best few of them.

No trial begins whose expected cost does not fit in what is left. A trial that is stopped from outside stays open in the
journal; the next process begins it anew, and a fine-tuning goes on at the step where it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tumorlens.errors import InputError, StorageError, TumorlensError
from tumorlens.progress import Progress
from tumorlens.reports import duration
from tumorlens.training import (
    Costs,
    EpochRecord,
    Place,
    Plan,
    SearchJournal,
    Trial,
    best_trial,
    budget_words,
    trial_words,
)
from tumorlens.training.search_journal import OpenTrial
from tumorlens.training.search_space import BRAIN, FROZEN, TUNED, Space, Stage, default_tuned, tuned_space
from tumorlens.workflows.search_folder import SearchFolder, Stopwatch
from tumorlens.workflows.search_ground import Ground
from tumorlens.workflows.search_trials import missing_features, params_digest, probe_seconds, try_frozen, try_tuned

__all__ = ["Sitting", "run_trials"]

_BEST_PLACES = 3
_MOST_FAILURES = 3


@dataclass(frozen=True)
class Sitting:
    """One process at work on a search.

    Attributes:
        ground: Scans of training and validation, and networks.
        space: What trials on cached features choose from.
        default: The configuration that stands without a search; always the first trial.
        plan: How the time, or the number of trials, is divided.
        journal: The trials.
        folder: Where all is kept.
        watch: Seconds spent.
        progress: Told of every trial.
        probed: Seconds a scan takes, by network and size, where it was measured before a trial.
    """

    ground: Ground
    space: Space
    default: Mapping[str, Any]
    plan: Plan
    journal: SearchJournal
    folder: SearchFolder
    watch: Stopwatch
    progress: Progress
    probed: dict[tuple[str, int], float] = field(default_factory=dict)

    def costs(self) -> Costs:
        """Expectations, from all trials so far."""
        return Costs(self.ground.sizes, self.journal.trials(), self.probed)

    @property
    def default_place(self) -> Place:
        """Where the default is."""
        return Place.of(self.default)

    @property
    def tuned_default(self) -> dict[str, Any]:
        """What fine-tuning does without a search: its defaults, on scans cut around the head where they can be."""
        place = self.default_place
        return default_tuned(replace(place, crop=BRAIN) if BRAIN in self.ground.contexts else place)

    def seconds_left(self, *, fine_tuning: bool) -> float:
        """Time for further trials of a stage, the last step set aside; the first trial of all may take all of it."""
        spent, costs = self.watch.spent(), self.costs()
        best = best_trial(costs.trials)
        place = self.default_place if best is None else Place.of(best.params)
        runs = [(self.default_place, False), (place, fine_tuning)]
        runs += [(Place.of(self.tuned_default), True)] if fine_tuning else []
        reserve = costs.last_step(runs)
        whole = fine_tuning or not costs.trials
        count = self.plan.seconds_left if whole else self.plan.frozen_seconds_left
        return count(spent, reserve=reserve)


class _EndedEarlyError(Exception):
    """A training was ended between two epochs; ``out_of_time`` says why."""

    def __init__(self, reason: str, *, out_of_time: bool) -> None:
        super().__init__(reason)
        self.out_of_time = out_of_time


def run_trials(sitting: Sitting) -> None:
    """Try configurations until the time is over, the number is reached, or nothing is left to try.

    Raises:
        InputError: Not even the default configuration can be tried in the time.
    """
    begun = sitting.journal.give_up_running()
    if sitting.folder.places() is None:
        _try_features(sitting, [params for stage, params in begun if stage == FROZEN])
    if sitting.plan.fine_tunes:
        _try_fine_tuning(sitting, [params for stage, params in begun if stage == TUNED])


def _try_features(sitting: Sitting, begun: Sequence[dict[str, Any]]) -> None:
    """The first stage: heads on cached features."""
    journal, closed = sitting.journal, set[Place]()
    waiting = [dict(sitting.default), *begun]
    failures = 0
    while failures < _MOST_FAILURES:
        tried = _tried(journal, FROZEN)
        if sitting.plan.frozen_trials is not None and len(tried) >= sitting.plan.frozen_trials:
            return

        def is_open(params: Mapping[str, Any], tried: set[str] = tried) -> bool:
            return params_digest(params) not in tried and Place.of(params) not in closed

        waiting = [params for params in waiting if is_open(params)]
        params = waiting[0] if waiting else journal.propose(FROZEN, sitting.space, is_open=is_open)
        if params is None:
            return
        try:
            expected = _frozen_cost(sitting, params)
        except TumorlensError as error:
            _open(sitting, FROZEN, params).fail(seconds=0.0, at=sitting.watch.save(), reason=str(error))
            sitting.progress.say(f"{trial_words(params)}: left out. {error}")
            failures += 1
            continue
        if expected > sitting.seconds_left(fine_tuning=False):
            if not tried:
                raise _too_little(sitting, expected)
            closed.add(Place.of(params))
            continue
        done = _attempt(sitting, FROZEN, params)
        failures = 0 if done else failures + 1


def _frozen_cost(sitting: Sitting, params: Mapping[str, Any]) -> float:
    """What a trial will take."""
    place = Place.of(params)
    _measure(sitting, place)
    return sitting.costs().frozen(place, params["head"], missing=missing_features(sitting.ground, place))


def _measure(sitting: Sitting, place: Place) -> None:
    """See to it that something is known of how fast a network is."""
    if sitting.costs().seconds_a_scan(place) is None:
        sitting.probed[place.backbone, place.size] = probe_seconds(sitting.ground, place)


def _too_little(sitting: Sitting, expected: float) -> InputError:
    needed = sitting.watch.spent() + expected + sitting.costs().last_step([(sitting.default_place, False)])
    return InputError(
        f"The first trial alone, {trial_words(sitting.default)}, takes about {duration(expected)}: give --budget "
        f"{budget_words(60 * -(-1.5 * needed // 60))} or more, or a smaller --sizes."
    )


def _try_fine_tuning(sitting: Sitting, begun: Sequence[dict[str, Any]]) -> None:
    """The second stage: fine-tuning where cached features did best, and at the default."""
    journal = sitting.journal
    if best_trial(journal.trials()) is None:
        return
    if sitting.folder.places() is None:
        sitting.folder.write_places([place.key for place in _best_places(sitting)])
    places = [Place.of({"place": key}) for key in sitting.folder.places() or ()]
    for place in places:
        _measure(sitting, place)
    space = tuned_space(places)
    waiting = [*begun, sitting.tuned_default]
    failures = 0
    while failures < _MOST_FAILURES:
        if sitting.plan.trials is not None and len(journal.trials()) >= sitting.plan.trials:
            return
        tried, costs, left = _tried(journal, TUNED), sitting.costs(), sitting.seconds_left(fine_tuning=True)

        def fits(params: Mapping[str, Any], tried: set[str] = tried, costs: Costs = costs, left: float = left) -> bool:
            needed = 0.0 if params in begun else costs.tuned(params)  # one that was begun has most of it behind it
            return params_digest(params) not in tried and needed <= left

        waiting = [params for params in waiting if fits(params)]
        params = waiting[0] if waiting else journal.propose(TUNED, space, is_open=fits)
        if params is None:
            return
        done = _attempt(sitting, TUNED, params, space=space)
        failures = 0 if done else failures + 1
        _keep_best_states(sitting)


def _best_places(sitting: Sitting) -> list[Place]:
    """The places of lowest loss, each once, then that of default fine-tuning."""
    finished = [trial for trial in sitting.journal.trials() if trial.loss is not None]
    finished.sort(key=lambda trial: trial.loss or 0.0)
    best = list(dict.fromkeys(Place.of(trial.params) for trial in finished))[:_BEST_PLACES]
    return list(dict.fromkeys([*best, Place.of(sitting.tuned_default)]))


def _keep_best_states(sitting: Sitting) -> None:
    """Keep the states from which the last step may go on: of the best fine-tuning and of the default one."""
    best = best_trial(sitting.journal.trials(), TUNED)
    wanted = [sitting.tuned_default, *([] if best is None else [best.params])]
    kept = {params_digest(params) for params in wanted}
    for folder in (sitting.folder.path / "training").glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _attempt(sitting: Sitting, stage: Stage, params: Mapping[str, Any], *, space: Space | None = None) -> bool:
    """Make one trial and write down how it ended; return whether it could be done."""
    trial = _open(sitting, stage, params, space=space)
    watch = sitting.folder.trial_watch(params_digest(params))

    def ends() -> dict[str, float]:
        return {"seconds": round(watch.spent(), 3), "at": round(sitting.watch.save(), 3)}

    try:
        if stage == FROZEN:
            loss, facts = try_frozen(sitting.ground, params)
        else:
            folder = sitting.folder.training(params_digest(params))
            loss = try_tuned(sitting.ground, params, folder=folder, on_epoch=_watcher(sitting, params, trial, watch))
            facts = {}
        trial.finish(loss, facts=facts, **ends())
        said = f"validation loss {loss:.4f}"
    except _EndedEarlyError as ended:
        trial.prune(reason=str(ended), out_of_time=ended.out_of_time, **ends())
        said = str(ended)
    except StorageError:
        raise  # says nothing about the trial, which stays open and is begun anew next time
    except TumorlensError as error:
        trial.fail(reason=str(error), **ends())
        sitting.progress.say(f"{trial_words(params)}: failed. {error}")
        return False
    sitting.progress.say(_line(sitting, params, said))
    return True


def _open(sitting: Sitting, stage: Stage, params: Mapping[str, Any], *, space: Space | None = None) -> OpenTrial:
    return sitting.journal.begin(stage, params, space or sitting.space)


def _watcher(
    sitting: Sitting, params: Mapping[str, Any], trial: OpenTrial, watch: Stopwatch
) -> Callable[[EpochRecord], None]:
    """What looks at a training after each epoch; the default is never pruned: the rest is set against it."""
    is_default = params_digest(params) == params_digest(sitting.tuned_default)

    def look(record: EpochRecord) -> None:
        sitting.watch.save()
        watch.save()
        worse = trial.report(record.epoch, record.val_cross_entropy)
        if record.epoch >= params["epochs"]:
            return
        if worse and not is_default:
            raise _EndedEarlyError(f"pruned after epoch {record.epoch}, behind the median of others", out_of_time=False)
        if sitting.seconds_left(fine_tuning=True) <= 0:
            raise _EndedEarlyError(f"stopped after epoch {record.epoch}, the time was over", out_of_time=True)

    return look


def _tried(journal: SearchJournal, stage: Stage) -> set[str]:
    return {params_digest(trial.params) for trial in journal.trials() if trial.stage == stage}


def _line(sitting: Sitting, params: Mapping[str, Any], said: str) -> str:
    trials: list[Trial] = sitting.journal.trials()
    best = best_trial(trials)
    lowest = "" if best is None else f"; lowest so far {best.loss:.4f}"
    seconds = sitting.plan.seconds
    left = "" if seconds is None else f"; {duration(max(0.0, seconds - sitting.watch.spent()))} left"
    counted = f"Trial {len(trials)}" + ("" if sitting.plan.trials is None else f" of {sitting.plan.trials}")
    return f"{counted} ({trial_words(params)}): {said} in {duration(trials[-1].seconds)}{lowest}{left}."
