"""A search: what trials are given, that it goes on after a stop, and that the test part is opened once, at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tumorlens.workflows.search as search
import tumorlens.workflows.search_settings as search_settings
import tumorlens.workflows.search_stages as stages
from tumorlens.datasets import Dataset, load_dataset, save_split, split_like_study
from tumorlens.errors import InputError, StorageError
from tumorlens.extras import has_extra
from tumorlens.training import EpochRecord
from tumorlens.workflows.ledger import list_openings
from tumorlens.workflows.runs import find_run
from tumorlens.workflows.search import SearchResult, search_dataset
from tumorlens.workflows.search_settings import SearchSettings
from tumorlens.workspace import Workspace

pytest.importorskip("optuna")

_SETTINGS = SearchSettings(trials=4, sizes=(64,), backbones=("efficientnet-lite0",), fine_tune=False)
_TUNED = replace(_SETTINGS, trials=6, fine_tune=True, crop=False, sizes=(64, 96))


def _copy(tiny_study, folder: Path) -> Workspace:
    """The small data set in a workspace of its own, with networks converted already."""
    workspace = Workspace.locate(folder).create()
    for name in ("datasets", "graphs"):
        if (tiny_study.workspace.root / name).exists():
            shutil.copytree(tiny_study.workspace.root / name, workspace.root / name)
    shutil.rmtree(workspace.datasets / "tiny" / "splits", ignore_errors=True)
    return workspace


@pytest.fixture
def place(tiny_study, tmp_path: Path) -> Workspace:
    return _copy(tiny_study, tmp_path / "workspace")


@pytest.fixture(scope="module")
def finished(tiny_study, tiny_comparison, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, SearchResult]:
    workspace = _copy(tiny_study, tmp_path_factory.mktemp("search") / "workspace")
    return workspace, search_dataset("tiny", _SETTINGS, workspace=workspace)


class _ChoiceMadeError(Exception):
    """In the place of the last step."""


def _until_choice(monkeypatch: pytest.MonkeyPatch, dataset: str | Dataset, settings, workspace: Workspace) -> dict:
    """The choice of a search that ends before the test part is opened."""

    def stop(*_: object, **__: object) -> None:
        raise _ChoiceMadeError

    monkeypatch.setattr(search, "finish_search", stop)
    with pytest.raises(_ChoiceMadeError):
        search_dataset(dataset, settings, workspace=workspace)
    (folder,) = workspace.searches.iterdir()
    return json.loads((folder / "choice.json").read_text())


def _trials(workspace: Workspace) -> list:
    (folder,) = workspace.searches.iterdir()
    return stages.SearchJournal(folder / "journal.log", seed=0).trials()


def test_the_default_comes_first_and_the_lowest_loss_is_found(finished) -> None:
    record = finished[1].record
    assert record.trials[0].params == {"backbone": "efficientnet-lite0", "size": 64, "crop": "stored", "head": "linear"}
    assert len({str(trial.params) for trial in record.trials}) == 4
    losses = [trial.loss for trial in record.trials]
    assert record.found.validation_loss == min(losses)
    assert {trial.params["crop"] for trial in record.trials} == {"stored", "brain"}
    assert record.validation_scans == 8


def test_its_runs_are_ordinary_ones(finished) -> None:
    workspace, result = finished
    run = result.run
    assert run.bundle.is_dir() and run.row.val_loss == pytest.approx(result.record.found.validation_loss, abs=1e-4)
    with load_dataset(workspace, "tiny").open_pixels() as pixels:
        scan = np.array(pixels.get(load_dataset(workspace, "tiny").digests[0]))
    assert result.best.predict(scan).probabilities
    assert result.report.is_file() and (result.folder / "plots" / "losses.png").is_file()


def test_the_test_part_is_opened_once_for_each_run(finished) -> None:
    workspace, result = finished
    own = result.record.own_openings
    assert [one["run"] for one in own] == list(dict.fromkeys(chosen.run for chosen in result.record.chosen.values()))
    lines = [json.loads(line) for line in workspace.ledger.read_text().splitlines() if line]
    assert [line["search"] for line in lines] == [result.record.search] * len(own)
    assert result.record.openings_before == 0


def test_the_same_call_shows_it_and_opens_nothing(finished) -> None:
    workspace, result = finished
    before = workspace.ledger.read_bytes()
    again = search_dataset("tiny", _SETTINGS, workspace=workspace)
    assert again.to_json() == result.to_json()
    assert workspace.ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": 9}, "is finished: its test part was opened on .* another --seed"),
        ({"trials": None, "budget": 600}, "or --trials 4 to see this one"),
        ({"sizes": (96,)}, "was begun with sizes 64, not 96"),
    ],
)
def test_going_on_with_it_is_refused(finished, changes, said) -> None:
    with pytest.raises(InputError, match=said):
        search_dataset("tiny", replace(_SETTINGS, **changes), workspace=finished[0])


def test_the_ledger_refuses_even_where_the_folder_is_gone(finished, tmp_path: Path) -> None:
    workspace = Workspace.locate(shutil.copytree(finished[0].root, tmp_path / "copy"))
    shutil.rmtree(workspace.searches)
    with pytest.raises(InputError, match="opened this test part on .*no trial may follow"):
        search_dataset("tiny", _SETTINGS, workspace=workspace)


def test_a_stop_in_the_last_step_is_made_good_without_another_trial(monkeypatch, finished, tmp_path: Path) -> None:
    workspace = Workspace.locate(shutil.copytree(finished[0].root, tmp_path / "copy"))
    (workspace.searches / finished[1].folder.name / "result.json").unlink()
    monkeypatch.setattr(search, "run_trials", lambda sitting: pytest.fail("a trial after the choice"))
    ledger = workspace.ledger.read_bytes()
    record = search_dataset("tiny", _SETTINGS, workspace=workspace).record
    assert (record.found, record.trials) == (finished[1].record.found, finished[1].record.trials)
    assert workspace.ledger.read_bytes() == ledger


def test_every_key_is_documented(finished) -> None:
    document = finished[1].to_json()
    text = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
    named = set(re.findall(r"`([^`\n]+)`", text.split("## `search`")[1].split("\n## ")[0]))
    chosen = document["chosen"]["found"]
    keys = {*document, *document["trials"][0], *document["openings"][0], *document["chosen"], *chosen}
    assert keys - named == set()


def test_labels_of_other_parts_change_nothing(monkeypatch, tiny_study, tmp_path: Path) -> None:
    choices = []
    for name in ("as they are", "turned"):
        workspace = _copy(tiny_study, tmp_path / name)
        dataset = load_dataset(workspace, "tiny")
        if choices:
            split = search.prepare_split(dataset, protocol="grouped", seed=0)
            labels = dataset.manifest["label"].to_numpy(copy=True)
            for part in ("test", "calibration"):
                rows = split.rows(part)
                labels[rows] = labels[rows][::-1]
            assert (labels != dataset.manifest["label"]).any()
            dataset = replace(dataset, manifest=dataset.manifest.assign(label=labels))
        choices.append(_until_choice(monkeypatch, dataset, replace(_SETTINGS, crop=False), workspace))
        assert not workspace.ledger.exists() and not workspace.runs.exists()
    assert choices[0] == choices[1]


def test_trials_hold_no_row_of_the_test_part(monkeypatch, place: Workspace) -> None:
    given = []
    monkeypatch.setattr(search, "run_trials", lambda sitting: given.append(sitting.ground) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search_dataset("tiny", _SETTINGS, workspace=place)
    for crop, name in (("stored", "tiny"), ("brain", "tiny-brain")):
        dataset, context = load_dataset(place, name), given[0].contexts[crop]
        (file,) = dataset.splits.glob("*.json")
        parts = json.loads(file.read_text())["parts"]
        kept = sorted([*parts["train"], *parts["validation"]])
        assert context.dataset.digests.tolist() == dataset.digests[kept].tolist()
        assert set(context.split.parts) == {"train", "validation"}


def test_it_goes_on_after_a_stop_with_the_trial_that_was_open(monkeypatch, finished, place: Workspace) -> None:
    work, calls = stages.try_frozen, []

    def stop_at_third(ground, params):
        calls.append(params)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return work(ground, params)

    monkeypatch.setattr(stages, "try_frozen", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        search_dataset("tiny", _SETTINGS, workspace=place)
    choice = _until_choice(monkeypatch, "tiny", _SETTINGS, place)
    assert len(calls) == 5 and calls[2] == calls[3]
    record = finished[1].record
    assert [trial.params for trial in _trials(place)] == [trial.params for trial in record.trials]
    assert choice["found"]["params"] == record.found.params


def test_a_crop_that_comes_later_is_a_sentence(monkeypatch, tiny_study, place: Workspace) -> None:
    shutil.copytree(tiny_study.dataset.path, place.datasets / "tiny-brain")
    _until_choice(monkeypatch, "tiny", _SETTINGS, place)
    shutil.rmtree(place.datasets / "tiny-brain")
    with pytest.raises(InputError, match="was begun with scans stored, and now they are stored, brain"):
        search_dataset("tiny", _SETTINGS, workspace=place)


def test_defaults_stay_those_it_was_begun_with() -> None:
    noted = {"backbones": {"vgg16": "a" * 64}, "fine_tuning": False}
    open_settings = replace(_SETTINGS, backbones=None, fine_tune=None)
    begun = search_settings.as_begun(open_settings, noted)
    assert (begun.backbones, begun.fine_tune) == (("vgg16",), False)
    assert search_settings.as_begun(_SETTINGS, noted) == _SETTINGS
    assert search_settings.as_begun(open_settings, None) == open_settings


def test_a_full_disk_says_nothing_about_a_trial(monkeypatch, place: Workspace) -> None:
    work, calls = stages.try_frozen, []

    def full(ground, params):
        calls.append(params)
        if len(calls) == 1:
            raise StorageError("The disk is full.")
        return work(ground, params)

    monkeypatch.setattr(stages, "try_frozen", full)
    with pytest.raises(StorageError):
        search_dataset("tiny", _SETTINGS, workspace=place)
    _until_choice(monkeypatch, "tiny", _SETTINGS, place)
    assert calls[0] == calls[1] and len(_trials(place)) == 4


def test_a_second_process_is_told_of_the_first(monkeypatch, place: Workspace) -> None:
    monkeypatch.setattr(search, "run_trials", lambda sitting: _refused(place))
    with pytest.raises(_ChoiceMadeError):
        search_dataset("tiny", _SETTINGS, workspace=place)


def _refused(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="Another process is at the search tiny-"):
        search_dataset("tiny", _SETTINGS, workspace=workspace)
    raise _ChoiceMadeError


def test_too_little_time_is_a_sentence(monkeypatch, place: Workspace) -> None:
    monkeypatch.setattr(stages, "_frozen_cost", lambda sitting, params: 500.0)
    with pytest.raises(InputError, match=r"takes about 8 min 20 s: give --budget 1\dm or more"):
        search_dataset("tiny", replace(_SETTINGS, trials=None, budget=120, crop=False), workspace=place)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"budget": 600}, "got both"), ({"trials": 0}, "1 or more"), ({"sizes": ()}, "at least one size")],
)
def test_settings_that_do_not_fit_are_refused(place: Workspace, changes, said) -> None:
    with pytest.raises(InputError, match=said):
        search_dataset("tiny", replace(_SETTINGS, **changes), workspace=place)


def test_a_split_through_groups_is_refused(place: Workspace, tmp_path: Path) -> None:
    save_split(split_like_study(load_dataset(place, "tiny")), tmp_path / "study.json")
    with pytest.raises(InputError, match="judged on whole groups"):
        search_dataset("tiny", replace(_SETTINGS, split_file=tmp_path / "study.json"), workspace=place)


def _record(epoch: int, loss: float) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        train_loss=loss,
        train_cross_entropy=loss,
        train_accuracy=0.5,
        val_loss=loss,
        val_cross_entropy=loss,
        val_accuracy=0.5,
    )


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Fine-tuning that takes no time: the first is good, each next one worse; what was asked for."""
    asked: list[dict] = []
    monkeypatch.setattr(search_settings, "has_extra", lambda extra: True)
    monkeypatch.setattr(search_settings, "require_extra", lambda extra, purpose: None)

    def tune(ground, params, *, folder, on_epoch):
        asked.append(dict(params))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state.npz").touch()
        loss = 0.01 * len(asked)
        for epoch in range(1, params["epochs"] + 1):
            on_epoch(_record(epoch, loss))
        return loss

    monkeypatch.setattr(stages, "try_tuned", tune)
    return asked


