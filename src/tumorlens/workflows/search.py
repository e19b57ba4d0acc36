"""The hyper-parameter search: what is set up, what is refused, and in which order it goes.

Trials know the training and validation parts alone (:mod:`tumorlens.workflows.search_ground`); the test part is opened
once, by the runs at the end (:mod:`tumorlens.workflows.search_end`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset, ResidualNeighbours, load_dataset
from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.features import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import SearchRecord, search_to_rich
from tumorlens.training import Plan, SearchJournal, budget_words
from tumorlens.training.search_space import AS_STORED, frozen_space
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.prepared_scans import Scans
from tumorlens.workflows.runs import RunRecord, find_run
from tumorlens.workflows.search_end import choose, finish_search, next_commands, refuse_after_opening
from tumorlens.workflows.search_folder import SearchFolder, Stopwatch
from tumorlens.workflows.search_ground import Ground, find_scans, stand_on
from tumorlens.workflows.search_settings import SearchSettings, as_begun, search_options, search_weights, shown_options
from tumorlens.workflows.search_stages import Sitting, run_trials
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace, remove_leftovers

__all__ = ["SearchResult", "search_dataset"]


@dataclass(frozen=True)
class SearchResult:
    """A finished search and where it lies.

    Attributes:
        record: Trials, choice and test figures.
        folder: Journal, plots and report.
        run: What was found, as an ordinary run.
    """

    record: SearchRecord
    folder: Path
    run: RunRecord

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.folder / "report.html"

    @property
    def best(self) -> Predictor:
        """The model that was found, ready to predict."""
        return Predictor(self.run.bundle)

    @property
    def next_commands(self) -> list[str]:
        """What to type next."""
        return next_commands(self.record)

    def table(self) -> None:
        """Print the best trials and the test figures."""
        Console(highlight=False).print(search_to_rich(self.record))

    def to_json(self) -> dict[str, Any]:
        """The document of ``search --json``."""
        return {**self.record.to_json(), "report": str(self.report)}


def search_dataset(
    dataset: str | Dataset,
    settings: SearchSettings,
    *,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> SearchResult:
    """Search for a better configuration than the default, or go on with a search that was stopped.

    One search belongs to one split: once its test part was opened at the end, the same call shows the result, and any
    other is refused.

    Args:
        dataset: The data set or its name.
        settings: What is searched over, and for how long.
        workspace: Where things are kept.
        threads: CPU threads; all by default.
        progress: Told of all long work.

    Returns:
        What was found, set against the default.

    Raises:
        InputError: A setting cannot be used, the search was begun with other ones or is finished, another process is at
            it, or the time is too short for one trial.
        MissingExtraError: Optuna is not installed.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    require_extra("search", purpose="A search")
    settings.plan()
    scans = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    split = prepare_split(scans, protocol="grouped", seed=settings.seed, split_file=settings.split_file)
    if split.leaky:
        raise InputError(
            "A search is judged on whole groups, but this split cuts through them: give a grouped --split."
        )
    HEADS["linear"].check(scans, split, settings.seed)
    folder = SearchFolder(workspace.searches / f"{scans.name}-{split.digest[:8]}")
    with folder.locked():
        remove_leftovers(workspace.root)
        noted, document = folder.options(), folder.result()
        settings = as_begun(settings, noted)
        if noted is not None and document is not None:
            folder.settle(shown_options(settings, noted))
            record = _finished(folder, SearchRecord.from_json(document), settings)
        else:
            plan = settings.plan()
            weights = search_weights(settings, progress)
            folder.settle(search_options(settings, plan, scans, split, weights))
            watch = Stopwatch(folder.stopwatch)
            progress.say(f"Search {folder.name}: {plan.words()}.")
            stored = Scans(scans, split)
            by_crop, notes = find_scans(stored, crop=settings.crop, workspace=workspace, progress=progress)
            folder.settle_crops(list(by_crop))
            watch.save()
            for note in notes:
                progress.say(note)
            with FeatureStore(workspace.features) as store:
                context = RunContext(
                    workspace=workspace,
                    dataset=scans,
                    split=split,
                    neighbours=ResidualNeighbours(0, 0, 0),
                    store=store,
                    size=max(settings.sizes),
                    seed=settings.seed,
                    threads=threads,
                    refit=False,
                    progress=progress,
                )
                ground = stand_on(context, by_crop, weights)
                record = _search(folder, ground, scans=by_crop, settings=settings, plan=plan, watch=watch, notes=notes)
    assert record.found.run is not None
    return SearchResult(record, folder.path, find_run(workspace, record.found.run))


def _search(
    folder: SearchFolder,
    ground: Ground,
    *,
    scans: Mapping[str, Scans],
    settings: SearchSettings,
    plan: Plan,
    watch: Stopwatch,
    notes: Sequence[str],
) -> SearchRecord:
    """Trials, choice, last step; whatever of it was done before is not done again."""
    context = ground.contexts[AS_STORED]
    sitting = Sitting(
        ground=ground,
        space=frozen_space(tuple(ground.weights), settings.sizes, tuple(scans)),
        default=settings.default(tuple(ground.weights)),
        plan=plan,
        journal=SearchJournal(folder.journal, seed=settings.seed),
        folder=folder,
        watch=watch,
        progress=context.progress,
    )
    choice = folder.choice()
    if choice is None:
        refuse_after_opening(sitting, scans)
        run_trials(sitting)
        choice = choose(sitting.journal.trials(), sitting.default, sitting.tuned_default)
        folder.write_choice(choice)
    context.progress.say("Trials are over. The test part is opened now, once for each run.")
    budget = None if plan.seconds is None else budget_words(plan.seconds)
    return finish_search(sitting, scans, choice, budget=budget, notes=notes)


def _finished(folder: SearchFolder, record: SearchRecord, settings: SearchSettings) -> SearchRecord:
    """The finished search, for the command that made it."""
    given = None if settings.seconds is None else budget_words(settings.seconds)
    if (given, settings.trials) != (record.budget, record.wanted_trials):
        opened = record.own_openings[0]["time"] if record.own_openings else record.test.created
        before = f"--budget {record.budget}" if record.budget else f"--trials {record.wanted_trials}"
        raise InputError(
            f"The search {folder.name} is finished: its test part was opened on {opened}, so no trial may follow. Give "
            f"another --seed (another split), or another --split, for a new search, or {before} to see this one."
        )
    return record
