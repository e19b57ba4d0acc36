"""The folded forward pass has the values and gradients of the network it computes."""

from __future__ import annotations

from pathlib import Path

import pytest

LEFT = {"efficientnet-lite0": 0, "resnet50": 0, "densenet121": 62}
"""Normalisations that do not stand behind a convolution of their own."""


@pytest.mark.slow
def test_values_and_gradients_are_those_of_the_network(run_with_tensorflow) -> None:
    rows = run_with_tensorflow(Path(__file__).with_name("fold_many.py"), list(LEFT))
    assert [row[0] for row in rows] == list(LEFT)
    for name, error, worst, left in rows:
        assert error < 1e-5, name
        assert worst < 5e-3, name
        assert left == LEFT[name], name
