"""The trials of a search in Optuna's journal: one plain file, only ever appended to.

A line that a kill cut short is taken out before the file is used: Optuna reads past it once and then never again.
Which configuration comes next follows from the seed and the trials that ended, so a search that was stopped goes on as
it would have. Knows nothing about networks or scans.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.errors import IntegrityError
from tumorlens.extras import require_extra
from tumorlens.training.search_space import FROZEN, TUNED, LogRange, Space, Stage, Trial, all_choices
from tumorlens.workspace import storage_errors

__all__ = ["LEAST_TRIALS_FOR_IMPORTANCE", "OpenTrial", "SearchJournal", "repair_journal"]

LEAST_TRIALS_FOR_IMPORTANCE = 8
"""With fewer finished trials of a stage nothing is said about what mattered."""

_RANDOM_FIRST = 5
_DRAWS, _DRAWS_WITHOUT_END = 16, 64  # where all that is left can be listed, and where it cannot
_UNPRUNED_TRIALS, _UNPRUNED_EPOCHS = 2, 2

_ENDS = {"finished": "COMPLETE", "pruned": "PRUNED", "stopped": "PRUNED", "failed": "FAIL"}
"""How trials end here, and in Optuna; one that a kill met between the two is begun anew."""


class SearchJournal:
    """The journal of one search; one process at a time may hold it.

    Args:
        path: The file; made when missing.
        seed: Seed of all that is drawn.

    Raises:
        MissingExtraError: Optuna is not installed.
        IntegrityError: The file is damaged elsewhere than at its end.
    """

    def __init__(self, path: Path, *, seed: int) -> None:
        require_extra("search", purpose="A search")
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            repair_journal(path)
            backend = JournalFileBackend(str(path), lock_obj=_NoLock())  # type: ignore[arg-type]
        self._optuna: Any = optuna
        self._seed = seed
        storage = optuna.storages.JournalStorage(backend)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS, n_warmup_steps=_UNPRUNED_EPOCHS)
        self._studies: dict[Stage, Any] = {
            stage: optuna.create_study(
                storage=storage, study_name=stage, direction="minimize", load_if_exists=True, pruner=pruner
            )
            for stage in (FROZEN, TUNED)
        }

    def trials(self) -> list[Trial]:
        """Every trial that ended, in the order in which they did; those given up by a kill are left out."""
        found = [
            _read(stage, trial)
            for stage, study in self._studies.items()
            for trial in study.get_trials(deepcopy=False)
            if _ENDS.get(trial.user_attrs.get("state")) == trial.state.name
        ]
        return sorted(found, key=lambda trial: trial.at)

    def give_up_running(self) -> list[tuple[Stage, dict[str, Any]]]:
        """End the trials that a kill left open; give back what they were, to be begun anew."""
        states = self._optuna.trial.TrialState
        given_up: list[tuple[Stage, dict[str, Any]]] = []
        for stage, study in self._studies.items():
            for trial in study.get_trials(states=(states.RUNNING,)):
                study.tell(trial.number, state=states.FAIL)
                given_up.append((stage, dict(trial.system_attrs.get("fixed_params", trial.params))))
        return given_up

    def begin(self, stage: Stage, params: Mapping[str, Any], space: Space) -> OpenTrial:
        """Open a trial of these parameters."""
        study, distributions = self._studies[stage], self._distributions(space)
        study.enqueue_trial(dict(params))
        trial = study.ask(distributions)
        while trial.params != dict(params):  # left over by a kill before it was begun
            study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            trial = study.ask(distributions)
        return OpenTrial(study, trial)

    def propose(
        self, stage: Stage, space: Space, *, is_open: Callable[[Mapping[str, Any]], bool]
    ) -> dict[str, Any] | None:
        """What to try next: drawn by the tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011).

        Args:
            stage: Whose trials count.
            space: What there is to choose from.
            is_open: Whether a configuration may still be tried.

        Returns:
            Parameters, or ``None`` where nothing that may be tried was found.
        """
        optuna = self._optuna
        states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        ended = self._studies[stage].get_trials(states=states)
        listed = all_choices(space)
        draws = _DRAWS_WITHOUT_END if listed is None else _DRAWS
        seeds = np.random.SeedSequence([self._seed, len(ended)]).generate_state(draws)
        for seed in seeds.tolist():
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_FIRST)
            draft = optuna.create_study(sampler=sampler)  # in memory: what is only considered leaves no trace
            draft.add_trials(ended)
            drawn = dict(draft.ask(self._distributions(space)).params)
            if is_open(drawn):
                return drawn
        rest = [choice for choice in listed or () if is_open(choice)]
        return rest[int(np.random.default_rng(seeds).integers(len(rest)))] if rest else None

    def importances(self, stage: Stage) -> dict[str, float] | None:
        """How much of the spread of the loss each parameter explains, by functional analysis of variance (Hutter et
        al., ICML 2014): shares that add up to 1, the largest first; ``None`` with too few trials, or where
        all are alike.
        """
        study, state = self._studies[stage], self._optuna.trial.TrialState.COMPLETE
        losses = {trial.value for trial in study.get_trials(deepcopy=False, states=(state,))}
        n_finished = sum(trial.stage == stage and trial.state == "finished" for trial in self.trials())
        if n_finished < LEAST_TRIALS_FOR_IMPORTANCE or len(losses) < 2:
            return None
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self._seed)
        found = self._optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(value) for name, value in found.items()}

    def _distributions(self, space: Space) -> dict[str, Any]:
        kinds = self._optuna.distributions
        return {
            name: kinds.FloatDistribution(values.low, values.high, log=True)
            if isinstance(values, LogRange)
            else kinds.CategoricalDistribution(tuple(values))
            for name, values in space.items()
        }


class OpenTrial:
    """A trial that was begun; exactly one of its ends is to be called."""

    def __init__(self, study: Any, trial: Any) -> None:
        self._study = study
        self._trial = trial

    def report(self, epoch: int, loss: float) -> bool:
        """Note the validation loss after an epoch; return whether others were better at the same one (their median)."""
        self._trial.report(loss, epoch)
        return bool(self._trial.should_prune())

    def finish(self, loss: float, *, seconds: float, at: float, facts: Mapping[str, Any] | None = None) -> None:
        """It came to its end."""
        self._end("finished", loss, seconds=seconds, at=at, facts=facts)

    def prune(self, *, seconds: float, at: float, reason: str, out_of_time: bool = False) -> None:
        """It was ended before its time."""
        self._end("stopped" if out_of_time else "pruned", seconds=seconds, at=at, reason=reason)

    def fail(self, *, seconds: float, at: float, reason: str) -> None:
        """It could not be done."""
        self._end("failed", seconds=seconds, at=at, reason=reason)

    def _end(
        self,
        state: str,
        loss: float | None = None,
        *,
        seconds: float,
        at: float,
        reason: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        from optuna.trial import TrialState

        values = {"seconds": seconds, "at": at, "reason": reason, "facts": dict(facts or {}), "state": state}
        for name, value in values.items():
            self._trial.set_user_attr(name, value)
        self._study.tell(self._trial, loss, state=TrialState[_ENDS[state]])


class _NoLock:
    """In the place of Optuna's own lock, whose file a kill leaves behind: the search's folder is locked already."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        """Nothing was taken."""


def repair_journal(path: Path) -> bool:
    """Take out a last line that a kill cut short; return whether there was one.

    Raises:
        IntegrityError: Another line is damaged.
    """
    if not path.is_file():
        return False
    data = path.read_bytes()
    *lines, rest = data.split(b"\n")
    if lines and not rest and not _is_whole(lines[-1]):
        rest = lines.pop() + b"\n"
    for number, line in enumerate(lines, start=1):
        if not _is_whole(line):
            raise IntegrityError(
                f"Line {number} of {path} is damaged: remove the folder {path.parent} to begin the search anew."
            )
    if not rest:
        return False
    with path.open("r+b") as file:
        file.truncate(len(data) - len(rest))
    return True


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _read(stage: Stage, trial: Any) -> Trial:
    epochs = tuple(value for _, value in sorted(trial.intermediate_values.items()))
    loss = trial.value if trial.user_attrs["state"] == "finished" else None
    return Trial(stage=stage, params=dict(trial.params), loss=loss, epochs=epochs, **trial.user_attrs)
