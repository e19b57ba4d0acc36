"""One small cohort and one head, made once for all tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.datasets.synthesis import SynthesisSettings, VirtualPatient, virtual_patient
from tumorlens.datasets.synthesis.anatomy import Anatomy, draw_anatomy
from tumorlens.datasets.synthesis.grid import Grid, head_grid


@pytest.fixture(scope="session")
def settings() -> SynthesisSettings:
    return SynthesisSettings(patients=6, slices_each=5, size=80, seed=11)


@pytest.fixture(scope="session")
def cohort(settings: SynthesisSettings) -> list[VirtualPatient]:
    return [virtual_patient(settings, index) for index in range(settings.patients)]


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    return draw_anatomy(np.random.default_rng(5), deformation_mm=(2.0, 4.5))


@pytest.fixture(scope="session")
def head() -> Grid:
    """The whole head on a lattice of 4 x 3 x 3 mm."""
    frame, _ = head_grid(80)
    return frame.at_heights(np.arange(-70, 80, 4.0))
