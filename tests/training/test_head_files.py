from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import IntegrityError
from tumorlens.training.head_files import load_layers, save_layers


def test_layers_come_back_in_order(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    shapes = [(5, 4), (4, 3), (3, 2)]
    layers = [(random.normal(size=s).astype(np.float32), np.arange(s[1], dtype=np.float32)) for s in shapes]
    save_layers(tmp_path / "head.npz", layers)
    head = load_layers(tmp_path / "head.npz", kind="study", takes="flat")
    assert [layer.activation for layer in head.layers] == ["relu", "relu", "linear"]
    for layer, (weight, bias) in zip(head.layers, layers, strict=True):
        np.testing.assert_array_equal(layer.weight, weight)
        np.testing.assert_array_equal(layer.bias, bias)
    assert (head.kind, head.input) == ("study", "flat")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    save_layers(tmp_path / "head.npz", [(np.ones((2, 2), np.float32), np.ones(2, np.float32))])
    data = (tmp_path / "head.npz").read_bytes()
    (tmp_path / "head.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(IntegrityError, match="train it again"):
        load_layers(tmp_path / "head.npz", kind="study", takes="flat")
