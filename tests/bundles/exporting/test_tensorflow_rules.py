"""Every translation into TensorFlow and TensorFlow Lite against OpenVINO, operation by operation, in one child each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.extras import has_extra

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_extra("train"), reason="TensorFlow Lite is written by the extra 'train'"),
]

_SCRIPT = Path(__file__).with_name("tensorflow_many.py")


@pytest.mark.parametrize("way", ["function", "lite"])
def test_operations_are_those_of_openvino(run_with_tensorflow, small, way) -> None:
    *rows, last = run_with_tensorflow(_SCRIPT, [way])
    assert [row["graph"] for row in rows] == list(small.GRAPHS)
    assert [row["graph"] for row in rows if not row["shapes"] or not row["difference"] < 5e-6] == []
    assert last == {"unmet": []}
