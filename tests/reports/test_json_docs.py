"""``docs/json.md`` names every key that commands print."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from tumorlens.backbones import BACKBONES
from tumorlens.evaluation import ClassFigures, Interval, PublishedFigures
from tumorlens.workflows.backbone_facts import describe_backbone, list_backbones
from tumorlens.workflows.doctor import Finding
from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
from tumorlens.workflows.report import report_result

_DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"


@pytest.fixture(scope="module")
def sections() -> dict[str, set[str]]:
    """Everything in backticks, by heading."""
    first, *parts = re.split(r"^## ", _DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    assert first.startswith("# JSON output")
    return {part.split("\n", 1)[0]: set(re.findall(r"`([^`\n]+)`", part.split("\n", 1)[1])) for part in parts}


def test_comparison_and_rows(sections, study_example):
    document = study_example.comparison.to_json()
    named = sections["`compare`"]
    keys = {"report", *document, *document["residual_neighbours"], *document["rows"][0]}
    keys |= {entry.name for kind in (ClassFigures, Interval, PublishedFigures) for entry in fields(kind)}
    assert keys - named == set()


def test_report(sections, tiny_study, tiny_comparison, tmp_path):
    words = {"workspace": tiny_study.workspace, "out": tmp_path, "pictures": False}
    document = report_result(tiny_comparison.best_run.name, **words).to_json()
    assert set(document) - sections["`report`"] == set()


def test_evaluation(sections, tiny_study, tiny_comparison):
    settings = EvaluateSettings(prevalence=0.1)
    run = tiny_comparison.best_run.name
    document = evaluate_model(run, "tiny", settings, workspace=tiny_study.workspace).to_json()
    keys = {*document, *document["metrics"], *document["per_class"]["tumor"], *document["metrics"]["accuracy"]}
    assert keys - sections["`evaluate`"] == set()


def test_backbones(sections, tmp_path):
    named = sections["`backbones list`, `show`, `fetch`"]
    facts = describe_backbone("vgg16", tmp_path)
    spec = asdict(BACKBONES["vgg16"])
    keys = {*facts, *spec["preprocessing"], *spec["weights"], *spec["paper"], *list_backbones(tmp_path)[0]}
    assert keys - named == set()


def test_findings(sections):
    assert {entry.name for entry in fields(Finding)} - sections["`doctor`"] == set()


@pytest.mark.parametrize("command", ["`train`", "`evaluate`", "`predict`"])
def test_answers_carry_marks_and_limits(sections, command):
    assert {"marks", "use"} - sections[command] == set()
