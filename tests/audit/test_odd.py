from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tumorlens.audit.odd import odd_scans
from tumorlens.audit.odd_distance import neighbour_distances, robust_scores
from tumorlens.audit.odd_measures import measure_oddness
from tumorlens.audit.text_marks import text_marks
from tumorlens.datasets import import_scans
from tumorlens.errors import InputError


def _odd_pictures(head):
    """One picture for each reason that pixels alone can show."""
    text = head.copy()
    ImageDraw.Draw(text).text((2, 2), "NAME 1970", fill=255, font=ImageFont.load_default(size=10))
    framed = Image.new("L", (144, 144), 255)
    framed.paste(head.crop((7, 7, 137, 137)), (7, 7))
    clipped = head.point([min(255, 2 * level) for level in range(256)])
    coloured = head.convert("RGB")
    coloured.paste((200, 40, 40), (60, 60, 90, 90))
    speck = Image.new("L", (144, 144))
    speck.paste(180, (66, 66, 82, 82))
    return {
        "empty": speck,
        "inverted": head.point([255 - level for level in range(256)]),
        "bright frame": framed,
        "clipped": clipped,
        "burned-in text": text,
        "colour": coloured,
    }


@pytest.fixture(scope="module")
def odd_dataset(tmp_path_factory, twin_study, twin_picture):
    folder = tmp_path_factory.mktemp("odd")
    for seed in range(40, 64):
        (folder / "scans" / "ab"[seed % 2]).mkdir(parents=True, exist_ok=True)
        twin_picture(seed).save(folder / "scans" / "ab"[seed % 2] / f"{seed}.png")
    for reason, picture in _odd_pictures(twin_picture(70)).items():
        picture.save(folder / "scans" / "a" / f"{reason}.png")
    twin_picture(40).save(folder / "scans" / "a" / "copy.png")
    return import_scans(folder / "scans", workspace=twin_study.workspace, name="odd", replace=True).dataset


def test_each_odd_scan_is_found_for_its_reason_and_no_other_scan(odd_dataset):
    sources = odd_dataset.manifest["source"].tolist()
    found = {(sources[odd.row_id], odd.reason) for odd in odd_scans(odd_dataset) if odd.reason != "far from all others"}
    reasons = ("empty", "inverted", "bright frame", "clipped", "burned-in text", "colour")
    allowed = {("a/inverted.png", "clipped"), ("a/bright frame.png", "clipped")}
    assert found - allowed == {(f"a/{reason}.png", reason) for reason in reasons}


def test_a_scan_far_away_in_features_is_found(odd_dataset):
    rng = np.random.default_rng(0)
    features = (np.ones(64) + 0.1 * rng.normal(size=(len(odd_dataset), 64))).astype(np.float32)
    row = odd_dataset.manifest["source"].tolist().index("b/45.png")
    features[row] = rng.normal(size=64)
    far = [odd for odd in odd_scans(odd_dataset, features=features) if odd.reason == "far from all others"]
    assert [odd.row_id for odd in far] == [row]
    assert far[0].score > 6


def test_features_of_other_scans_are_refused(odd_dataset):
    with pytest.raises(InputError, match="features"):
        odd_scans(odd_dataset, features=np.zeros((3, 8), np.float32))


def test_words_carry_the_number(odd_dataset):
    words = {odd.reason: odd.words for odd in odd_scans(odd_dataset)}
    assert words["empty"].startswith("the head covers 1.")
    assert "coloured" in words["colour"]


@pytest.mark.parametrize("place", [(3, 3), (100, 2), (3, 128)])
def test_text_in_any_corner_is_found(place, twin_picture):
    picture = twin_picture(71)
    ImageDraw.Draw(picture).text(place, "R 12.5", fill=230, font=ImageFont.load_default(size=10))
    assert text_marks(np.asarray(picture)) >= 3


def test_a_head_alone_holds_no_text(twin_picture):
    assert [text_marks(np.asarray(twin_picture(seed))) for seed in range(80, 90)] == [0] * 10


def test_one_letter_is_not_text(twin_picture):
    picture = twin_picture(71)
    ImageDraw.Draw(picture).text((3, 3), "L", fill=230, font=ImageFont.load_default(size=12))
    assert text_marks(np.asarray(picture)) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 200, 3), (24, 24, 3), (1000, 30, 3)])
def test_any_shape_is_measured(shape):
    black = measure_oddness(np.zeros(shape, np.uint8))
    white = measure_oddness(np.full(shape, 255, np.uint8))
    assert (black.head, black.clipped, black.marks) == (0, 0, 0)
    assert (white.head, white.clipped, white.coloured) == (1, 1, 0)


def test_neighbour_distances_leave_the_vector_itself_out():
    vectors = np.eye(8, dtype=np.float32)
    assert neighbour_distances(vectors) == pytest.approx(np.full(8, np.sqrt(2)), abs=1e-6)
    assert neighbour_distances(np.ones((4, 3), np.float32)) == pytest.approx(np.zeros(4), abs=1e-3)
    assert neighbour_distances(vectors[:1]).tolist() == [0]


def test_neighbour_distances_of_a_sample(monkeypatch):
    monkeypatch.setattr("tumorlens.audit.odd_distance._MOST_REFERENCES", 50)
    rng = np.random.default_rng(0)
    vectors = (np.ones(16) + 0.1 * rng.normal(size=(700, 16))).astype(np.float32)
    vectors[333] = -vectors[333]
    distances = neighbour_distances(vectors)
    assert distances.argmax() == 333
    assert np.delete(distances, 333).max() < 0.5


def test_robust_scores_are_in_usual_spreads():
    values = np.random.default_rng(0).normal(10, 2, 5001)
    scores = robust_scores(values)
    assert scores.std() == pytest.approx(1, abs=0.03)
    assert np.median(scores) == 0
    assert robust_scores(np.ones(5)).tolist() == [0] * 5


def test_no_reason_is_cut_short(made_up):
    found = odd_scans(made_up([0, 1] * 120, range(240)))
    assert sum(odd.reason == "empty" for odd in found) == 240
