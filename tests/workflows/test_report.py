"""The report of what is stored: whole, without opening the test part, with scans only where they lie."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tumorlens as tl
from tumorlens.bundles import GRAPH_FILE, Predictor
from tumorlens.datasets import load_dataset
from tumorlens.errors import InputError, IntegrityError, NotFoundError
from tumorlens.runtime import compile_graph
from tumorlens.workflows.ledger import count_openings
from tumorlens.workflows.report import report_result
from tumorlens.workflows.report_details import row_details
from tumorlens.workflows.report_errors import MOST_SHOWN, wrong_answers
from tumorlens.workflows.report_files import next_commands
from tumorlens.workflows.runs import RunRecord, find_run, read_predictions
from tumorlens.workflows.stored_results import find_result
from tumorlens.workspace import Workspace

_TEXTS = {"model-card.md", "data-sheet.md", "checklists.md", "references.bib"}


@dataclass(frozen=True)
class Place:
    """A copy of the small workspace in which a few test scans are decided wrongly."""

    workspace: Workspace
    run: str
    comparison: str

    @property
    def record(self) -> RunRecord:
        return find_run(self.workspace, self.run)


class _Balanced(HTMLParser):
    """Keeps what is still open at the end, and every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def place(tiny_study, tiny_comparison, tmp_path_factory) -> Place:
    root = tmp_path_factory.mktemp("report") / "workspace"
    shutil.copytree(tiny_study.workspace.root, root)
    found = Place(Workspace.locate(root), tiny_comparison.best_run.name, tiny_comparison.folder.name)
    _decide_wrongly(root / "runs" / found.run / "predictions.parquet", places=5)
    return found


def _decide_wrongly(file: Path, *, places: int) -> None:
    """Turn the answers of the first test scans round, each with another confidence."""
    table = pd.read_parquet(file)
    other = {"tumor": "no_tumor", "no_tumor": "tumor"}
    for step, row in enumerate(table.index[table["part"] == "test"][:places]):
        answer = other[table.at[row, "reference_label"]]
        table.loc[row, ["predicted_label", f"probability_{answer}", f"probability_{other[answer]}"]] = [
            answer,
            0.6 + 0.05 * step,
            0.4 - 0.05 * step,
        ]
    table.to_parquet(file, index=False)


@pytest.fixture(scope="module")
def run_page(place) -> str:
    return report_result(place.run, workspace=place.workspace).page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def comparison_page(place) -> str:
    return report_result(place.comparison, workspace=place.workspace).page.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["run_page", "comparison_page"])
def test_the_page_is_whole_and_names_nothing_outside(kind, request) -> None:
    page = _Balanced(request.getfixturevalue(kind))
    assert page.open == []
    assert all(address.startswith(("#", "data:image/")) for address in page.addresses)


@pytest.mark.parametrize("kind", ["run_page", "comparison_page"])
def test_the_page_shows_every_part(kind, request) -> None:
    text = request.getfixturevalue(kind)
    for part in (
        "Table 1: scans by part",
        "Data check",
        "On the test part, with intervals",
        "majority class",
        "ROC curves on the test part",
        "Precision-recall curves",
        "Confusion matrix",
        "How training went",
        "All figures of efficientnet-lite0",
        "Model card: ",
        "Data sheet: tiny",
        "@misc{tan2019",
        "CLAIM 2024",
        "TRIPOD+AI",
        "STARD-AI",
        "decides 5 of 12 test scans wrongly",
    ):
        assert part in text, part


def test_a_run_s_page_is_about_the_run(run_page, place) -> None:
    assert f"<h1>Model {place.run}</h1>" in run_page
    assert "Best on validation" not in run_page
    assert f"tumorlens evaluate {place.run} DATASET" in run_page


def test_files_lie_beside_the_run_or_the_comparison(place, run_page, comparison_page) -> None:
    for folder in (place.record.folder / "report", place.workspace.comparisons / place.comparison):
        names = {path.name for path in folder.iterdir()}
        assert {*_TEXTS, "report.html", "plots"} <= names
        assert not [name for name in names if name.startswith(".")]
        assert {"roc.png", "pr.png", "overview.png"} <= {path.name for path in (folder / "plots").iterdir()}
        assert "not for patient care" in (folder / "model-card.md").read_text(encoding="utf-8").lower()
        assert "Table 1" in (folder / "data-sheet.md").read_text(encoding="utf-8")


def test_nothing_is_opened_or_predicted_again(place, monkeypatch) -> None:
    split = place.record.split_digest
    before = count_openings(place.workspace, split), read_predictions(place.record.folder)
    monkeypatch.setattr("tumorlens.bundles.Predictor.predict_many", _never)
    monkeypatch.setattr("tumorlens.features.extract._compute", _never)
    monkeypatch.setattr("tumorlens.workflows.baselines.baseline_probabilities", _never)
    report_result(place.comparison, workspace=place.workspace)
    assert count_openings(place.workspace, split) == before[0]
    pd.testing.assert_frame_equal(read_predictions(place.record.folder), before[1])


