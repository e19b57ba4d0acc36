"""A bundle answers as its run did, and nothing changed in it goes unnoticed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumorlens.bundles import OperatingPoint, Predictor, decide, find_bundle, predict_files, read_card, write_card
from tumorlens.bundles.card import FORMAT_VERSION
from tumorlens.cli.main import main
from tumorlens.errors import InputError, IntegrityError, NotFoundError
from tumorlens.scans import Scan


@pytest.fixture(scope="module")
def bundle(tiny_comparison):
    return tiny_comparison.best_run.bundle


def test_same_pixels_give_the_stored_prediction(tiny_study, tiny_comparison, bundle) -> None:
    stored = pd.read_parquet(tiny_comparison.best_run.folder / "predictions.parquet")
    predictor = Predictor(bundle)
    for row in range(0, len(stored), 5):
        source = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][row]
        answer = predictor.predict(source)
        for name in tiny_study.dataset.classes:
            assert answer.probabilities[name] == pytest.approx(stored[f"probability_{name}"][row], abs=1e-5)


def test_map_comes_with_the_answer(bundle) -> None:
    answer = Predictor(bundle).predict(np.zeros((40, 50, 3), np.uint8))
    assert answer.class_maps.ndim == 3 and answer.class_maps.shape[-1] == 2
    assert sum(answer.probabilities.values()) == pytest.approx(1.0, abs=1e-6)
    assert set(answer.to_json()) == {
        *("source", "label", "decision", "probabilities", "conformal_set", "novelty", "similar"),
        *("model", "precision", "views", "marks", "use"),
    }
    assert answer.views is None and answer.to_json()["views"] is None
    assert answer.marks == ("synthetic",) and "not for patient care" in answer.use


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8)],
    ids=["float", "grey", "alpha"],
)
def test_arrays_that_are_no_scan_are_refused(bundle, pixels) -> None:
    with pytest.raises(InputError, match="uint8 of shape"):
        Predictor(bundle).predict(pixels)


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "model.keras", "bundle.json"])
def test_one_changed_byte_is_found(bundle, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    data = bytearray((copy / name).read_bytes())
    place = len(data) // 2
    data[place] = data[place] + 1 if chr(data[place]).isdigit() and data[place] < ord("9") else data[place] ^ 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match="changed"):
        Predictor(copy)


@pytest.mark.parametrize("name", ["model.bin", "bundle.json"])
def test_missing_file_is_named(bundle, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    (copy / name).unlink()
    with pytest.raises(IntegrityError, match=name):
        Predictor(copy)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("99", "format 99"),
        ("1", f"format 1, this tumorlens reads format {FORMAT_VERSION}: make the bundle again"),
        ("0", "changed"),
        ("1e999", "changed"),
        ('"x"', "changed"),
    ],
)
def test_other_formats_are_refused(bundle, tmp_path: Path, version: str, message: str) -> None:
    text = (bundle / "bundle.json").read_text().replace(f'"format": {FORMAT_VERSION}', f'"format": {version}', 1)
    (tmp_path / "bundle.json").write_text(text)
    with pytest.raises(IntegrityError, match=message):
        read_card(tmp_path)


def test_card_round_trip(bundle, tmp_path: Path) -> None:
    card = read_card(bundle)
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    assert card.operating_point is not None and card.operating_point.positive_class == "tumor"


def test_decision_follows_the_operating_point(bundle) -> None:
    card = read_card(bundle)
    probabilities = {"no_tumor": 0.7, "tumor": 0.3}
    assert decide(card.labels, card.operating_point, probabilities) == "no_tumor"
    assert decide(card.labels, OperatingPoint("tumor", 0.2, "chosen"), probabilities) == "tumor"
    assert decide(card.labels, None, probabilities) == "no_tumor"
    assert decide(card.labels, card.operating_point, {"no_tumor": 0.5, "tumor": 0.5}) == "tumor"


def test_bundle_is_found_by_path_run_folder_and_name(tiny_comparison, bundle) -> None:
    runs = tiny_comparison.best_run.folder.parent
    for words in (str(bundle), str(bundle.parent), bundle.parent.name):
        assert find_bundle(words, runs=runs).samefile(bundle)
    with pytest.raises(NotFoundError, match="tumorlens runs list"):
        find_bundle("nothing", runs=runs)


def test_bad_file_does_not_stop_the_rest(tiny_study, bundle, tmp_path: Path) -> None:
    good = next((tiny_study.folder / "images").iterdir())
    (tmp_path / "a.png").write_bytes(b"not an image")
    shutil.copy(good, tmp_path / "b.png")
    bad, fine = predict_files(Predictor(bundle), [tmp_path])
    assert bad.error is not None and "a.png" in bad.error and bad.prediction is None
    assert fine.prediction is not None and fine.error is None


def test_a_volume_is_no_single_scan_and_notes_go_to_standard_error(bundle, tmp_path: Path, capsys) -> None:
    values = np.random.default_rng(0).integers(300, 900, (16, 16, 3)).astype(np.int16)
    for name in ("a.nii", "a_seg.nii"):
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / name)
    with pytest.raises(InputError, match="holds several scans"):
        Predictor(bundle).predict(tmp_path / "a.nii")
    (tmp_path / "b.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match="not a readable image"):
        Predictor(bundle).predict(tmp_path / "b.png")
    assert main(["predict", str(bundle), str(tmp_path), "--json"]) == 2
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 3
    assert "files named as masks" in " ".join(shown.err.split())


def test_marks_of_a_scan_stand_beside_those_of_the_model(bundle) -> None:
    scan = Scan(np.zeros((8, 8, 3), np.uint8), "PNG", "L", "a.png")
    assert Predictor(bundle).answer(scan, marks=("alone",)).marks == ("synthetic", "alone")


@pytest.mark.parametrize("name", ["missing.png", "empty"])
def test_nothing_to_predict(bundle, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError):
        list(predict_files(Predictor(bundle), [tmp_path / name]))


def test_predicting_imports_no_training_library(tiny_study, bundle) -> None:
    scan = next((tiny_study.folder / "images").iterdir())
    code = (
        "import sys; from tumorlens.cli.main import main\n"
        "code = main(['predict', sys.argv[1], sys.argv[2], '--json'])\n"
        "heavy = {'keras', 'tensorflow', 'sklearn', 'pandas', 'matplotlib', 'scipy', 'nncf'} & set(sys.modules)\n"
        "sys.exit(code or (', '.join(heavy) if heavy else 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle), str(scan)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] in ("no_tumor", "tumor")


def test_finer_map_leaves_the_answer_alone(tiny_study, bundle) -> None:
    scan = next((tiny_study.folder / "images").iterdir())
    plain, same, finer = (Predictor(bundle, heatmap_size=size).predict(scan) for size in (None, 64, 128))
    for answer in (same, finer):
        assert answer.label == plain.label
        np.testing.assert_allclose(list(answer.probabilities.values()), list(plain.probabilities.values()), atol=1e-6)
    np.testing.assert_allclose(same.class_maps, plain.class_maps, atol=1e-5)
    assert [each.class_maps.shape[:2] for each in (plain, finer)] == [(2, 2), (4, 4)]
    assert (plain.heatmap.sizes, finer.heatmap.sizes) == (None, (128, 64))


@pytest.mark.parametrize("size", [63, 2049, 0])
def test_sizes_for_heatmaps_out_of_range_are_refused(bundle, size: int) -> None:
    with pytest.raises(InputError, match=f"from the model's own 64 to 2048, got {size}"):
        Predictor(bundle, heatmap_size=size)


def test_card_without_a_check_of_heatmaps_is_read(bundle, tmp_path: Path) -> None:
    card = replace(read_card(bundle), heatmap_check=None)
    write_card(tmp_path, card)
    assert json.loads((tmp_path / "bundle.json").read_text())["heatmap_check"] is None
    assert read_card(tmp_path) == card


@pytest.mark.parametrize(("informative", "check"), [(False, "not informative"), (True, "informative")])
def test_answers_say_what_the_check_of_heatmaps_found(bundle, tmp_path: Path, capsys, informative, check: str) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    card = read_card(copy)
    write_card(copy, replace(card, heatmap_check={**card.heatmap_check, "informative": informative}))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    words = ["predict", str(copy), str(tmp_path / "a.png"), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["heatmap_check"] is None
    assert main([*words, "--heatmaps", str(tmp_path / "why")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["heatmap_check"] == check
    with Image.open(answer["heatmap"]) as picture:
        assert ("Not informative" in picture.info["Description"]) is not informative
    assert main([*words, "--heatmaps", str(tmp_path / "finer"), "--heatmap-size", "128"]) == 0
    finer = json.loads(capsys.readouterr().out)
    assert finer["heatmap_check"] == "not checked"  # the check looked at maps of the model's own size
    with Image.open(finer["heatmap"]) as picture:
        assert "at 128 px" in picture.info["Description"]


def test_size_for_heatmaps_needs_a_folder_for_them(bundle, tmp_path: Path, capsys) -> None:
    assert main(["predict", str(bundle), str(tmp_path), "--heatmap-size", "128"]) == 2
    assert "--heatmaps DIR" in " ".join(capsys.readouterr().err.split())
