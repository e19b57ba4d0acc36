"""The folded forward pass has the values and gradients of the network it computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LEFT = {"efficientnet-lite0": 0, "resnet50": 0, "densenet121": 62}
"""Normalisations that do not stand behind a convolution of their own."""


@pytest.mark.slow
def test_values_and_gradients_are_those_of_the_network() -> None:
    process = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fold_many.py")), *LEFT],
        env={
            **os.environ,
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    assert [row[0] for row in rows] == list(LEFT)
    for name, error, worst, left in rows:
        assert error < 1e-5, name
        assert worst < 5e-3, name
        assert left == LEFT[name], name
