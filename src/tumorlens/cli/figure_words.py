"""A figure and its interval in words, as tables in the terminal show them."""

from __future__ import annotations

from tumorlens.evaluation import Figure

__all__ = ["interval_words", "value_words"]

_NOT_THERE = "not available"


def value_words(figure: Figure) -> str:
    """The figure to three places, or "not available"."""
    return _NOT_THERE if figure.value is None else f"{figure.value:.3f}"


def interval_words(figure: Figure) -> str:
    """Both ends of its interval, or "not available"."""
    return _NOT_THERE if figure.low is None or figure.high is None else f"{figure.low:.3f}–{figure.high:.3f}"
