from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.synthesis import grid as grid_module
from tumorlens.datasets.synthesis.grid import CENTRE_MM, Grid, head_grid


@pytest.mark.parametrize("size", [32, 81, 240])
def test_head_grid_lies_about_the_centre_of_the_picture(size: int) -> None:
    frame, (rows, columns) = head_grid(size)
    assert len(frame.y_mm) == rows.stop - rows.start
    assert len(frame.x_mm) == columns.stop - columns.start
    assert frame.y_mm.mean() == pytest.approx(CENTRE_MM[1], abs=1e-3)
    assert frame.x_mm.mean() == pytest.approx(CENTRE_MM[2], abs=1e-3)
    np.testing.assert_allclose(np.diff(frame.y_mm), -240 / size, rtol=1e-4)
    np.testing.assert_allclose(np.diff(frame.x_mm), 240 / size, rtol=1e-4)


def test_near_cuts_out_rows_and_columns() -> None:
    frame, _ = head_grid(240)
    grid = frame.at_heights([0.0, 5.0])
    part = grid.part(grid.near((0.0, -20.0, 30.0), radius_mm=10))
    assert part.shape[0] == 2
    assert np.abs(part.y_mm + 20).max() <= 10
    assert np.abs(part.x_mm - 30).max() <= 10
    assert part.shape[1:] == (20, 20)


def test_near_a_far_point_is_empty() -> None:
    frame, _ = head_grid(64)
    grid = frame.at_heights([0.0])
    assert grid.part(grid.near((0, 500, 500), radius_mm=3)).shape == (1, 0, 0)


def test_blocks_cover_every_plane_once(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(np.arange(7, dtype=np.float32), np.zeros(10, np.float32), np.zeros(10, np.float32))
    monkeypatch.setattr(grid_module, "_BLOCK_POINTS", 700)
    blocks = [grid.z_mm[block].tolist() for block in grid.blocks(layers=3)]
    assert blocks == [[0, 1], [2, 3], [4, 5], [6]]
    monkeypatch.setattr(grid_module, "_BLOCK_POINTS", 1)
    assert [grid.z_mm[block].tolist() for block in grid.blocks()] == [[plane] for plane in range(7)]
