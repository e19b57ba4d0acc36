"""The border of a scan."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.border import BORDER_MEASURES, border_measures


def scan(grey):
    return np.repeat(np.asarray(grey, np.uint8)[:, :, None], 3, axis=2)


def test_a_black_frame_has_nothing_in_it():
    grey = np.random.default_rng(0).integers(50, 200, (100, 200))
    grey[[0, -1]] = 0
    grey[:, [0, 1, -2, -1]] = 0
    values = border_measures(scan(grey))
    assert len(values) == sum(BORDER_MEASURES.values())
    assert values[:3].tolist() == [0, 0, 0]
    assert values[3:] == pytest.approx([2 / 100, 4 / 200])


def test_the_frame_is_one_per_cent_wide():
    grey = np.zeros((100, 200))
    grey[0] = 255  # 200 of the frame's 2 x 200 + 2 x 2 x 98 pixels
    values = border_measures(scan(grey))
    share = 200 / 792
    assert values[:3] == pytest.approx([share, np.sqrt(share * (1 - share)), share])


def test_margins_may_have_any_colour_and_some_noise():
    grey = np.random.default_rng(0).integers(50, 200, (50, 50))
    grey[:10] = 255
    grey[45:] = np.random.default_rng(1).integers(7, 10, (5, 50))
    assert border_measures(scan(grey))[3:] == pytest.approx([15 / 50, 0])


def test_a_scan_of_one_colour_is_all_margin():
    assert border_measures(scan(np.full((8, 8), 77)))[3:].tolist() == [1, 1]


def test_a_single_pixel_is_measured():
    assert border_measures(scan([[255]])).tolist() == [1, 0, 1, 1, 1]
