"""Colours keep their contrast on a light and on a dark page."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb

from tumorlens.reports.style import GREY, INK, ORANGE, SERIES, plot_style

WHITE, NEAR_BLACK = "#ffffff", "#14171b"


def luminance(colour: str) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


@pytest.mark.parametrize("page", [WHITE, NEAR_BLACK])
@pytest.mark.parametrize("colour", [*SERIES, GREY, ORANGE])
def test_contrast_is_at_least_three_to_one(colour, page):
    lighter, darker = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3.0


def test_style_ends_with_its_block():
    before = mpl.rcParams["text.color"]
    with plot_style():
        assert mpl.rcParams["text.color"] == INK
    assert mpl.rcParams["text.color"] == before
