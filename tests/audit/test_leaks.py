from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.audit.findings import Twin
from tumorlens.audit.leaks import leaks_against, published_leaks, split_leaks
from tumorlens.audit.twins import find_scan_twins
from tumorlens.datasets import import_scans, load_dataset
from tumorlens.datasets.split import make_split


def test_the_published_split_is_counted_by_closest_kind(twin_study):
    leaks = published_leaks(twin_study.dataset, find_scan_twins(twin_study.dataset))
    counts = leaks.test_scans, leaks.exact, leaks.near, leaks.mirrored, leaks.neighbouring
    assert counts == (9, 1, 2, 1, 1)
    assert "test" in leaks.of and "training" in leaks.of
    parts = twin_study.dataset.manifest["published_part"].to_numpy()
    assert [parts[twin.first] for twin in leaks.examples] == ["test"] * 5
    assert [parts[twin.second] for twin in leaks.examples] == ["train"] * 5


def test_without_a_published_split_there_is_nothing_to_say(twin_study):
    dataset = twin_study.dataset
    bare = replace(dataset, manifest=dataset.manifest.drop(columns="published_part"))
    only_test = replace(dataset, manifest=dataset.manifest.assign(published_part="test"))
    assert published_leaks(bare, ()) is None
    assert published_leaks(only_test, ()) is None


def test_a_validation_part_stands_in_for_a_missing_test_part(twin_study):
    dataset = twin_study.dataset
    parts = dataset.manifest["published_part"].replace("test", "validation")
    leaks = published_leaks(replace(dataset, manifest=dataset.manifest.assign(published_part=parts)), ())
    assert (leaks.test_scans, leaks.exact, leaks.near) == (9, 1, 0)
    assert "validation" in leaks.of


def _split(dataset, test, train):
    parts = np.full(len(dataset), "validation", dtype="<U11")
    parts[test], parts[train] = "test", "train"
    return make_split(parts, pixel_digests=dataset.digests, protocol="study", seed=None, groups_are="none")


@pytest.mark.parametrize("kind", ["near", "mirrored", "neighbouring"])
def test_only_pairs_across_the_split_count(twin_study, kind):
    dataset = twin_study.dataset
    name = {"near": "copy", "mirrored": "mirrored", "neighbouring": "neighbour"}[kind]
    rows = [twin_study.row(f"Training/b/{seed}.png") for seed in range(5, 10)]
    pairs = (Twin(rows[0], rows[1], name, 0.97), Twin(rows[2], rows[3], name, 0.96), Twin(rows[0], rows[4], name, 0.95))
    leaks = split_leaks(dataset, _split(dataset, test=[rows[1], rows[2], rows[3]], train=[rows[0], rows[4]]), pairs)
    assert (leaks.test_scans, getattr(leaks, kind), leaks.exact) == (3, 1, 0)
    assert [(twin.first, twin.second) for twin in leaks.examples] == [(rows[1], rows[0])]


def test_every_copy_in_the_test_part_counts(twin_study):
    dataset = twin_study.dataset
    one, two = twin_study.row("Training/a/0.png"), twin_study.row("Testing/a/same.png")
    other = twin_study.row("Training/b/7.png")
    pairs = find_scan_twins(dataset)
    assert split_leaks(dataset, _split(dataset, test=[one], train=[two]), pairs).exact == 1
    both = split_leaks(dataset, _split(dataset, test=[one, two], train=[other]), (Twin(other, one, "copy", 0.97),))
    assert (both.exact, both.near) == (0, 2)


def test_two_data_sets_are_compared(twin_study, tmp_path, twin_picture):
    for seed, label in ((5, "x"), (30, "x"), (31, "y")):
        (tmp_path / "other" / label).mkdir(parents=True, exist_ok=True)
        twin_picture(seed).save(tmp_path / "other" / label / f"{seed}.png")
    twin_picture(6).rotate(180).save(tmp_path / "other" / "y" / "turned.jpg", quality=85)
    import_scans(tmp_path / "other", workspace=twin_study.workspace, name="other", replace=True)
    other = load_dataset(twin_study.workspace, "other")
    leaks = leaks_against(other, twin_study.dataset)
    assert (leaks.test_scans, leaks.exact, leaks.near, leaks.mirrored, leaks.neighbouring) == (4, 1, 0, 1, 0)
    assert leaks.of == "other against twins"
    sources = other.manifest["source"].tolist(), twin_study.dataset.manifest["source"].tolist()
    shown = [(sources[0][twin.first], sources[1][twin.second], twin.kind) for twin in leaks.examples]
    assert shown == [
        ("x/5.png", "Training/b/5.png", "exact"),
        ("y/turned.jpg", "Training/b/6.png", "mirrored"),
    ]


def test_two_data_sets_that_share_nothing(made_up):
    thumbnails = np.random.default_rng(9).integers(0, 256, (2, 60, 60)).astype(np.uint8)
    digests = {"pixel_digest": [f"{row:064x}" for row in (7, 8)]}
    leaks = leaks_against(made_up([0, 1], "ab", thumbnails=thumbnails, columns=digests), made_up([0, 1], "ab"))
    counts = leaks.test_scans, leaks.exact, leaks.near, leaks.mirrored, leaks.neighbouring
    assert counts == (2, 0, 0, 0, 0) and leaks.examples == ()


def test_only_the_own_split_keeps_something_together(twin_study):
    parts = np.resize(["train", "test"], len(twin_study.dataset))
    own, study = (
        make_split(parts, pixel_digests=twin_study.dataset.digests, protocol=protocol, seed=0, groups_are=groups_are)
        for protocol, groups_are in (("grouped", "clusters"), ("study", "none"))
    )
    assert split_leaks(twin_study.dataset, own, ()).kept_together == "clusters"
    assert split_leaks(twin_study.dataset, study, ()).kept_together is None
    assert published_leaks(twin_study.dataset, ()).kept_together is None


@pytest.mark.realdata
@pytest.mark.slow
def test_the_published_split_of_nickparvar_leaks(real_data, workspace):
    dataset = import_scans(real_data / "nickparvar", workspace=workspace, name="nickparvar").dataset
    leaks = published_leaks(dataset, find_scan_twins(dataset))
    assert leaks.test_scans == 1311
    assert leaks.exact >= 216
    assert leaks.near > 100 and leaks.mirrored > 100
