"""A column's values become a few levels to divide scans by. Knows nothing about predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_LEVELS", "NOT_GIVEN", "Levels", "divide_by_value", "has_few_levels"]

MOST_LEVELS = 20
"""A column of words with more values than this is not divided by."""

NOT_GIVEN = "not given"
"""Level of scans whose value is empty."""

_MOST_NUMBERS = 10
_QUARTERS = (0.25, 0.5, 0.75)
_FEWEST_DIGITS, _MOST_DIGITS = 3, 17


@dataclass(frozen=True, eq=False)
class Levels:
    """A level for every scan.

    Attributes:
        names: The levels that occur, in order: numbers by size, words by alphabet, empty values last.
        codes: ``(n,)`` int64: indices into ``names``.
        cuts: Where a column of numbers was cut (each value belongs to the level below); ``None`` for levels by value.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    cuts: tuple[float, ...] | None


def divide_by_value(values: Iterable[object]) -> Levels:
    """Divide scans by a column: one level a value, but numbers with more than ten values are cut at their quartiles.

    Args:
        values: ``n`` values, words or numbers; ``None``, NaN and blanks are "not given".
    """
    words = [_word(value) for value in values]
    numbers = _numbers(words)
    if numbers is None:
        return _levels(words, order=sorted(set(words) - {""}))
    given = numbers[~np.isnan(numbers)]
    if np.unique(given).size <= _MOST_NUMBERS:
        return _levels(words, order=sorted(set(words) - {""}, key=lambda word: (float(word), word)))
    cuts = np.unique(np.quantile(given, _QUARTERS))
    names = _between(cuts)
    places = np.searchsorted(cuts, numbers, side="left")
    cut = ["" if np.isnan(number) else names[place] for number, place in zip(numbers, places, strict=True)]
    return _levels(cut, order=names, cuts=tuple(cuts.tolist()))


def has_few_levels(values: Iterable[object]) -> bool:
    """Whether scans can be divided by these values: numbers always, words with at most 20 of them."""
    words = [_word(value) for value in values]
    return len(set(words) - {""}) <= MOST_LEVELS or _numbers(words) is not None


def _levels(words: Sequence[str], *, order: Sequence[str], cuts: tuple[float, ...] | None = None) -> Levels:
    present = set(words)
    kept = [name for name in (*order, "") if name in present]
    places = {name: place for place, name in enumerate(kept)}
    names = tuple(name or NOT_GIVEN for name in kept)
    return Levels(names, np.array([places[word] for word in words], np.int64), cuts)


def _word(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


def _numbers(words: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """``(n,)`` with NaN for blanks; ``None`` where a word is no finite number, or all are blank."""
    try:
        numbers = np.array([float(word) if word else np.nan for word in words])
    except ValueError:
        return None
    given = numbers[[bool(word) for word in words]]
    return numbers if given.size and np.isfinite(given).all() else None


def _between(cuts: npt.NDArray[np.float64]) -> list[str]:
    """Names of the levels between cuts, with as many digits as tell these apart."""
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        words = [f"{cut:.{digits}g}" for cut in cuts]
        if len(set(words)) == len(words):
            break
    inner = [f"{low} to {high}" for low, high in pairwise(words)]
    return [f"up to {words[0]}", *inner, f"above {words[-1]}"]
