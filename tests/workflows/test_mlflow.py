"""Finished runs in MLflow: what is told, that nothing else is, and what happens where nobody answers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from tumorlens.cli.main import main
from tumorlens.errors import InputError, MissingExtraError
from tumorlens.extras import has_extra
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.mlflow_log import MlflowLog
from tumorlens.workflows.mlflow_record import mlflow_record
from tumorlens.workflows.runs import read_run

_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64)
needs_mlflow = pytest.mark.skipif(not has_extra("mlflow"), reason='needs pip install "tumorlens[mlflow]"')


@pytest.fixture
def run(tiny_comparison):
    return tiny_comparison.best_run


@pytest.fixture
def trained_run(run, tmp_path):
    """The same run with the history of a training and an interval, for which its test part is too small."""
    folder = shutil.copytree(run.folder, tmp_path / run.name)
    pd.DataFrame({"epoch": [1, 2], "train_loss": [0.7, 0.5], "val_accuracy": [0.6, 0.8]}).to_csv(
        folder / "history.csv", index=False
    )
    copy = read_run(folder)
    return replace(copy, row=replace(copy.row, test_accuracy_low=0.25, test_accuracy_high=0.75))


@pytest.fixture
def store(tmp_path, monkeypatch) -> str:
    """A folder in the place of a server; MLflow wants to be asked twice for one."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlflow").as_uri()


def find(store: str, dataset: str = "tiny"):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name(f"tumorlens {dataset}")
    return client, client.search_runs([experiment.experiment_id])


def test_a_record_holds_configuration_figures_with_intervals_epochs_and_words(trained_run) -> None:
    record, row = mlflow_record(trained_run), trained_run.row
    assert record.parameters["run.backbone"] == "efficientnet-lite0" and record.parameters["head.head"] == "linear"
    values = {(metric.name, metric.step): metric.value for metric in record.metrics}
    for name in ("test_accuracy", "test_accuracy_low", "test_accuracy_high", "val_loss", "seconds"):
        assert values[name, 0] == getattr(row, name)
    assert values["per_class/tumor/recall", 0] == row.per_class["tumor"].recall
    assert (values["epoch/train_loss", 1], values["epoch/train_loss", 2]) == (0.7, 0.5)
    assert record.tags["tumorlens.use"] == "Research output, not for patient care."
    assert record.tags["tumorlens.marks"] == "synthetic" and record.tags["tumorlens.protocol"] == "grouped"
    assert record.tags["tumorlens.manifest_digest"] == trained_run.config["run"]["manifest_digest"]
    assert record.tags["tumorlens.split_digest"] == trained_run.split_digest
    assert record.tags["mlflow.note.content"] == trained_run.methods
    assert record.end_ms - record.start_ms == int(row.seconds * 1000)


def test_the_path_of_a_linear_head_is_not_called_epochs(run) -> None:
    assert not [metric for metric in mlflow_record(run).metrics if metric.name.startswith("epoch/")]


def test_a_record_names_no_file(run, tiny_study) -> None:
    record = mlflow_record(run)
    told = " ".join([record.name, *record.tags.values(), *record.parameters, *record.parameters.values()])
    told += " ".join(metric.name for metric in record.metrics)
    assert str(tiny_study.workspace.root) not in told and str(tiny_study.folder) not in told
    assert not [source for source in tiny_study.dataset.manifest["source"] if source in told]


def test_signs_in_the_name_of_a_class_stay_apart(run) -> None:
    first, *_ = run.row.per_class.values()
    record = mlflow_record(replace(run, row=replace(run.row, per_class={"a/b?": first, "a:b": first})))
    names = {metric.name for metric in record.metrics}
    assert {"per_class/a_2f_b_3f_/recall", "per_class/a_3a_b/recall"} <= names


@needs_mlflow
def test_every_finished_run_is_logged_once(trained_run, store, tiny_study) -> None:
    result = compare_networks(tiny_study.dataset, replace(_SETTINGS, mlflow=store), workspace=tiny_study.workspace)
    assert result.not_logged == ""
    assert MlflowLog(store).add([trained_run, *result.runs]) == ""
    client, (logged,) = find(store)
    record = mlflow_record(result.runs[0])
    assert logged.info.status == "FINISHED" and logged.info.run_name == trained_run.name
    assert logged.info.end_time == record.end_ms
    assert logged.data.params == record.parameters
    assert {name: logged.data.tags[name] for name in record.tags} == record.tags
    assert set(logged.data.tags) - set(record.tags) <= {"mlflow.runName"}
    assert logged.data.metrics == {metric.name: metric.value for metric in record.metrics}
    assert not client.list_artifacts(logged.info.run_id)


@needs_mlflow
def test_epochs_are_steps_and_an_attempt_that_was_cut_off_is_made_again(trained_run, store, monkeypatch) -> None:
    log = MlflowLog(store)
    monkeypatch.setattr(log._client, "set_terminated", lambda *_, **__: _fail("gone away"))
    assert "gone away" in log.add([trained_run])
    assert MlflowLog(store).add([trained_run]) == ""
    client, (logged,) = find(store)
    history = client.get_metric_history(logged.info.run_id, "epoch/val_accuracy")
    assert [(point.step, point.value) for point in history] == [(1, 0.6), (2, 0.8)]
    assert [logged.data.metrics[f"test_accuracy_{end}"] for end in ("low", "high")] == [0.25, 0.75]


def _fail(words: str) -> None:
    raise ConnectionError(words)


@needs_mlflow
def test_a_server_that_is_not_there_is_said_before_any_work(tiny_study, monkeypatch, capsys) -> None:
    monkeypatch.setattr("tumorlens.workflows.compare.remove_leftovers", lambda *_, **__: _fail("work was begun"))
    words = ["compare", "tiny", "--workspace", str(tiny_study.workspace.root)]
    assert main([*words, "--mlflow", "http://me:secret@127.0.0.1:9"]) == 2
    said = capsys.readouterr().err
    assert "MLflow does not answer at http://127.0.0.1:9" in said and "leave out --mlflow" in said
    assert "refused" in said
    assert "secret" not in said and len(said.strip().splitlines()) == 1


def test_a_server_that_goes_away_costs_no_run(tiny_study, monkeypatch, capsys) -> None:
    class Log(MlflowLog):
        def __init__(self, uri: str) -> None:
            self._uri = uri
            self._client = SimpleNamespace(get_experiment_by_name=lambda name: _fail("gone away"))

    monkeypatch.setattr("tumorlens.workflows.compare.MlflowLog", Log)
    words = ["compare", "tiny", "--size", "64", "--workspace", str(tiny_study.workspace.root), "--quiet"]
    assert main([*words, "--mlflow", "http://there"]) == 0
    shown = capsys.readouterr()
    assert "Best model" in shown.out
    assert "(ConnectionError: gone away); they are finished and kept: run the same command again" in shown.err


@pytest.mark.parametrize("address", ["localhost:5000", "mlruns", "ftp://there"])
def test_what_is_no_address_is_refused(address) -> None:
    with pytest.raises(InputError, match="such as http://localhost:5000"):
        MlflowLog(address)


def test_without_mlflow_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "tumorlens\[mlflow\]"'):
        MlflowLog("http://there")
