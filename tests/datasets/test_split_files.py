from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tumorlens.datasets import (
    PARTS,
    Dataset,
    Split,
    check_split,
    load_split,
    save_split,
    split_by_group,
    split_like_study,
)
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError, NotFoundError


@pytest.fixture
def split(dataset: Dataset) -> Split:
    return split_by_group(dataset, seed=3)


def with_parts(split: Split, parts: np.ndarray) -> Split:
    return make_split(
        parts,
        pixel_digests=split.pixel_digests,
        protocol=split.protocol,
        seed=split.seed,
        groups_are=split.groups_are,
    )


def test_json_keeps_everything(tmp_path: Path, dataset: Dataset, split: Split) -> None:
    for chosen in (split, split_like_study(dataset)):
        save_split(chosen, tmp_path / "s.json")
        read = load_split(tmp_path / "s.json", dataset=dataset)
        np.testing.assert_array_equal(read.parts, chosen.parts)
        assert (read.digest, read.seed, read.protocol, read.groups_are) == (
            chosen.digest,
            chosen.seed,
            chosen.protocol,
            chosen.groups_are,
        )


def test_csv_keeps_the_parts_and_the_digest(tmp_path: Path, dataset: Dataset, split: Split) -> None:
    save_split(split, tmp_path / "s.csv")
    read = load_split(tmp_path / "s.csv", dataset=dataset)
    assert (read.digest, read.seed, read.groups_are) == (split.digest, None, "clusters")


def test_a_csv_by_hand_may_name_sources(tmp_path: Path, dataset: Dataset, split: Split) -> None:
    table = dataset.manifest[["source"]].assign(part=split.parts).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "s.csv", index=False)
    assert load_split(tmp_path / "s.csv", dataset=dataset).digest == split.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-2], "lacks 2 of the 72 rows"),
        (lambda lines: [*lines, lines[1].replace("0,", "99,", 1)], "has 1 rows that 'tiny' has not"),
        (lambda lines: [*lines, lines[1]], "has row 0 twice"),
        (lambda lines: [lines[0], lines[1].rsplit(",", 1)[0] + ",holdout", *lines[2:]], "'holdout'"),
        (lambda lines: [lines[0], "x" + lines[1], *lines[2:]], "row id 'x0"),
        (lambda lines: [lines[0].replace("part", "side"), *lines[1:]], "no column 'part'"),
        (lambda lines: [lines[0].replace("row_id", "id"), *lines[1:]], "no column 'source'"),
        (lambda lines: lines[:1], "no rows"),
    ],
)
def test_wrong_csv_is_refused(tmp_path: Path, dataset: Dataset, split, change, message) -> None:
    file = tmp_path / "s.csv"
    save_split(split, file)
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
    with pytest.raises(InputError, match=message):
        load_split(file, dataset=dataset)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": "0" * 64}, "changed after it was written"),
        ({"format": 99}, "newer tumorlens"),
        ({"protocol": "mine"}, "unknown protocol"),
        ({"groups_are": "none"}, "only the study's split may"),
        ({"parts": {"train": [0]}}, "lacks 71 of the 72 rows"),
        ({"parts": [1]}, "not a readable split file"),
        ({"pixel_digests": []}, "0 pixel digests for 72 rows"),
    ],
)
def test_wrong_json_is_refused(tmp_path: Path, dataset: Dataset, split: Split, change: dict, message: str) -> None:
    file = tmp_path / "s.json"
    save_split(split, file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=message):
        load_split(file, dataset=dataset)


def test_missing_files_and_other_suffixes_are_refused(tmp_path: Path, dataset, split) -> None:
    for name in ("s.json", "s.csv"):
        with pytest.raises(NotFoundError, match="does not exist"):
            load_split(tmp_path / name, dataset=dataset)
    with pytest.raises(InputError, match=r"ends in \.json or \.csv"):
        save_split(split, tmp_path / "s.txt")


def test_a_group_on_two_sides_is_refused(tmp_path: Path, dataset: Dataset, split: Split) -> None:
    row = int(split.rows("train")[0])
    parts = split.parts.copy()
    parts[row] = "test"
    changed = with_parts(split, parts)
    with pytest.raises(InputError, match="cluster 'c0.*stands on two sides"):
        check_split(dataset, changed)
    save_split(changed, tmp_path / "s.json")
    with pytest.raises(InputError, match="stands on two sides"):
        load_split(tmp_path / "s.json", dataset=dataset)


@pytest.mark.parametrize("part", PARTS)
def test_a_class_missing_from_a_side_is_refused(dataset: Dataset, split: Split, part: str) -> None:
    parts = split.parts.copy()
    other = "test" if part != "test" else "train"
    parts[(parts == part) & (dataset.labels == 1)] = other
    with pytest.raises(InputError, match=f"The {part} part holds no scan of class 'yes'"):
        check_split(dataset, with_parts(split, parts))


def test_a_split_of_other_scans_is_refused(dataset: Dataset, split: Split) -> None:
    other = make_split(
        split.parts,
        pixel_digests=split.pixel_digests[::-1],
        protocol="grouped",
        seed=3,
        groups_are="clusters",
    )
    with pytest.raises(InputError, match="was not made for the data set 'tiny'"):
        check_split(dataset, other)


def test_parts_are_named(split: Split) -> None:
    assert sum(split.sizes().values()) == len(split) == 72
    with pytest.raises(InputError, match="Expected a part among train, validation"):
        split.rows("holdout")
