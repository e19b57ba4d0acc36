from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.synthesis.anatomy import Anatomy
from tumorlens.datasets.synthesis.contrast import Contrast, draw_contrast
from tumorlens.datasets.synthesis.grid import Grid
from tumorlens.datasets.synthesis.lesions import draw_lesions
from tumorlens.datasets.synthesis.tumor import draw_tumor


def _draw(seed: int) -> Contrast:
    return draw_contrast(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(20))
def test_levels_are_in_the_order_of_flair(seed: int) -> None:
    drawn = _draw(seed)
    assert 0 < drawn.fluid < 0.35
    assert 1 < drawn.grey < drawn.lesion
    assert drawn.grey < drawn.core
    assert drawn.grey < drawn.oedema
    assert drawn.fluid <= drawn.necrosis <= drawn.grey


@pytest.mark.parametrize("seed", range(3))
def test_signal_shows_dark_fluid_and_bright_grey_matter(head: Grid, anatomy: Anatomy, seed: int) -> None:
    tissue = anatomy.tissue(head)
    lesions = draw_lesions(np.random.default_rng(seed))
    signal = _draw(seed).signal(head, tissue, lesions=lesions, tumor=None)
    deep = tissue.depth_mm > 5
    fluid = np.median(signal[deep & (tissue.fluid > 0.95)])
    white = np.median(signal[deep & (tissue.white > 0.95) & (tissue.fluid < 0.05)])
    grey = np.median(signal[deep & (tissue.white < 0.05) & (tissue.fluid < 0.05)])
    assert fluid < 0.4 * white < white < grey
    assert not signal[tissue.brain == 0].any()
    assert np.isfinite(signal).all()


def test_tumours_run_from_subtle_to_bright() -> None:
    ratios = np.array([drawn.oedema / drawn.grey for drawn in map(_draw, range(60))])
    assert ratios.min() < 1.25
    assert ratios.max() > 1.75


def test_signal_changes_where_the_tumor_is_and_nowhere_else(head: Grid, anatomy: Anatomy) -> None:
    tumor = draw_tumor(np.random.default_rng(0), anatomy=anatomy)
    tissue = anatomy.tissue(head, tumor.mass_effect)
    parts = tumor.parts(head, tissue)
    lesions = draw_lesions(np.random.default_rng(0))
    contrast = _draw(0)
    with_tumor = contrast.signal(head, tissue, lesions=lesions, tumor=parts)
    without = contrast.signal(head, tissue, lesions=lesions, tumor=None)
    change = np.abs(with_tumor - without)
    untouched = (parts.core == 0) & (parts.oedema == 0)
    assert change[untouched].max() < 1e-5
    assert change[parts.mask].mean() > 0.05
