"""The price of the split that came with the data."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.batch_linear import share_rows
from tumorlens.audit.findings import Twin
from tumorlens.audit.published import price_of_published_split
from tumorlens.progress import SILENT


def price(dataset, features, pairs=None):
    with SILENT.task("", total=None) as task:
        return price_of_published_split(
            dataset,
            share_rows(features, strength=0.001),
            pairs=pairs,
            chosen=np.arange(len(dataset)),
            least_left=0.15,
            seed=0,
            task=task,
        )


def remembered_scans(made_up, *, part_names=("test", "train", "train"), repeated=(), **more):
    """Thirty triples: the first is tested, the second is its twin with the same feature, the third another scan."""
    rng = np.random.default_rng(0)
    triples = 30
    labels = rng.integers(0, 2, 3 * triples)
    labels[1::3] = labels[0::3]
    features = rng.normal(size=(3 * triples, 80))
    features[1::3] = features[0::3]
    thumbnails = rng.integers(0, 256, (3 * triples, 60, 60)).astype(np.uint8)
    thumbnails[1::3] = thumbnails[0::3]
    thumbnails[1] = thumbnails[0, :, ::-1]  # one twin is mirrored
    columns = {"published_part": np.tile(part_names, triples), **more}
    groups = np.arange(3 * triples) // 3
    distinct = np.delete(thumbnails, list(repeated), axis=0)
    return made_up(labels, groups, thumbnails=distinct, columns=columns), features.astype(np.float32)


def test_twins_are_counted_and_their_removal_costs(made_up):
    found = price(*remembered_scans(made_up))
    assert (found.train_scans, found.removed_scans) == (60, 30)
    assert found.accuracy.accuracy == 1
    assert found.cleaned.accuracy < 0.75
    assert found.cleaned.accuracy + 0.1 < found.control.accuracy < 1
    assert found.cleaned.low < found.cleaned.accuracy < found.cleaned.high


def test_scans_with_the_same_pixels_are_twins_whatever_their_thumbnails(made_up):
    dataset, features = remembered_scans(made_up)
    assert price(dataset, features, pairs=()).removed_scans == 0
    copies, features = remembered_scans(made_up, copy_of=np.where(np.arange(90) == 1, 0, -1), repeated=[1])
    assert price(copies, features, pairs=()).removed_scans == 1
    assert price(copies, features, pairs=[Twin(0, 2, "neighbour", 0.95)]).removed_scans == 2


def test_pairs_within_training_remove_nothing(made_up):
    dataset, features = remembered_scans(made_up)
    assert price(dataset, features, pairs=[Twin(1, 2, "copy", 1.0), Twin(1, 4, "copy", 1.0)]).removed_scans == 0


def test_scans_of_another_part_are_neither_trained_on_nor_tested(made_up):
    found = price(*remembered_scans(made_up, part_names=("test", "validation", "train")))
    assert (found.train_scans, found.removed_scans) == (30, 0)
    assert found.accuracy.accuracy < 0.75
    assert found.cleaned == found.accuracy


def test_a_validation_part_is_tested_where_there_is_no_test_part(made_up):
    found = price(*remembered_scans(made_up, part_names=("validation", "train", "train")))
    assert (found.train_scans, found.removed_scans) == (60, 30)
    assert found.cleaned.accuracy < found.accuracy.accuracy == 1


def test_nothing_is_said_where_nothing_is_left(made_up):
    found = price(*remembered_scans(made_up, part_names=("test", "train", "")))
    assert found.accuracy.accuracy == 1
    assert found.cleaned is found.control is None


@pytest.mark.parametrize("part_names", [("train", "train", "train"), ("test", "test", "test")])
def test_no_price_without_two_parts(made_up, part_names):
    assert price(*remembered_scans(made_up, part_names=part_names)) is None


def test_no_price_without_a_published_split(made_up):
    assert price(made_up([0, 1], ["a", "b"]), np.ones((2, 2), np.float32)) is None
