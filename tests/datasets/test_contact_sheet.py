from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tumorlens.datasets import Dataset, contact_sheet


def test_has_a_row_of_tiles_per_class(dataset: Dataset) -> None:
    sheet = contact_sheet(dataset, count=5)
    assert sheet.mode == "RGB"
    assert sheet.width == 5 * 126 + 6
    picture = np.asarray(sheet)
    for row in range(2):
        for column in range(5):
            top, left = 6 + row * 148 + 22, 6 + column * 126
            assert picture[top : top + 120, left : left + 120].std() > 10


def test_shows_different_groups(dataset: Dataset) -> None:
    picture = np.asarray(contact_sheet(dataset, count=12))
    tiles = {picture[28:148, 6 + 126 * c : 126 + 126 * c].tobytes() for c in range(12)}
    assert len(tiles) == 12


@pytest.mark.parametrize("synthetic", [False, True])
def test_says_so_when_synthetic(dataset: Dataset, synthetic: bool) -> None:
    marked = replace(dataset, record=replace(dataset.record, synthetic=synthetic))
    plain = np.asarray(contact_sheet(dataset))
    changed = (np.asarray(contact_sheet(marked)) != plain).any(axis=(1, 2))
    assert changed.any() == synthetic
    assert not changed[:-22].any()


def test_is_written_at_import(dataset: Dataset) -> None:
    with Image.open(dataset.path / "contact-sheet.png") as sheet:
        np.testing.assert_array_equal(np.asarray(sheet), np.asarray(contact_sheet(dataset)))
