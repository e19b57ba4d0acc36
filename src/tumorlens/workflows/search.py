"""The hyper-parameter search: what is set up, what is refused, and in which order it goes.

Trials know the training and validation parts alone (:mod:`tumorlens.workflows.search_ground`); the test part is opened
once, by the runs at the end (:mod:`tumorlens.workflows.search_end`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from tumorlens.backbones import BackboneSpec, Weights, find_backbone
from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset, ResidualNeighbours, Split, load_dataset
from tumorlens.errors import InputError
from tumorlens.extras import has_extra, require_extra
from tumorlens.features import FeatureStore
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import SearchRecord, search_to_rich
from tumorlens.training import Plan, SearchJournal, budget_words
from tumorlens.training.search_space import AS_STORED, frozen_space
from tumorlens.workflows.backbone_facts import list_backbones
from tumorlens.workflows.compare import CompareSettings, find_weights
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.runs import RunRecord, find_run
from tumorlens.workflows.search_end import choose, finish_search, next_commands, refuse_after_opening
from tumorlens.workflows.search_folder import SearchFolder, Stopwatch
from tumorlens.workflows.search_ground import Ground, Scans, find_scans, without_test
from tumorlens.workflows.search_stages import Sitting, run_trials
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace, remove_leftovers

__all__ = ["DEFAULT_BUDGET", "DEFAULT_SIZES", "SearchResult", "SearchSettings", "search_dataset"]

DEFAULT_BUDGET = 30 * 60
"""Seconds of a search for which neither time nor trials are given."""

DEFAULT_SIZES = (160, 240, 320)
"""Sides of the networks' input that are tried, pixels."""

_DEFAULT_BACKBONE, _DEFAULT_SIZE = "efficientnet-lite0", 240


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """What is searched over, and for how long.

    Attributes:
        budget: Seconds in all, the last step included as far as it can be known; ``None`` with ``trials``.
        trials: Number of trials instead.
        backbones: Names of networks; ``None``: EfficientNet-Lite0, those whose weights are at hand, and those that
            ``weights`` names.
        sizes: Sides of the networks' square input in pixels. The default configuration has 240, or the nearest.
        crop: Whether scans cut around the head are tried too.
        fine_tune: Whether networks are fine-tuned; ``None``: where the extra ``train`` is installed.
        weights: ``imagenet``, ``random``, a file for the only network, or ``BACKBONE=FILE``.
        weights_dir: Folder with weight files under Keras' names.
        seed: Seed of split, trials, heads and bootstrap.
        split_file: A split to use instead of making one.
    """

    budget: int | None = None
    trials: int | None = None
    backbones: tuple[str, ...] | None = None
    sizes: tuple[int, ...] = DEFAULT_SIZES
    crop: bool = True
    fine_tune: bool | None = None
    weights: tuple[str, ...] = ("imagenet",)
    weights_dir: Path | None = None
    seed: int = 0
    split_file: Path | None = None

    def plan(self) -> Plan:
        """How time or trials are divided.

        Raises:
            InputError: Both are given, or too few trials.
            MissingExtraError: Fine-tuning is asked for and TensorFlow is not installed.
        """
        if self.budget is not None and self.trials is not None:
            raise InputError("Expected --budget or --trials, got both: leave one out.")
        if self.trials is not None and self.trials < 1:
            raise InputError(f"Expected --trials 1 or more, got {self.trials}.")
        if self.fine_tune:
            require_extra("train", purpose="Fine-tuning")
        fine_tunes = has_extra("train") if self.fine_tune is None else self.fine_tune
        seconds = None if self.trials is not None else float(self.budget or DEFAULT_BUDGET)
        return Plan(seconds, self.trials, fine_tunes)

    def default(self, backbones: tuple[str, ...]) -> dict[str, Any]:
        """The configuration that stands without a search."""
        backbone = _DEFAULT_BACKBONE if _DEFAULT_BACKBONE in backbones else backbones[0]
        size = min(self.sizes, key=lambda size: abs(size - _DEFAULT_SIZE))
        return {"backbone": backbone, "size": size, "crop": AS_STORED, "head": "linear"}


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
    plan = settings.plan()
    scans = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    split = prepare_split(scans, protocol="grouped", seed=settings.seed, split_file=settings.split_file)
    HEADS["linear"].check(scans, split, settings.seed)
    folder = SearchFolder(workspace.searches / f"{scans.name}-{split.digest[:8]}")
    with folder.locked():
        remove_leftovers(workspace.root)
        weights = _weights(settings, progress)
        folder.settle(_options(settings, plan, scans, split, weights))
        document = folder.result()
        if document is None:
            record = _search(folder, settings, plan, weights, Scans(scans, split), workspace, threads, progress)
        else:
            record = _finished(folder, SearchRecord.from_json(document), settings, plan)
    assert record.found.run is not None
    return SearchResult(record, folder.path, find_run(workspace, record.found.run))


