"""Mistakes made on purpose: really made, marked everywhere, and never taken for a right result."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tumorlens
from tumorlens.bundles import Predictor
from tumorlens.cli.main import main
from tumorlens.errors import InputError
from tumorlens.evaluation import best_on_validation, feature_spread
from tumorlens.features import FeatureStore
from tumorlens.reports import to_markdown
from tumorlens.scans import pixel_digest
from tumorlens.workflows.broken import fit_beside, mistake_notes
from tumorlens.workflows.broken_copies import fitted_on_copies, mirror_test_scans, with_copies
from tumorlens.workflows.broken_difference import accuracy_difference, shared_groups
from tumorlens.workflows.broken_split import random_split
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.runs import list_runs
from tumorlens.workflows.scratch import ScratchSettings
from tumorlens.workflows.splits import prepare_split

_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64)
_TITLES = {"split": "random split", "scaling": "pixels / 255 first", "duplicates": "copied before the split"}


@pytest.fixture(scope="module")
def broken(tiny_study, tiny_comparison):
    """A comparison for each mistake, with how often it opened the right split's test part; one has all its files."""
    found = {}
    for mistake in _TITLES:
        before = count_openings(tiny_study.workspace, tiny_comparison.comparison.split_digest)
        settings = replace(_SETTINGS, mistake=mistake)
        with pytest.MonkeyPatch.context() as patch:
            if mistake != "split":
                patch.setattr("tumorlens.workflows.compare.write_comparison", lambda *_: None)
            result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
        after = count_openings(tiny_study.workspace, tiny_comparison.comparison.split_digest)
        found[mistake] = (result, after - before)
    return found


@pytest.fixture
def right_split(tiny_study):
    return prepare_split(tiny_study.dataset, protocol="grouped", seed=0)


@pytest.mark.parametrize("mistake", _TITLES)
def test_mistaken_row_stands_beside_the_right_one(broken, tiny_comparison, mistake) -> None:
    document = json.loads(json.dumps(broken[mistake][0].to_json(), allow_nan=False))
    assert [row["kind"] for row in document["rows"]] == ["baseline", "baseline", "backbone", "backbone"]
    assert [row["mistake"] for row in document["rows"]] == [None, None, None, mistake]
    assert document["rows"][2]["run"] == tiny_comparison.comparison.best == document["best"]
    assert document["rows"][3]["run"].startswith(f"tiny-mistake-{mistake}-")
    assert document["protocol"] == "grouped"
    assert document["split_digest"] == tiny_comparison.comparison.split_digest


@pytest.mark.parametrize("mistake", _TITLES)
def test_runs_are_marked(broken, mistake) -> None:
    result = broken[mistake][0]
    right, wrong = result.runs
    assert "mistake on purpose" in result.comparison.marks
    assert right.marks == ("synthetic",) and wrong.marks == ("mistake on purpose", "synthetic")
    assert wrong.methods.startswith(f"MISTAKE ON PURPOSE: {_TITLES[mistake]}")
    assert "must not be published" in wrong.methods
    assert "mistake on purpose" in wrong.to_line()


def test_mark_stands_in_every_file(broken) -> None:
    result = broken["split"][0]
    for name in ("comparison.md", "report.html"):
        text = (result.folder / name).read_text()
        assert "MISTAKE ON PURPOSE: random split" in text and "Use neither their figures nor their models" in text
    assert pd.read_csv(result.folder / "comparison.csv")["mistake"].tolist()[3] == "split"
    plots = sorted((result.folder / "plots").iterdir())
    assert any("mistake-on-purpose" in plot.name for plot in plots)
    for plot in plots:
        with Image.open(plot) as picture:
            assert "mistake on purpose" in picture.text["Description"]


@pytest.mark.parametrize("mistake", _TITLES)
def test_bundle_is_marked_and_cannot_be_trained_on(broken, tiny_study, mistake) -> None:
    bundle = broken[mistake][0].runs[1].bundle
    assert {path.name for path in bundle.iterdir()} == {"model.xml", "model.bin", "bundle.json"}
    scan = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][3]
    answer = Predictor(bundle).predict(scan)
    assert "mistake on purpose" in answer.marks
    stored = pd.read_parquet(bundle.parent / "predictions.parquet")
    assert answer.probabilities["tumor"] == pytest.approx(stored["probability_tumor"][3], abs=1e-5)


