"""The price of leakage on scans whose leakage is known."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit import price
from tumorlens.audit.findings import Twin
from tumorlens.audit.price import price_of_leakage
from tumorlens.errors import InputError

_PATIENTS, _SLICES = 40, 4


def leaking_scans(made_up, *, seed=0, split_patients=True, columns=None):
    """Features that name the patient and say a little of the label; slices of a patient look alike.

    With ``split_patients`` each patient stands under two groups, as where clusters fall short of patients.
    """
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(_PATIENTS), _SLICES)
    labels = np.repeat(rng.permutation(np.arange(_PATIENTS) % 2), _SLICES)
    identity = rng.normal(size=(_PATIENTS, 60))[patient]
    sign = (labels - 0.5 + rng.normal(size=_PATIENTS)[patient])[:, None]
    features = np.hstack([identity, sign]) + 0.05 * rng.normal(size=(len(patient), 61))
    faces = rng.integers(0, 256, (_PATIENTS, 60, 60))[patient]
    noise = rng.integers(-40, 41, (len(patient), 60, 60))  # slices of a patient correlate at about 0.9
    thumbnails = np.clip(faces + noise, 0, 255).astype(np.uint8)
    groups = 2 * patient + np.arange(len(patient)) % 2 if split_patients else patient
    return made_up(labels, groups, thumbnails=thumbnails, columns=columns), features.astype(np.float32)


@pytest.fixture(scope="module")
def curve(made_up):
    dataset, features = leaking_scans(made_up)
    return price_of_leakage(dataset, features, backbone="made-up", strength=0.01)


@pytest.fixture(scope="module")
def curve_of_patients(made_up):
    dataset, features = leaking_scans(made_up, split_patients=False)
    return price_of_leakage(dataset, features, backbone="made-up", strength=0.01)


def test_both_ends_of_the_curve_come_first(curve):
    assert curve.backbone == "made-up"
    assert curve.curve[0].removed == curve.random
    assert curve.curve[1].removed == curve.grouped
    assert [point.removed_above for point in curve.curve[:2]] == [1.0, 1.0]
    similarities = [point.removed_above for point in curve.curve[1:]]
    assert similarities == sorted(similarities, reverse=True)
    train = [point.train_scans for point in curve.curve[1:]]
    assert train == sorted(train, reverse=True)
    assert train[0] == 128


def test_removing_what_is_close_costs_and_removing_by_chance_does_not(curve):
    last = curve.curve[-1]
    assert curve.random.accuracy > 0.95
    assert curve.grouped.accuracy > 0.9  # the groups split patients, and that leaks too
    assert last.control.accuracy > last.removed.accuracy + 0.15
    assert last.removed.accuracy < 0.85
    assert last.removed.low <= last.removed.accuracy <= last.removed.high


def test_with_whole_patients_there_is_nothing_to_remove(curve_of_patients):
    curve = curve_of_patients
    assert [point.removed_above for point in curve.curve] == [1.0, 1.0]
    assert curve.random.accuracy > curve.grouped.accuracy + 0.15


def test_turned_twins_are_removed_as_well(made_up):
    dataset, features = leaking_scans(made_up, split_patients=True)
    rng = np.random.default_rng(1)
    np.save(dataset.path / "thumbnails.npy", rng.integers(0, 256, (len(dataset), 60, 60)).astype(np.uint8))
    pairs = [Twin(row, row + 1, "mirrored", 0.97) for row in range(0, len(dataset), 2)]
    curve = price_of_leakage(dataset, features, backbone="made-up", strength=0.01, twins=pairs)
    assert [point.removed_above for point in curve.curve[2:]] == [0.96]
    assert curve.curve[2].train_scans < curve.curve[1].train_scans


def test_random_labels_are_remembered_under_random_folds_only(curve_of_patients):
    curve = curve_of_patients
    assert curve.permuted_random.low > 0.9
    assert abs(curve.permuted_grouped.mean - 0.5) < 0.06
    assert curve.permuted_grouped.high - curve.permuted_grouped.low > 0.05
    assert curve.permuted_grouped.chance == 0.5
    assert curve.permuted_random.draws == curve.permuted_grouped.draws >= 50


def test_the_same_seed_gives_the_same_curve(made_up, curve):
    dataset, features = leaking_scans(made_up)
    assert price_of_leakage(dataset, features, backbone="made-up", strength=0.01) == curve


def test_the_strength_is_chosen_where_none_is_given(made_up):
    dataset, features = leaking_scans(made_up, split_patients=False)
    curve = price_of_leakage(dataset, features, backbone="made-up")
    assert 0.4 < curve.grouped.accuracy < 0.9


def test_without_a_published_split_there_is_no_price_of_it(curve):
    assert curve.published is None
    assert curve.published_cleaned is None


def test_the_published_split_is_judged_with_and_without_its_twins(made_up):
    parts = np.where(np.arange(_PATIENTS * _SLICES) % 4 == 0, "test", "train")
    dataset, features = leaking_scans(made_up, columns={"published_part": parts})
    noisy = dataset.thumbnails()  # of the first thirty patients, one training slice equals the test slice
    noisy[1 : 30 * _SLICES : _SLICES] = noisy[0 : 30 * _SLICES : _SLICES]
    np.save(dataset.path / "thumbnails.npy", noisy)
    curve = price_of_leakage(dataset, features, backbone="made-up", strength=0.01)
    assert curve.published.accuracy > 0.95
    assert curve.published_cleaned is not None and curve.published_control is not None
    # the patients' other slices leak as well, so that thirty scans less, of whichever kind, cost next to nothing
    assert curve.published_control.accuracy == pytest.approx(curve.published_cleaned.accuracy, abs=0.05)
    assert curve.published_control != curve.published
    assert (curve.published_train, curve.published_removed) == (120, 30)


def test_large_data_sets_are_judged_on_whole_groups(made_up, monkeypatch):
    monkeypatch.setattr(price, "MOST_SCANS", 101)
    dataset, features = leaking_scans(made_up, split_patients=False)
    curve = price_of_leakage(dataset, features, backbone="made-up", strength=0.01)
    assert curve.curve[0].train_scans == 80  # 25 patients of four slices, in five folds
    assert curve.learning[-1].groups == 20
    assert curve.judged_scans == 100


def test_a_group_that_does_not_fit_is_passed_over(made_up, monkeypatch):
    labels = [0] * 50 + [0, 1] * 5
    dataset = made_up(labels, ["large"] * 50 + [f"small {number}" for number in range(10)])
    for seed in range(5):
        assert price._choose_rows(dataset, most=12, seed=seed).tolist() == list(range(50, 60))
    assert len(price._choose_rows(dataset, most=60, seed=0)) == 60


def test_a_class_for_which_there_is_no_room_is_named(made_up):
    dataset = made_up([1] * 50 + [0] * 10, ["large"] * 50 + list("abcdefghij"))
    with pytest.raises(InputError, match="got none of class1"):
        price._choose_rows(dataset, most=12, seed=0)


def test_one_group_of_a_class_is_refused(made_up):
    dataset = made_up([0, 0, 1, 1, 1, 1], ["a", "b", "c", "c", "c", "c"])
    with pytest.raises(InputError, match="at least 2 groups of each class"):
        price_of_leakage(dataset, np.ones((6, 2), np.float32), backbone="made-up", strength=0.1)