def test_fine_tuning_follows_where_cached_features_did_best(monkeypatch, place: Workspace, pretended) -> None:
    choice = _until_choice(monkeypatch, "tiny", _TUNED, place)
    trials = _trials(place)
    assert [trial.stage for trial in trials] == ["frozen"] * 3 + ["fine-tuned"] * 3
    assert pretended[0] == stages.default_tuned(stages.Place("efficientnet-lite0", 96, "stored"))
    assert [trial.state for trial in trials[3:]] == ["finished", "finished", "pruned"]
    assert choice["found"] == choice["default_fine_tuned"] and choice["found"]["stage"] == "fine-tuned"
    (folder,) = place.searches.iterdir()
    assert [path.name for path in (folder / "training").iterdir()] == [stages.params_digest(pretended[0])]


def test_a_fine_tuning_that_was_stopped_is_the_next_one(monkeypatch, place: Workspace, pretended) -> None:
    work, stopped = stages.try_tuned, []

    def stop(ground, params, *, folder, on_epoch):
        if len(pretended) == 1 and not stopped:
            stopped.append(dict(params))
            on_epoch(_record(1, 0.5))
            raise KeyboardInterrupt
        return work(ground, params, folder=folder, on_epoch=on_epoch)

    monkeypatch.setattr(stages, "try_tuned", stop)
    with pytest.raises(KeyboardInterrupt):
        search_dataset("tiny", _TUNED, workspace=place)
    _until_choice(monkeypatch, "tiny", _TUNED, place)
    assert pretended[1] == stopped[0] != pretended[0]


