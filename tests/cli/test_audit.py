"""The audit's commands: words in, lines or one document out, one sentence for every mistake."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tumorlens.cli import audit as commands
from tumorlens.cli.main import main


@pytest.fixture
def place(tiny_study) -> list[str]:
    return ["--workspace", str(tiny_study.workspace.root), "--quiet"]


@pytest.mark.parametrize("command", ["audit", "relabel"])
def test_it_explains_itself(capsys, command) -> None:
    assert main(["data", command, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_lines_report_and_next_command(capsys, place) -> None:
    assert main(["data", "audit", "tiny", "--no-price", *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("tiny: 64 scans") for line in lines)
    assert any(line.startswith("Report: ") and line.endswith("audit.html") for line in lines)
    assert lines[-1] == "Next:  tumorlens compare tiny --backbones efficientnet-lite0"


def test_json_is_one_document(capsys, place) -> None:
    assert main(["data", "audit", "tiny", "--no-price", "--json", *place]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scans"] == 64 and document["leakage"] is None
    assert document["marks"] == ["synthetic"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audit", "nothing"], "no data set 'nothing'"),
        (["audit", "tiny", "--against", "tiny"], "another data set"),
        (["audit", "tiny", "--backbone", "resnet5"], "resnet50"),
        (["relabel", "tiny", "--corrections", "missing.csv"], "missing.csv"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(capsys, place, words, message) -> None:
    assert main(["data", *words, *place]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("Error: ") and message in shown.err


def test_options_reach_the_workflow(monkeypatch) -> None:
    seen = {}

    def note(name, settings, **_):
        seen.update(name=name, settings=settings)
        raise typer.Exit

    monkeypatch.setattr("tumorlens.workflows.audit.audit_dataset", note)
    app = typer.Typer()
    app.command()(commands.audit)
    words = ["a", "--against", "b", "--against", "c", "--backbone", "vgg16", "--seed", "3", "--size", "96"]
    assert CliRunner().invoke(app, words).exit_code == 0
    settings = seen["settings"]
    assert seen["name"] == "a" and settings.against == ("b", "c") and settings.backbone == "vgg16"
    assert (settings.seed, settings.size, settings.price, settings.weights) == (3, 96, True, "imagenet")