@pytest.mark.parametrize("mistake", _TITLES)
def test_one_sentence_says_what_it_is_and_what_it_does(broken, mistake) -> None:
    comparison = broken[mistake][0].comparison
    note, *about_the_data = comparison.notes
    assert not any("MISTAKE" in sentence for sentence in about_the_data)
    assert note.startswith(f"MISTAKE ON PURPOSE: {_TITLES[mistake]} (efficientnet-lite0, linear head): ")
    right, wrong = comparison.rows[2:]
    if wrong.collapsed:
        assert f"the row collapsed ({wrong.collapsed_because})" in note
    else:
        assert f"{abs(100 * (wrong.test_accuracy - right.test_accuracy)):.1f} points" in note
        assert f"test accuracy {wrong.test_accuracy:.3f} instead of {right.test_accuracy:.3f}" in note
        assert f"ROC AUC {wrong.test_roc_auc:.3f} instead of {right.test_roc_auc:.3f}" in note
    assert note in to_markdown(comparison)


def test_a_mistake_is_no_opening_for_a_result(broken) -> None:
    assert {openings for _, openings in broken.values()} == {0}


def test_nothing_is_shared_that_should_differ(broken) -> None:
    """Names, split digests and graph digests tell each mistaken run from the right one."""
    facts = {mistake: [run.config["run"] for run in result.runs] for mistake, (result, _) in broken.items()}
    differing = {
        mistake: {key for key in wrong if wrong[key] != right.get(key)} for mistake, (right, wrong) in facts.items()
    }
    assert differing == {
        "split": {"split_digest", "mistake"},
        "scaling": {"graph_digest", "mistake"},
        "duplicates": {"mistake"},
    }


def test_right_comparison_afterwards_is_unmarked_and_found(broken, tiny_study, tiny_comparison, monkeypatch) -> None:
    monkeypatch.setattr("tumorlens.workflows.compare.write_comparison", lambda *_: None)
    again = compare_networks(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)
    assert again.folder == tiny_comparison.folder
    assert again.comparison.marks == ("synthetic",)
    assert again.comparison.notes and not any("MISTAKE" in sentence for sentence in again.comparison.notes)
    assert again.comparison.rows == tiny_comparison.comparison.rows


def test_a_better_mistake_is_not_the_best(tiny_comparison) -> None:
    right = tiny_comparison.comparison.rows[2]
    wrong = replace(right, val_accuracy=1.0, val_loss=0.0, run="wrong", mistake="split")
    assert best_on_validation([wrong, replace(right, val_accuracy=0.5)]).run == right.run
    assert best_on_validation([wrong]) is None


def test_random_split_ignores_groups_and_keeps_the_sizes(tiny_study, right_split) -> None:
    dataset = tiny_study.dataset
    wrong = random_split(dataset, right_split, seed=0)
    counts = [
        pd.crosstab(split.parts, dataset.labels).to_numpy().tolist()  # parts by class
        for split in (right_split, wrong)
    ]
    assert counts[0] == counts[1]
    assert wrong.digest == random_split(dataset, right_split, seed=0).digest
    assert len({right_split.digest, wrong.digest, random_split(dataset, right_split, seed=1).digest}) == 3
    assert not _shared(dataset, right_split) and _shared(dataset, wrong)
    assert wrong.leaky


def _shared(dataset, split) -> set[str]:
    """Groups in training and test."""
    return set(dataset.groups[split.rows("train")]) & set(dataset.groups[split.rows("test")])


def test_shared_groups_are_counted_from_the_predictions(broken, tiny_study) -> None:
    right, wrong = broken["split"][0].runs
    test_scans = right.row.n_test
    assert shared_groups(tiny_study.dataset, right) == (0, test_scans)
    shared, total = shared_groups(tiny_study.dataset, wrong)
    assert total == test_scans and shared > test_scans / 2
    assert f"({shared} of {total} test scans share theirs with training)" in broken["split"][0].comparison.notes[0]


@pytest.fixture
def context(tiny_study, right_split):
    """As much of a context as the copies need."""
    from tumorlens.progress import SILENT
    from tumorlens.workflows.context import RunContext

    with FeatureStore(tiny_study.workspace.features) as store:
        yield RunContext(
            workspace=tiny_study.workspace,
            dataset=tiny_study.dataset,
            split=right_split,
            neighbours=None,
            store=store,
            size=64,
            seed=0,
            threads=None,
            refit=False,
            progress=SILENT,
            mistake="duplicates",
        )