def _never(*_: object, **__: object) -> None:
    raise AssertionError("something was computed")


def test_compare_writes_the_page_that_report_writes(tiny_study, tiny_comparison, tmp_path) -> None:
    """But for the count of openings, which later runs on the same split raise."""
    again = tmp_path / "workspace"
    shutil.copytree(tiny_study.workspace.root, again)
    written = tiny_comparison.report.read_text(encoding="utf-8")
    made = report_result(tiny_comparison.folder.name, workspace=Workspace.locate(again)).page
    openings = r"(Test part opened|Opened)</dt><dd>[^<]*"
    assert re.sub(openings, "", made.read_text(encoding="utf-8")) == re.sub(openings, "", written)


def test_wrong_answers_are_the_most_confident_first_with_their_neighbours(place) -> None:
    dataset = load_dataset(place.workspace, "tiny")
    found = wrong_answers(place.record, dataset, pictures=True)
    assert (found.wrong, found.scans) == (5, 12)
    assert [round(answer.probability, 2) for answer in found.shown] == [0.8, 0.75, 0.7, 0.65, 0.6]
    table = read_predictions(place.record.folder)
    train = set(table["row_id"][table["part"] == "train"])
    predictor = Predictor(place.record.bundle)
    features, labels = _features(place, dataset), table["reference_label"].to_numpy()
    for answer in found.shown:
        assert answer.answer != answer.reference == labels[answer.row]
        assert answer.tile.jpeg.startswith(b"\xff\xd8")
        with dataset.open_pixels() as store:
            speaks = predictor.predict(store.get(dataset.digests[answer.row])).heatmap_of(answer.answer).speaks_for
        assert answer.silent == (not speaks) == (answer.heatmap is None)
        assert not speaks or (answer.heatmap.startswith(b"\xff\xd8") and answer.heatmap != answer.tile.jpeg)
        distances = 1 - features @ features[answer.row]
        nearest = sorted(train, key=lambda row: distances[row])[:3]
        assert [near.distance for near in answer.neighbours] == pytest.approx(distances[nearest].tolist(), abs=2e-3)
        assert [near.label for near in answer.neighbours] == labels[nearest].tolist()


def _features(place: Place, dataset) -> np.ndarray:
    graph = compile_graph(place.record.bundle / GRAPH_FILE, outputs=["features"])
    with dataset.open_pixels() as store:
        vectors = np.stack([graph.run(store.get(digest))["features"][0] for digest in dataset.digests]).astype(float)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_at_most_so_many_are_shown_and_copies_once(place, tmp_path) -> None:
    run = place.record
    copy = tmp_path / run.name
    shutil.copytree(run.folder, copy)
    table = pd.read_parquet(copy / "predictions.parquet")
    table["part"] = "test"
    table["predicted_label"] = table["reference_label"].map({"tumor": "no_tumor", "no_tumor": "tumor"})
    table.loc[1, "pixel_digest"] = table.loc[0, "pixel_digest"]
    table.to_parquet(copy / "predictions.parquet")
    moved = RunRecord(copy, run.config, run.row, run.created, run.marks)
    found = wrong_answers(moved, None, pictures=True)
    assert (found.wrong, len(found.shown)) == (len(table), MOST_SHOWN)
    assert len({int(answer.row) for answer in found.shown}) == MOST_SHOWN
    assert not {0, 1} <= {answer.row for answer in found.shown}
    assert all(answer.tile is None and not answer.neighbours for answer in found.shown)
    assert "left out" in found.notes[0]


def test_scans_are_shown_only_where_they_lie(place, tmp_path) -> None:
    outside = report_result(place.run, workspace=place.workspace, out=tmp_path / "elsewhere")
    inside = report_result(
        place.run, workspace=place.workspace, out=place.workspace.root / "reports" / "plain", pictures=False
    )
    sources = load_dataset(place.workspace, "tiny").manifest["source"]
    for made in (outside, inside):
        text = made.page.read_text(encoding="utf-8")
        assert "<img" not in text and "Row of the manifest" in text
        assert not any(source in text for source in sources)
    assert "outside the workspace" in outside.notes[-1] and outside.notes[-1] in outside.page.read_text("utf-8")
    assert not any("outside" in note for note in inside.notes)


