"""Pictures and raw maps of where a score came from."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tumorlens.bundles import Predictor
from tumorlens.errors import InputError, StorageError
from tumorlens.explanation import Heatmap, HeatmapFolder
from tumorlens.explanation.picture import opacities


def _heatmap(evidence: np.ndarray, *, source: str = "scan.png", label: str = "tumor", **facts) -> Heatmap:
    scan = np.full((80, 100, 3), 128, np.uint8)
    return Heatmap(
        evidence=evidence.astype(np.float32),
        scan=scan,
        label=label,
        probability=0.9,
        source=source,
        model="run@0123456789ab",
        marks=("synthetic",),
        use="Research output, not for patient care.",
        **facts,
    )


def _words(heatmap: Heatmap, path) -> str:
    with Image.open(heatmap.save(path)) as picture:
        return picture.info["Description"]


def _coloured(path) -> np.ndarray:
    """``(h, w)`` bool: pixels that are not grey."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return np.ptp(pixels, axis=2) > 25


def test_only_cells_that_speak_for_the_class_are_painted() -> None:
    painted = opacities(np.array([[2.0, -3.0], [1.0, 0.0]], np.float32))
    assert painted[0, 0] == painted.max() == 0.75
    assert painted[1, 0] == pytest.approx(0.375)
    assert painted[0, 1] == painted[1, 1] == 0.0


def test_picture_paints_the_right_corner(tmp_path) -> None:
    left_above, right_below = np.full((4, 4), -1.0), np.full((4, 4), -1.0)
    left_above[0, 0], right_below[3, 3] = 2.0, 2.0
    masks = [
        _coloured(_heatmap(evidence).save(tmp_path / f"{name}.png"))
        for name, evidence in (("a", left_above), ("b", right_below))
    ]
    assert masks[0].shape == masks[1].shape
    first, second = (np.argwhere(mask & ~other) for mask, other in (masks, masks[::-1]))
    assert (first.max(axis=0) < second.min(axis=0)).all()


def test_picture_without_evidence_is_grey_and_says_so(tmp_path) -> None:
    path = _heatmap(np.full((3, 3), -1.0)).save(tmp_path / "none.png")
    with Image.open(path) as picture:
        words = picture.info["Description"]
    assert not _coloured(path).any()
    assert "No cell" in words and "not for patient care" in words and "Synthetic" in words


@pytest.mark.parametrize(
    ("informative", "check", "said"),
    [
        (True, "informative", None),
        (False, "not informative", "Not informative: this model"),
        (None, "not checked", "Not checked: whether"),
    ],
)
def test_picture_says_what_the_check_found(tmp_path, informative, check: str, said: str | None) -> None:
    heatmap = _heatmap(np.eye(3), informative=informative)
    words = _words(heatmap, tmp_path / "x.png")
    assert heatmap.check == check
    assert said in words if said else "nformative" not in words and "hecked" not in words


def test_picture_of_a_finer_map_says_so(tmp_path) -> None:
    assert "map is of the scan at 480 px" in _words(_heatmap(np.eye(3), sizes=(480, 240)), tmp_path / "x.png")
    assert " px" not in _words(_heatmap(np.eye(3)), tmp_path / "y.png")


def test_names_with_signs_of_a_formula_are_drawn(tmp_path) -> None:
    path = _heatmap(np.eye(3), source="a$b$.png", label="$x$ " + "long " * 10).save(tmp_path / "x.png")
    assert path.stat().st_size > 1000


def test_raw_map_is_kept_exactly(tmp_path) -> None:
    evidence = np.random.default_rng(0).normal(size=(7, 8)).astype(np.float32)
    stored = np.load(_heatmap(evidence).save_map(tmp_path / "map.npy"), allow_pickle=False)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, evidence)


def test_nothing_is_left_where_writing_fails(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        _heatmap(np.eye(2)).save(tmp_path / "file" / "x.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "source", ["../../etc/passwd", "a/b\\c:d?.dcm", "…", "x" * 300 + ".png", "vol.nii.gz: slice 3"]
)
def test_names_stay_in_the_folder(tmp_path, source: str) -> None:
    folder = HeatmapFolder(tmp_path / "maps")
    first, second = (folder.write(_heatmap(np.eye(2), source=source)) for _ in range(2))
    assert first != second and folder.count == 2
    assert {path.parent for path in (first, second)} == {tmp_path / "maps"}
    assert sorted(path.suffix for path in (tmp_path / "maps").iterdir()) == [".npy", ".npy", ".png", ".png"]
    assert list(tmp_path.iterdir()) == [tmp_path / "maps"]


def test_file_in_the_place_of_the_folder_is_refused(tmp_path) -> None:
    (tmp_path / "maps").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        HeatmapFolder(tmp_path / "maps")
    assert (tmp_path / "maps").read_text() == "mine"


def test_prediction_has_the_heatmap_of_its_label_and_of_others(tiny_study, tiny_comparison) -> None:
    predictor = Predictor(tiny_comparison.best_run.bundle)
    answer = predictor.predict(next((tiny_study.folder / "images").iterdir()))
    own = answer.heatmap
    (other,) = set(answer.probabilities) - {answer.label}
    np.testing.assert_allclose(answer.heatmap_of(other).evidence, -own.evidence, rtol=1e-6)
    assert own.label == answer.label and own.probability == answer.probabilities[answer.label]
    assert own.scan.shape == (64, 64, 3) and own.evidence.shape == answer.class_maps.shape[:2]
    with pytest.raises(InputError, match="one of the model's classes"):
        answer.heatmap_of("nothing")