def test_training_holds_the_mirrored_test_scans(context, tmp_path) -> None:
    copies = mirror_test_scans(context, tmp_path / "copies")
    test = context.split.rows("test")
    with context.dataset.open_pixels() as pixels, copies.open_pixels() as mirrored:
        for row, digest in zip(test, copies.digests, strict=True):
            original = pixels.get(context.dataset.digests[row])
            copy = mirrored.get(digest)
            assert np.array_equal(copy[:, ::-1], original) and pixel_digest(copy) == digest
    assert copies.labels.tolist() == context.dataset.labels[test].tolist()
    larger = with_copies(context, copies)
    train = larger.split.rows("train")
    assert set(copies.digests) <= set(larger.dataset.digests[train])
    assert len(train) == len(context.split.rows("train")) + len(test)
    assert larger.split.rows("test").tolist() == test.tolist()
    assert larger.split.rows("validation").tolist() == context.split.rows("validation").tolist()
    assert larger.dataset.groups[train[-len(test) :]].tolist() == context.dataset.groups[test].tolist()


def test_head_is_fitted_on_the_features_of_the_copies(broken, context, tiny_study) -> None:
    """The head gets a vector for each mirrored test scan: the graph's own answer to the mirrored pixels."""
    from tumorlens.backbones import find_backbone, resolve_weights
    from tumorlens.features import extract_features
    from tumorlens.runtime import compile_graph, feature_graph

    spec = find_backbone("efficientnet-lite0")
    graph = feature_graph(spec, resolve_weights(spec), size=64, cache=tiny_study.workspace.graphs)
    features = extract_features(tiny_study.dataset, graph, context.store)["pooled"]
    seen = {}

    def record(context, features):
        rows = context.split.rows("train")[-1:]
        seen["vector"] = context.store.read(features.kind, [features.digests[row] for row in rows])[0]
        seen["scans"] = len(features.digests)

    fitted_on_copies(replace(HEADS["linear"], fit=record), graph).fit(context, features)
    last = context.dataset.digests[context.split.rows("test")[-1]]
    with context.dataset.open_pixels() as pixels:
        mirrored = np.ascontiguousarray(pixels.get(last)[None, :, ::-1])
    answer = compile_graph(graph, goal="throughput", outputs=["features"]).run(mirrored)["features"][0]
    assert seen["vector"] == pytest.approx(answer, abs=1e-4)
    assert seen["scans"] == len(context.dataset) + len(context.split.rows("test"))
    assert not list(tiny_study.workspace.training.iterdir())


def test_predictions_of_a_run_with_copies_are_of_the_data_set_alone(broken, tiny_study) -> None:
    right, wrong = (pd.read_parquet(run.folder / "predictions.parquet") for run in broken["duplicates"][0].runs)
    assert wrong["pixel_digest"].tolist() == right["pixel_digest"].tolist()
    assert wrong["part"].tolist() == right["part"].tolist()
    assert not np.allclose(wrong["probability_tumor"], right["probability_tumor"])


def test_pixels_scaled_first_look_nearly_the_same_to_the_network(broken, tiny_study) -> None:
    right, wrong = broken["scaling"][0].runs
    with FeatureStore(tiny_study.workspace.features) as store:
        spread = [feature_spread(_features(store, run, tiny_study.dataset)) for run in (right, wrong)]
    assert spread[0] > 0.3
    assert spread[1] < 0.02


def _features(store, run, dataset):
    from tumorlens.features import FeatureKind

    facts = run.config["run"]
    kind = FeatureKind(facts["backbone"], facts["graph_digest"], 64, "pooled", dataset.scan_steps, 1280)
    return store.read(kind, dataset.digests.tolist())