def test_no_trial_begins_that_does_not_fit(monkeypatch, place: Workspace, pretended) -> None:
    monkeypatch.setattr(stages.Costs, "tuned", lambda self, params: 0.0 if params["epochs"] == 4 else 1e6)
    monkeypatch.setattr(stages, "_MOST_FAILURES", 1)
    settings = replace(_TUNED, trials=None, budget=3600, sizes=(64,))

    def three(ground, params, *, folder, on_epoch):
        assert params["epochs"] == 4
        pretended.append(dict(params))
        if len(pretended) == 3:
            raise InputError("enough")
        return 0.5

    monkeypatch.setattr(stages, "try_tuned", three)
    choice = _until_choice(monkeypatch, "tiny", settings, place)
    assert len(pretended) == 3 and "default_fine_tuned" not in choice
    assert _trials(place)[-1].reason == "enough"


def test_a_training_ends_when_the_time_is_over(monkeypatch, place: Workspace, pretended) -> None:
    left = iter([1e9, 1e9, 1e9, 1e9, 0.0, *[-1.0] * 9])
    monkeypatch.setattr(stages.Sitting, "seconds_left", lambda self, fine_tuning: next(left) if fine_tuning else 1e9)
    choice = _until_choice(monkeypatch, "tiny", replace(_TUNED, trials=None, budget=3600, sizes=(64,)), place)
    last = _trials(place)[-1]
    assert (last.stage, last.state, last.loss, len(last.epochs)) == ("fine-tuned", "stopped", None, 4)
    assert choice["found"]["stage"] == "frozen"