def _search(
    folder: SearchFolder,
    settings: SearchSettings,
    plan: Plan,
    weights: Mapping[str, tuple[BackboneSpec, Weights]],
    stored: Scans,
    workspace: Workspace,
    threads: int | None,
    progress: Progress,
) -> SearchRecord:
    watch = Stopwatch(folder.stopwatch)
    progress.say(f"Search {folder.name}: {plan.words()}.")
    by_crop, notes = find_scans(
        stored.dataset, stored.split, crop=settings.crop, workspace=workspace, progress=progress
    )
    for note in notes:
        progress.say(note)
    backbones = tuple(weights)
    with FeatureStore(workspace.features) as store:
        watch.save()
        context = RunContext(
            workspace=workspace,
            dataset=stored.dataset,
            split=stored.split,
            neighbours=ResidualNeighbours(0, 0, 0),
            store=store,
            size=_DEFAULT_SIZE,
            seed=settings.seed,
            threads=threads,
            refit=False,
            progress=progress,
        )
        contexts = {
            crop: without_test(replace(context, dataset=scans.dataset, split=scans.split))
            for crop, scans in by_crop.items()
        }
        sitting = Sitting(
            ground=Ground(contexts, weights, len(stored.dataset)),
            space=frozen_space(backbones, settings.sizes, tuple(by_crop)),
            default=settings.default(backbones),
            plan=plan,
            journal=SearchJournal(folder.journal, seed=settings.seed),
            folder=folder,
            watch=watch,
            progress=progress,
        )
        choice = folder.choice()
        if choice is None:
            refuse_after_opening(sitting, by_crop)
            run_trials(sitting)
            choice = choose(sitting.journal.trials(), sitting.default)
            folder.write_choice(choice)
        progress.say("Trials are over. The test part is opened now, once for each run.")
        budget = None if plan.seconds is None else budget_words(plan.seconds)
        return finish_search(sitting, by_crop, choice, budget=budget, notes=notes)


def _finished(folder: SearchFolder, record: SearchRecord, settings: SearchSettings, plan: Plan) -> SearchRecord:
    """The finished search, for the command that made it."""
    given = None if plan.seconds is None else budget_words(plan.seconds)
    if (given, plan.trials) != (record.budget, record.wanted_trials):
        opened = record.own_openings[0]["time"] if record.own_openings else record.test.created
        before = f"--budget {record.budget}" if record.budget else f"--trials {record.wanted_trials}"
        raise InputError(
            f"The search {folder.name} is finished: its test part was opened on {opened}, so no trial may follow. Give "
            f"another --seed (another split), or another --split, for a new search, or {before} to see this one."
        )
    return record


def _weights(settings: SearchSettings, progress: Progress) -> dict[str, tuple[BackboneSpec, Weights]]:
    """Networks and weights, in order of their names but for the first."""
    names = settings.backbones
    if names is None:
        at_hand = [str(row["name"]) for row in list_backbones(settings.weights_dir) if row["weights_at_hand"]]
        named = [word.partition("=")[0] for word in settings.weights if "=" in word]
        names = tuple(dict.fromkeys([_DEFAULT_BACKBONE, *at_hand, *named]))
    if not names:
        raise InputError("Expected at least one network after --backbones: tumorlens backbones list names them.")
    if not settings.sizes:
        raise InputError("Expected at least one size after --sizes, such as 160,240.")
    specs = [find_backbone(name) for name in names]
    words = CompareSettings(backbones=names, weights=settings.weights, weights_dir=settings.weights_dir)
    return {spec.name: (spec, found) for spec, found in zip(specs, find_weights(specs, words, progress), strict=True)}


def _options(
    settings: SearchSettings,
    plan: Plan,
    scans: Dataset,
    split: Split,
    weights: Mapping[str, tuple[BackboneSpec, Weights]],
) -> dict[str, Any]:
    """What must stay the same for trials of one search to belong together."""
    return {
        "dataset": scans.name,
        "manifest_digest": scans.digest,
        "split_digest": split.digest,
        "seed": settings.seed,
        "backbones": {name: found.sha256 for name, (_, found) in weights.items()},
        "sizes": list(settings.sizes),
        "crop": settings.crop,
        "fine_tuning": plan.fine_tunes,
        "version_of_tumorlens": version("tumorlens"),
    }
