"""What an evaluation says by group, on a small data set whose predictions are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.workflows.evaluation_groups import JudgedLabels, check_columns, find_by_group


def judged_of(dataset, rows, *, scores=None):
    scores = np.linspace(0.1, 0.9, len(rows)) if scores is None else scores
    return JudgedLabels(
        rows=rows,
        labels=dataset.labels[rows],
        probabilities=np.column_stack([1 - scores, scores]),
        predicted=(scores >= 0.5).astype(np.int64),
        classes=dataset.classes,
        positive_class=dataset.positive_class,
    )


def find(dataset, judged, by=()):
    def decide(probabilities):
        return (probabilities[:, 1] >= 0.5).astype(np.int64)

    return find_by_group(dataset, judged, decide=decide, by=by, prevalence=None, seed=0)


@pytest.fixture(scope="module")
def dataset(tiny_study):
    """Sixteen patients with four slices each."""
    return tiny_study.dataset


def test_all_judged_patients_count(dataset) -> None:
    rows = np.arange(len(dataset))
    scores = np.random.default_rng(0).random(len(rows))
    found = find(dataset, judged_of(dataset, rows, scores=scores))
    table = dataset.manifest.assign(score=scores, positive=dataset.labels)
    each = table.groupby("group").agg(score=("score", lambda own: own.nlargest(3).mean()), positive=("positive", "max"))
    wanted = float(((each["score"] >= 0.5) == (each["positive"] == 1)).mean())
    assert found.per_patient.summary.metrics["accuracy"].value == pytest.approx(wanted)
    document = found.to_json()
    assert (document["per_patient"]["n_patients"], document["per_patient"]["left_out"]) == (16, 0)
    assert "none was chosen for patients" in document["per_patient"]["operating_point"]
    errors = table.assign(wrong=(scores >= 0.5) != (table["positive"] == 1)).groupby("group")["wrong"].sum()
    assert document["n_errors"] == errors.sum() and document["failures"][0]["n_errors"] == errors.max()
    assert found.notes == ()


def test_patients_the_model_knows_are_left_out(dataset) -> None:
    group = dataset.groups
    first, second = np.unique(group)[:2]
    seen = (group == first) | (np.arange(len(dataset)) == np.flatnonzero(group == second)[0])
    found = find(dataset, judged_of(dataset, np.flatnonzero(~seen)))
    assert (found.patients_left_out, found.per_patient.summary.n_scans) == (1, 14)
    assert "leave out 1 of 15 patients" in found.notes[0]
    rows = np.flatnonzero(group == second)[1:]
    nobody = find(dataset, judged_of(dataset, rows))
    assert nobody.to_json()["per_patient"] is None
    assert "the model was made with slices of every patient" in nobody.notes[0]


def test_copies_of_a_slice_count_once_in_a_patient(dataset) -> None:
    rows = np.flatnonzero(dataset.groups == dataset.groups[0])
    manifest = dataset.manifest.loc[rows].reset_index(drop=True)
    manifest["pixel_digest"] = manifest["pixel_digest"].iloc[[0, 0, 0, 3]].to_numpy()
    copies = replace(dataset, manifest=manifest)
    found = find(copies, judged_of(copies, np.arange(4), scores=np.array([0.9, 0.9, 0.9, 0.3])))
    assert found.per_patient.summary.metrics["brier"].value == pytest.approx(
        (0.6 - manifest["label"].eq("tumor").max()) ** 2
    )


def test_clusters_are_no_patients(dataset) -> None:
    clusters = replace(dataset, record=replace(dataset.record, groups_are="clusters"))
    found = find(clusters, judged_of(clusters, np.arange(len(clusters))))
    assert found.to_json()["per_patient"] is None
    (note,) = found.notes
    assert note == "There are no figures for patients: the data set names no patients, only clusters are known."


def test_columns_divide_the_judged_scans(dataset) -> None:
    values = np.where(np.arange(len(dataset)) % 3 == 0, "A", "B")
    marked = replace(dataset, manifest=dataset.manifest.assign(scanner=values))
    rows = np.flatnonzero(np.arange(len(dataset)) % 2 == 0)
    found = find(marked, judged_of(marked, rows), by=("scanner", "brightness", "scanner"))
    scanner, brightness = found.to_json()["subgroups"]
    assert [(level["level"], level["n_scans"]) for level in scanner["levels"]] == [
        ("A", (values[rows] == "A").sum()),
        ("B", (values[rows] == "B").sum()),
    ]
    assert scanner["cuts"] is None and scanner["worst"] in ("A", "B")
    quartiles = np.quantile(dataset.manifest["brightness"].iloc[rows], [0.25, 0.5, 0.75])
    assert brightness["cuts"] == pytest.approx(quartiles)
    assert any("fewer than 30 groups are too narrow" in note for note in found.notes)


@pytest.mark.parametrize("name", ["nothing", "source", "label", "group", "words"])
def test_columns_that_cannot_divide_list_the_choices(dataset, name) -> None:
    words = [f"word {number}" for number in range(len(dataset))]
    marked = replace(dataset, manifest=dataset.manifest.assign(words=words, scanner="A"))
    with pytest.raises(InputError, match="choose among height, width, format, mode, area, brightness, scanner[.]"):
        check_columns(marked, ("scanner", name))
    check_columns(marked, ("scanner", "mode", "area"))
