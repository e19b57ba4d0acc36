from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.groups import infer_clusters, keep_patients, patients_of
from tumorlens.datasets.source import SourceRow
from tumorlens.errors import InputError

ROWS = (SourceRow("no/p1_s1.png", "no"), SourceRow("yes/p12_s1.png", "yes"))


def test_patients_come_from_the_pattern_the_column_or_nowhere() -> None:
    named = tuple(SourceRow(row.source, row.label, f"n{row.label}") for row in ROWS)
    assert patients_of(ROWS, pattern=r"p(\d+)_") == ["1", "12"]
    assert patients_of(named, pattern=None) == ["nno", "nyes"]
    assert patients_of(ROWS, pattern=None) is None
    assert patients_of(named, pattern=r"p(\d+)_") == ["1", "12"], "the pattern goes before headers and layouts"
    with pytest.raises(InputError, match="not both"):
        patients_of(named, pattern=r"p(\d+)_", group_column="who")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("p(", "is no regular expression"),
        (r"p\d+", "has 0 groups, expected exactly one"),
        (r"(p)(\d+)", "has 2 groups"),
        (r"no/p(\d+)", "finds no patient in 1 of 2 names .*yes/p12_s1.png"),
        (r"/p(x?)", "finds no patient in 2 of 2"),
    ],
)
def test_patterns_that_do_not_fit_are_refused(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        patients_of(ROWS, pattern=pattern)


def test_copies_share_a_cluster_and_count_as_near_twins() -> None:
    thumbnails = np.random.default_rng(0).integers(0, 256, (3, 60, 60), np.uint8)
    found = infer_clusters(thumbnails, places=np.array([0, 1, 0, 2]))
    assert found.names == ["c00000", "c00001", "c00000", "c00002"]
    assert found.near_twins == 2


def test_near_twins_and_copies_are_counted_with_patients_too() -> None:
    thumbnails = np.random.default_rng(0).integers(0, 250, (4, 60, 60), np.uint8)
    thumbnails[3] = thumbnails[2] + 3
    thumbnails[3, 0, 0] ^= 1
    found = keep_patients(list("abcde"), thumbnails, places=np.array([0, 1, 0, 2, 3]))
    assert (found.names, found.near_twins) == (list("abcde"), 4)