def test_several_heads_stand_in_pairs(broken, context, monkeypatch) -> None:
    """Right and wrong in turn, each wrong one with its own sentence."""
    right, wrong = broken["split"][0].runs
    mlp = [replace(run, row=replace(run.row, head="mlp")) for run in (right, wrong)]

    def fit(context, network, heads):
        return [right, mlp[0]] if context.mistake is None else [wrong, mlp[1]]

    monkeypatch.setattr("tumorlens.workflows.broken.fit_backbone", fit)
    unbroken = replace(context, mistake=None)
    runs = fit_beside(unbroken, None, (), mistake="split")
    assert runs == [right, wrong, *mlp]
    notes = mistake_notes(unbroken, runs)
    assert [[f"{head} head" in note for head in ("linear", "mlp")] for note in notes] == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mistake": "labels"}, "split, scaling, duplicates"),
        ({"mistake": "split", "protocol": "study"}, "leave out --protocol"),
        ({"mistake": "scaling", "from_scratch": ScratchSettings()}, "leave out --from-scratch"),
    ],
)
def test_refused_before_any_work(tiny_study, monkeypatch, change, message) -> None:
    monkeypatch.setattr("tumorlens.extras.has_extra", lambda extra: True)
    before = len(list_runs(tiny_study.workspace))
    with pytest.raises(InputError, match=message):
        compare_networks(tiny_study.dataset, replace(_SETTINGS, **change), workspace=tiny_study.workspace)
    assert len(list_runs(tiny_study.workspace)) == before


def test_command_finds_the_mistaken_run_again(capsys, tiny_study, broken, monkeypatch) -> None:
    monkeypatch.setattr("tumorlens.workflows.compare.write_comparison", lambda *_: None)
    place = ["--workspace", str(tiny_study.workspace.root), "--quiet"]
    assert main(["compare", "tiny", "--size", "64", "--break", "split", "--json", *place]) == 0
    document = json.loads(capsys.readouterr().out)
    first = json.loads(json.dumps(broken["split"][0].to_json()))
    assert {key for key in first if document[key] != first[key]} <= {"created"}
    assert main(["compare", "tiny", "--break", "split", "--protocol", "study", *place]) == 2
    error = capsys.readouterr().err
    assert "leave out --protocol" in error and error.count("\n") == 1


def test_python_takes_the_switch(tiny_study, monkeypatch) -> None:
    asked = {}
    monkeypatch.setattr(
        "tumorlens.workflows.public_compare.compare_networks", lambda _, settings, **__: asked.update(vars(settings))
    )
    tumorlens.compare(tiny_study.dataset, mistake="duplicates")
    assert asked["mistake"] == "duplicates"


def _run(folder, hits, *, rows=None):
    """As much of a run as a difference needs: predictions of a test part, right where ``hits`` is 1."""
    folder.mkdir()
    rows = range(len(hits)) if rows is None else rows
    pd.DataFrame(
        {
            "row_id": list(rows),
            "part": "test",
            "reference_label": "tumor",
            "predicted_label": ["tumor" if hit else "no_tumor" for hit in hits],
        }
    ).to_parquet(folder / "predictions.parquet")
    return SimpleNamespace(folder=folder)


def test_difference_is_paired_on_the_same_scans(tmp_path) -> None:
    """Each group gains exactly one of two scans: whatever is drawn, the difference is a half."""
    dataset = SimpleNamespace(groups=np.repeat([f"p{i:02d}" for i in range(40)], 2))
    first = np.tile([1, 0, 0, 0], 20)
    second = np.tile([1, 1, 1, 0], 20)
    runs = _run(tmp_path / "a", first), _run(tmp_path / "b", second)
    found = accuracy_difference(dataset, *runs, seed=0)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_difference_on_other_scans_is_not_paired(tmp_path) -> None:
    dataset = SimpleNamespace(groups=np.array([f"p{i // 2:02d}" for i in range(160)]))
    first = _run(tmp_path / "a", np.tile([1, 1, 0, 0], 20))
    second = _run(tmp_path / "b", np.tile([1, 1, 0, 0], 20), rows=range(80, 160))
    found = accuracy_difference(dataset, first, second, seed=0)
    assert found.value == 0.0
    # Two means of 40 groups that are all right or all wrong: each has a standard error of 0.079, the difference 0.112.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.112, rel=0.1)


def test_no_interval_where_no_scan_differs(tmp_path) -> None:
    dataset = SimpleNamespace(groups=np.repeat(["a", "b"], 2))
    runs = _run(tmp_path / "a", [1, 0, 1, 1]), _run(tmp_path / "b", [1, 0, 1, 1])
    found = accuracy_difference(dataset, *runs, seed=0)
    assert (found.value, found.low, found.high) == (0.0, None, None)
