from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.datasets.synthesis.fields import SmoothField, draw_field
from tumorlens.datasets.synthesis.grid import Grid, head_grid

_FIELD = draw_field(np.random.default_rng(0), knot_mm=9.0, amplitude=2.0)


@pytest.mark.parametrize(("knot_mm", "amplitude"), [(4.0, 1.0), (6.0, 0.3), (9.0, 5.0)])
def test_amplitude_is_the_root_mean_square(knot_mm: float, amplitude: float) -> None:
    field = draw_field(np.random.default_rng(1), knot_mm=knot_mm, amplitude=amplitude)
    frame, _ = head_grid(80)
    values = field.on(frame.at_heights(np.linspace(-60, 60, 30)))
    assert values.dtype == np.float32
    assert np.sqrt(np.square(values).mean()) == pytest.approx(amplitude, rel=0.06)


@given(rows=st.slices(60), columns=st.slices(60), heights=st.lists(st.floats(-90, 90), max_size=4))
def test_a_point_has_one_value_whichever_grid_it_is_in(rows: slice, columns: slice, heights: list[float]) -> None:
    lines = np.linspace(-120, 90, 60, dtype=np.float32)
    whole = Grid(np.asarray(heights, np.float32), lines, lines)
    part = Grid(whole.z_mm, lines[rows], lines[columns])
    np.testing.assert_array_equal(_FIELD.on(part), _FIELD.on(whole)[:, rows][:, :, columns])


def test_constant_coefficients_give_a_constant() -> None:
    field = SmoothField(np.full((7, 8, 9), 3.0, np.float32), 10.0, (0.0, 0.0, 0.0))
    lines = np.linspace(-30, 130, 50, dtype=np.float32)
    np.testing.assert_allclose(field.on(Grid(lines, lines, lines)), 3.0, rtol=1e-6)


def test_field_is_smooth_and_held_at_its_edge() -> None:
    line = np.arange(-200, 200, 0.5, dtype=np.float32)
    values = _FIELD.on(Grid(np.zeros(1, np.float32), np.zeros(1, np.float32), line))[0, 0]
    assert np.abs(np.diff(values)).max() < 0.5
    assert np.ptp(values[line < -100]) == 0
    assert np.ptp(values[line > 100]) == 0
