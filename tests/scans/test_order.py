from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.scans import natural_key


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["Image10", "Image2", "Image1"], ["Image1", "Image2", "Image10"]),
        (["b", "A", "a10", "a9"], ["A", "a9", "a10", "b"]),
        (["10", "9", "a"], ["9", "10", "a"]),
        (["p2/s1", "p10/s1", "p2/s11", "p2/s2"], ["p2/s1", "p2/s2", "p2/s11", "p10/s1"]),
        (["01", "1", "001"], ["001", "01", "1"]),
    ],
)
def test_runs_of_digits_count_as_numbers(given_names: list[str], expected: list[str]) -> None:
    assert sorted(given_names, key=natural_key) == expected


@given(st.lists(st.integers(0, 10**12), unique=True))
def test_numbers_are_in_numeric_order(numbers: list[int]) -> None:
    names = sorted((f"Image{number}.png" for number in numbers), key=natural_key)
    assert names == [f"Image{number}.png" for number in sorted(numbers)]


@given(st.lists(st.text(max_size=8), unique=True))
def test_the_order_of_distinct_names_is_never_left_to_chance(names: list[str]) -> None:
    once = sorted(names, key=natural_key)
    assert all(natural_key(a) < natural_key(b) for a, b in pairwise(once))
