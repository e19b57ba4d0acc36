"""``tumorlens evaluate`` as a user meets it."""

from __future__ import annotations

import json

import pytest

from tumorlens.cli.main import main


@pytest.fixture
def words(tiny_study, tiny_comparison) -> list[str]:
    return ["evaluate", tiny_comparison.best_run.name, "tiny", "--workspace", str(tiny_study.workspace.root), "--quiet"]


def test_json_has_a_figure_with_its_interval(capsys, words, tiny_comparison) -> None:
    assert main([*words, "--prevalence", "0.05", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    row = tiny_comparison.best_run.row
    assert document["metrics"]["accuracy"]["value"] == pytest.approx(row.test_accuracy)
    assert (document["n_scans"], document["groups_are"], document["positive_class"]) == (
        row.n_test,
        "patients",
        "tumor",
    )
    assert document["prevalence"] == 0.05 and document["marks"] == ["synthetic"]
    assert set(document["per_class"]) == {"no_tumor", "tumor"}
    assert "not for patient care" in document["use"]


def test_text_says_what_it_rests_on(capsys, words) -> None:
    assert main([*words, "--prevalence", "0.05"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for expected in ("per slice", "95% interval", "bootstrap over patients", "at a prevalence of 0.05", "was opened"):
        assert expected in shown
    assert "cluster" not in shown


def test_json_has_patients_levels_and_errors_by_group(capsys, words) -> None:
    assert main([*words, "--by", "mode", "--by", "area", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    patients = document["per_patient"]
    assert set(patients["metrics"]) == set(document["metrics"]) and patients["n_patients"] == document["n_groups"]
    mode, area = document["subgroups"]
    assert mode["levels"][0]["metrics"]["roc_auc"] == document["metrics"]["roc_auc"]
    assert (mode["column"], mode["worst"], area["column"], len(area["cuts"])) == ("mode", None, "area", 3)
    assert document["n_errors"] == round((1 - document["metrics"]["accuracy"]["value"]) * document["n_scans"])


def test_text_has_patients_levels_and_errors_by_group(capsys, words) -> None:
    assert main([*words, "--by", "area"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for expected in ("per patient", "per slice, by area (cut at its quartiles)", "mean of the three highest slices"):
        assert expected in shown
    assert "none was chosen for patients" in shown and ("with most errors" in shown or "No errors" in shown)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--map", "tumor"], "Expected --map TRAINED=HERE"),
        (["--map", "tumour=tumor"], "the model has no_tumor, tumor; the data set has no_tumor, tumor"),
        (["--by", "scanner"], "choose among height, width, format, mode, area, brightness"),
        (["--prevalence", "3"], "between 0 and 1"),
    ],
)
def test_mistakes_are_one_sentence(capsys, words, more, message) -> None:
    assert main([*words, *more]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("Error: ") and message in shown.err


def test_views_show_their_cost(capsys, words) -> None:
    assert main([*words, "--views", "2"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 views:" in shown and "times one view" in shown and "mean over views" in shown
    assert "by new predictions" in shown and "not calibrated itself" in shown
