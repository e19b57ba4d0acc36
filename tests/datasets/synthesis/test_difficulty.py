"""Neither the size nor the brightness of the brain gives a tumour away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tumorlens.datasets.synthesis import SynthesisSettings, virtual_patient

_SETTINGS = SynthesisSettings(patients=60, slices_each=8, size=48, seed=3)


def _measures(settings: SynthesisSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label, share of the picture that is brain, and median grey level of the brain of each slice."""
    rows = []
    for index in range(settings.patients):
        for made in virtual_patient(settings, index).slices:
            brain = made.pixels > 0.1 * np.percentile(made.pixels, 99.5)
            rows.append((made.mask.any(), brain.mean(), np.median(made.pixels[brain])))
    label, area, brightness = np.array(rows).T
    return label.astype(bool), area, brightness


@pytest.mark.slow
def test_area_and_brightness_are_weak() -> None:
    label, area, brightness = _measures(_SETTINGS)
    assert roc_auc_score(label, area) == pytest.approx(0.5, abs=0.1)
    assert roc_auc_score(label, brightness) == pytest.approx(0.5, abs=0.15)


@pytest.mark.slow
def test_scaling_to_the_slice_maximum_makes_brightness_a_shortcut() -> None:
    label, _, brightness = _measures(replace(_SETTINGS, scaling="slice-maximum"))
    assert roc_auc_score(label, -brightness) > 0.6