def test_without_kept_features_the_neighbours_are_left_out_and_it_says_so(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    (copy.runs / place.run / "neighbours.npz").unlink()
    found = wrong_answers(find_run(copy, place.run), load_dataset(copy, "tiny"), pictures=True)
    assert "Nearest training scans are left out" in found.notes[0]
    assert all(answer.tile is not None and not answer.neighbours for answer in found.shown)


def test_without_the_bundle_there_are_scans_but_no_heatmaps(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    shutil.rmtree(copy.runs / place.run / "bundle")
    assert find_result(place.run, workspace=copy).card is None
    found = wrong_answers(find_run(copy, place.run), load_dataset(copy, "tiny"), pictures=True)
    assert all(answer.tile and answer.heatmap is None and not answer.silent for answer in found.shown)


def test_without_the_data_set_the_report_has_what_is_left(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    shutil.rmtree(copy.datasets / "tiny")
    result = report_result(place.comparison, workspace=copy)
    text = result.page.read_text(encoding="utf-8")
    assert "is not in this workspace" in result.notes[0] and result.notes[0].split("'")[0] in text
    assert "Scans by part and class" in text and "<img" not in text
    assert "not in this workspace as it was" in (result.folder / "data-sheet.md").read_text(encoding="utf-8")


def test_without_the_runs_the_comparison_keeps_its_tables(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    shutil.rmtree(copy.runs / place.run)
    result = report_result(place.comparison, workspace=copy)
    text = result.page.read_text(encoding="utf-8")
    assert f"The run {place.run} is not in this workspace any more" in result.notes[0]
    assert "On the test part, with intervals" in text and "Model card:" not in text
    assert "model-card.md" not in {file.name for file in result.files}


def test_a_run_without_a_comparison_has_no_baselines_and_says_so(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    shutil.rmtree(copy.comparisons)
    stored = find_result(place.run, workspace=copy)
    assert [row.run for row in stored.comparison.rows] == [place.run]
    assert stored.comparison.seed == 0 and stored.comparison.groups_are == "patients"
    assert stored.comparison.positive_class == "tumor"
    assert "No baselines beside it" in stored.notes[0]
    assert stored.comparison.parts["test"] == {"no_tumor": 9, "tumor": 3}


def test_a_mistake_on_purpose_is_no_model_to_use(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    file = copy.runs / place.run / "metrics.json"
    metrics = json.loads(file.read_text(encoding="utf-8"))
    metrics["row"]["mistake"] = "scaling"
    file.write_text(json.dumps({**metrics, "marks": ["mistake on purpose"]}))
    stored = find_result(place.run, workspace=copy)
    assert "made with a mistake on purpose" in stored.notes[0]
    assert stored.comparison.marks == ("mistake on purpose",)
    assert next_commands(stored) == ("tumorlens runs list",)


def test_a_comparison_of_an_older_version_lacks_the_baselines_curves(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    (copy.comparisons / place.comparison / "baselines.parquet").unlink()
    stored = find_result(place.comparison, workspace=copy)
    assert "The baselines' curves are left out" in stored.notes[0]
    assert [detail is None for detail in row_details(stored)] == [True, True, False]


def test_a_data_licence_stands_where_it_is_asked_for(place, tmp_path) -> None:
    result = report_result(place.run, workspace=place.workspace, out=tmp_path / "r", data_licence="CC <0>")
    assert "- **Licence:** CC &lt;0>" in (result.folder / "data-sheet.md").read_text(encoding="utf-8")
    assert "CC &lt;0&gt;" in result.page.read_text(encoding="utf-8")


def test_paths_name_runs_and_comparisons_too(place) -> None:
    for folder in (place.record.folder, place.workspace.comparisons / place.comparison):
        assert find_result(str(folder), workspace=place.workspace).name == folder.name


def test_unknown_names_list_some(place) -> None:
    with pytest.raises(NotFoundError) as caught:
        report_result("nothing", workspace=place.workspace)
    message = str(caught.value)
    assert "'nothing'" in message and "tiny-grouped" in message and "\n" not in message
    with pytest.raises(NotFoundError, match="none yet"):
        report_result("nothing", workspace=Workspace.locate(place.workspace.root / "empty"))


def test_a_file_is_no_place_for_a_report(place, tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        report_result(place.run, workspace=place.workspace, out=tmp_path / "file")


def test_damaged_and_foreign_comparisons_are_refused(place, tmp_path) -> None:
    copy = Workspace.locate(_copied(place, tmp_path))
    file = copy.comparisons / place.comparison / "comparison.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**document, "protocol": "cross-validation"}))
    with pytest.raises(InputError, match="one split"):
        report_result(place.comparison, workspace=copy)
    file.write_text("{")
    with pytest.raises(IntegrityError, match="damaged"):
        report_result(place.comparison, workspace=copy)
    assert find_result(place.run, workspace=copy).name == place.run  # it is passed over in the search for baselines


def test_in_python(place, tiny_comparison, tmp_path) -> None:
    made = tl.report(place.run, workspace=place.workspace.root, out=tmp_path / "a", pictures=False)
    assert made.page == tmp_path / "a" / "report.html" and made.kind == "run"
    made = tl.report(tiny_comparison, out=tmp_path / "b", pictures=False)
    assert made.kind == "comparison" and made.name == tiny_comparison.folder.name
    assert set(made.to_json()) == {"name", "kind", "report", "files", "notes", "next"}


def _copied(place: Place, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place.workspace.root, tmp_path / "workspace"))
