from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tumorlens.audit.findings import Twin
from tumorlens.audit.fine_likeness import fine_likeness, fine_picture, own_copy_likeness
from tumorlens.audit.twin_kinds import ALLOWANCE
from tumorlens.audit.twin_table import TwinTable
from tumorlens.audit.twins import find_scan_twins, find_twins_against, summarise_twins


def test_every_kind_is_found_and_nothing_else(twin_study):
    twins = {frozenset((twin.first, twin.second)): twin for twin in find_scan_twins(twin_study.dataset)}
    expected = {
        ("Training/a/0.png", "Testing/a/same.png"): "exact",
        ("Training/a/1.png", "Testing/a/smaller.jpg"): "copy",
        ("Training/a/4.png", "Testing/b/relabelled.jpg"): "copy",
        ("Training/a/2.png", "Testing/a/mirrored.jpg"): "mirrored",
        ("Training/a/3.png", "Testing/a/neighbour.png"): "neighbour",
    }
    found = {pair: twin.kind for pair, twin in twins.items()}
    assert found == {frozenset(map(twin_study.row, pair)): kind for pair, kind in expected.items()}
    assert all(0.94 < twin.similarity <= 1 for twin in twins.values())


def test_the_summary_counts_scans_under_their_closest_kind(twin_study):
    summary = summarise_twins(twin_study.dataset, find_scan_twins(twin_study.dataset))
    assert summary.by_kind == {"exact": 2, "copy": 4, "mirrored": 2, "neighbour": 2}
    assert (summary.exact_groups, summary.scans_in_copies, summary.near_twins) == (1, 2, 10)
    assert summary.clusters == twin_study.dataset.record.groups
    assert all(len(cluster) == 2 for cluster in summary.largest)
    assert [twin.kind for twin in summary.examples] == ["exact", "copy", "copy", "mirrored", "neighbour"]


def test_examples_begin_with_different_labels(twin_study):
    summary = summarise_twins(twin_study.dataset, find_scan_twins(twin_study.dataset))
    first_copy = next(twin for twin in summary.examples if twin.kind == "copy")
    assert twin_study.row("Testing/b/relabelled.jpg") in (first_copy.first, first_copy.second)


def test_a_scan_is_counted_once_under_its_closest_kind(twin_study):
    rows = [twin_study.row(f"Training/b/{seed}.png") for seed in range(5, 9)]
    closest = ((0, 1, "neighbour"), (0, 2, "mirrored"), (2, 3, "copy"))
    pairs = [Twin(rows[one], rows[two], kind, 0.97) for one, two, kind in closest]
    summary = summarise_twins(twin_study.dataset, pairs)
    assert summary.by_kind == {"exact": 0, "copy": 2, "mirrored": 1, "neighbour": 1}


def test_patients_keep_clusters_of_copies(twin_study):
    dataset = replace(twin_study.dataset, record=replace(twin_study.dataset.record, groups_are="patients"))
    a, b, c, d, e = (twin_study.row(f"Training/b/{seed}.png") for seed in range(5, 10))
    pairs = (Twin(a, b, "copy", 0.99), Twin(b, c, "mirrored", 0.99), Twin(d, e, "neighbour", 0.99))
    summary = summarise_twins(dataset, pairs)
    assert summary.clusters == len(dataset) - 2
    assert summary.largest == ((a, b, c),)


def test_a_data_set_against_itself_is_all_exact(twin_study):
    pairs = find_twins_against(twin_study.dataset, twin_study.dataset)
    exact = pairs.take(pairs.kind == 0)
    assert len(exact) == twin_study.dataset.record.flow.distinct
    assert (exact.first == exact.second).all()
    assert (pairs.take(pairs.kind > 0).first != pairs.take(pairs.kind > 0).second).all()


def test_a_table_is_a_sequence_of_twins():
    twins = (Twin(3, 4, "copy", 0.5), Twin(1, 9, "exact", 1.0), Twin(2, 7, "copy", 0.75))
    table = TwinTable.of(twins)
    assert tuple(table) == twins
    assert tuple(table[1:]) == twins[1:]
    assert TwinTable.of(table) is table
    assert table.closest_first().tolist() == [1, 2, 0]


def _jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def save(picture: Image.Image) -> Image.Image:
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality)
        return Image.open(io.BytesIO(data.getvalue())).convert("L")

    return save


def _scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: picture.resize((round(picture.width * factor), round(picture.height * factor)))


def _shifted(right: int, down: int) -> Callable[[Image.Image], Image.Image]:
    def shift(picture: Image.Image) -> Image.Image:
        moved = Image.new("L", picture.size)
        moved.paste(picture, (right, down))
        return moved

    return shift


def _levels(function: Callable[[int], float]) -> Callable[[Image.Image], Image.Image]:
    table = [min(255, max(0, round(function(level)))) for level in range(256)]
    return lambda picture: picture.point(table)


COPIES = {
    "JPEG 40": _jpeg(40),
    "JPEG 90": _jpeg(90),
    "three quarters": _scaled(0.75),
    "one and a half": _scaled(1.5),
    "shift 1": _shifted(1, 0),
    "shift 3": _shifted(-2, 3),
    "gamma 0.7": _levels(lambda level: 255 * (level / 255) ** 0.7),
    "gamma 1.5": _levels(lambda level: 255 * (level / 255) ** 1.5),
    "darker": _levels(lambda level: 0.6 * level),
    "brighter": _levels(lambda level: level + 20),
}


@pytest.mark.parametrize("name", COPIES)
def test_detail_tells_a_copy_from_a_neighbour(name, twin_picture):
    picture = twin_picture(7)
    original, copy = fine_picture(picture), fine_picture(COPIES[name](picture))
    neighbour = fine_picture(twin_picture(7, drift=0.2))
    least = min(own_copy_likeness(original), own_copy_likeness(copy)) - ALLOWANCE
    assert fine_likeness(original.spectrum, copy.spectrum) >= least
    assert fine_likeness(original.spectrum, neighbour.spectrum) < least - 0.02


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_picture_turned_back_is_itself(turn, twin_picture):
    grey = np.asarray(twin_picture(3).resize((120, 120)))
    turned = Image.fromarray(np.rot90(grey[:, ::-1] if turn >= 4 else grey, turn % 4).copy())
    likeness = fine_likeness(fine_picture(Image.fromarray(grey)).turned(turn), fine_picture(turned).spectrum)
    assert likeness == pytest.approx(1, abs=1e-4)


def test_a_scan_of_one_colour_is_like_none(twin_picture):
    plain = fine_picture(Image.new("L", (50, 40), 30))
    assert fine_likeness(plain.spectrum, fine_picture(twin_picture(1)).spectrum) == 0


def test_a_set_without_any_near_twin_has_none(made_up):
    assert len(find_scan_twins(made_up([0, 1], "ab"))) == 0
