"""Calibrated probabilities follow the formula, and the way back is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tumorlens.errors import InputError
from tumorlens.runtime import UNCALIBRATED, Calibration, calibrate, uncalibrate

_LOGITS = arrays(np.float64, (4, 3), elements=st.floats(-20, 20))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@given(_LOGITS, st.floats(0.2, 5), st.tuples(*[st.floats(-3, 3)] * 3))
def test_calibrated_probabilities_are_those_of_the_scaled_logits(logits, temperature, shift) -> None:
    calibration = Calibration(temperature, shift)
    found = calibrate(softmax(logits), calibration)
    np.testing.assert_allclose(found, softmax(logits / temperature + np.array(shift)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(uncalibrate(found, calibration), softmax(logits), rtol=1e-7, atol=1e-12)


def test_no_calibration_changes_nothing() -> None:
    probabilities = np.array([[0.2, 0.8], [1.0, 0.0]])
    np.testing.assert_allclose(calibrate(probabilities, UNCALIBRATED), probabilities, atol=1e-15)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_not_positive_is_refused(temperature: float) -> None:
    with pytest.raises(InputError, match="temperature"):
        Calibration(temperature)


def test_a_shift_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="shift"):
        Calibration(1.0, (0.0, float("nan")))
