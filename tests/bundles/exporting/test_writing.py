"""An export is written only if it answers as its bundle does, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from tumorlens.bundles import read_card
from tumorlens.bundles.exporting.facts import as_texts, export_facts
from tumorlens.bundles.exporting.formats import FORMATS, ExportSource, find_format
from tumorlens.bundles.exporting.parity import Bounds, batches_of, check, compare_answers
from tumorlens.bundles.exporting.writing import write_export
from tumorlens.errors import InputError, MissingExtraError, StorageError, TumorlensError
from tumorlens.extras import has_extra

FROM = {"source": "noise", "given": 32, "synthetic": 0, "trimmed": 0}


@pytest.fixture(scope="module")
def source(tiny_comparison) -> ExportSource:
    bundle = tiny_comparison.best_run.bundle
    return ExportSource(bundle, read_card(bundle))


@pytest.fixture(scope="module")
def scans() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (40 + 8 * (i % 3), 48, 3), dtype=np.uint8) for i in range(32)]


def write(source, scans, out: Path, name: str = "openvino"):
    return write_export(source, FORMATS[name], out, scans=scans, scans_from=FROM)


def test_openvino_copy_carries_the_facts(source, scans, tmp_path) -> None:
    written = write(source, scans, tmp_path / "new" / "model.xml")
    assert [path.name for path in written.files] == ["model.xml", "model.bin", "model.xml.parity.json"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in written.files)
    model = ov.Core().read_model(written.path)
    facts = {name: model.get_rt_info(["tumorlens", name]).astype(str) for name in as_texts(export_facts(source.card))}
    assert json.loads(facts["labels"]) == list(source.card.labels)
    assert facts["digest"] == source.card.digest and "not for patient care" in facts["use"]
    report = json.loads(written.files[-1].read_text("utf-8"))
    assert report == written.parity
    assert report["sizes"] == {"40x48": 11, "48x48": 11, "56x48": 10} and report["n_scans"] == 32
    assert report["differences"]["probability"] == {"largest": 0.0, "mean": 0.0}
    assert report["differences"]["probability_spread"] > 1e-3


@pytest.mark.skipif(not has_extra("export"), reason="ONNX is written by the extra 'export'")
def test_onnx_answers_as_the_bundle_in_any_batch_and_size(source, scans, tmp_path) -> None:
    import onnxruntime

    written = write(source, scans, tmp_path / "model.onnx", "onnx")
    assert written.parity["differences"]["probability"]["largest"] < 1e-4
    assert written.parity["differences"]["map"]["mean"] > 0  # another program did compute it
    session = onnxruntime.InferenceSession(str(written.path), providers=["CPUExecutionProvider"])
    (pixels,) = session.get_inputs()
    assert (pixels.name, pixels.type, pixels.shape) == ("pixels", "tensor(uint8)", ["batch", "height", "width", 3])
    assert [each.name for each in session.get_outputs()] == ["probabilities", "map", "features"]
    held = session.get_modelmeta().custom_metadata_map
    assert held == as_texts(export_facts(source.card))
    assert json.loads(held["labels"]) == list(source.card.labels)
    assert json.loads(held["operating_point"])["threshold"] == source.card.operating_point.threshold


def test_too_few_scans_and_wrong_names_are_refused(source, scans, tmp_path) -> None:
    with pytest.raises(InputError, match="at least 32 scans, got 31"):
        write(source, scans[:31], tmp_path / "model.xml")
    with pytest.raises(InputError, match=r"openvino must end in \.xml, got model\.onnx"):
        write(source, scans, tmp_path / "model.onnx")
    with pytest.raises(InputError, match="Expected --format onnx, openvino, keras, tflite, got 'pickle'"):
        find_format("pickle")
    (tmp_path / "folder.xml").mkdir()
    with pytest.raises(StorageError, match="a folder stands where a file should be"):
        write(source, scans, tmp_path / "folder.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.xml"]


@pytest.mark.parametrize(
    ("name", "move", "what"),
    [
        ("probabilities", lambda values: values + 2e-4, r"differs from the bundle by 0\.0002 \(probability\)"),
        ("map", lambda values: values + np.abs(values).max(), r"\(map\), allowed are 0\.001"),
        ("features", lambda values: values * np.float32(1.01), r"\(features\)"),
        ("map", lambda values: values[:, :1], "where the bundle gives map of the shape"),
        ("features", lambda values: values * np.nan, "not finite"),
    ],
    ids=["probability", "map", "features", "shape", "not a number"],
)
def test_nothing_is_written_where_answers_differ(source, scans, tmp_path, monkeypatch, name, move, what) -> None:
    kind = type(FORMATS["openvino"])
    true = kind.answers

    def wrong(self, path, batches, *, threads):
        assert path.is_file()  # it was written, under a name of its own
        return [{**each, name: move(each[name])} for each in true(self, path, batches, threads=threads)]

    monkeypatch.setattr(kind, "answers", wrong)
    with pytest.raises(TumorlensError, match=what):
        write(source, scans, tmp_path / "model.xml")
    assert list(tmp_path.iterdir()) == []


def test_an_export_replaces_an_earlier_one_and_a_failed_one_leaves_it(source, scans, tmp_path, monkeypatch) -> None:
    first = write(source, scans, tmp_path / "model.xml")
    again = write(source, scans, tmp_path / "model.xml")
    assert again.parity["files"] == first.parity["files"] and len(list(tmp_path.iterdir())) == 3
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(type(FORMATS["openvino"]), "answers", lambda *_, **__: [{}])
    with pytest.raises(TumorlensError):
        write(source, scans, tmp_path / "model.xml")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_batches_hold_scans_of_one_size() -> None:
    batches = batches_of([np.full((4, 4 + i % 2, 3), i, np.uint8) for i in range(5)])
    assert [batch.shape for batch in batches] == [(3, 4, 4, 3), (2, 4, 5, 3)]
    assert [batch[:, 0, 0, 0].tolist() for batch in batches] == [[0, 2, 4], [1, 3]]


def test_differences_are_the_largest_and_the_mean_over_all_batches() -> None:
    ours = [{"probabilities": np.array([[0.5, 0.5]]), "map": np.array([[2.0]]), "features": np.array([[-4.0]])}] * 2
    theirs = [
        ours[0],
        {"probabilities": np.array([[0.5, 0.6]]), "map": np.array([[1.0]]), "features": np.array([[-4.0]])},
    ]
    found = compare_answers(ours, theirs)
    assert found.probability == pytest.approx((0.1, 0.025)) and found.map == (0.5, 0.25)
    assert found.features == (0.0, 0.0) and found.probability_spread == 0.0
    check(found, Bounds(probability=0.2, probability_mean=0.03, map=0.5, features=0.0), title="It")
    with pytest.raises(TumorlensError, match=r"It differs from the bundle by 0\.1 \(probability\), allowed are 0\.05"):
        check(found, Bounds(probability=0.05, probability_mean=1, map=1, features=1), title="It")
    with pytest.raises(TumorlensError, match=r"by 0\.025 \(probability_mean\), allowed are 0\.02"):
        check(found, Bounds(probability=1, probability_mean=0.02, map=1, features=1), title="It")


def test_bounds_by_precision(source) -> None:
    integers = replace(source.card, precision="int8")
    assert [FORMATS[name].bounds(source.card).probability for name in FORMATS] == [1e-4, 1e-4, 1e-4, 1e-3]
    assert {FORMATS[name].bounds(integers).probability for name in ("onnx", "tflite")} == {0.25}
    assert "floating point" in FORMATS["onnx"].notes(integers)[0]
    assert all(FORMATS[name].notes(source.card) == () for name in FORMATS)


def test_facts_say_what_is_not_in_the_graph(source) -> None:
    facts = export_facts(replace(source.card, scan_steps=("window=percentiles", "crop=brain")))
    assert facts["not_in_graph"][0] == "Scan steps, to be done before the graph: window=percentiles, crop=brain."
    assert not any("steps" in said for said in export_facts(source.card)["not_in_graph"])
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize(("name", "extra"), [("onnx", "export"), ("tflite", "train")])
def test_missing_extra_is_named(monkeypatch, name, extra) -> None:
    monkeypatch.setattr("tumorlens.extras._MODULE_OF_EXTRA", {extra: "onnx no_such_module"})
    with pytest.raises(
        MissingExtraError, match=rf'no_such_module, which is not installed: run pip install "tumorlens\[{extra}\]"'
    ):
        FORMATS[name].require()


def test_ensemble_needs_its_members_for_keras(source, scans, tmp_path) -> None:
    member = {"model": "run@0123", "weight": 1.0, "temperature": 1.0, "head": {"input": "pooled"}}
    ensemble = replace(source, card=replace(source.card, members=(member,)), members=(None,))
    with pytest.raises(InputError, match=r"needs the \.keras model of run@0123, which is not at hand"):
        write(ensemble, scans, tmp_path / "model.keras", "keras")
    assert list(tmp_path.iterdir()) == []
