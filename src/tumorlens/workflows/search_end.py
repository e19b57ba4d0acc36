"""The last step of a search: the choice is written down, then the test part is opened, once for each run.

What was found and the defaults become ordinary runs. From the first opening on the ledger keeps any further trial out,
whatever becomes of the search's folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tumorlens.datasets import residual_neighbours
from tumorlens.errors import InputError
from tumorlens.reports import (
    DEFAULT,
    DEFAULT_TUNED,
    FOUND,
    Chosen,
    SearchRecord,
    search_plots,
    write_plots,
    write_search_page,
)
from tumorlens.training import Place, Trial, best_trial
from tumorlens.training.search_space import AS_STORED, FROZEN, TUNED
from tumorlens.workflows.compare import comparison_of
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fine_tune import fit_fine_tuned_run
from tumorlens.workflows.fit import fit_backbone
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.ledger import list_openings, record_opening
from tumorlens.workflows.prepared_scans import Scans
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.search_folder import SearchFolder
from tumorlens.workflows.search_stages import Sitting
from tumorlens.workflows.search_trials import fine_tune_settings, params_digest

__all__ = ["choose", "finish_search", "next_commands", "refuse_after_opening"]

_EXPLAINED = (FROZEN, TUNED)


def refuse_after_opening(sitting: Sitting, scans: Mapping[str, Scans]) -> None:
    """Keep trials out once a search opened the test part, under whatever name its scans go.

    Raises:
        InputError: The ledger holds such an opening.
    """
    context = sitting.ground.contexts[AS_STORED]
    openings = list_openings(context.workspace, _digests(scans))
    searched = [opening for opening in openings if opening.get("search")]
    if searched:
        raise InputError(
            f"The search {searched[0]['search']} opened this test part on {searched[0]['time']}, so no trial may "
            "follow: give another --seed (another split), or another --split, for a new search."
        )


def choose(trials: Sequence[Trial], default: Mapping[str, Any], tuned_default: Mapping[str, Any]) -> dict[str, Any]:
    """What was found, and the defaults it is set against, decided on the validation part alone.

    Args:
        trials: Every trial that ended.
        default: Parameters of the default configuration.
        tuned_default: Of default fine-tuning.

    Returns:
        By role, ``stage``, ``params`` and ``validation_loss``; default fine-tuning only where its trial finished.

    Raises:
        InputError: The default, or every trial, failed.
    """
    best = best_trial(trials)
    wanted: dict[str, Mapping[str, Any]] = {DEFAULT: default, DEFAULT_TUNED: tuned_default}
    found = {
        role: next((trial for trial in trials if trial.params == params and trial.loss is not None), None)
        for role, params in wanted.items()
    }
    if best is None or found[DEFAULT] is None:
        reasons = " ".join(dict.fromkeys(trial.reason for trial in trials if trial.state == "failed"))
        raise InputError(
            f"The default configuration could not be tried, so nothing can be set against it: remove the "
            f"search's folder to begin anew once that is mended. {reasons}"
        )
    chosen = {FOUND: best, **found}
    return {
        role: {"stage": trial.stage, "params": dict(trial.params), "validation_loss": trial.loss}
        for role, trial in chosen.items()
        if trial is not None
    }


def finish_search(
    sitting: Sitting,
    scans: Mapping[str, Scans],
    choice: Mapping[str, Any],
    *,
    budget: str | None,
    notes: Sequence[str],
) -> SearchRecord:
    """Make the runs, compute what is said of them, and write the record and its page.

    Args:
        sitting: The search, its trials over.
        scans: By crop, the whole data set with its split.
        choice: From :func:`choose`, written down before.
        budget: The time given, in words; ``None`` where trials were counted.
        notes: What else must be said.
    """
    contexts = {crop: _whole(sitting, found) for crop, found in scans.items()}
    runs: dict[str, RunRecord] = {}
    said = list(notes)
    for role in (FOUND, DEFAULT, DEFAULT_TUNED):
        if role not in choice:
            continue
        if role == DEFAULT_TUNED and not _has_time(sitting, choice):
            said.append("Default fine-tuning was tried but not made a run: the time was over.")
            continue
        runs[role] = _make_run(sitting, contexts, choice[role])
    if sitting.plan.fine_tunes and DEFAULT_TUNED not in choice:
        said.append(_no_default_tuned(sitting))
    distinct = list({run.name: run for run in runs.values()}.values())
    comparison = comparison_of(contexts[AS_STORED], distinct, best=runs[FOUND].name)
    validation = scans[AS_STORED].split.rows("validation")
    record = SearchRecord(
        search=sitting.folder.name,
        dataset=comparison.dataset,
        split_digest=comparison.split_digest,
        seed=contexts[AS_STORED].seed,
        budget=budget,
        wanted_trials=sitting.plan.trials,
        plan=sitting.plan.words(),
        seconds=round(sitting.watch.save(), 1),
        validation_scans=len(validation),
        validation_groups=len(np.unique(scans[AS_STORED].dataset.groups[validation])),
        trials=tuple(sitting.journal.trials()),
        chosen={role: Chosen(**choice[role], run=run.name) for role, run in runs.items()},
        importances={stage: _importances(sitting, stage) for stage in _stages(sitting)},
        test=comparison,
        openings=tuple(list_openings(contexts[AS_STORED].workspace, _digests(scans))),
        notes=tuple(said),
    )
    _write(sitting.folder, record)
    return record


def next_commands(record: SearchRecord) -> list[str]:
    """What to type next."""
    found = record.found.run
    return [f"tumorlens report {found}", f"tumorlens predict {found} SCAN.png"]


def _write(folder: SearchFolder, record: SearchRecord) -> None:
    plots = search_plots(record)
    write_plots(plots, folder.path / "plots", marks=record.test.marks)
    write_search_page(record, plots, folder.report, next_commands=next_commands(record))
    folder.write_result(record.to_json())


def _whole(sitting: Sitting, scans: Scans) -> RunContext:
    return replace(
        sitting.ground.contexts[AS_STORED],
        dataset=scans.dataset,
        split=scans.split,
        neighbours=residual_neighbours(scans.dataset, scans.split),
        search=sitting.folder.name,
    )


def _make_run(sitting: Sitting, contexts: Mapping[str, RunContext], chosen: Mapping[str, Any]) -> RunRecord:
    """An ordinary run of a configuration; one that is finished already is opened once more, for this search."""
    params = chosen["params"]
    place = Place.of(params)
    context, network = contexts[place.crop], sitting.ground.network(place)
    if chosen["stage"] == FROZEN:
        (run,) = fit_backbone(context, network, [HEADS[params["head"]]])
    else:
        begun = sitting.folder.training(params_digest(params))
        run = fit_fine_tuned_run(context, network, fine_tune_settings(params), begun=begun)
    sitting.watch.save()
    openings = list_openings(context.workspace, [context.split.digest])
    if not any((opening["run"], opening.get("search")) == (run.name, context.search) for opening in openings):
        record_opening(
            context.workspace,
            dataset=context.dataset.name,
            split_digest=context.split.digest,
            run=run.name,
            search=context.search,
            original_split=context.original_split,
        )
    return run


def _has_time(sitting: Sitting, choice: Mapping[str, Any]) -> bool:
    if sitting.plan.seconds is None or choice[FOUND]["params"] == choice[DEFAULT_TUNED]["params"]:
        return True
    place = Place.of(choice[DEFAULT_TUNED]["params"])
    return sitting.watch.spent() + sitting.costs().last_step([(place, True)]) <= sitting.plan.seconds


def _no_default_tuned(sitting: Sitting) -> str:
    params = sitting.tuned_default
    trial = next((trial for trial in sitting.journal.trials() if trial.params == params), None)
    if trial is not None:
        why = f"its trial {trial.state}: {trial.reason}"
    elif sitting.plan.seconds is None:
        why = "no trial was left for it"
    else:
        why = "its trial did not fit in the time"
    return f"Default fine-tuning is not among the runs: {why.rstrip('.')}."


def _stages(sitting: Sitting) -> tuple[Any, ...]:
    return _EXPLAINED if sitting.plan.fine_tunes else _EXPLAINED[:1]


def _importances(sitting: Sitting, stage: Any) -> dict[str, float] | None:
    """Of the parameters that had a choice."""
    found = sitting.journal.importances(stage)
    if found is None:
        return None
    trials = [trial for trial in sitting.journal.trials() if trial.stage == stage]
    return {name: value for name, value in found.items() if len({trial.params[name] for trial in trials}) > 1}


def _digests(scans: Mapping[str, Scans]) -> list[str]:
    return [digest for found in scans.values() for digest in (found.split.digest, found.original_split) if digest]
