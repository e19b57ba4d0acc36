"""``docs/json.md`` names every key that commands print."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import BACKBONES
from tumorlens.bundles.exporting.facts import export_facts
from tumorlens.evaluation import ClassFigures, ConformalFigures, Interval, PublishedFigures
from tumorlens.workflows.backbone_facts import describe_backbone, list_backbones
from tumorlens.workflows.cross_validation import CrossValidationSettings, cross_validate
from tumorlens.workflows.doctor import Finding
from tumorlens.workflows.evaluate import EvaluateSettings, evaluate_model
from tumorlens.workflows.export import export_model
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


def test_cross_validation(sections, tiny_study):
    settings = CrossValidationSettings(backbones=("efficientnet-lite0",), size=64, folds=2, repeats=1)
    document = cross_validate("tiny", settings, workspace=tiny_study.workspace).to_json()
    row = document["rows"][-1]
    keys = {*document, *row, *row["by_fold"][0], *row["per_class_intervals"]["tumor"]}
    keys |= set(row["per_class_intervals"]["tumor"]["recall"])
    assert keys - sections["`compare`"] == set()


def test_report(sections, tiny_study, tiny_comparison, tmp_path):
    words = {"workspace": tiny_study.workspace, "out": tmp_path, "pictures": False}
    document = report_result(tiny_comparison.best_run.name, **words).to_json()
    assert set(document) - sections["`report`"] == set()


def test_evaluation(sections, tiny_study, tiny_comparison):
    settings = EvaluateSettings(prevalence=0.1, by=("mode",))
    run = tiny_comparison.best_run.name
    document = evaluate_model(run, "tiny", settings, workspace=tiny_study.workspace).to_json()
    keys = {*document, *document["metrics"], *document["per_class"]["tumor"], *document["metrics"]["accuracy"]}
    column = document["subgroups"][0]
    keys |= {*document["per_patient"], *column, *column["levels"][0], *(document["failures"] or [{}])[0]}
    keys |= {*document["calibration"], *document["calibration"]["after"], *document["calibration"]["after"]["bins"][0]}
    keys |= {*document["answers"], *(entry.name for entry in fields(ConformalFigures))}
    assert keys - sections["`evaluate`"] == set()


def test_predictions(sections, tiny_comparison):
    document = tiny_comparison.best.predict(np.zeros((64, 64, 3), np.uint8)).to_json()
    assert {*document, "distance", "threshold", "unlike", "source", "heatmap"} - sections["`predict`"] == set()


def test_export(sections, tiny_study, tiny_comparison, tmp_path):
    words = {"format_name": "openvino", "out": tmp_path, "workspace": tiny_study.workspace}
    document = export_model(tiny_comparison.best_run.name, **words).to_json()
    assert {*document, *document["parity"]} - sections["`export`"] == set()
    page = set(re.findall(r"`([^`\n]+)`", _DOCUMENT.with_name("export.md").read_text("utf-8")))
    parts = [document["parity"][name] for name in ("scans", "differences", "bounds")]
    assert {*document["parity"], *(key for part in parts for key in part)} - page == set()
    assert set(export_facts(tiny_comparison.best.card)) - page == set()


def test_backbones(sections, tmp_path):
    named = sections["`backbones list`, `show`, `fetch`"]
    facts = describe_backbone("vgg16", tmp_path)
    spec = asdict(BACKBONES["vgg16"])
    keys = {*facts, *spec["preprocessing"], *spec["weights"], *spec["paper"], *list_backbones(tmp_path)[0]}
    assert keys - named == set()


def test_findings(sections):
    assert {entry.name for entry in fields(Finding)} - sections["`doctor`"] == set()


@pytest.mark.parametrize("command", ["`train`", "`evaluate`", "`export`", "`predict`"])
def test_answers_carry_marks_and_limits(sections, command):
    assert {"marks", "use"} - sections[command] == set()
