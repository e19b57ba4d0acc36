from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets import LEFT_OUT, Dataset, leave_out_alike, leave_out_at_random, load_split, save_split
from tumorlens.datasets.coarse_groups import join_groups
from tumorlens.datasets.fold_splits import split_folds
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.errors import InputError
from tumorlens.workflows.fold_splits import make_fold_splits, write_fold_splits


def test_every_scan_is_tested_once_and_groups_stay_whole(original_dataset: Dataset) -> None:
    units = whole_units(original_dataset.groups, original_dataset.digests)
    splits = split_folds(original_dataset, units, folds=3, seed=1)
    tested = np.concatenate([split.rows("test") for split in splits])
    assert sorted(tested.tolist()) == list(range(len(original_dataset)))
    for split in splits:
        assert {len(set(split.parts[units == unit])) for unit in np.unique(units)} == {1}
        assert all(split.sizes().values()) and split.left_out == 0


def test_nothing_like_a_test_scan_is_left_in(original_dataset: Dataset) -> None:
    units = whole_units(original_dataset.groups, original_dataset.digests)
    (split, *_) = split_folds(original_dataset, units, folds=3, seed=0)
    thumbnails = original_dataset.thumbnails()
    outside = np.flatnonzero(split.parts != "test")
    nearest = nearest_similarity(thumbnails[outside], thumbnails[split.rows("test")])
    above = float(np.sort(nearest)[-4])
    strict = leave_out_alike(original_dataset, split, above=above)
    assert strict.protocol == "strict" and strict.left_out == 3
    kept = np.flatnonzero(~np.isin(strict.parts, ["test", LEFT_OUT]))
    assert nearest_similarity(thumbnails[kept], thumbnails[strict.rows("test")]).max() <= above
    assert np.array_equal(strict.rows("test"), split.rows("test"))
    control = leave_out_at_random(original_dataset, split, like=strict, seed=4)
    assert control.sizes() == strict.sizes() and control.digest != strict.digest
    for part in ("train", "validation", "calibration"):
        of_classes = [np.bincount(original_dataset.labels[each.rows(part)]).tolist() for each in (strict, control)]
        assert of_classes[0] == of_classes[1]


def test_a_split_that_leaves_out_survives_its_file(original_dataset: Dataset, tmp_path) -> None:
    units = whole_units(original_dataset.groups, original_dataset.digests)
    (split, *_) = split_folds(original_dataset, units, folds=3, seed=0)
    nearest = nearest_similarity(
        original_dataset.thumbnails()[split.rows("train")], original_dataset.thumbnails()[split.rows("test")]
    )
    strict = leave_out_alike(original_dataset, split, above=float(np.sort(nearest)[-3]))
    assert strict.left_out >= 2
    for suffix in (".json", ".csv"):
        save_split(strict, tmp_path / f"split{suffix}")
        assert np.array_equal(load_split(tmp_path / f"split{suffix}", dataset=original_dataset).parts, strict.parts)
    assert load_split(tmp_path / "split.json", dataset=original_dataset).digest == strict.digest


def test_joined_groups_keep_units_whole_and_join_the_alike_first() -> None:
    random = np.random.default_rng(0)
    bases = random.integers(0, 255, (4, 60, 60))
    thumbnails = np.clip(np.repeat(bases, 4, axis=0) + random.normal(0, 30, (16, 60, 60)), 0, 255).astype(np.uint8)
    units = np.repeat(np.arange(8), 2)
    joined = join_groups(thumbnails, units, count=4)
    same = joined[:, None] == joined[None, :]
    assert np.array_equal(same, np.kron(np.eye(4), np.ones((4, 4))) == 1)
    assert np.array_equal(join_groups(thumbnails, units, count=8), units)


def test_protocols_are_repeatable_and_written_once(original_dataset: Dataset, tmp_path) -> None:
    found = make_fold_splits(original_dataset, protocol="strict", folds=3, groups=20, above=0.99)
    again = make_fold_splits(original_dataset, protocol="strict", folds=3, groups=20, above=0.99)
    assert [split.digest for split in found.splits] == [split.digest for split in again.splits]
    assert found.units == 20
    paths = write_fold_splits(original_dataset, found, tmp_path / "folds")
    assert [path.name for path in paths] == ["fold-1.json", "fold-2.json", "fold-3.json"]
    with pytest.raises(InputError, match="new or empty folder"):
        write_fold_splits(original_dataset, found, tmp_path / "folds")
    with pytest.raises(InputError, match="clusters, strict, control"):
        make_fold_splits(original_dataset, protocol="loose")
