"""Nearest training scans are exact, and files that are not what they should be are refused in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.bundles.reference import (
    NEIGHBOURS_FILE,
    REFERENCE_FILE,
    Neighbours,
    nearest_distance,
    nearest_rows,
    read_reference,
    unit_vectors,
    write_reference,
)
from tumorlens.errors import IntegrityError


def neighbours(n: int = 5, d: int = 4) -> Neighbours:
    rng = np.random.default_rng(n)
    names = np.arange(n).astype(str)
    return Neighbours(unit_vectors(rng.normal(size=(n, d)).astype(np.float32)), names, names, names, split="ab")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2500), st.integers(1, 4))
def test_nearest_rows_are_those_of_a_whole_table(seed: int, n: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    reference = unit_vectors(rng.normal(size=(n, 6)).astype(np.float32))
    queries = rng.normal(size=(3, 6)).astype(np.float32)
    rows, distances = nearest_rows(queries, reference, count=min(count, n))
    units = np.asarray(unit_vectors(queries), np.float32)
    table = np.clip(1.0 - (units @ np.asarray(reference, np.float32).T).astype(np.float64), 0.0, 2.0)
    np.testing.assert_allclose(distances, np.sort(table, axis=1)[:, : min(count, n)], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(table, rows, axis=1), distances, atol=1e-6)
    np.testing.assert_allclose(nearest_distance(queries, reference), table.min(axis=1), atol=1e-6)


def test_a_vector_of_zeros_is_far_from_all() -> None:
    reference = unit_vectors(np.eye(3, dtype=np.float32))
    assert nearest_distance(np.zeros((1, 3), np.float32), reference)[0] == 1.0


def test_round_trips(tmp_path) -> None:
    found = neighbours()
    found.write(tmp_path)
    again = Neighbours.read(tmp_path)
    assert again is not None and again.split == "ab"
    np.testing.assert_array_equal(again.vectors, found.vectors)
    assert not any(found.without_sources().sources) and any(found.sources)
    write_reference(tmp_path, found.vectors)
    np.testing.assert_array_equal(read_reference(tmp_path), found.vectors.astype(np.float32))
    assert Neighbours.read(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damage", ["cut", "text", "array", "lengths", "type"])
def test_damaged_neighbours_are_refused(tmp_path, damage: str) -> None:
    found, path = neighbours(), tmp_path / NEIGHBOURS_FILE
    if damage == "lengths":
        found = replace(found, labels=found.labels[:2])
    if damage == "type":
        found = replace(found, vectors=found.vectors.astype(np.float64))
    found.write(tmp_path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    if damage == "text":
        path.write_text("no archive")
    if damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    with pytest.raises(IntegrityError, match="is damaged"):
        Neighbours.read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no array"])
def test_a_damaged_reference_is_refused(tmp_path, content: bytes) -> None:
    (tmp_path / REFERENCE_FILE).write_bytes(content)
    with pytest.raises(IntegrityError, match="missing or damaged"):
        read_reference(tmp_path)
    with (tmp_path / REFERENCE_FILE).open("wb") as file:
        np.save(file, np.zeros((2, 2)))
    with pytest.raises(IntegrityError, match="does not hold features"):
        read_reference(tmp_path)