def _epochs(workspace: Workspace) -> list[float]:
    """Validation loss after each epoch in the state of the only training."""
    for file in workspace.searches.glob("*/training/*/state.npz"):
        with np.load(file, allow_pickle=False) as state:
            return [epoch["val_loss"] for epoch in json.loads(str(state["facts"]))["history"]]
    return []


@pytest.mark.slow
@pytest.mark.skipif(not has_extra("train"), reason="TensorFlow is not installed")
def test_a_killed_fine_tuning_goes_on_and_is_not_trained_again_at_the_end(monkeypatch, place: Workspace) -> None:
    words = ["--trials", "2", "--sizes", "64", "--backbones", "efficientnet-lite0", "--no-crop"]
    command = [sys.executable, "-m", "tumorlens", "search", "tiny", "--workspace", str(place.root), *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    clocks = "*/training/*/clock.json"
    while not (_epochs(place) and list(place.searches.glob(clocks))) and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (begun := _epochs(place)) and not list(place.searches.glob("*/choice.json"))
    (clock,) = place.searches.glob(clocks)
    before = json.loads(clock.read_text())["seconds"]
    settings = replace(_SETTINGS, trials=2, crop=False, fine_tune=True)
    record = search_dataset("tiny", settings, workspace=place).record
    frozen, tuned = record.trials
    assert (frozen.stage, tuned.stage) == ("frozen", "fine-tuned")
    assert list(tuned.epochs[: len(begun)]) == begun
    assert tuned.seconds > before > 0
    run = find_run(place, record.chosen["default_fine_tuned"].run or "")
    assert [epoch["val_loss"] for epoch in run.history] == pytest.approx(list(tuned.epochs))
    assert run.row.trained_from is not None and not list(place.searches.glob("*/training"))
    assert len(list_openings(place, [record.split_digest])) == 2
