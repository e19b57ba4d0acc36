"""``--crop`` and ``--harmonise`` on the command line, and what ``data remove`` asks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tumorlens.cli.main import main
from tumorlens.datasets import load_dataset, prepare_dataset
from tumorlens.scans import CUT, HARMONISED
from tumorlens.workspace import Workspace


@pytest.fixture
def words(tiny_study, workspace: Workspace) -> Iterator[list[str]]:
    shutil.copytree(tiny_study.dataset.path, workspace.datasets / "tiny")
    yield ["--workspace", str(workspace.root), "--quiet"]


@pytest.mark.parametrize(
    ("options", "dataset", "steps"),
    [
        (["--crop", "brain"], "tiny-brain", CUT.words),
        (["--harmonise"], "tiny-harmonised", HARMONISED.words),
        ([], "tiny", ()),
    ],
)
def test_train(capsys, words, workspace: Workspace, options, dataset: str, steps) -> None:
    command = ["train", "tiny", "--backbone", "efficientnet-lite0", "--size", "64", *options, *words, "--json"]
    assert main(command) == 0
    row = json.loads(capsys.readouterr().out)
    card = json.loads((workspace.runs / row["run"] / "bundle" / "bundle.json").read_text(encoding="utf-8"))
    assert row["run"].startswith(f"{dataset}-grouped") and tuple(card["scan_steps"]) == steps


def test_import(capsys, tiny_study, words, workspace: Workspace) -> None:
    source = [str(tiny_study.folder / "images"), "--labels", str(tiny_study.folder / "labels.csv"), "--name", "alike"]
    assert main(["data", "import", *source, "--harmonise", *words]) == 0
    assert load_dataset(workspace, "alike").scan_steps == HARMONISED.words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--crop", "skull"], "Expected --crop auto, brain or none, got 'skull'."),
        (["--crop", "none", "--harmonise"], "--harmonise cuts scans around the head too: leave out --crop none"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, words, options, said: str) -> None:
    for command in ("train", "compare"):
        backbone = ["--backbone", "efficientnet-lite0"] if command == "train" else []
        assert main([command, "tiny", *backbone, *options, *words]) == 2
        assert said in capsys.readouterr().err


def test_remove_names_the_copies_before_it_asks(capsys, monkeypatch, words, workspace: Workspace) -> None:
    for steps in (CUT, HARMONISED):
        prepare_dataset(workspace, load_dataset(workspace, "tiny"), steps)
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    assert main(["data", "remove", "tiny", *words]) == 0
    assert asked == ["Remove tiny (64 scans) and its copy tiny-brain and its copy tiny-harmonised from the workspace?"]
    assert "Removed tiny-brain and tiny-harmonised and tiny;" in capsys.readouterr().out


def test_a_damaged_data_set_can_be_removed(capsys, monkeypatch, words, workspace: Workspace) -> None:
    (workspace.datasets / "tiny" / "manifest.parquet").write_bytes(b"nothing")
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    assert main(["data", "remove", "tiny", *words]) == 0
    assert asked == ["Remove tiny (damaged) from the workspace?"] and not (workspace.datasets / "tiny").exists()
