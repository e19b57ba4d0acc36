"""What a run decides by: fitted on the right scans, shipped in the bundle, used the same everywhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import tumorlens as tl
from tumorlens.bundles import UNDECIDED, UNLIKE, Neighbours, Predictor, read_card, read_reference
from tumorlens.cli.main import main
from tumorlens.datasets import save_split
from tumorlens.datasets.split import make_split
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.errors import InputError
from tumorlens.evaluation import OperatingWish
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.evaluate import evaluate_model
from tumorlens.workflows.synthesis import import_synthetic

_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64)
_CALIBRATION_PATIENTS = 110


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """So many patients in the calibration part that everything is offered: workspace, data set, split file."""
    root = tmp_path_factory.mktemp("rules")
    workspace = tl.Workspace.locate(root / "workspace").create()
    settings = SynthesisSettings(patients=160, slices_each=2, size=64, seed=4)
    dataset = import_synthetic(synthesize(root / "scans", settings), "many", workspace=workspace)
    order = np.random.default_rng(0).permutation(np.unique(dataset.groups))
    ends = {"calibration": _CALIBRATION_PATIENTS, "train": 135, "validation": 140, "test": 160}
    part_of: dict[str, str] = {}
    for part, end in ends.items():
        part_of |= dict.fromkeys(order[len(part_of) : end], part)
    split = make_split(
        np.array([part_of[group] for group in dataset.groups]),
        pixel_digests=dataset.digests,
        protocol="grouped",
        seed=0,
        groups_are="patients",
    )
    save_split(split, root / "split.json")
    return workspace, dataset, root / "split.json"


@pytest.fixture(scope="module")
def run(study):
    workspace, dataset, split = study
    settings = CompareSettings(
        backbones=("efficientnet-lite0",), size=64, split_file=split, wish=OperatingWish("sensitivity", 0.9)
    )
    return compare_networks(dataset, settings, workspace=workspace).runs[0]


def stored(run) -> pd.DataFrame:
    return pd.read_parquet(run.folder / "predictions.parquet")


def test_a_comparison_says_what_its_labels_were_decided_for(study, run) -> None:
    workspace, dataset, split = study
    settings = CompareSettings(
        backbones=("efficientnet-lite0",), size=64, split_file=split, wish=OperatingWish("sensitivity", 0.9)
    )
    again = compare_networks(dataset, settings, workspace=workspace)
    assert again.runs[0].created == run.created
    assert "chosen for a sensitivity of 0.9 or more, not for accuracy" in again.comparison.notes[0]


def test_the_bundle_says_what_it_rests_on(run) -> None:
    card = read_card(run.bundle)
    assert f"{_CALIBRATION_PATIENTS} patients" in card.calibration or "did not lower" in card.calibration
    assert card.conformal is not None and card.conformal.wanted == 0.95 and "patients" in card.conformal.basis
    assert card.novelty is not None and card.novelty.false_alarms == 0.01
    assert card.not_offered == ()
    assert card.operating_point is not None and "sensitivity of 0.9" in card.operating_point.basis
    assert len(read_reference(run.bundle)) == (stored(run)["part"] == "train").sum()


def test_answers_follow_from_card_and_stored_predictions(study, run) -> None:
    _, dataset, _ = study
    card, table, predictor = read_card(run.bundle), stored(run), Predictor(run.bundle)
    rows = np.flatnonzero(table["part"] == "test")[::6]
    with dataset.open_pixels() as pixels:
        for row in rows:
            answer = predictor.predict(pixels.get(dataset.digests[row]))
            own = {label: table[f"probability_{label}"][row] for label in card.labels}
            assert answer.probabilities == pytest.approx(own, abs=1e-5)
            assert answer.label == table["predicted_label"][row]
            assert answer.novelty == pytest.approx(table["novelty"][row], abs=2e-3)
            expected = tuple(
                label for label, at in zip(card.labels, card.conformal.thresholds, strict=True) if own[label] >= at
            )
            assert answer.conformal_set == expected
            wanted = answer.label if expected == (answer.label,) else UNDECIDED
            assert answer.decision == (UNLIKE if answer.novelty > card.novelty.threshold else wanted)
            document = json.loads(json.dumps(answer.to_json(), allow_nan=False))
            assert document["novelty"]["unlike"] is (answer.novelty > card.novelty.threshold)
            assert [set(each) for each in document["similar"]] == [{"source", "label", "distance", "digest"}] * 3


def test_a_training_scan_is_its_own_nearest(study, run) -> None:
    _, dataset, _ = study
    row = int(np.flatnonzero(stored(run)["part"] == "train")[3])
    with dataset.open_pixels() as pixels:
        answer = Predictor(run.bundle).predict(pixels.get(dataset.digests[row]))
    nearest = answer.similar[0]
    assert (nearest.source, nearest.label) == (dataset.manifest["source"][row], dataset.manifest["label"][row])
    assert nearest.distance == pytest.approx(0.0, abs=1e-3) and answer.novelty == pytest.approx(0.0, abs=1e-3)
    assert answer.similar[0].distance <= answer.similar[1].distance <= answer.similar[2].distance
    assert str(dataset.manifest["source"][row]) in answer.similar_line()


def test_noise_is_unlike_the_training_data(run) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    answer = Predictor(run.bundle).predict(noise)
    assert answer.decision == UNLIKE and answer.to_line().startswith("array: unlike the training data (")
    assert answer.label in answer.probabilities


def test_limits_come_from_the_calibration_part_alone(study, run) -> None:
    from tumorlens.evaluation import class_thresholds
    from tumorlens.evaluation.hierarchical import group_quantile

    _, dataset, _ = study
    card, table = read_card(run.bundle), stored(run)
    own = (table["part"] == "calibration").to_numpy()
    assert card.novelty.threshold == group_quantile(table["novelty"].to_numpy()[own], dataset.groups[own], level=0.99)
    probabilities = table[[f"probability_{label}" for label in card.labels]].to_numpy()[own]
    again = class_thresholds(dataset.labels[own], probabilities, dataset.groups[own], wanted=0.95)
    assert card.conformal.thresholds == pytest.approx(again)
    assert table.loc[table["part"] == "train", "novelty"].isna().all()


def test_evaluate_judges_the_rules_on_the_test_part(study, run) -> None:
    workspace, dataset, _ = study
    document = evaluate_model(run.name, dataset, workspace=workspace).to_json()
    json.dumps(document, allow_nan=False)
    assert {"before", "after", "temperature", "shift", "basis"} == set(document["calibration"])
    assert document["conformal"]["wanted"] == 0.95
    table, card = stored(run), read_card(run.bundle)
    test = (table["part"] == "test").to_numpy()
    unlike = table["novelty"].to_numpy()[test] > card.novelty.threshold
    assert document["novelty_rate"] == pytest.approx(unlike.mean())
    own = table[[f"probability_{label}" for label in card.labels]].to_numpy()[test]
    held = own[np.arange(test.sum()), dataset.labels[test]] >= np.array(card.conformal.thresholds)[dataset.labels[test]]
    assert document["conformal"]["coverage"]["value"] == pytest.approx(held.mean())
    answers = document["answers"]
    total = answers["unlike"]["value"] + answers["undecided"]["value"] + answers["answered"]["value"]
    assert total == pytest.approx(1.0)
    loss, same = document["calibration"]["after"]["log_loss"], document["metrics"]["log_loss"]
    assert loss["method"] == same["method"]
    assert [loss[end] for end in ("value", "low", "high")] == pytest.approx(
        [same[end] for end in ("value", "low", "high")]
    )


def test_the_table_of_an_evaluation_shows_the_rules(study, run, capsys) -> None:
    workspace, _, _ = study
    assert main(["evaluate", run.name, "many", "--workspace", str(workspace.root)]) == 0
    printed = capsys.readouterr().out
    for words in ("slope (1", "Calibration", "Sets meant to hold", "What became of the scans", "per patient"):
        assert words in printed


def test_too_few_groups_offer_nothing_and_say_so(tiny_comparison) -> None:
    card = read_card(tiny_comparison.best_run.bundle)
    assert card.conformal is card.novelty is None and card.temperature == 1.0
    assert "not calibrated" in card.calibration and len(card.not_offered) == 2
    assert "19 patients of each class" in card.not_offered[0] and "99 patients" in card.not_offered[1]
    answer = Predictor(tiny_comparison.best_run.bundle).predict(np.zeros((64, 64, 3), np.uint8))
    assert answer.decision == answer.label
    assert answer.conformal_set is answer.novelty is answer.to_json()["novelty"] is None


def test_another_wish_is_another_run_and_sensitivity_costs_specificity(study, run) -> None:
    workspace, dataset, split = study
    settings = CompareSettings(
        backbones=("efficientnet-lite0",), size=64, split_file=split, wish=OperatingWish("specificity", 0.9)
    )
    other = compare_networks(dataset, settings, workspace=workspace).runs[0]
    assert other.name != run.name
    thresholds = [read_card(each.bundle).operating_point.threshold for each in (run, other)]
    assert thresholds[0] != thresholds[1]
    test = stored(run)[stored(run)["part"] == "test"]
    assert run.row.test_accuracy == pytest.approx((test["predicted_label"] == test["reference_label"]).mean())


def test_a_bundle_carries_neighbours_only_when_asked_to(study, run, tmp_path) -> None:
    workspace, dataset, split = study
    alone = shutil.copytree(run.bundle, tmp_path / "alone" / "bundle")
    scan = np.zeros((64, 64, 3), np.uint8)
    assert Predictor(alone).predict(scan).similar is None
    settings = CompareSettings(backbones=("efficientnet-lite0",), size=64, split_file=split, carry_neighbours=True)
    carrying = compare_networks(dataset, settings, workspace=workspace).runs[0]
    copy = shutil.copytree(carrying.bundle, tmp_path / "carrying" / "bundle")
    similar = Predictor(copy).predict(scan).similar
    assert similar is not None and [each.source for each in similar] == [None] * 3
    assert not any(Neighbours.read(copy).sources)


def test_neighbours_of_another_run_beside_a_bundle_are_not_named(study, run, tmp_path) -> None:
    place = shutil.copytree(run.folder, tmp_path / "run")
    found = Neighbours.read(place)
    replace(found, split="f" * 64).write(place)
    answer = Predictor(place / "bundle").predict(np.zeros((64, 64, 3), np.uint8))
    assert answer.similar is None and answer.decision


def test_a_bundle_alone_leaves_its_carried_training_scans_out(study, tmp_path) -> None:
    workspace, dataset, split = study
    settings = CompareSettings(backbones=("efficientnet-lite0",), size=64, split_file=split, carry_neighbours=True)
    carrying = compare_networks(dataset, settings, workspace=workspace).runs[0]
    bundle = shutil.copytree(carrying.bundle, tmp_path / "bundle")
    home = tl.Workspace.locate(tmp_path / "home").create()
    copy = tl.import_scans(
        synthesize(tmp_path / "scans", SynthesisSettings(patients=160, slices_each=2, size=64, seed=4)) / "images",
        name="again",
        labels=tmp_path / "scans" / "labels.csv",
        workspace=home.root,
    )
    found = evaluate_model(str(bundle), copy, workspace=home)
    train = set(dataset.digests[load_parts(carrying) == "train"])
    assert found.in_training == sum(digest in train for digest in copy.digests) > 0
    assert any("Only its training part is known" in note for note in found.notes)


def load_parts(run) -> np.ndarray:
    return stored(run)["part"].to_numpy()


def test_an_operating_point_beside_a_mistake_is_refused(study) -> None:
    workspace, dataset, _ = study
    wish = OperatingWish("cost", 2.0)
    settings = CompareSettings(backbones=("efficientnet-lite0",), size=64, wish=wish, mistake="split")
    with pytest.raises(InputError, match="leave out --cost"):
        compare_networks(dataset, settings, workspace=workspace)


def test_two_wishes_are_refused_by_the_command(study, capsys) -> None:
    workspace, _, _ = study
    words = ["compare", "many", "--sensitivity", "0.9", "--cost", "2", "--workspace", str(workspace.root)]
    assert main(words) == 2
    assert "one of --sensitivity" in capsys.readouterr().err
